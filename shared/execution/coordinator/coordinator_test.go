package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/backup"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/execution/coordinator"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/postgres/chunkqueue"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/seal"
)

// world is Guarda's database, a source and a store, without functions.
type world struct {
	t      *testing.T
	runs   *backupstore.Store
	pool   *pgxpool.Pool
	source string // id
	dsn    string // of the source
	store  blob.Store
	means  coordinator.Means
	helped atomic.Int32
	work   sync.WaitGroup
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldThrough(t, func(dsn string) string { return dsn })
}

// newWorldThrough reaches Guarda's own database by another way than migrations.
func newWorldThrough(t *testing.T, way func(dsn string) string) *world {
	t.Helper()
	own := guardadb.New(t)
	own = way(own)
	pool, err := postgres.Open(context.Background(), own, postgres.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w := &world{t: t, runs: backupstore.New(pool, clock.System{}), pool: pool, dsn: pgtest.New(t), store: memory.New()}
	pgtest.Exec(t, w.dsn, `
		create table item (id int primary key, name text not null);
		insert into item select i, 'name ' || i from generate_series(1, 20000) i;
		create table other (id int primary key, item int references item);
		insert into other select i, i from generate_series(1, 500) i;`)
	err = pool.QueryRow(t.Context(), `insert into guarda.sources (name, sealed_dsn, host, port, database, username, is_default)
		values ('shop', '\x00', 'db', 5432, 'shop', 'u', true) returning id::text`).Scan(&w.source)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.KeyFromBytes([]byte(strings.Repeat("k", 32)), "")
	if err != nil {
		t.Fatal(err)
	}
	w.means = coordinator.Means{
		Connect: func(context.Context, string) (func(context.Context) (*pgx.Conn, error), error) {
			return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, w.dsn) }, nil
		},
		Store: func(context.Context) (blob.Store, error) { return w.store, nil },
		Keys:  func(context.Context) (seal.KeyProvider, error) { return key, nil },
		Queue: func(id string, o coordinator.QueueOptions) backup.Queue {
			return chunkqueue.New(pool, clock.System{}, id, chunkqueue.Options(o))
		},
		Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	return w
}

func (w *world) coordinator() *coordinator.Coordinator {
	return &coordinator.Coordinator{Runs: w.runs, Means: w.means, Call: w.Coordinate}
}

// Coordinate is the invoker: the coordinator runs beside the test.
func (w *world) Coordinate(_ context.Context, order execution.Order) error {
	w.work.Go(func() {
		if err := w.coordinator().Do(context.Background(), order); err != nil {
			w.t.Errorf("coordinator: %v", err)
		}
	})
	return nil
}

