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
	// How often the coordinator is told to take a cut-off run up, a minute
	// apart, before the run counts as lost.
	patience = 15
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

// Stale is a run that was cut off, or that never began.
type Stale struct {
	ID          string
	Status      Status
	Leg         int
	Resumes     int
	Told        int // how often the coordinator was told to take it up
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
	Told(ctx context.Context, s Stale) (bool, error)
	FailStale(ctx context.Context, s Stale, f fault.Failure) (bool, error)
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
	Resumed []string `json:"resumed"` // cut-off runs whose coordinator was told to go on
	Failed  []string `json:"failed"`  // runs that had died for good
}

// Tick does what is due at a moment: the scheduled time of the tick, not when
// it arrived. It goes on after a failure and returns all of them.
func (t *Ticker) Tick(ctx context.Context, at time.Time) (Ticked, error) {
	done := Ticked{Started: []string{}, Again: []string{}, Resumed: []string{}, Failed: []string{}}
	// The dead first: they may be what a due run would overlap with.
	err := errors.Join(t.revive(ctx, at, &done), t.fire(ctx, at, &done), t.remind(ctx, at, &done))
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
	plan := cron.DueAt(next, at, s.CatchUp(at))
	if plan.Run.IsZero() && plan.Missed > 0 {
		log.WarnContext(ctx, "a missed run is too old to be caught up", "missed", plan.Missed, "next", plan.Next)
	}
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
	n.Options.Timestamps = c.Incremental.Timestamps()
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

// revive sees to runs that were cut off: their coordinator is told to take
// them up again, as often as that has a point, and then they are failed.
func (t *Ticker) revive(ctx context.Context, at time.Time, done *Ticked) error {
	list, err := t.Store.Stale(ctx, at, at.Add(-abandoned), perTick)
	if err != nil {
		return err
	}
	var all []error
	for _, s := range list {
		log := t.Log.With("execution_id", s.ID, "status", s.Status, "last_sign", s.LastSign, "resumes", s.Resumes)
		if s.Status == Running && !s.CancelAsked && s.Resumes < MaxResumes && s.Told < patience {
			told, err := t.Store.Told(ctx, s)
			if told {
				log.WarnContext(ctx, "a run was cut off; it is taken up again")
				done.Resumed = append(done.Resumed, s.ID)
				err = t.tell(ctx, s.ID)
			}
			all = append(all, err)
			continue
		}
		why := FailureOf(death(s))
		failed, err := t.Store.FailStale(ctx, s, why)
		all = append(all, err)
		if failed {
			log.ErrorContext(ctx, "Falha no backup", "error_code", why.Code, "error", why.Message.String())
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
	case s.Told >= patience:
		return fault.New(fault.Unavailable, "the run was cut off at %s, and the function backup-coordinator, asked %d times, did not take it up again", at, s.Told).
			Hint("the function cannot start or has no free concurrency: see its log and what the failure topic received, then run the backup again")
	}
	return fault.New(fault.Unavailable, "the run was cut off %d times, the last time at %s; it is not taken up any more", s.Resumes+1, at).
		Hint("its functions were killed, ran out of memory, or lost Guarda's database; nothing of it counts as a backup. See the log of the function backup-coordinator; give it more memory or the run fewer jobs, and run it again")
}
