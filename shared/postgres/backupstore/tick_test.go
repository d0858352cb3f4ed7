package backupstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/schedule"
)

// orders remembers what the coordinator was told.
type orders struct {
	mu   sync.Mutex
	got  []string
	fail error
}

func (o *orders) Coordinate(_ context.Context, order execution.Order) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.got = append(o.got, order.ExecutionID)
	return nil
}

func (f *fixture) ticker() (*execution.Ticker, *orders) {
	o := &orders{}
	return &execution.Ticker{Store: f.Store, Invoker: o, DefaultZone: "America/Sao_Paulo", Log: slog.New(slog.DiscardHandler)}, o
}

func tick(t *testing.T, ticker *execution.Ticker, at time.Time) execution.Ticked {
	t.Helper()
	done, err := ticker.Tick(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestADueScheduleRunsOnceHoweverOftenTheTickComes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.schedule("1 12 * * *", "", nil)
	s := f.schedule("0 12 * * *", "", nil)
	f.exec(`update guarda.backup_schedules set next_run_at = '2026-11-24T12:00:00Z' where id = $1::text::uuid`, s.ID)
	ticker, told := f.ticker()
	ticker.DefaultZone = "UTC"
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := ticker.Tick(t.Context(), f.clock.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(told.got) != 1 {
		t.Fatalf("%d runs began", len(told.got))
	}
	e := f.get(told.got[0])
	if *e.ScheduleID != s.ID || e.Trigger != execution.Schedule || e.Metadata.Options.Jobs != 4 || !e.Metadata.Options.Encryption {
		t.Errorf("%+v", e)
	}
	kept, err := f.Schedule(t.Context(), s.ID)
	if err != nil || !kept.NextRun.Equal(f.clock.Now().Add(24*time.Hour)) {
		t.Errorf("next run: %v %v", kept.NextRun, err)
	}
}

func TestOfMissedRunsOnlyTheLatestIsCaughtUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.schedule("0 * * * *", "", nil)
	ticker, told := f.ticker()
	f.clock.Advance(5*time.Hour + 7*time.Minute)
	if done := tick(t, ticker, f.clock.Now()); len(done.Started) != 1 {
		t.Fatalf("%+v", done)
	}
	got := f.one(`select scheduled_for::text from guarda.backup_executions where id = $1::text::uuid`, told.got[0])
	if got != "2026-11-24 17:00:00+00" && got != "2026-11-24 14:00:00-03" {
		t.Errorf("the run caught up is the one due at %s", got)
	}
	if kept, _ := f.Schedule(t.Context(), s.ID); kept.NextRun.UTC().Hour() != 18 {
		t.Errorf("next: %s", kept.NextRun)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	for _, policy := range []schedule.Overlap{schedule.Skip, schedule.Queue} {
		f := newFixture(t)
		f.schedule("* * * * *", policy, nil)
		ticker, told := f.ticker()
		f.clock.Advance(time.Minute)
		tick(t, ticker, f.clock.Now())
		first := told.got[0]
		f.claim(first)
		for range 2 { // two more runs are due while the first one goes
			f.clock.Advance(time.Minute)
			if _, err := f.Beat(t.Context(), first, 1, nil); err != nil {
				t.Fatal(err)
			}
			if done := tick(t, ticker, f.clock.Now()); len(done.Started) != 0 || done.Skipped != 1 {
				t.Errorf("%s: %+v", policy, done)
			}
		}
		f.complete(first)
		f.clock.Advance(10 * time.Second)
		done := tick(t, ticker, f.clock.Now())
		warnings := len(f.get(first).Metadata.Warnings) - 1
		if policy == schedule.Skip && (len(done.Started) != 0 || warnings != 2) {
			t.Errorf("skip: %+v, %d warnings on the run that was in the way", done, warnings)
		}
		if policy == schedule.Queue && (len(done.Started) != 1 || warnings != 0) {
			t.Errorf("queue: %+v, %d warnings", done, warnings)
		}
	}
}

func TestWithoutASourceADueRunIsSkippedOnceNotEveryMinute(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.schedule("0 * * * *", "", nil)
	f.exec(`delete from guarda.sources`)
	ticker, _ := f.ticker()
	f.clock.Advance(time.Hour)
	skipped := 0
	for range 5 {
		skipped += tick(t, ticker, f.clock.Now()).Skipped
		f.clock.Advance(time.Minute)
	}
	if skipped != 1 || f.one(`select count(*)::text from guarda.backup_executions`) != "0" {
		t.Errorf("skipped %d times", skipped)
	}
}

func TestAnInitialScheduleGetsItsNextRunAndDoesNotRunAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.exec(`insert into guarda.backup_schedules (name, cron_expression, backup_type) values ('a', '0 2 * * *', 'full'), ('bad', 'every day', 'full')`)
	ticker, told := f.ticker()
	tick(t, ticker, f.clock.Now())
	if got := f.one(`select to_char(next_run_at at time zone 'UTC', 'DD HH24:MI') from guarda.backup_schedules where name = 'a'`); got != "25 05:00" || len(told.got) != 0 {
		t.Errorf("next run %s, told %v", got, told.got)
	}
}

func TestARunThatNobodyTookUpIsToldAgainAndGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	ticker, told := f.ticker()
	f.clock.Advance(time.Minute)
	if done := tick(t, ticker, f.clock.Now()); len(done.Again) != 0 {
		t.Errorf("too early: %+v", done)
	}
	f.clock.Advance(time.Minute)
	if done := tick(t, ticker, f.clock.Now()); len(done.Again) != 1 || told.got[0] != id {
		t.Errorf("%+v", done)
	}
	if done := tick(t, ticker, f.clock.Now()); len(done.Again) != 0 {
		t.Errorf("told twice in a minute: %+v", done)
	}
	told.fail = fault.New(fault.Unavailable, "no")
	f.clock.Advance(2 * time.Minute)
	if _, err := ticker.Tick(t.Context(), f.clock.Now()); err == nil {
		t.Error("a coordinator that cannot be told is not an error")
	}
	f.clock.Advance(time.Hour)
	tick(t, ticker, f.clock.Now())
	if e := f.get(id); e.Status != execution.Failed || e.Metadata.Error.Code != fault.Unavailable || e.Metadata.Error.Hint.Format == "" {
		t.Errorf("%+v", e)
	}
}

