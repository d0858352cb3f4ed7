package backupstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/schedule"
)

type fixture struct {
	*backupstore.Store
	pool   *pgxpool.Pool
	clock  *clock.Manual
	source string
	t      *testing.T
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureThrough(t, func(dsn string) string { return dsn })
}

// newFixtureThrough connects by another way than migrations do.
func newFixtureThrough(t *testing.T, way func(dsn string) string) *fixture {
	t.Helper()
	dsn := guardadb.New(t)
	dsn = way(dsn)
	pool, err := postgres.Open(context.Background(), dsn, postgres.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	f := &fixture{Store: backupstore.New(pool, c), pool: pool, clock: c, t: t}
	f.exec(`delete from guarda.backup_schedules`)
	f.source = f.one(`insert into guarda.sources (name, sealed_dsn, host, port, database, username, is_default, settings)
		values ('shop', '\x00', 'db', 5432, 'shop', 'u', true, '{"jobs": 4, "exclude": ["tmp.*"]}') returning id::text`)
	return f
}

func (f *fixture) exec(sql string, args ...any) {
	f.t.Helper()
	if _, err := f.pool.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

func (f *fixture) one(sql string, args ...any) (text string) {
	f.t.Helper()
	if err := f.pool.QueryRow(f.t.Context(), sql, args...).Scan(&text); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func (f *fixture) create() string {
	f.t.Helper()
	id, err := f.Create(f.t.Context(), execution.New{SourceID: f.source, SourceName: "shop", RequestedType: "full", Trigger: execution.Manual,
		Options: execution.Options{Tables: []string{"public.*"}, Exclude: []string{}, Jobs: 2, Compression: "auto", Encryption: true, LockTimeoutSeconds: 30}})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

func (f *fixture) claim(id string) {
	f.t.Helper()
	if turn, err := f.Claim(f.t.Context(), id); turn == nil || err != nil {
		f.t.Fatalf("claim: %v %v", turn, err)
	}
}

func (f *fixture) get(id string) *execution.Execution {
	f.t.Helper()
	e, err := f.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fixture) complete(id string) {
	f.t.Helper()
	e := f.get(id)
	size, raw, rows, path := int64(1000), int64(5000), int64(42), "shop/20261124T120000Z-"+id+"/"
	e.Type, e.SizeBytes, e.RawBytes, e.Rows, e.StorePath = "full", &size, &raw, &rows, &path
	e.Metadata.TableDetails = json.RawMessage(`[{"schema":"public","name":"t"}]`)
	e.Metadata.Warnings = []fault.Warning{{Code: "full_instead", Message: "m"}}
	sum := "ab"
	files := []execution.File{{Path: path + "manifest.json.zst", Type: "manifest", SizeBytes: 10, Compressed: true}, {Path: path + "data/1/1.copy.zst", Type: "data", SizeBytes: 990, Checksum: &sum, Compressed: true}}
	if ok, err := f.Complete(f.t.Context(), e, 1, files); !ok || err != nil {
		f.t.Fatalf("complete: %v %v", ok, err)
	}
}

func TestARunGoesFromPendingToCompleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	if e := f.get(id); e.Status != execution.Pending || e.RequestedType != "full" || e.Metadata.Options.Jobs != 2 || e.SourceName != "shop" {
		t.Errorf("pending: %+v", e)
	}
	f.clock.Advance(3 * time.Second)
	f.claim(id)
	if sign, err := f.Beat(t.Context(), id, 1, map[string]any{"phase": "copy", "stored_bytes": 7}); sign != execution.Going || err != nil {
		t.Fatalf("beat: %v %v", sign, err)
	}
	if e := f.get(id); e.Status != execution.Running || e.Stored() != 7 || !e.StartedAt.Equal(f.clock.Now()) {
		t.Errorf("running: %+v", e)
	}
	f.clock.Advance(1500 * time.Millisecond)
	f.complete(id)
	e := f.get(id)
	if e.Status != execution.Completed || *e.SizeBytes != 1000 || *e.Rows != 42 || e.Duration(f.clock.Now()) != 1500*time.Millisecond {
		t.Errorf("completed: %+v", e)
	}
	if string(e.Metadata.TableDetails) == "" || len(e.Metadata.Warnings) != 1 {
		t.Errorf("metadata: %+v", e.Metadata)
	}
	if p, err := f.Peek(t.Context(), id); err != nil || p.Metadata.TableDetails != nil {
		t.Errorf("a peek carries the tables: %v", err)
	}
	files, err := f.Files(t.Context(), id, "", 10)
	if err != nil || len(files) != 2 || files[0].Type != "data" || *files[0].Checksum != "ab" {
		t.Fatalf("files: %+v %v", files, err)
	}
	if rest, err := f.Files(t.Context(), id, files[0].Path, 10); err != nil || len(rest) != 1 || rest[0].Type != "manifest" {
		t.Errorf("second page of files: %+v %v", rest, err)
	}
}

func TestARunThatEndedNeverChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	failure := execution.FailureOf(fault.New(fault.Unavailable, "x"))
	for _, end := range []string{"completed", "failed"} {
		id := f.create()
		f.claim(id)
		if end == "completed" {
			f.complete(id)
		} else if ok, err := f.Fail(t.Context(), id, failure, false); !ok || err != nil {
			t.Fatal(ok, err)
		}
		before := f.one(`select e::text from guarda.backup_executions e where id = $1::text::uuid`, id)
		f.clock.Advance(time.Hour)
		if turn, err := f.Claim(t.Context(), id); turn != nil || err != nil {
			t.Errorf("%s: claimed: %v", end, err)
		}
		if sign, err := f.Beat(t.Context(), id, 1, map[string]any{}); sign == execution.Going || err != nil {
			t.Errorf("%s: beats: %v", end, err)
		}
		if ok, err := f.Fail(t.Context(), id, failure, true); ok || err != nil {
			t.Errorf("%s: failed: %v", end, err)
		}
		if ok, err := f.Complete(t.Context(), f.get(id), 1, nil); ok || err != nil {
			t.Errorf("%s: completed: %v", end, err)
		}
		if _, err := f.Cancel(t.Context(), id); fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), end) {
			t.Errorf("%s: cancel: %v", end, err)
		}
		if after := f.one(`select e::text from guarda.backup_executions e where id = $1::text::uuid`, id); after != before {
			t.Errorf("%s changed:\n%s\n%s", end, before, after)
		}
	}
}

