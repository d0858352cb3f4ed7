package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/seal"
	"guarda/shared/verify"
)

func connector(dsn string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }
}

func newRun() backup.Run { return backup.Run{ID: uuid.NewString(), Source: "db"} }

func testKey(t *testing.T) seal.KeyProvider {
	t.Helper()
	keys, err := seal.KeyFromBytes(bytes.Repeat([]byte{9}, seal.KeySize), "")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func objects(t *testing.T, store blob.Store) []string {
	t.Helper()
	var keys []string
	for o, err := range store.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

const twoTables = `create table "Orders" (id int primary key, note text);
	insert into "Orders" select n, 'secret words ' || n from generate_series(1, 5000) n;
	create table empty (id int);`

func TestAnEncryptedBackupIsCompleteAndShowsNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, twoTables)
	store := memory.New()
	keys := testKey(t)
	var reports []backup.Progress
	run := newRun()
	run.Source = "My shop/é" // not a folder's name
	run.RequestedType = backup.Incremental
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Keys: keys,
		Report: func(_ context.Context, p backup.Progress) error { reports = append(reports, p); return nil }}, run)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != 5000 || r.Tables != 2 || r.Chunks != 2 || r.Status != "completed" || !r.Encrypted || r.BackupID != run.ID {
		t.Errorf("%+v", r)
	}
	if r.Type != backup.Full || r.RequestedType != backup.Incremental || len(r.Warnings) != 1 || r.Warnings[0].Code != "full_instead" || !strings.Contains(r.Warnings[0].Message, "no backup yet") {
		t.Errorf("an incremental run said %s, %s, %v", r.Type, r.RequestedType, r.Warnings)
	}
	var size int64
	for _, key := range objects(t, store) {
		in, err := store.Get(ctx, key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(in)
		size += int64(b.Len())
		if bytes.Contains(b.Bytes(), []byte("secret words")) || bytes.Contains(b.Bytes(), []byte("Orders")) {
			t.Errorf("%s shows what the database holds", key)
		}
		if !strings.HasPrefix(key, r.StorePath) {
			t.Errorf("%s is outside the backup's folder", key)
		}
	}
	if size != r.SizeBytes {
		t.Errorf("%d bytes are stored, the result says %d", size, r.SizeBytes)
	}
	last := reports[len(reports)-1]
	if last.Phase != backup.PhaseDone || last.RowsDone != 5000 || last.ChunksDone != 2 || last.TablesDone != 2 || last.BytesDone != last.BytesTotal || last.BytesDone != r.RawBytes {
		t.Errorf("the last report: %+v", last)
	}
	var phases []string
	for _, p := range last.Phases {
		phases = append(phases, string(p.Name))
	}
	if got := strings.Join(phases, " "); got != "connect catalog copy finish done" {
		t.Errorf("phases: %s", got)
	}
	l, err := manifest.Find(ctx, store, "", "latest")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, l)
	if err != nil || v.Status != verify.OK || v.Rows != 5000 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

