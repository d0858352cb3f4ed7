package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/restore/choice"
)

const loadAttempts = 3

// load is one chunk to be loaded.
type load struct {
	table *manifest.Table // nil: of large objects
	chunk *manifest.Chunk
}

func (l load) mark() string {
	if l.table == nil {
		return chunkMark(manifest.LargeObjectClass, l.chunk)
	}
	return chunkMark(l.table.OID, l.chunk)
}

func (l load) name() string {
	if l.table == nil {
		return "the large objects"
	}
	return "the rows of table " + l.table.FullName()
}

// data loads the rows and the large objects, then sets the sequences.
func (x *restoration) data(ctx context.Context) error {
	queue := newLoadQueue(x.loads())
	group, shared := errgroup.WithContext(ctx)
	for range x.Jobs {
		group.Go(func() error { return x.loadAll(shared, queue) })
	}
	err := group.Wait()
	if err == nil {
		err = queue.left()
	}
	if err != nil {
		return err
	}
	if err := x.layers(ctx); err != nil {
		return err
	}
	for e := range x.choice.In(choice.Values) {
		if err := x.apply(ctx, x.conn, e); err != nil {
			return err
		}
	}
	return nil
}

// loads lists the chunks that are not in the target yet, the largest first.
func (x *restoration) loads() []load {
	var queue []load
	add := func(t *manifest.Table, chunks []manifest.Chunk) {
		for i := range chunks {
			l := load{t, &chunks[i]}
			switch {
			case l.chunk.Object == "":
			case x.journal.done[l.mark()]:
				x.loaded(l)
				x.progress.bytes.Add(l.chunk.RawBytes)
			default:
				queue = append(queue, l)
			}
		}
	}
	for _, t := range x.choice.Tables {
		if !x.keptTables[t.OID] {
			add(t, t.Chunks)
		}
	}
	if large := x.choice.LargeObjects; large != nil {
		add(nil, large.Chunks)
	}
	slices.SortStableFunc(queue, func(a, b load) int { return cmp.Compare(b.chunk.RawBytes, a.chunk.RawBytes) })
	return queue
}

func (x *restoration) loaded(l load) {
	if l.table != nil {
		x.progress.rows.Add(l.chunk.Rows)
	}
}

func (x *restoration) loadAll(ctx context.Context, queue *loadQueue) error {
	var conn *pgx.Conn
	defer func() { pgsession.Close(ctx, conn) }()
	for {
		l, ok := queue.next()
		if !ok {
			return nil
		}
		var err error
		conn, err = x.loadAgain(ctx, conn, l)
		if err = queue.done(l, err); err != nil {
			return err
		}
	}
}

// loadAgain loads a chunk, more than once if the connection is lost, and
// returns the one that it used last.
func (x *restoration) loadAgain(ctx context.Context, conn *pgx.Conn, l load) (*pgx.Conn, error) {
	for attempt := 1; ; attempt++ {
		if conn == nil || conn.IsClosed() {
			var err error
			if conn, err = x.connect(ctx); err != nil {
				return nil, err
			}
		}
		err := x.loadOnce(ctx, conn, l, attempt)
		// One COPY is whole or not at all, so it can be tried again.
		if err == nil || attempt == loadAttempts || ctx.Err() != nil || fault.CodeOf(err) != fault.Unavailable {
			return conn, err
		}
		x.Log.WarnContext(ctx, "rows will be loaded again", "what", l.name(), "error", err.Error())
		pgsession.Close(ctx, conn)
		conn = nil
	}
}

// loadOnce loads a chunk unless an attempt whose end is unknown did.
func (x *restoration) loadOnce(ctx context.Context, conn *pgx.Conn, l load, attempt int) error {
	if attempt > 1 {
		there, err := x.journal.has(ctx, conn, l.mark())
		if err != nil {
			return err
		}
		if there {
			x.loaded(l)
			x.progress.bytes.Add(l.chunk.RawBytes)
			return nil
		}
	}
	if l.table == nil {
		return x.loadLargeObjects(ctx, conn, l)
	}
	return x.load(ctx, conn, l)
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
		x.loaded(l)
		return nil
	}
	x.progress.bytes.Add(-in.n)
	switch {
	case in.err != nil: // why the rows ended, rather than what the server says of that
		return in.err
	case err == nil:
		return x.wayOut(fault.New(fault.Internal, "the target took %d of the %d rows of table %s", tag.RowsAffected(), l.chunk.Rows, l.table.FullName()))
	}
	return x.stopped(err, l.name())
}

// copyIn copies the rows of a chunk in a transaction with its entry in the
// journal. A table that is one chunk is emptied in the same transaction: the
// server then fills the heap from front to back, so that the rows stand in the
// order of the backup, may write them frozen, which saves a later vacuum, and,
// with wal_level minimal, need not log them. It also makes a second attempt safe
// when the answer to the first was lost. A table that the restore did not make
// (an extension's) keeps what it has.
func (x *restoration) copyIn(ctx context.Context, conn *pgx.Conn, l load, in *counted) (pgconn.CommandTag, error) {
	begin, options := "begin", ""
	again := x.journal.on // a second attempt is safe
	if len(l.table.Chunks) == 1 && x.choice.Makes(l.table.OID) {
		begin, options, again = "begin; truncate only "+pgx.Identifier{l.table.Schema, l.table.Name}.Sanitize(), " (freeze)", true
	}
	if err := pgsession.Exec(ctx, conn, begin); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := pgsession.CopyIn(ctx, conn, in, copyStatement(l.table, options))
	if err != nil || tag.RowsAffected() != l.chunk.Rows {
		if !conn.IsClosed() {
			_ = pgsession.Exec(context.WithoutCancel(ctx), conn, "rollback")
		}
		return tag, err
	}
	err = pgsession.Exec(ctx, conn, x.journal.note(l.mark())+"commit")
	if err != nil && conn.IsClosed() && !again {
		err = x.wayOut(fault.New(fault.Conflict, "the connection was lost when the last rows of table %s were sent, and nobody can say whether they were kept", l.table.FullName())).Because(err)
	}
	return tag, err
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
	r   io.Reader
	t   *tracker
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.t.bytes.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
