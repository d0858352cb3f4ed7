// Package chaos_test lets backups run on the local stack in functions that
// live for seconds, with processes killed at random, and looks whether what
// comes out is one consistent picture.
//
// The short form is part of the tests. GUARDA_CHAOS=long copies for more than
// a minute, then does it again with processes being killed and frozen; GUARDA_CHAOS_SEED
// repeats a run's choice of victims.
package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob/dir"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/seal"
	"guarda/shared/verify"
	"guarda/tests/localstack"
)

const (
	tables   = 6
	perTable = 1000 // money of an account at the beginning
)

// form is how large a run is.
type form struct {
	rows  int // accounts in a table; about 300 bytes each
	speed int // bytes a second that come from the source
	jobs  int
	least time.Duration // that the copying has to take
	life  int           // seconds that a coordinator or a worker may live
	kills int
	limit time.Duration // for the run to end
}

func long() bool { return os.Getenv("GUARDA_CHAOS") == "long" }

// TestABackupOutlivesItsFunctions: functions of ten seconds, a copy that takes
// several times as long, one picture. In the short form they live for twenty,
// so that a busy machine has the time to hand over.
func TestABackupOutlivesItsFunctions(t *testing.T) {
	f := form{rows: 8_000, speed: 700_000, jobs: 3, least: 18 * time.Second, life: 20, limit: 15 * time.Minute}
	if long() {
		f = form{rows: 80_000, speed: 2 << 20, jobs: 4, least: time.Minute, life: 10, limit: 20 * time.Minute}
	}
	e := run(t, f)
	if e.Status != "completed" || e.Relays < 1 || e.Resumes != 0 {
		t.Fatalf("%+v", e)
	}
}

// TestABackupWhoseProcessesAreKilledEndsInTheTruth: it finishes or goes on
// with a new picture, and what it calls complete is complete.
func TestABackupWhoseProcessesAreKilledEndsInTheTruth(t *testing.T) {
	if !long() {
		t.Skip("takes minutes; GUARDA_CHAOS=long runs it")
	}
	e := run(t, form{rows: 80_000, speed: 2 << 20, jobs: 4, least: time.Minute, life: 10, kills: 10, limit: 20 * time.Minute})
	if e.Status != "completed" {
		t.Fatalf("%+v", e)
	}
}

// execution is what the API says of a run.
type execution struct {
	ID       string         `json:"id"`
	Status   string         `json:"status"`
	Relays   int            `json:"relay_count"`
	Resumes  int            `json:"resume_count"`
	Chunks   int            `json:"chunks"`
	Reused   int            `json:"chunks_reused"`
	Rows     int64          `json:"rows"`
	Error    map[string]any `json:"error"`
	Progress struct {
		BytesDone int64 `json:"bytes_done"`
	} `json:"progress"`
	Phases []struct {
		Name        string     `json:"name"`
		StartedAt   time.Time  `json:"started_at"`
		CompletedAt *time.Time `json:"completed_at"`
	} `json:"phases"`
	Workers []struct {
		Name           string
		Starts, Chunks int
	} `json:"workers"`
}

// copying is how long the last picture's copying took.
func (e *execution) copying() (took time.Duration) {
	for _, p := range e.Phases {
		if p.Name == "copy" && p.CompletedAt != nil {
			took = p.CompletedAt.Sub(p.StartedAt)
		}
	}
	return took
}

func run(t *testing.T, f form) *execution {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	stack := localstack.Start(t, localstack.Options{Root: root, Database: pgtest.New(t),
		Functions: []string{"authorizer", "auth", "sources", "backup-execute", "backup-executions", "scheduled-backup", "backup-coordinator", "backup-worker", "migrate"},
		Timeouts:  map[string]int{"backup-coordinator": f.life, "backup-worker": f.life}})
	bank := openBank(t, f.rows)
	var source struct{ ID string }
	if status := stack.Call("POST", "/api/sources", map[string]any{"name": "bank", "dsn": newSlowLine(t, bank, f.speed), "settings": map[string]any{"jobs": f.jobs}}, &source); status != 201 {
		t.Fatalf("making the source answered %d", status)
	}
	transfers := transfer(t, bank)
	var began struct {
		ID string `json:"backup_id"`
	}
	if status := stack.Call("POST", "/api/backup/execute", map[string]any{"type": "full", "source_id": source.ID, "wait": false}, &began); status != 202 {
		t.Fatalf("starting the backup answered %d", status)
	}
	end := killers(t, stack, f.kills)
	e := follow(t, stack, began.ID, f.limit)
	end()
	moved := transfers()
	t.Logf("%s: copied for %.1f s in functions of %d s, %d relays, %d resumes, %d of %d chunks kept, workers %+v, %d transfers meanwhile",
		e.Status, e.copying().Seconds(), f.life, e.Relays, e.Resumes, e.Reused, e.Chunks, e.Workers, moved)
	if e.Status == "completed" {
		prove(t, stack, e, f)
	} else if e.Error == nil {
		t.Error("it failed without a reason")
	}
	if moved == 0 {
		t.Error("no money moved: the test proves nothing")
	}
	if took := e.copying(); e.Resumes == 0 && took < f.least {
		t.Errorf("the copying took %s, and should have taken %s: the test proves nothing", took, f.least)
	}
	return e
}

