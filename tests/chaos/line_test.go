package chaos_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// slowLine is a TCP way to a Postgres server that lets only so many bytes a
// second come back, over all connections together: a database behind a narrow
// line, so that copying takes as long as it would for a large one.
type slowLine struct {
	to   string
	mu   sync.Mutex
	next time.Time // when the line is free again
	per  time.Duration
}

const lineUnit = 16 << 10 // bytes

// newSlowLine returns the URL of dsn's database through a new line.
func newSlowLine(t *testing.T, dsn string, bytesPerSecond int) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &slowLine{to: u.Host, per: time.Second * lineUnit / time.Duration(bytesPerSecond)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.carry(c)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func (s *slowLine) carry(client net.Conn) {
	server, err := net.Dial("tcp", s.to)
	if err != nil {
		_ = client.Close()
		return
	}
	go func() {
		b := make([]byte, lineUnit)
		for {
			n, err := client.Read(b)
			if n > 0 {
				_, _ = server.Write(b[:n])
			}
			if err != nil {
				_ = server.Close()
				return
			}
		}
	}()
	b := make([]byte, lineUnit)
	for {
		n, err := server.Read(b)
		if n > 0 {
			s.wait(n)
			if _, werr := client.Write(b[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			_, _ = client.Close(), server.Close()
			return
		}
	}
}

// wait takes n bytes' time of the line.
func (s *slowLine) wait(n int) {
	s.mu.Lock()
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	s.next = s.next.Add(s.per * time.Duration(n) / lineUnit)
	until := s.next
	s.mu.Unlock()
	time.Sleep(time.Until(until))
}
