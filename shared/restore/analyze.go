package restore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// analyzeBatch is how many tables one ANALYZE names.
const analyzeBatch = 50

// analyze takes the statistics of what was restored, with all jobs. Tables that
// ANALYZE cannot read for reasons of their own (a child that is a foreign table
// whose server is out of reach) are named in a warning: what the backup holds is
// there without statistics too.
func (x *restoration) analyze(ctx context.Context) error {
	var names []string
	for i := range x.choice.Entries {
		e := &x.choice.Entries[i]
		if !x.kept[e.ID] && (e.Kind == "TABLE" || e.Kind == "MATERIALIZED VIEW") {
			names = append(names, pgx.Identifier{e.Schema, e.Name}.Sanitize())
		}
	}
	queue := slices.Collect(slices.Chunk(names, analyzeBatch))
	var mu sync.Mutex
	next := func() []string {
		mu.Lock()
		defer mu.Unlock()
		if len(queue) == 0 {
			return nil
		}
		batch := queue[0]
		queue = queue[1:]
		return batch
	}
	group, shared := errgroup.WithContext(ctx)
	for range min(x.Jobs, len(queue)) {
		group.Go(func() error {
			conn, err := x.connect(shared)
			if err != nil {
				return err
			}
			defer func() { pgsession.Close(shared, conn) }()
			for batch := next(); batch != nil; batch = next() {
				if err := x.analyzeSome(shared, conn, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (x *restoration) analyzeSome(ctx context.Context, conn *pgx.Conn, names []string) error {
	err := pgsession.Exec(ctx, conn, "analyze "+strings.Join(names, ", "))
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &pg) || conn.IsClosed():
		return pgsession.Explain(err, "take statistics")
	case len(names) > 1:
		for i := range names {
			if err := x.analyzeSome(ctx, conn, names[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	x.warn(fault.Warn("not_analyzed", names[0], "no statistics were taken of %s: %s", names[0], pg.Message))
	return nil
}
