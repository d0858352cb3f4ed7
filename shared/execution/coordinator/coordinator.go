// Package coordinator does runs of backups: it takes a run up, lets the engine
// work, keeps the run's row up to date meanwhile, and records how it ended.
package coordinator

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

const (
	// localJobs is how many connections a coordinator copies with; what a
	// source allows beyond that is done by helping workers.
	localJobs = 2
	// beatEvery is how often a run says that it is alive, and looks whether it
	// was told to stop, also while the engine waits for a lock or an answer.
	beatEvery = 2 * time.Second
	// maxMargin, at most a twentieth of the function's time, is left before its
	// deadline to record how the turn ended.
	maxMargin = 30 * time.Second
	// recordFor is how long recording the end of a run is tried.
	recordFor = 30 * time.Second
	// discardFor is how long removing what a failed run stored is tried.
	discardFor = time.Minute
)

// Runs is what doing a run needs to keep. See backupstore for the contract.
type Runs interface {
	Peek(ctx context.Context, id string) (*execution.Execution, error)
	Claim(ctx context.Context, id string) (*execution.Turn, error)
	Before(ctx context.Context, id string, leg int) (*execution.Turn, error)
	Take(ctx context.Context, id string, leg int, snapshot string, baton any) (bool, error)
	Save(ctx context.Context, id string, leg int, snapshot string, baton any) (bool, error)
	Interrupt(ctx context.Context, id string, leg int, until time.Time, why fault.Failure) (bool, error)
	Beat(ctx context.Context, id string, leg int, progress any) (execution.Sign, error)
	Standing(ctx context.Context, id string) (execution.Standing, error)
	Complete(ctx context.Context, e *execution.Execution, leg int, files []execution.File) (bool, error)
	FailLeg(ctx context.Context, id string, leg int, f fault.Failure, canceled bool) (bool, error)
	CallFor(ctx context.Context, id, place string, lease time.Duration) (bool, error)
	Enter(ctx context.Context, id, place, token string, lease time.Duration) (bool, error)
	Stay(ctx context.Context, id, place, token string, lease time.Duration) (bool, error)
	Leave(ctx context.Context, id, place, token string, did execution.Place) error
}

// Means are what a run is done with. They are opened when a run needs them, so
// that one which is missing is the run's failure, with its reason.
type Means struct {
	// Connect returns what opens connections to a source.
	Connect func(ctx context.Context, sourceID string) (func(context.Context) (*pgx.Conn, error), error)
	Store   func(ctx context.Context) (blob.Store, error)
	Keys    func(ctx context.Context) (seal.KeyProvider, error)
	Queue   func(executionID string, o QueueOptions) backup.Queue
	Clock   clock.Clock
	Log     *slog.Logger
}

// QueueOptions say which chunks a queue has and how it hands them out.
type QueueOptions struct {
	Picture     int
	Lease       time.Duration
	Concurrency int
}

// Coordinator does runs.
type Coordinator struct {
	Runs Runs
	Means
	// MinFanOut is how large a database must be for helping workers, in bytes,
	// when functions live for 15 minutes; for those that live shorter it is
	// less in proportion. Help starts a worker; nil: there are none.
	MinFanOut int64
	Help      func(ctx context.Context, order backup.WorkOrder) error
	// Call asks for a process that takes an order; it does not wait.
	Call func(ctx context.Context, order execution.Order) error
}

// Do does a turn of a run: it begins one that is pending, takes one up that
// was cut off, or takes over the picture from the leg that the order names. A
// run that needs none of it (an order that comes twice) is left alone. The
// failure of a run is recorded on it and is not an error of Do: an error means
// that the order may be given again.
func (c *Coordinator) Do(ctx context.Context, order execution.Order) error {
	t := &turn{Coordinator: c, log: c.Log.With("execution_id", order.ExecutionID), taking: order.After > 0}
	var err error
	if order.After > 0 {
		t.Turn, err = c.Runs.Before(ctx, order.ExecutionID, order.After)
	} else {
		t.Turn, err = c.Runs.Claim(ctx, order.ExecutionID)
	}
	if err != nil {
		return err
	}
	if t.Turn == nil {
		t.log.InfoContext(ctx, "the run needs nobody to begin or take it up; nothing to do")
		return nil
	}
	if t.e, err = c.Runs.Peek(ctx, order.ExecutionID); err != nil {
		t.e = &execution.Execution{ID: order.ExecutionID}
		return t.failed(ctx, err)
	}
	leg := t.Leg
	if t.taking {
		leg++
	}
	t.log = t.log.With("source", t.e.SourceName, "type", t.e.RequestedType, "leg", leg)
	if t.e.ScheduleID != nil {
		t.log = t.log.With("schedule_id", *t.e.ScheduleID)
	}
	if leg == 1 {
		t.log.InfoContext(ctx, t.named("Backup", " iniciado"), "trigger", t.e.Trigger)
	} else {
		t.log.InfoContext(ctx, "a turn begins", "trigger", t.e.Trigger, "taking_over", t.taking, "resumes", t.Resumes)
	}
	result, err := t.execute(ctx)
	switch {
	case errors.Is(err, backup.ErrPassedOn):
		t.log.InfoContext(ctx, "another process has the run now, or it has ended")
		t.discardIfEnded(ctx)
		return nil
	case err != nil:
		return t.failed(ctx, err)
	}
	return t.complete(ctx, result)
}

// named puts the kind of backup into a message, in the words of the
// specification's example of an entry ("Backup automático iniciado").
func (t *turn) named(before, after string) string {
	if t.e.Trigger == execution.Schedule {
		return before + " automático" + after
	}
	return before + after
}

func canceled() error {
	return fault.New(fault.Canceled, "the run was canceled")
}

// every calls f at intervals until it returns false or the returned function,
// which waits for the last call, is called.
func every(ctx context.Context, d time.Duration, f func(context.Context) bool) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if !f(ctx) {
					return
				}
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// record tries to write to Guarda's database until it is there again.
func record(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer cancel()
	for wait := 200 * time.Millisecond; ; wait *= 2 {
		err := write(ctx)
		if err == nil || fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return errors.Join(err, ctx.Err())
		case <-t.C:
		}
	}
}
