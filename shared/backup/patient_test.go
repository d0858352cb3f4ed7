package backup_test

import (
	"context"
	"sync"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/verify"
)

// away is a queue that cannot be reached the first two times that each of its
// methods is called.
type away struct {
	backup.Queue
	mu    sync.Mutex
	calls map[string]int
}

func (a *away) gone(method string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[method]++; a.calls[method] <= 2 {
		return fault.New(fault.Unavailable, "the database cannot be reached")
	}
	return nil
}

func (a *away) Add(ctx context.Context, chunks []backup.Chunk) error {
	if err := a.gone("add"); err != nil {
		return err
	}
	return a.Queue.Add(ctx, chunks)
}

func (a *away) Claim(ctx context.Context, worker string) (*backup.Chunk, error) {
	if err := a.gone("claim"); err != nil {
		return nil, err
	}
	return a.Queue.Claim(ctx, worker)
}

func (a *away) Done(ctx context.Context, r backup.ChunkResult) error {
	if err := a.gone("done"); err != nil {
		return err
	}
	return a.Queue.Done(ctx, r)
}

func (a *away) Counts(ctx context.Context) (backup.Counts, error) {
	if err := a.gone("counts"); err != nil {
		return backup.Counts{}, err
	}
	return a.Queue.Counts(ctx)
}

func (a *away) Results(ctx context.Context) ([]backup.ChunkResult, error) {
	if err := a.gone("results"); err != nil {
		return nil, err
	}
	return a.Queue.Results(ctx)
}

// TestGuardasDatabaseMayBeAwayForAMoment: the picture of the source is not lost
// over it.
func TestGuardasDatabaseMayBeAwayForAMoment(t *testing.T) {
	t.Parallel()
	ctx, dsn, store := t.Context(), pgtest.New(t), memory.New()
	pgtest.Exec(t, dsn, `create table a as select n from generate_series(1, 1000) n; create table b as select n from generate_series(1, 1000) n`)
	queue := &away{Queue: backup.NewMemoryQueue(), calls: map[string]int{}}
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Queue: queue}, newRun())
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"add", "claim", "done", "counts", "results"} {
		if queue.calls[method] < 3 {
			t.Errorf("%s was called %d times", method, queue.calls[method])
		}
	}
	l, err := manifest.Find(ctx, store, "", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verify.Stored(ctx, verify.Deps{Store: store}, l); err != nil || v.Status != verify.OK || v.Rows != 2000 {
		t.Errorf("%+v %v", v, err)
	}
}