func TestOnlyOneClaimsARun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	var wg sync.WaitGroup
	won := make(chan bool, 8)
	for range 8 {
		wg.Go(func() {
			turn, err := f.Claim(t.Context(), id)
			if err != nil {
				t.Error(err)
			}
			won <- turn != nil
		})
	}
	wg.Wait()
	close(won)
	n := 0
	for ok := range won {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d claimed it", n)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pending := f.create()
	e, err := f.Cancel(t.Context(), pending)
	if err != nil || e.Status != execution.Failed || !e.Canceled || e.Metadata.Error == nil || e.Metadata.Error.Code != fault.Canceled {
		t.Errorf("a pending run ends at once: %+v %v", e, err)
	}
	running := f.create()
	f.claim(running)
	if e, err := f.Cancel(t.Context(), running); err != nil || e.Status != execution.Running {
		t.Errorf("a running run is told: %+v %v", e, err)
	}
	if sign, err := f.Beat(t.Context(), running, 1, nil); sign == execution.Going || err != nil {
		t.Errorf("and hears it with the next beat: %v %v", sign, err)
	}
	if _, err := f.Cancel(t.Context(), "5c0b0a52-5f0a-4e39-9d0f-000000000000"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an unknown run: %v", err)
	}
}

func TestAFailureIsKeptForEveryLanguage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	f.claim(id)
	cause := fault.New(fault.Invalid, "the event for the function %s has %d bytes, more than Lambda takes", "f", 7).Hint("try again in a few seconds")
	if ok, err := f.Fail(t.Context(), id, execution.FailureOf(fmt.Errorf("outer: %w", cause)), false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	e := f.get(id)
	en, pt := e.In(fault.English).Error, e.In(fault.Portuguese).Error
	if en.Message != "the event for the function f has 7 bytes, more than Lambda takes" || en.Hint != "try again in a few seconds" {
		t.Errorf("%+v", en)
	}
	if pt.Message != "o evento para a função f tem 7 bytes, mais do que o Lambda aceita" || pt.Code != fault.Invalid {
		t.Errorf("%+v", pt)
	}
	if got := f.one(`select error_message from guarda.backup_executions where id = $1::text::uuid`, id); got != en.Message {
		t.Errorf("error_message is %q", got)
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var ids []string
	for i := range 5 {
		id := f.create()
		ids = append(ids, id)
		if i%2 == 0 {
			f.claim(id)
			f.complete(id)
		}
		if i != 2 { // two begin at the same moment
			f.clock.Advance(time.Minute)
		}
	}
	var got []string
	var after execution.Position
	for range 4 {
		page, err := f.List(t.Context(), execution.Filter{}, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			got = append(got, e.ID)
			after = execution.Position{StartedAt: e.StartedAt, ID: e.ID}
		}
	}
	if len(got) != 5 || got[0] != ids[4] || got[4] != ids[0] {
		t.Errorf("pages give %v of %v", got, ids)
	}
	from := f.clock.Now().Add(-90 * time.Second)
	for _, tt := range []struct {
		filter execution.Filter
		want   int
	}{
		{execution.Filter{Statuses: []string{"completed"}}, 3},
		{execution.Filter{Statuses: []string{"completed", "pending"}, SourceID: f.source}, 5},
		{execution.Filter{Types: []string{"incremental"}}, 0},
		{execution.Filter{ScheduleID: f.source}, 0},
		{execution.Filter{StartedAfter: &from}, 1},
		{execution.Filter{StartedBefore: &from}, 4},
	} {
		if list, err := f.List(t.Context(), tt.filter, execution.Position{}, 10); err != nil || len(list) != tt.want {
			t.Errorf("%+v: %d, want %d (%v)", tt.filter, len(list), tt.want, err)
		}
	}
	totals, err := f.Totals(t.Context())
	if err != nil || totals.Backups != 3 || totals.Bytes != 3000 || totals.BySource[f.source] != 3000 {
		t.Errorf("totals: %+v %v", totals, err)
	}
	recent, err := f.Recent(t.Context(), 2)
	if err != nil || len(recent[f.source]) != 2 || recent[f.source][0].ID != ids[4] {
		t.Errorf("recent: %v %v", recent, err)
	}
	good, err := f.LastSuccesses(t.Context())
	if err != nil || good[f.source].ID != ids[4] {
		t.Errorf("last good: %v %v", good, err)
	}
}

func (f *fixture) schedule(cron string, overlap schedule.Overlap, source *string) *schedule.Schedule {
	f.t.Helper()
	s := &schedule.Schedule{Name: "n " + cron, Cron: cron, BackupType: "full", SourceID: source, Active: true, Configuration: schedule.Configuration{Overlap: overlap}}
	if err := s.Plan("UTC", f.clock.Now()); err != nil {
		f.t.Fatal(err)
	}
	id, err := f.CreateSchedule(f.t.Context(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	kept, err := f.Schedule(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return kept
}

func TestSchedulesAreChangedOnlyByWhoReadThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.schedule("0 2 * * *", "", nil)
	if *s.SourceName != "shop" || s.Version != 1 || s.NextRun.UTC().Hour() != 2 {
		t.Errorf("%+v", s)
	}
	other := *s
	s.Name = "mine"
	if err := f.UpdateSchedule(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := f.UpdateSchedule(t.Context(), &other); fault.CodeOf(err) != fault.Precondition {
		t.Errorf("the second of two changes: %v", err)
	}
	nowhere := "5c0b0a52-5f0a-4e39-9d0f-000000000000"
	s.Version, s.SourceID = 2, &nowhere
	if err := f.UpdateSchedule(t.Context(), s); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a source that is not there: %v", err)
	}
	other.ID = nowhere
	if err := f.UpdateSchedule(t.Context(), &other); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a schedule that is not there: %v", err)
	}
}

func TestDeletingAScheduleKeepsItsRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.schedule("0 2 * * *", "", nil)
	id, err := f.Create(t.Context(), execution.New{ScheduleID: s.ID, SourceID: f.source, SourceName: "shop", RequestedType: "full", Trigger: execution.Schedule})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteSchedule(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if e := f.get(id); e.ScheduleID != nil {
		t.Errorf("%+v", e)
	}
	if err := f.DeleteSchedule(t.Context(), s.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("twice: %v", err)
	}
}

func TestASourceThatIsNotThereSaysWhatToDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if s, err := f.Source(t.Context(), ""); err != nil || s.Name != "shop" || s.Settings.Jobs != 4 || s.Settings.Exclude[0] != "tmp.*" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := f.Source(t.Context(), "5c0b0a52-5f0a-4e39-9d0f-000000000000"); fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "" {
		t.Errorf("unknown: %v", err)
	}
	f.exec(`update guarda.sources set is_default = false`)
	if _, err := f.Source(t.Context(), ""); fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "" {
		t.Errorf("no default: %v", err)
	}
}

// Each of the statements runs several times, on whatever connection the
// pooler has at hand: anything that is prepared or set would show.
func TestEverythingWorksThroughATransactionPooler(t *testing.T) {
	t.Parallel()
	f := newFixtureThrough(t, func(dsn string) string { return pgtest.PgBouncer(t, dsn, "transaction") })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				id := f.create()
				f.claim(id)
				if sign, err := f.Beat(t.Context(), id, 1, map[string]any{"phase": "copy"}); sign != execution.Going || err != nil {
					t.Errorf("beat: %v %v", sign, err)
				}
				f.complete(id)
				if files, err := f.Files(t.Context(), id, "", 10); err != nil || len(files) != 2 {
					t.Errorf("files: %v", err)
				}
				if _, err := f.List(t.Context(), execution.Filter{Statuses: []string{"completed"}, SourceID: f.source}, execution.Position{}, 5); err != nil {
					t.Error(err)
				}
				other := f.create()
				if _, err := f.Cancel(t.Context(), other); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := f.schedule("* * * * *", schedule.Skip, nil)
	ticker, told := f.ticker()
	for range 3 {
		f.clock.Advance(time.Minute)
		tick(t, ticker, f.clock.Now())
	}
	if _, err := f.LastOf(t.Context(), []string{s.ID}); err != nil || len(told.got) == 0 {
		t.Errorf("%v, told %v", err, told.got)
	}
	for _, read := range []func() error{
		func() error { _, err := f.Recent(t.Context(), 3); return err },
		func() error { _, err := f.LastSuccesses(t.Context()); return err },
		func() error { _, err := f.Totals(t.Context()); return err },
		func() error { _, err := f.NextRuns(t.Context()); return err },
		func() error { _, err := f.SourceViews(t.Context()); return err },
		func() error { _, err := f.LastRestoreTest(t.Context()); return err },
		func() error { return f.DeleteSchedule(t.Context(), s.ID) },
	} {
		if err := read(); err != nil {
			t.Error(err)
		}
	}
}