// TestARunThatWaitsForRoomIsNotGivenUp: sources may be many, and all due at two
// o'clock.
func TestARunThatWaitsForRoomIsNotGivenUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var going []string
	for range execution.MaxRunning {
		id := f.create()
		f.claim(id)
		going = append(going, id)
	}
	waits := f.create()
	ticker, _ := f.ticker()
	beat := func(d time.Duration) {
		f.clock.Advance(d)
		for _, id := range going {
			if _, err := f.Beat(t.Context(), id, 1, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	beat(2 * time.Hour)
	if done := tick(t, ticker, f.clock.Now()); len(done.Failed) != 0 || len(done.Again) != 1 || done.Again[0] != waits {
		t.Errorf("while all the room is taken: %+v", done)
	}
	f.complete(going[0])
	going = going[1:]
	beat(time.Minute)
	if done := tick(t, ticker, f.clock.Now()); len(done.Failed) != 0 {
		t.Errorf("a minute after there was room: %+v", done)
	}
	beat(time.Hour)
	if done := tick(t, ticker, f.clock.Now()); len(done.Failed) != 1 || done.Failed[0] != waits {
		t.Errorf("an hour after there was room: %+v", done)
	}
}

func TestARunThatWasCutOffIsTakenUpAgainAndGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dead, alive, canceled := f.create(), f.create(), f.create()
	for _, id := range []string{dead, alive, canceled} {
		f.claim(id)
	}
	if _, err := f.Cancel(t.Context(), canceled); err != nil {
		t.Fatal(err)
	}
	f.exec(`insert into guarda.backup_chunks (execution_id, chunk_no, table_oid, table_schema, table_name, range_from, range_to) values ($1::text::uuid, 1, 1, 's', 't', 0, -1)`, dead)
	ticker, told := f.ticker()
	resumed := 0
	for e := f.get(dead); e.Status == execution.Running; e = f.get(dead) {
		f.clock.Advance(execution.Silence + time.Second)
		if _, err := f.Beat(t.Context(), alive, 1, nil); err != nil {
			t.Fatal(err)
		}
		done := tick(t, ticker, f.clock.Now())
		if len(done.Resumed) == 0 {
			continue
		}
		resumed++
		if twice := tick(t, ticker, f.clock.Now().Add(-time.Second)); len(twice.Failed)+len(twice.Started) != 0 {
			t.Errorf("a tick that comes twice: %+v", twice)
		}
		// The coordinator takes it up, and dies again.
		if turn, err := f.Claim(t.Context(), dead); err != nil || turn == nil || turn.Resumes != resumed || turn.Leg != resumed+1 {
			t.Fatalf("%+v %v", turn, err)
		}
	}
	if e := f.get(dead); resumed != execution.MaxResumes || e.Resumes != resumed || e.Canceled || e.In(fault.English).Error.Hint == "" || !strings.Contains(e.In(fault.English).Error.Message, "11 times") {
		t.Errorf("%d resumes: %+v %+v", resumed, e, e.Metadata.Error)
	}
	if len(told.got) < resumed || told.got[0] != dead {
		t.Errorf("told %v", told.got)
	}
	if e := f.get(canceled); !e.Canceled {
		t.Errorf("canceled: %+v", e)
	}
	if e := f.get(alive); e.Status != execution.Running || e.Resumes != 0 {
		t.Errorf("alive: %+v", e)
	}
	if n := f.one(`select count(*)::text from guarda.backup_chunks`); n != "0" {
		t.Errorf("%s chunks of the dead run are left", n)
	}
}

func TestARunWhoseCoordinatorNeverComesFailsAndNamesIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	f.claim(id)
	ticker, told := f.ticker()
	for range 30 {
		f.clock.Advance(time.Minute)
		tick(t, ticker, f.clock.Now())
	}
	e := f.get(id)
	if e.Status != execution.Failed || !strings.Contains(e.In(fault.English).Error.Message, "backup-coordinator") || e.Resumes != 0 {
		t.Errorf("%+v %+v", e, e.Metadata.Error)
	}
	if len(told.got) != 15 {
		t.Errorf("the coordinator was told %d times", len(told.got))
	}
}

func TestATickGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 3 {
		f.schedule(fmt.Sprintf("%d 12 * * *", i+1), "", nil)
	}
	ticker, told := f.ticker()
	ticker.DefaultZone = "UTC"
	told.fail = fault.New(fault.Unavailable, "no")
	f.clock.Advance(5 * time.Minute)
	if _, err := ticker.Tick(t.Context(), f.clock.Now()); err == nil {
		t.Fatal("no error")
	}
	if n := f.one(`select count(*)::text from guarda.backup_executions where status = 'pending'`); n != "3" {
		t.Errorf("%s of 3 runs are waiting for the next tick", n)
	}
}
