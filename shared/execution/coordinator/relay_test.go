package coordinator_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/execution/coordinator"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// functions are processes that live for so long, as on Lambda.
type functions struct {
	*world
	limit  time.Duration
	jobs   int
	refuse atomic.Int32 // so many calls are refused
}

// Coordinate calls the coordinator.
func (f *functions) Coordinate(_ context.Context, order execution.Order) error {
	if order.After > 0 && f.refuse.Add(-1) >= 0 {
		return fault.New(fault.Unavailable, "the function could not be started")
	}
	f.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		defer cancel()
		c := &coordinator.Coordinator{Runs: f.runs, Means: f.means, MinFanOut: 1, Help: f.help, Call: f.Coordinate}
		if err := c.Do(ctx, order); err != nil {
			f.t.Errorf("coordinator: %v", err)
		}
		if ctx.Err() != nil {
			f.t.Error("a coordinator was killed by its function's limit")
		}
	})
	return nil
}

func (f *functions) help(_ context.Context, order backup.WorkOrder) error {
	f.helped.Add(1)
	f.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		defer cancel()
		w := &coordinator.Worker{Runs: f.runs, Means: f.means, Again: f.help}
		if err := w.Do(ctx, order); err != nil {
			f.t.Errorf("%s: %v", order.Worker, err)
		}
		if ctx.Err() != nil {
			f.t.Error("a worker was killed by its function's limit")
		}
	})
	return nil
}

// begin creates a run and calls the coordinator.
func (f *functions) begin() string { return f.beginAs(backup.Full, nil) }

func (f *functions) beginAs(kind backup.Type, timestamps map[string]string) string {
	f.t.Helper()
	options := execution.OptionsFor(execution.SourceSettings{Jobs: f.jobs}, nil, nil, "", true)
	options.Timestamps = timestamps
	id, err := f.runs.Create(f.t.Context(), execution.New{SourceID: f.source, SourceName: "shop", RequestedType: string(kind), Trigger: execution.Manual, Options: options})
	if err == nil {
		err = f.Coordinate(f.t.Context(), execution.Order{ExecutionID: id})
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// end waits until the run has ended; with a ticker, as each minute's tick would.
func (f *functions) end(id string, ticker *execution.Ticker) *execution.Execution {
	f.t.Helper()
	for until := time.Now().Add(10 * time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		e, err := f.runs.Get(f.t.Context(), id)
		if err != nil {
			f.t.Fatal(err)
		}
		if e.Status.Ended() {
			f.work.Wait()
			return e
		}
		if ticker != nil {
			if _, err := ticker.Tick(f.t.Context(), clock.System{}.Now()); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	f.t.Fatal("the run did not end in ten minutes")
	return nil
}

// slow is a store over a slow line.
type slow struct {
	blob.Store
	wait time.Duration
}

func (s slow) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	if strings.Contains(key, "/data/") {
		select {
		case <-ctx.Done():
			return blob.Object{}, context.Cause(ctx)
		case <-time.After(s.wait):
		}
	}
	return s.Store.Put(ctx, key, body, o)
}

// first is a store that takes so many chunks, and no more until it is open.
type first struct {
	blob.Store
	left atomic.Int32
	open chan struct{}
}

func (s *first) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	if strings.Contains(key, "/data/") && s.left.Add(-1) < 0 {
		select {
		case <-ctx.Done():
			return blob.Object{}, context.Cause(ctx)
		case <-s.open:
		}
	}
	return s.Store.Put(ctx, key, body, o)
}

// A function hands on what it has left to do in the last third of its life, and
// records how it ended in the last twentieth: the limits are long enough for a
// busy machine to do that in, and the lines slow enough to reach them.
const bank = `create table ledger (id int primary key);
	do $$ begin for i in 1..30 loop
		execute format('create table account_%s as select %s * 100 + n as id, 1000::bigint as balance from generate_series(1, 100) n', i, i);
	end loop; end $$;`

// transfer moves money between accounts until it is told to stop, so that any
// consistent picture has the same total.
func (w *world) transfer() (stop func() int64) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done atomic.Int64
	var writers sync.WaitGroup
	writers.Go(func() {
		conn, err := pgx.Connect(ctx, w.dsn)
		if err != nil {
			w.t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := conn.Exec(ctx, `do $$ declare f text := 'account_' || 1 + floor(random() * 30)::int; t text := 'account_' || 1 + floor(random() * 30)::int;
				begin execute format('update %I set balance = balance - 7', f); execute format('update %I set balance = balance + 7', t); end $$`); err == nil {
				done.Add(1)
			}
		}
	})
	return func() int64 {
		cancel()
		writers.Wait()
		return done.Load()
	}
}

// total restores a backup and adds up the accounts.
func (w *world) total(id string) (sum int64) {
	w.t.Helper()
	key, _ := w.means.Keys(w.t.Context())
	l, err := manifest.Find(w.t.Context(), w.store, "shop", id)
	if err != nil {
		w.t.Fatal(err)
	}
	target := pgtest.New(w.t)
	if _, err := restore.Run(w.t.Context(), restore.Deps{Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, target) }, Store: w.store, Keys: key}, restore.Options{}, l); err != nil {
		w.t.Fatal(err)
	}
	const sumOfAll = `select sum((xpath('/row/s/text()', query_to_xml(format('select sum(balance) as s from %I', relname), false, true, '')))[1]::text::bigint)
		from pg_class where relname like 'account%' and relkind = 'r'`
	if err := pgtest.Connect(w.t, target).QueryRow(w.t.Context(), sumOfAll).Scan(&sum); err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// TestOnePictureOutlivesTheFunctionsThatHoldIt is the snapshot relay: functions
