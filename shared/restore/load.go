package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

const loadAttempts = 3

// data loads the rows, then sets the sequences.
func (x *restoration) data(ctx context.Context) error {
	var queue []load
	for _, t := range x.tables {
		for i := range t.Chunks {
			if c := &t.Chunks[i]; c.Object != "" {
				queue = append(queue, load{t, c})
			}
		}
	}
	slices.SortStableFunc(queue, func(a, b load) int { return cmp.Compare(b.chunk.RawBytes, a.chunk.RawBytes) })
	var mu sync.Mutex
	next := func() (load, bool) {
		mu.Lock()
		defer mu.Unlock()
		if len(queue) == 0 {
			return load{}, false
		}
		l := queue[0]
		queue = queue[1:]
		return l, true
	}
	group, shared := errgroup.WithContext(ctx)
	for range min(x.Jobs, len(queue)) {
		group.Go(func() error { return x.loadAll(shared, next) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range x.entries {
		if e := &x.entries[i]; x.pass[e.ID] == passData {
			if err := x.apply(ctx, x.conn, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// load is one chunk to be loaded.
type load struct {
	table *manifest.Table
	chunk *manifest.Chunk
}

func (x *restoration) loadAll(ctx context.Context, next func() (load, bool)) error {
	var conn *pgx.Conn
	defer func() { pgsession.Close(ctx, conn) }()
	for {
		l, ok := next()
		if !ok {
			return nil
		}
		for attempt := 1; ; attempt++ {
			if conn == nil || conn.IsClosed() {
				var err error
				if conn, err = x.connect(ctx); err != nil {
					return err
				}
			}
			err := x.load(ctx, conn, l)
			if err == nil {
				break
			}
			// One COPY is whole or not at all, so it can be tried again.
			if attempt == loadAttempts || ctx.Err() != nil || fault.CodeOf(err) != fault.Unavailable {
				return err
			}
			x.Log.WarnContext(ctx, "rows will be loaded again", "table", l.table.FullName(), "error", err.Error())
			pgsession.Close(ctx, conn)
			conn = nil
		}
	}
}

// load sends one chunk to the target. The rows are kept only when the end of
// the chunk proved all of them.
func (x *restoration) load(ctx context.Context, conn *pgx.Conn, l load) error {
	r, err := manifest.OpenChunk(ctx, x.Store, l.chunk, x.key)
	if err != nil {
		return err
	}
	defer r.Close()
	in := &counted{r: r, t: &x.progress}
	tag, err := x.copyIn(ctx, conn, l, in)
	if err == nil && tag.RowsAffected() == l.chunk.Rows {
		x.progress.rows.Add(l.chunk.Rows)
		return nil
	}
	x.progress.bytes.Add(-in.n)
	switch {
	case in.err != nil: // why the rows ended, rather than what the server says of that
		return in.err
	case err == nil:
		return fault.New(fault.Internal, "the target took %d of the %d rows of table %s", tag.RowsAffected(), l.chunk.Rows, l.table.FullName()).
			Hint("the target holds part of the backup: drop it before restoring into it again")
	}
	return stopped(err, "the rows of table "+l.table.FullName())
}

// copyIn copies the rows of a chunk. A table that is one chunk is emptied in
// the same transaction: the server then fills the heap from front to back, so
// that the rows stand in the order of the backup, may write them frozen, which
// saves a later vacuum, and, with wal_level minimal, need not log them. It
// also makes a second attempt safe when the answer to the first was lost. A
// table that the restore did not make (an extension's) keeps what it has.
func (x *restoration) copyIn(ctx context.Context, conn *pgx.Conn, l load, in *counted) (pgconn.CommandTag, error) {
	if len(l.table.Chunks) > 1 || !x.made[l.table.OID] {
		tag, err := conn.PgConn().CopyFrom(ctx, in, copyStatement(l.table, ""))
		if err != nil && in.ended && conn.IsClosed() {
			// The rows may have been committed: loading them again could double them.
			err = fault.New(fault.Conflict, "the connection was lost when the last rows of table %s were sent, and nobody can say whether they were kept", l.table.FullName()).
				Hint("drop the target and restore into a new database").Because(err)
		}
		return tag, err
	}
	if err := pgsession.Exec(ctx, conn, "begin; truncate only "+pgx.Identifier{l.table.Schema, l.table.Name}.Sanitize()); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := conn.PgConn().CopyFrom(ctx, in, copyStatement(l.table, " (freeze)"))
	if err != nil || tag.RowsAffected() != l.chunk.Rows {
		if !conn.IsClosed() {
			_ = pgsession.Exec(context.WithoutCancel(ctx), conn, "rollback")
		}
		return tag, err
	}
	return tag, pgsession.Exec(ctx, conn, "commit")
}

func copyStatement(t *manifest.Table, options string) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = pgx.Identifier{c}.Sanitize()
	}
	list := ""
	if len(columns) > 0 {
		list = " (" + strings.Join(columns, ", ") + ")"
	}
	return fmt.Sprintf("copy %s%s from stdin%s", pgx.Identifier{t.Schema, t.Name}.Sanitize(), list, options)
}

// counted tells the progress what was read, and keeps the error that the
// driver would only pass on as text.
type counted struct {
	r     io.Reader
	t     *tracker
	n     int64
	err   error
	ended bool
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.t.bytes.Add(int64(n))
	switch {
	case errors.Is(err, io.EOF):
		c.ended = true
	case err != nil:
		c.err = err
	}
	return n, err
}
