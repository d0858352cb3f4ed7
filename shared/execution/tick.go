package execution

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"guarda/shared/fault"
	"guarda/shared/schedule"
)

const (
	// A running run reports every few seconds; one that has been silent for
	// this long is dead.
	silence = 3 * time.Minute
	// A pending run that nobody took up for this long was forgotten by Lambda,
	// or its invocation failed: tell the coordinator again.
	forgotten = 90 * time.Second
	// A pending run that is this old will not be wanted any more.
	abandoned = time.Hour
	// How many runs a tick looks at; the next tick takes the rest.
	perTick = 100
)

// Fired is what came of firing a schedule.
type Fired struct {
	ExecutionID string // the run that began; "" when none did
	Overlaps    string // the run of the same schedule that is under way; "" when none is
	Lost        bool   // another tick was first, or the schedule was changed meanwhile
}

// Stale is a run that stopped reporting, or that never began.
type Stale struct {
	ID          string
	Status      Status
	LastSign    time.Time
	CancelAsked bool
}

// TickStore is what a tick needs to keep. See backupstore for the contract.
type TickStore interface {
	Due(ctx context.Context, at time.Time) ([]*schedule.Schedule, error)
	Source(ctx context.Context, id string) (Source, error)
	Fire(ctx context.Context, due *schedule.Schedule, next time.Time, n *New, at time.Time) (Fired, error)
	Waiting(ctx context.Context, since time.Time, limit int) ([]string, error)
	Stale(ctx context.Context, running, pending time.Time, limit int) ([]Stale, error)
	FailStale(ctx context.Context, s Stale, f Failure) (bool, error)
}

// Ticker does what is to be done every minute. Ticks may come twice, late, or
// at the same time: each run begins once.
type Ticker struct {
	Store       TickStore
	Invoker     Invoker
	DefaultZone string // IANA name, for schedules that name none
	Log         *slog.Logger
}

// Ticked says what a tick did.
type Ticked struct {
	Started []string `json:"started"` // runs that began
	Skipped int      `json:"skipped"` // due, but without a source or overlapping
	Again   []string `json:"again"`   // pending runs whose coordinator was told again
	Failed  []string `json:"failed"`  // runs that had died
}

// Tick does what is due at a moment: the scheduled time of the tick, not when
// it arrived. It goes on after a failure and returns all of them.
func (t *Ticker) Tick(ctx context.Context, at time.Time) (Ticked, error) {
	done := Ticked{Started: []string{}, Again: []string{}, Failed: []string{}}
	// The dead first: they may be what a due run would overlap with.
	err := errors.Join(t.bury(ctx, at, &done), t.fire(ctx, at, &done), t.remind(ctx, at, &done))
	return done, err
}

func (t *Ticker) fire(ctx context.Context, at time.Time, done *Ticked) error {
	due, err := t.Store.Due(ctx, at)
	if err != nil {
		return err
	}
	var all []error
	for _, s := range due {
		if err := t.fireOne(ctx, s, at, done); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func (t *Ticker) fireOne(ctx context.Context, s *schedule.Schedule, at time.Time, done *Ticked) error {
	log := t.Log.With("schedule_id", s.ID, "schedule", s.Name)
	cron, err := s.CronIn(t.DefaultZone)
	if err != nil {
		// Written past the API. The other schedules must not suffer from it.
		log.ErrorContext(ctx, "a schedule cannot be read and never runs", "cron", s.Cron, "error", err.Error())
		return nil
	}
	var next time.Time
	if s.NextRun != nil {
		next = *s.NextRun
	}
	plan := cron.DueAt(next, at)
	if plan.Run.IsZero() {
		_, err := t.Store.Fire(ctx, s, plan.Next, nil, at)
		return err
	}
	id := ""
	if s.SourceID != nil {
		id = *s.SourceID
	}
	source, err := t.Store.Source(ctx, id)
	if fault.CodeOf(err) == fault.Invalid {
		log.WarnContext(ctx, "a due run is skipped: there is no source to back up", "due", plan.Run)
		done.Skipped++
		_, err = t.Store.Fire(ctx, s, plan.Next, nil, at)
	}
	if err != nil || source.ID == "" {
		return err
	}
	c := s.Configuration
	n := &New{ScheduleID: s.ID, ScheduledFor: &plan.Run, SourceID: source.ID, SourceName: source.Name, RequestedType: s.BackupType, Trigger: Schedule,
		Options: OptionsFor(source.Settings, c.Tables, c.Exclude, c.CompressionName(), c.Encrypted())}
	fired, err := t.Store.Fire(ctx, s, plan.Next, n, at)
	switch {
	case err != nil:
		return err
	case fired.Overlaps != "":
		log.WarnContext(ctx, "a due run waits or is skipped: the run before is still going", "due", plan.Run, "execution_id", fired.Overlaps, "overlap", c.Overlap)
		done.Skipped++
		return nil
	case fired.ExecutionID == "":
		return nil
	}
	log.InfoContext(ctx, "a scheduled run begins", "due", plan.Run, "missed_before", plan.Missed, "execution_id", fired.ExecutionID)
	done.Started = append(done.Started, fired.ExecutionID)
	return t.tell(ctx, fired.ExecutionID)
}

// tell starts the coordinator. When that fails the run stays pending, and a
// later tick tells it again.
func (t *Ticker) tell(ctx context.Context, id string) error {
	return t.Invoker.Coordinate(ctx, Order{ExecutionID: id})
}

func (t *Ticker) remind(ctx context.Context, at time.Time, done *Ticked) error {
	ids, err := t.Store.Waiting(ctx, at.Add(-forgotten), perTick)
	if err != nil {
		return err
	}
	var all []error
	for _, id := range ids {
		t.Log.WarnContext(ctx, "a run has not begun; its coordinator is told again", "execution_id", id)
		done.Again = append(done.Again, id)
		all = append(all, t.tell(ctx, id))
	}
	return errors.Join(all...)
}

func (t *Ticker) bury(ctx context.Context, at time.Time, done *Ticked) error {
	list, err := t.Store.Stale(ctx, at.Add(-silence), at.Add(-abandoned), perTick)
	if err != nil {
		return err
	}
	var all []error
	for _, s := range list {
		failed, err := t.Store.FailStale(ctx, s, FailureOf(death(s)))
		if err != nil {
			all = append(all, err)
		}
		if failed {
			t.Log.ErrorContext(ctx, "a run died", "execution_id", s.ID, "status", s.Status, "last_sign", s.LastSign)
			done.Failed = append(done.Failed, s.ID)
		}
	}
	return errors.Join(all...)
}

func death(s Stale) error {
	at := s.LastSign.UTC().Format("2006-01-02 15:04:05 UTC")
	switch {
	case s.Status == Pending:
		return fault.New(fault.Unavailable, "the run never began: nobody took it up since %s", at).
			Hint("see whether the function backup-coordinator exists and has free concurrency, then run the backup again")
	case s.CancelAsked:
		return fault.New(fault.Canceled, "the run was canceled, and stopped without saying so; it was last heard of at %s", at)
	}
	return fault.New(fault.Unavailable, "the run was cut off: its function was last heard of at %s", at).
		Hint("it was killed, ran out of memory, or lost Guarda's database; nothing of it counts as a backup. Run it again; if it happens again, give the function backup-coordinator more memory or the run fewer jobs")
}