// that live for less than the copy takes, money that moves meanwhile.
func TestOnePictureOutlivesTheFunctionsThatHoldIt(t *testing.T) {
	t.Parallel()
	f := &functions{world: newWorld(t), limit: 20 * time.Second, jobs: 3}
	pgtest.Exec(t, f.dsn, bank)
	f.store = slow{f.store, 1500 * time.Millisecond}
	f.refuse.Store(2)
	stop := f.transfer()
	id := f.begin()
	e := f.end(id, nil)
	if n := stop(); n == 0 {
		t.Error("no money moved: the test proves nothing")
	}
	if e.Status != execution.Completed {
		t.Fatalf("%s: %+v", e.Status, e.Metadata.Error)
	}
	if e.Relays < 1 || e.Resumes != 0 || len(e.Workers) != 1 || e.Workers[0].Chunks == 0 {
		t.Errorf("%d relays, %d resumes, workers %+v", e.Relays, e.Resumes, e.Workers)
	}
	t.Logf("%.1f s in functions of %s: %d relays, worker %+v", *e.Metadata.DurationSeconds, f.limit, e.Relays, e.Workers[0])
	if sum := f.total(id); sum != 30*100*1000 {
		t.Errorf("the accounts add up to %d, want %d", sum, 30*100*1000)
	}
	for o, err := range f.store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(o.Key, "/plan") {
			t.Errorf("%s is left", o.Key)
		}
	}
}

// TestWhatABackupRefersToIsKnownToAllItsFunctions: successors and helping
// workers compare with the same base as the process that began.
func TestWhatABackupRefersToIsKnownToAllItsFunctions(t *testing.T) {
	t.Parallel()
	f := &functions{world: newWorld(t), limit: 6 * time.Second, jobs: 3}
	pgtest.Exec(t, f.dsn, bank+`create table visit (id int primary key, at timestamptz not null); insert into visit select n, '2026-01-01' from generate_series(1, 100) n`)
	full := f.end(f.begin(), nil)
	f.store = slow{f.store, 1200 * time.Millisecond}
	for _, kind := range []backup.Type{backup.Incremental, backup.Differential} {
		pgtest.Exec(t, f.dsn, `do $$ begin for i in 1..10 loop
			execute format('update account_%s set balance = balance - 1', i); execute format('update account_%s set balance = balance + 1', i + 10);
		end loop; end $$; update visit set at = now() where id < 5`)
		id := f.beginAs(kind, map[string]string{"visit": "at"})
		e := f.end(id, nil)
		if e.Status != execution.Completed || e.Type != string(kind) || e.Relays < 1 || e.Resumes != 0 {
			t.Fatalf("%s %s, %d relays, %d resumes: %+v", e.Status, e.Type, e.Relays, e.Resumes, e.Metadata.Error)
		}
		if reused := *e.Metadata.ChunksReused; reused < 12 || *e.Metadata.Chunks != *full.Metadata.Chunks || len(e.Workers) != 1 || e.Workers[0].Chunks == 0 {
			t.Errorf("%s: %d of %d chunks were referred to, workers %+v", kind, reused, *e.Metadata.Chunks, e.Workers)
		}
		if w := e.Metadata.Warnings; len(w) != 1 || w[0].Code != "deletes_invisible" {
			t.Errorf("%s: %+v", kind, w)
		}
		f.whole(id, e)
		if sum := f.total(id); sum != 30*100*1000 {
			t.Errorf("%s: the accounts add up to %d, want %d", kind, sum, 30*100*1000)
		}
	}
}

