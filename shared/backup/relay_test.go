package backup_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

// stuck is a store that takes rows and never says that it has them.
type stuck struct {
	blob.Store
	reached chan<- struct{}
}

func (s stuck) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	if strings.Contains(key, "/data/") {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return blob.Object{}, err
		}
		s.reached <- struct{}{}
		<-ctx.Done()
		return blob.Object{}, context.Cause(ctx)
	}
	return s.Store.Put(ctx, key, body, o)
}

// TestASuccessorRefusesAPictureWhoseLocksWereLost: the process before dies
// while its successor waits for a lock behind somebody who truncates the
// table. The old snapshot would show that table empty.
func TestASuccessorRefusesAPictureWhoseLocksWereLost(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // the successor's wait for a lock is a part of it
	defer cancel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table kept as select n from generate_series(1, 10) n`)
	store, queue, run := memory.New(), backup.NewMemoryQueue(), newRun()
	run.LockTimeout = 2 * time.Minute
	batons := make(chan backup.Baton, 3)
	relay := func(leg int) *backup.Relay {
		return &backup.Relay{
			Leg:     leg,
			Save:    func(_ context.Context, b backup.Baton) (bool, error) { batons <- b; return true, nil },
			Reached: func(context.Context) (backup.Progress, error) { return backup.Progress{}, nil },
		}
	}
	var first context.CancelFunc
	reached := make(chan struct{}, 100)
	ended := make(chan error, 1)
	{
		var ctx1 context.Context
		ctx1, first = context.WithCancel(ctx)
		defer first()
		go func() {
			_, err := backup.Execute(ctx1, backup.Deps{Connect: connector(dsn), Store: stuck{store, reached}, Queue: queue, Relay: relay(1)}, run)
			ended <- err
		}()
	}
	baton := <-batons
	for baton.SnapshotID == "" { // the first says only where the run stores
		baton = <-batons
	}
	<-reached // a worker that comes later would wait behind the truncate, and be counted

	admin := pgtest.Connect(t, dsn)
	truncated := make(chan error, 1)
	go func() {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_, err = conn.Exec(ctx, "truncate kept")
			err = errors.Join(err, conn.Close(ctx))
		}
		truncated <- err
	}()
	waiting(ctx, t, admin, 1)
	took := make(chan error, 1)
	go func() {
		_, err := backup.Continue(ctx, backup.Deps{Connect: connector(dsn), Store: store, Queue: queue, Relay: relay(2)}, run, baton)
		took <- err
	}()
	waiting(ctx, t, admin, 2)
	first()
	if err := <-ended; err == nil {
		t.Fatal("the first process was not stopped")
	}
	if err := <-truncated; err != nil {
		t.Fatal(err)
	}
	err := <-took
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "snapshot is gone") {
		t.Errorf("the successor went on: %v", err)
	}
	select {
	case b := <-batons:
		t.Errorf("the successor took the run over: %+v", b)
	default:
	}
}

// waiting waits until so many sessions of the database wait for a table's lock.
func waiting(ctx context.Context, t *testing.T, conn *pgx.Conn, want int) {
	t.Helper()
	for n := -1; n != want; time.Sleep(5 * time.Millisecond) {
		if err := conn.QueryRow(ctx, `select count(*) from pg_locks where not granted and locktype = 'relation'
			and database = (select oid from pg_database where datname = current_database())`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}
