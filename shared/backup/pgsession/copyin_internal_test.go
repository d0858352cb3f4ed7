package pgsession

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
)

// slow is a reader that blocks until it is let go.
type slow struct {
	entered, letGo chan struct{}
	reads          atomic.Int64
}

func (s *slow) Read(p []byte) (int, error) {
	s.reads.Add(1)
	close(s.entered)
	<-s.letGo
	return copy(p, "x"), nil
}

// Taking a reader back waits for the read in progress, and no read follows.
func TestNobodyReadsWhatWasTakenBack(t *testing.T) {
	t.Parallel()
	s := &slow{entered: make(chan struct{}), letGo: make(chan struct{})}
	lent := &lentReader{r: s}
	read, back := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := lent.Read(make([]byte, 1))
		read <- err
	}()
	<-s.entered
	go func() { lent.takeBack(); close(back) }()
	select {
	case <-back:
		t.Fatal("taken back during a read")
	default:
	}
	close(s.letGo)
	if err := <-read; err != nil {
		t.Fatalf("the read in progress: %v", err)
	}
	<-back
	if _, err := lent.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("a read afterwards: %v", err)
	}
	if n := s.reads.Load(); n != 1 {
		t.Fatalf("%d reads", n)
	}
}