// TestWhatKeepsABackupFromBeingMade: each cause is named with a way out, and
// nothing is left in the store.
func TestWhatKeepsABackupFromBeingMade(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	role := "reader_" + strings.ReplaceAll(uuid.NewString()[:8], "-", "")
	pgtest.Exec(t, dsn, twoTables+fmt.Sprintf(`
		create role %[1]s login password 'x';
		create schema shut; create table shut.t (id int);
		create table allowed (id int); grant select on allowed to %[1]s;
		create table numbered (id int); create sequence numbers; grant select on numbered to %[1]s;
		create table guarded (id int); grant select on guarded to %[1]s; alter table guarded enable row level security;`, role))
	t.Cleanup(func() { pgtest.Exec(t, dsn, "drop owned by "+role+"; drop role "+role) })
	asReader := pgtest.WithUser(t, dsn, role, "x")
	for name, c := range map[string]struct {
		connect string
		tables  []string
		exclude []string
		store   func(t *testing.T) blob.Store
		code    fault.Code
		says    string
		hint    string
	}{
		"no server":        {connect: "postgres://u:hidden@127.0.0.1:1/db", code: fault.Unavailable, says: "127.0.0.1:1", hint: "host and port"},
		"no host":          {connect: "postgres://u:hidden@no-such-host.invalid/db", code: fault.Unavailable, says: "no-such-host.invalid", hint: "host and port"},
		"no database":      {connect: pgtest.WithDatabase(t, dsn, "no_such_database"), code: fault.NotFound, says: "no_such_database", hint: "database name"},
		"a missing grant":  {connect: asReader, exclude: []string{"shut.*", "numbers", "guarded"}, code: fault.Forbidden, says: `"Orders"`, hint: `GRANT SELECT ON TABLE public."Orders" TO ` + role + ";"},
		"a shut schema":    {connect: asReader, tables: []string{"shut.t"}, code: fault.Forbidden, says: "shut", hint: "GRANT USAGE ON SCHEMA shut TO " + role + ";"},
		"a shut sequence":  {connect: asReader, tables: []string{"numbered", "numbers"}, code: fault.Forbidden, says: "public.numbers", hint: "GRANT SELECT ON SEQUENCE public.numbers TO " + role + ";"},
		"row security":     {connect: asReader, tables: []string{"guarded", "allowed"}, code: fault.Forbidden, says: "public.guarded", hint: "ALTER ROLE " + role + " BYPASSRLS;"},
		"an unknown table": {connect: dsn, tables: []string{"no_such_table"}, code: fault.Invalid, says: "no_such_table", hint: ""},
		"an unreachable store": {connect: dsn, store: func(t *testing.T) blob.Store {
			return blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Put, Times: -1})
		}, code: fault.Unavailable, says: "does not answer"},
		"a store that fails in the middle": {connect: dsn, store: func(t *testing.T) blob.Store {
			return blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Put, Key: "/data/", Times: -1, Err: blobfault.DiskFull()})
		}, code: fault.Exhausted, says: "full"},
		"a store that is full at the end": {connect: dsn, store: func(t *testing.T) blob.Store {
			return blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Put, Key: "manifest.json", Err: blobfault.DiskFull()})
		}, code: fault.Exhausted, says: "full"},
		"an answer that was lost at the very end": {connect: dsn, store: func(t *testing.T) blob.Store {
			return blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Put, Key: "manifest.json", Lose: true})
		}, code: fault.Unavailable, says: "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var store blob.Store = memory.New()
			if c.store != nil {
				store = c.store(t)
			}
			run := newRun()
			run.Tables, run.Exclude, run.Strict = c.tables, c.exclude, true
			r, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(c.connect), Store: store}, run)
			if err == nil || r != nil {
				t.Fatal("it was made nonetheless")
			}
			if fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || !strings.Contains(fault.HintOf(err), c.hint) || fault.HintOf(err) == "" {
				t.Errorf("%s: %v\nhint: %s\nwant %s, %q, %q", fault.CodeOf(err), err, fault.HintOf(err), c.code, c.says, c.hint)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), "hidden") {
				t.Errorf("the password is shown: %v", err)
			}
			if left := objects(t, store); len(left) > 0 {
				t.Errorf("left in the store: %v", left)
			}
		})
	}
}

func TestAWrongPasswordIsNamed(t *testing.T) {
	t.Parallel()
	// The test server trusts everybody, so its answer is made here.
	_, err := backup.Execute(context.Background(), backup.Deps{Store: memory.New(), Connect: func(ctx context.Context) (*pgx.Conn, error) {
		return nil, passwordRefused(t)
	}}, newRun())
	if fault.CodeOf(err) != fault.Forbidden || !strings.Contains(fault.HintOf(err), "password") {
		t.Errorf("%v, %s", err, fault.HintOf(err))
	}
}

func TestALockedTableIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, twoTables)
	blocker := pgtest.Connect(t, dsn)
	if _, err := blocker.Exec(ctx, `begin; lock table "Orders" in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	run := newRun()
	run.LockTimeout = 100 * time.Millisecond
	_, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: memory.New()}, run)
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.HintOf(err), "Orders") || !strings.Contains(fault.HintOf(err), fmt.Sprint(blocker.PgConn().PID())) {
		t.Errorf("%v, hint: %s", err, fault.HintOf(err))
	}
}

// TestARunThatIsStoppedLeavesNothing: by a person (Report's error) and by an
// interrupt (the context), in every phase.
func TestARunThatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, twoTables)
	canceled := fault.New(fault.Canceled, "the run was stopped")
	for _, phase := range []backup.PhaseName{backup.PhaseConnect, backup.PhaseCatalog, backup.PhaseCopy, backup.PhaseFinish} {
		for _, byContext := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			store := memory.New()
			_, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Report: func(_ context.Context, p backup.Progress) error {
				if p.Phase != phase {
					return nil
				}
				if byContext {
					cancel()
					return nil
				}
				return canceled
			}}, newRun())
			cancel()
			if fault.CodeOf(err) != fault.Canceled || !byContext && !errors.Is(err, canceled) {
				t.Errorf("stopped in %s (context: %v): %v", phase, byContext, err)
			}
			if left := objects(t, store); len(left) > 0 {
				t.Errorf("stopped in %s: left in the store: %v", phase, left)
			}
		}
	}
}

// TestOneLostConnectionIsNotTheEnd: a chunk whose connection breaks is copied
// again on another one, in the same picture.
func TestOneLostConnectionIsNotTheEnd(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, twoTables)
	store := memory.New()
	admin := pgtest.Connect(t, dsn)
	var once sync.Once
	slow := blobfault.New(t, store, blobfault.Fault{On: blobfault.Put, Key: "/data/", Before: func(context.Context) {
		once.Do(func() {
			// Ends every worker's session; the coordinator's holds the exported snapshot.
			if _, err := admin.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query ilike 'copy%' and state = 'active'`); err != nil {
				t.Error(err)
			}
		})
	}, Err: blobfault.Unreachable()})
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: slow}, newRun())
	if err != nil || r.Rows != 5000 {
		t.Fatalf("%+v, %v", r, err)
	}
	if l, err := manifest.Find(ctx, store, "", "latest"); err != nil || l.Header.Rows != 5000 {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestALostPictureIsTheEnd: without the coordinator's transaction there is no
// proof that all chunks show the same moment.
func TestALostPictureIsTheEnd(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, twoTables)
	admin := pgtest.Connect(t, dsn)
	store := memory.New()
	_, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Report: func(_ context.Context, p backup.Progress) error {
		if p.Phase == backup.PhaseFinish {
			for left := 1; left > 0; { // until they are gone
				if _, err := admin.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`); err != nil {
					return err
				}
				if err := admin.QueryRow(ctx, `select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`).Scan(&left); err != nil {
					return err
				}
			}
		}
		return nil
	}}, newRun())
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if left := objects(t, store); len(left) > 0 {
		t.Errorf("left in the store: %v", left)
	}
}

// TestTheBanksSumHolds: transfers at full speed while the backup runs, between
// tables that are copied at different moments.
func TestTheBanksSumHolds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	const accounts, start = 400, 1000
	for i := range 4 {
		pgtest.Exec(t, dsn, fmt.Sprintf("create table bank_%d as select n as id, %d as balance, repeat('x', 500) as fill from generate_series(1, %d) n; alter table bank_%[1]d add primary key (id)", i, start, accounts))
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	var transfers atomic.Int64
	for w := range 3 {
		conn := pgtest.Connect(t, dsn)
		writers.Go(func() {
			for n := w; ; n += 7 {
				select {
				case <-stop:
					return
				default:
				}
				sql := fmt.Sprintf("begin; update bank_%d set balance = balance - 5 where id = %d; update bank_%d set balance = balance + 5 where id = %d; commit",
					n%4, n%accounts+1, (n/3+w)%4, (n*13)%accounts+1)
				if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
					// Two transfers may deadlock; the server takes one back.
					_, _ = conn.PgConn().Exec(ctx, "rollback").ReadAll()
					continue
				}
				transfers.Add(1)
			}
		})
	}
	store := memory.New()
	for transfers.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	before := transfers.Load()
	moved := func(_ context.Context, p backup.Progress) error {
		for was := transfers.Load(); p.Phase == backup.PhaseCopy && transfers.Load() == was && ctx.Err() == nil; { // what is copied now is older
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Report: moved}, newRun())
	during := transfers.Load() - before
	close(stop)
	writers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	sum := sumOfBalances(t, store, r.BackupID)
	if want := int64(4 * accounts * start); sum != want {
		t.Errorf("the balances add up to %d, want %d (%d transfers during the backup)", sum, want, during)
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	target := pgtest.New(t)
	if _, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	const restored = "select (select sum(balance) from bank_0) + (select sum(balance) from bank_1) + (select sum(balance) from bank_2) + (select sum(balance) from bank_3)"
	if err := pgtest.Connect(t, target).QueryRow(ctx, restored).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if want := int64(4 * accounts * start); sum != want {
		t.Errorf("in the restored database the balances add up to %d, want %d", sum, want)
	}
}

// TestHelpersShareThePicture: a fan-out copies with workers that have the
// order only, and rows that were added after the snapshot are not seen.
func TestHelpersShareThePicture(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	for i := range 12 {
		pgtest.Exec(t, dsn, fmt.Sprintf("create table t%d as select n, md5(n::text) as s from generate_series(1, 2000) n", i))
	}
	store := memory.New()
	keys := testKey(t)
	queue := backup.NewMemoryQueue()
	var helpers sync.WaitGroup
	var helped atomic.Int64
	var once sync.Once
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Keys: keys, Queue: queue, FanOut: &backup.FanOut{Workers: 2,
		Invoke: func(_ context.Context, order backup.WorkOrder) error {
			once.Do(func() { pgtest.Exec(t, dsn, "insert into t0 select 0, 'late' from generate_series(1, 100)") })
			done := make(chan struct{})
			helpers.Go(func() {
				defer close(done)
				report, err := backup.Work(ctx, backup.WorkerDeps{Connect: connector(dsn), Store: store, Keys: keys, Queue: queue}, order)
				if err != nil || report.More {
					t.Errorf("%s: %+v, %v", order.Worker, report, err)
				}
				helped.Add(int64(report.Chunks))
			})
			if order.Worker == "worker-2" {
				<-done // so that the helpers copy something for certain
			}
			return nil
		}}}, newRun())
	helpers.Wait()
	if err != nil || r.Rows != 24000 {
		t.Fatalf("%+v, %v", r, err)
	}
	if helped.Load() == 0 {
		t.Error("the helpers copied nothing")
	}
	for _, key := range objects(t, store) {
		if strings.Contains(key, "/plan") {
			t.Errorf("%s was left", key)
		}
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, l); err != nil || v.Status != verify.OK {
		t.Errorf("%+v, %v", v, err)
	}
}
