package restore

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/restore/choice"
)

// layers puts on top of the rows what later backups of the same chain found
// changed, in their order; several tables at a time.
func (x *restoration) layers(ctx context.Context) error {
	var tables []*manifest.Table
	for _, t := range x.choice.Tables {
		if len(t.Layers) > 0 && !x.keptTables[t.OID] {
			tables = append(tables, t)
		}
	}
	next := taker(tables)
	group, shared := errgroup.WithContext(ctx)
	for range min(x.Jobs, len(tables)) {
		group.Go(func() error {
			conn, err := x.connect(shared)
			if err != nil {
				return err
			}
			defer func() { pgsession.Close(shared, conn) }()
			for t, ok := next(); ok; t, ok = next() {
				for i := range t.Layers {
					if err := x.layer(shared, conn, t, i); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// layer applies one layer in a transaction.
func (x *restoration) layer(ctx context.Context, conn *pgx.Conn, t *manifest.Table, i int) error {
	l := &t.Layers[i]
	mark := fmt.Sprintf("layer %d %d", t.OID, i)
	if l.Chunk.Object == "" || x.journal.done[mark] {
		return nil
	}
	what := "the later rows of table " + t.FullName()
	r, err := manifest.OpenChunk(ctx, x.Store, &l.Chunk, x.key)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := pgsession.Exec(ctx, conn, "begin;\n"+choice.BeforeLayer(t)); err != nil {
		return x.stopped(err, what)
	}
	in := &counted{r: r, t: &x.progress}
	tag, err := pgsession.CopyIn(ctx, conn, in, choice.CopyLayer(t))
	switch {
	case in.err != nil:
		return in.err
	case err != nil:
		return x.stopped(err, what)
	case tag.RowsAffected() != l.Chunk.Rows:
		return x.wayOut(fault.New(fault.Internal, "the target took %d of the %d rows of table %s", tag.RowsAffected(), l.Chunk.Rows, t.FullName()))
	}
	if err := pgsession.Exec(ctx, conn, choice.AfterLayer(t, l)+x.journal.note(mark)+"commit"); err != nil {
		return x.stopped(err, what)
	}
	return nil
}

// taker hands out the elements of a list, to several goroutines.
func taker[T any](list []T) func() (T, bool) {
	var mu sync.Mutex
	return func() (first T, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if len(list) == 0 {
			return first, false
		}
		first = list[0]
		list = list[1:]
		return first, true
	}
}
