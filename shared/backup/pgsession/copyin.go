package pgsession

import (
	"context"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CopyIn sends r to a COPY … FROM STDIN. When it returns, nobody reads from r
// any more: the driver's own call returns from a lost connection while a
// goroutine of it still reads, and whoever closes r then, or asks it what it
// read, would race with that. A read in progress is waited for.
func CopyIn(ctx context.Context, conn *pgx.Conn, r io.Reader, statement string) (pgconn.CommandTag, error) {
	lent := &lentReader{r: r}
	defer lent.takeBack()
	return conn.PgConn().CopyFrom(ctx, lent, statement)
}

// lentReader reads until it is taken back.
type lentReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lentReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.r == nil {
		return 0, io.ErrClosedPipe
	}
	return l.r.Read(p)
}

func (l *lentReader) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r = nil
}