// follow watches a run until it ends. Its progress never goes back while the
// picture is the same.
func follow(t *testing.T, stack *localstack.Stack, id string, limit time.Duration) *execution {
	t.Helper()
	last, resumes := int64(0), 0
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(250 * time.Millisecond) {
		e := &execution{}
		if stack.Call("GET", "/api/backup/executions/"+id, nil, e) != 200 {
			continue
		}
		if e.Resumes == resumes && e.Progress.BytesDone < last {
			t.Errorf("the progress went back from %d to %d bytes after %d relays", last, e.Progress.BytesDone, e.Relays)
		}
		last, resumes = e.Progress.BytesDone, e.Resumes
		if e.Status == "completed" || e.Status == "failed" {
			return e
		}
	}
	t.Fatalf("the run did not end within %s", limit)
	return nil
}

// killers kills processes of coordinators and workers at random moments. One in
// three is frozen instead, for longer than the lease of a chunk: it wakes when
// another one copies what it had, unless the time of its function ended it.
func killers(t *testing.T, stack *localstack.Stack, kills int) (end func()) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("GUARDA_CHAOS_SEED"), 10, 64); err == nil {
		seed = s
	}
	if kills > 0 {
		t.Logf("GUARDA_CHAOS_SEED=%d", seed)
	}
	random := rand.New(rand.NewPCG(seed, seed))
	ctx, cancel := context.WithCancel(context.Background())
	var killing sync.WaitGroup
	killing.Go(func() {
		for n := 0; n < kills; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second + time.Duration(random.Int64N(int64(9*time.Second)))):
			}
			function := []string{"backup-worker", "backup-worker", "backup-coordinator"}[random.IntN(3)]
			pids := stack.Processes(function)
			if len(pids) == 0 {
				continue
			}
			pid := pids[random.IntN(len(pids))]
			if random.IntN(3) == 0 {
				frozen := 4500*time.Millisecond + time.Duration(random.Int64N(int64(time.Second)))
				t.Logf("a process of %s stands still for %s: %v", function, frozen, stack.Freeze(pid, frozen))
				n++
			} else if stack.Kill(pid) == nil {
				n++
				t.Logf("killed a process of %s", function)
			}
		}
	})
	return func() {
		cancel()
		killing.Wait()
	}
}

// openBank makes a database of accounts.
func openBank(t *testing.T, rows int) string {
	t.Helper()
	dsn := pgtest.New(t)
	for i := range tables {
		pgtest.Exec(t, dsn, fmt.Sprintf(`
			create table account_%[1]d (id int primary key, balance bigint not null, note text not null) with (fillfactor = 80);
			insert into account_%[1]d select n, %[2]d, repeat(md5(n::text || %[1]d), 9) from generate_series(1, %[3]d) n`, i, perTable, rows))
	}
	return dsn
}

// transfer moves money between random accounts of different tables.
func transfer(t *testing.T, dsn string) (stop func() int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done atomic.Int64
	var writers sync.WaitGroup
	conn := pgtest.Connect(t, dsn)
	writers.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			from, to := i%tables, (i+1+i%(tables-1))%tables
			err := pgx.BeginFunc(context.Background(), conn, func(tx pgx.Tx) error {
				for table, sum := range map[int]int{from: -7, to: 7} {
					if _, err := tx.Exec(context.Background(), fmt.Sprintf("update account_%d set balance = balance + $1 where id = $2", table), sum, 1+i%1000); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			done.Add(1)
			time.Sleep(2 * time.Millisecond)
		}
	})
	return func() int64 {
		cancel()
		writers.Wait()
		return done.Load()
	}
}

// prove reads every stored byte back, restores the backup and counts the money.
func prove(t *testing.T, stack *localstack.Stack, e *execution, f form) {
	t.Helper()
	ctx := t.Context()
	store, err := dir.Open(stack.StoreDir(), dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.KeyFile(stack.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	l, err := manifest.Find(ctx, store, "bank", e.ID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, l)
	if err != nil || v.Status != verify.OK || v.Rows != int64(tables*f.rows) {
		t.Fatalf("verify: %+v %v", v, err)
	}
	target := pgtest.New(t)
	connect := func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, target) }
	if _, err := restore.Run(ctx, restore.Deps{Connect: connect, Store: store, Keys: keys}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	conn := pgtest.Connect(t, target)
	total, accounts := int64(0), int64(0)
	for i := range tables {
		var sum, n int64
		if err := conn.QueryRow(ctx, fmt.Sprintf("select sum(balance), count(*) from account_%d", i)).Scan(&sum, &n); err != nil {
			t.Fatal(err)
		}
		total, accounts = total+sum, accounts+n
	}
	if want := int64(tables * f.rows); accounts != want || total != want*perTable {
		t.Errorf("the restored database has %d accounts with %d, want %d with %d", accounts, total, want, want*perTable)
	}
}