func (w *world) start(r execution.Request) *execution.Execution {
	w.t.Helper()
	starter := &execution.Starter{Store: w.runs, Invoker: w, Clock: clock.System{}}
	if r.Type == "" {
		r.Type = "full"
	}
	id, err := starter.Start(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := starter.Wait(w.t.Context(), id, 10*time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	w.work.Wait()
	return e
}

func (w *world) manifests() (n int) {
	w.t.Helper()
	for o, err := range w.store.List(w.t.Context(), "") {
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.Contains(o.Key, "/manifest") {
			n++
		}
	}
	return n
}

func TestARunEndsAsACompletedBackupWithItsFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.start(execution.Request{Type: "incremental", Encryption: true})
	if e.Status != execution.Completed {
		t.Fatalf("%s: %+v", e.Status, e.Metadata.Error)
	}
	if e.Type != "full" || e.RequestedType != "incremental" || *e.Rows != 20500 || *e.Metadata.Tables != 2 || !*e.Metadata.Encrypted || e.Stored() == 0 {
		t.Errorf("%+v %+v", e, e.Metadata)
	}
	if len(e.Metadata.Warnings) == 0 || e.Metadata.Warnings[0].Code != "full_instead" {
		t.Errorf("warnings: %+v", e.Metadata.Warnings)
	}
	files, err := w.runs.Files(t.Context(), e.ID, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for _, f := range files {
		types[f.Type]++
		if !strings.HasPrefix(f.Path, *e.StorePath) || f.SizeBytes == 0 || f.Type == "data" && (f.Checksum == nil || len(*f.Checksum) != 64) {
			t.Errorf("%+v", f)
		}
	}
	if types["manifest"] == 0 || types["schema"] == 0 || types["data"] < 2 || types["readme"] != 1 || types["other"] != 0 {
		t.Errorf("files: %v", types)
	}
	var left int
	if err := w.pool.QueryRow(t.Context(), `select count(*) from guarda.backup_chunks`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d chunks left: %v", left, err)
	}
}

func TestARunIsDoneWithGuardasDatabaseBehindATransactionPooler(t *testing.T) {
	t.Parallel()
	w := newWorldThrough(t, func(dsn string) string { return pgtest.PgBouncer(t, dsn, "transaction") })
	if e := w.start(execution.Request{Encryption: true}); e.Status != execution.Completed || *e.Rows != 20500 {
		t.Errorf("%+v %+v", e, e.Metadata.Error)
	}
}

func TestAnOrderThatComesAgainChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.start(execution.Request{})
	before := w.row(e.ID)
	if err := w.coordinator().Do(t.Context(), execution.Order{ExecutionID: e.ID}); err != nil {
		t.Fatal(err)
	}
	if after := w.row(e.ID); after != before || w.manifests() != 1 {
		t.Errorf("%d manifests\n%s\n%s", w.manifests(), before, after)
	}
	// Two at the same time: one does the run.
	id, err := w.runs.Create(t.Context(), execution.New{SourceID: w.source, SourceName: "shop", RequestedType: "full", Trigger: execution.Manual, Options: execution.OptionsFor(execution.SourceSettings{}, nil, nil, "", false)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_ = w.Coordinate(t.Context(), execution.Order{ExecutionID: id})
	}
	w.work.Wait()
	if got, err := w.runs.Get(t.Context(), id); err != nil || got.Status != execution.Completed || w.manifests() != 2 {
		t.Errorf("%+v %v, %d manifests", got, err, w.manifests())
	}
}

func (w *world) row(id string) (text string) {
	w.t.Helper()
	if err := w.pool.QueryRow(w.t.Context(), `select e::text from guarda.backup_executions e where id = $1::text::uuid`, id).Scan(&text); err != nil {
		w.t.Fatal(err)
	}
	return text
}

func TestAFailureIsRecordedWithItsReasonAndLeavesNoBackup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		breakIt func(w *world)
		request execution.Request
		code    fault.Code
		message string
	}{
		{"the source refuses", func(w *world) { w.dsn = pgtest.WithUser(w.t, w.dsn, "nobody", "x") }, execution.Request{}, "", ""},
		{"the source is away", func(w *world) { w.dsn = "postgres://u@127.0.0.1:1/x" }, execution.Request{}, fault.Unavailable, ""},
		{"an unknown table", func(*world) {}, execution.Request{Tables: []string{"public.nothing"}}, "", "nothing"},
		{"a table that has no such timestamp", func(*world) {}, execution.Request{Timestamps: map[string]string{"public.item": "changed"}}, fault.Invalid, "item"},
		{"the store cannot be opened", func(w *world) {
			w.means.Store = func(context.Context) (blob.Store, error) {
				return nil, fault.New(fault.Unavailable, "the bucket %s is away", "b").Hint("wait")
			}
		}, execution.Request{}, fault.Unavailable, "the bucket b is away"},
		{"the store refuses", func(w *world) { w.store = full{w.store} }, execution.Request{}, fault.Exhausted, "disk"},
		{"there is no key", func(w *world) {
			w.means.Keys = func(context.Context) (seal.KeyProvider, error) { return nil, nil }
		}, execution.Request{Encryption: true}, fault.Invalid, "no key"},
		{"the connection string cannot be opened", func(w *world) {
			w.means.Connect = func(context.Context, string) (func(context.Context) (*pgx.Conn, error), error) {
				return nil, errors.New("secret detail")
			}
		}, execution.Request{}, fault.Internal, "defect"},
		{"a panic", func(w *world) {
			w.means.Queue = func(string, coordinator.QueueOptions) backup.Queue { panic("broken") }
		}, execution.Request{}, fault.Internal, "defect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.breakIt(w)
			e := w.start(tt.request)
			if e.Status != execution.Failed || e.Metadata.Error == nil || e.Canceled {
				t.Fatalf("%+v", e)
			}
			v := e.In(fault.English).Error
			if tt.code != "" && v.Code != tt.code || !strings.Contains(v.Message, tt.message) || strings.Contains(v.Message, "secret") {
				t.Errorf("%+v", v)
			}
			if v.Hint == "" {
				t.Errorf("%s has no hint", v.Message)
			}
			if n := w.manifests(); n != 0 {
				t.Errorf("%d manifests", n)
			}
		})
	}
}