// TestALostPictureIsReplacedAndWhatDidNotChangeIsKept: the source ends every
// connection of the run, once.
func TestALostPictureIsReplacedAndWhatDidNotChangeIsKept(t *testing.T) {
	t.Parallel()
	f := &functions{world: newWorld(t), limit: 10 * time.Minute, jobs: 2}
	pgtest.Exec(t, f.dsn, bank)
	line := &first{Store: f.store, open: make(chan struct{})}
	line.left.Store(12)
	f.store = line
	id := f.begin()
	for done := 0; done < 12; time.Sleep(20 * time.Millisecond) {
		if err := f.pool.QueryRow(t.Context(), `select count(*) from guarda.backup_chunks where status = 'done'`).Scan(&done); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Exec(t, f.dsn, `update account_1 set balance = 0; update account_2 set balance = balance + 1000;
		select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`)
	close(line.open)
	f.work.Wait()
	e, err := f.runs.Get(t.Context(), id)
	if err != nil || e.Status != execution.Running {
		t.Fatalf("%+v %+v %v", e, e.Metadata.Error, err)
	}
	ticker := &execution.Ticker{Store: f.runs, Invoker: f, DefaultZone: "UTC", Log: f.means.Log}
	e = f.end(id, ticker)
	if e.Status != execution.Completed || e.Resumes != 1 || e.Relays != 0 {
		t.Fatalf("%+v %+v", e, e.Metadata.Error)
	}
	if w := e.Metadata.Warnings; len(w) == 0 || w[len(w)-1].Code != "interrupted" {
		t.Errorf("warnings: %+v", w)
	}
	if *e.Metadata.ChunksReused < 9 {
		t.Errorf("%d chunks were kept", *e.Metadata.ChunksReused)
	}
	if sum := f.total(id); sum != 30*100*1000 {
		t.Errorf("the accounts add up to %d, want %d", sum, 30*100*1000)
	}
}

// TestWhoeverWaitsToChangeATableGetsItsTurn: a waiting ALTER TABLE keeps a
// successor from sharing the lock, so the picture cannot be handed on; it is
// given up, and the run goes on with a new one.
func TestWhoeverWaitsToChangeATableGetsItsTurn(t *testing.T) {
	t.Parallel()
	f := &functions{world: newWorld(t), limit: 20 * time.Second, jobs: 2}
	pgtest.Exec(t, f.dsn, bank)
	f.store = slow{f.store, time.Second}
	id := f.begin()
	for claimed := 0; claimed == 0; time.Sleep(20 * time.Millisecond) {
		if err := f.pool.QueryRow(t.Context(), `select count(*) from guarda.backup_chunks where status = 'claimed'`).Scan(&claimed); err != nil {
			t.Fatal(err)
		}
	}
	// The smallest table comes last: nobody but the coordinator has its lock.
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		pgtest.Exec(t, f.dsn, `alter table ledger add column note text default 'changed'`)
	}()
	e := f.end(id, &execution.Ticker{Store: f.runs, Invoker: f, DefaultZone: "UTC", Log: f.means.Log})
	<-changed
	if e.Status != execution.Completed || e.Resumes != 1 {
		t.Fatalf("%s, %d resumes, %d relays: %+v", e.Status, e.Resumes, e.Relays, e.Metadata.Error)
	}
	if *e.Metadata.ChunksReused == 0 {
		t.Error("no chunk was kept")
	}
	if sum := f.total(id); sum != 30*100*1000 {
		t.Errorf("the accounts add up to %d, want %d", sum, 30*100*1000)
	}
}

func TestACanceledRunStopsWhicheverProcessHasIt(t *testing.T) {
	t.Parallel()
	f := &functions{world: newWorld(t), limit: 20 * time.Second, jobs: 3}
	pgtest.Exec(t, f.dsn, bank)
	f.store = slow{f.store, 1500 * time.Millisecond}
	id := f.begin()
	for relays := 0; relays == 0; time.Sleep(20 * time.Millisecond) {
		e, err := f.runs.Peek(t.Context(), id)
		if err != nil || e.Status.Ended() {
			t.Fatal(e.Status, err)
		}
		relays = e.Relays
	}
	if _, err := f.runs.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if e := f.end(id, nil); e.Status != execution.Failed || !e.Canceled {
		t.Errorf("%+v", e)
	}
	for o, err := range f.store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is left", o.Key)
	}
}
