package pgsession_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
)

// TestALostServerIsNoticedWithinMinutes by who only reads from it.
func TestALostServerIsNoticedWithinMinutes(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	config, err := pgx.ParseConfig("postgres://u@h/d")
	if err != nil {
		t.Fatal(err)
	}
	pgsession.Defaults(config)
	conn, err := config.DialFunc(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(fd uintptr, name int) int {
		n, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, name)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if err := raw.Control(func(fd uintptr) {
		idle, interval, count := option(fd, syscall.TCP_KEEPIDLE), option(fd, syscall.TCP_KEEPINTVL), option(fd, syscall.TCP_KEEPCNT)
		if after := idle + interval*count; idle == 0 || after > 600 {
			t.Errorf("it would take %d s: idle %d, interval %d, count %d", after, idle, interval, count)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