// full is a store whose disk is full.
type full struct{ blob.Store }

func (full) Put(context.Context, string, io.Reader, blob.PutOptions) (blob.Object, error) {
	return blob.Object{}, fault.New(fault.Exhausted, "the disk of the store %s is full", "s").Hint("free space")
}

func TestARunIsCanceledWhileItCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := &gate{Store: w.store, reached: make(chan struct{}), open: make(chan struct{})}
	w.store = slow
	starter := &execution.Starter{Store: w.runs, Invoker: w, Clock: clock.System{}}
	id, err := starter.Start(t.Context(), execution.Request{Type: "full"})
	if err != nil {
		t.Fatal(err)
	}
	<-slow.reached
	if _, err := w.runs.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.work.Wait() // the gate opens only by the run's own cancellation
	e, err := w.runs.Get(t.Context(), id)
	if err != nil || e.Status != execution.Failed || !e.Canceled || e.Metadata.Error.Code != fault.Canceled || w.manifests() != 0 {
		t.Errorf("%+v %v", e, err)
	}
}

// gate holds the first data object up until its writer is stopped.
type gate struct {
	blob.Store
	once    sync.Once
	reached chan struct{}
	open    chan struct{}
}

func (g *gate) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	if strings.Contains(key, "/data/") {
		g.once.Do(func() { close(g.reached) })
		select {
		case <-ctx.Done():
			return blob.Object{}, context.Cause(ctx)
		case <-g.open:
		}
	}
	return g.Store.Put(ctx, key, body, o)
}

func TestWorkersHelpWithALargeRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pgtest.Exec(t, w.dsn, `do $$ begin for i in 1..30 loop execute format('create table t%s as select g, repeat(md5(g::text), 20) x from generate_series(1, 1500) g', i); end loop; end $$`)
	var chunks atomic.Int64
	c := w.coordinator()
	c.MinFanOut = 1
	c.Help = func(_ context.Context, order backup.WorkOrder) error {
		w.helped.Add(1)
		w.work.Go(func() {
			worker := &coordinator.Worker{Runs: w.runs, Means: w.means, Again: func(context.Context, backup.WorkOrder) error { return fmt.Errorf("no need") }}
			worker.Log = slog.New(&counting{Handler: slog.DiscardHandler, chunks: &chunks})
			if err := worker.Do(context.Background(), order); err != nil {
				t.Errorf("%s: %v", order.Worker, err)
			}
		})
		return nil
	}
	id, err := w.runs.Create(t.Context(), execution.New{SourceID: w.source, SourceName: "shop", RequestedType: "full", Trigger: execution.Manual,
		Options: execution.OptionsFor(execution.SourceSettings{Jobs: 4}, nil, nil, "", true)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), execution.Order{ExecutionID: id}); err != nil {
		t.Fatal(err)
	}
	w.work.Wait()
	e, err := w.runs.Get(t.Context(), id)
	if err != nil || e.Status != execution.Completed || *e.Rows != 20500+30*1500 {
		t.Fatalf("%+v %+v %v", e, e.Metadata.Error, err)
	}
	if w.helped.Load() != 2 {
		t.Errorf("%d workers were asked for help, with 4 jobs of which 2 are the coordinator's", w.helped.Load())
	}
	if chunks.Load() == 0 {
		t.Log("the coordinator was faster than both workers")
	}
	// A worker whose order comes when the run has ended does nothing.
	late := &coordinator.Worker{Runs: w.runs, Means: w.means}
	if err := late.Do(t.Context(), backup.WorkOrder{RunID: id, Worker: "late"}); err != nil {
		t.Errorf("late: %v", err)
	}
}

// counting adds up the chunks that workers say they copied.
type counting struct {
	slog.Handler
	chunks *atomic.Int64
}

func (c *counting) Enabled(context.Context, slog.Level) bool { return true }
func (c *counting) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "chunks" {
			c.chunks.Add(a.Value.Int64())
		}
	}
	return c
}
