package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"guarda/shared/backup"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// fullLimit is how long a function may live at most; MinFanOut is meant for it.
const fullLimit = 15 * time.Minute

// turn is a process's time with a run.
type turn struct {
	*Coordinator
	*execution.Turn // while taking, that of the process before
	e               *execution.Execution
	log             *slog.Logger
	baton           backup.Baton
	deps            backup.Deps
	lease           time.Duration
	taking          bool                    // the picture is another process's still
	called          atomic.Bool             // a successor was called
	stop            context.CancelCauseFunc // ends the engine's work
	beating         func()                  // ends the pulse; nil while there is none

	mu     sync.Mutex
	orders []backup.WorkOrder // of the helping workers that should be there
}

// execute lets the engine work, under a deadline of its own and with a pulse.
func (t *turn) execute(ctx context.Context) (result *backup.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			t.log.ErrorContext(ctx, "the run panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	limit := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		limit = deadline.Sub(t.Clock.Now())
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline.Add(-min(maxMargin, limit/20)),
			fault.New(fault.Unavailable, "a step of the backup that cannot be divided took longer than its function may live").
				Hint("such steps are reading the catalog and writing the manifest: give the function backup-coordinator more time or memory, or split the tables into several backups"))
		defer cancel()
	}
	t.lease = backup.Lease(limit)
	ctx, t.stop = context.WithCancelCause(ctx)
	defer t.stop(nil)
	if !t.taking {
		t.beat(ctx)
	}
	defer func() {
		if t.beating != nil {
			t.beating()
		}
	}()
	result, err = t.engine(ctx, limit)
	if cause := context.Cause(ctx); err != nil && (fault.As(cause) != nil || errors.Is(cause, backup.ErrPassedOn)) {
		err = cause // why it was stopped says more than where
	}
	return result, err
}

// engine enters the run at the stage that it is in.
func (t *turn) engine(ctx context.Context, limit time.Duration) (*backup.Result, error) {
	if t.Baton != nil {
		if err := json.Unmarshal(t.Baton, &t.baton); err != nil {
			return nil, fmt.Errorf("read what the process before left: %w", err)
		}
	}
	var err error
	if t.deps, err = t.open(ctx); err != nil {
		return nil, err
	}
	o := t.e.Metadata.Options
	run := backup.Run{ID: t.e.ID, Source: t.e.SourceName, Type: backup.Type(t.e.RequestedType), RequestedType: backup.Type(t.e.RequestedType),
		Tables: o.Tables, Exclude: o.Exclude, Compression: seal.Compression(o.Compression), Jobs: o.Jobs, LockTimeout: time.Duration(o.LockTimeoutSeconds) * time.Second,
		Strict: o.Strict, Preset: o.Preset, ManagedData: o.ManagedData, Timestamps: o.Timestamps}
	if t.Help != nil && run.Jobs > localJobs {
		t.deps.FanOut = &backup.FanOut{MinBytes: t.minFanOut(limit), Workers: run.Jobs - localJobs, Invoke: t.help}
		run.Jobs = localJobs
	}
	if t.deps.Relay, err = t.relay(ctx); err != nil {
		return nil, err
	}
	if t.taking || t.baton.Copied {
		return backup.Continue(ctx, t.deps, run, t.baton)
	}
	return backup.Execute(ctx, t.deps, run)
}

func (t *turn) minFanOut(limit time.Duration) int64 {
	if limit == 0 || limit >= fullLimit {
		return t.MinFanOut
	}
	return int64(float64(t.MinFanOut) * limit.Seconds() / fullLimit.Seconds())
}

// open opens what the run is done with.
func (t *turn) open(ctx context.Context) (backup.Deps, error) {
	var none backup.Deps
	if t.e.SourceID == nil {
		return none, fault.New(fault.NotFound, "the source %s was removed before the run began", t.e.SourceName).
			Hint("add it again, or choose another one")
	}
	connect, err := t.Connect(ctx, *t.e.SourceID)
	if err != nil {
		return none, err
	}
	store, err := t.Store(ctx)
	if err != nil {
		return none, err
	}
	var keys seal.KeyProvider
	if t.e.Metadata.Options.Encryption {
		if keys, err = t.Keys(ctx); err != nil {
			return none, err
		}
		if keys == nil {
			return none, fault.New(fault.Invalid, "the backup is to be encrypted, and there is no key").
				Hint("set GUARDA_KMS_KEY_ARN or GUARDA_KEY_FILE, or ask for encryption: false")
		}
	}
	return backup.Deps{Connect: connect, Store: store, Keys: keys, Queue: t.queue(t.Picture), Clock: t.Clock, Log: t.log, Report: t.report}, nil
}

func (t *turn) queue(picture int) backup.Queue {
	return t.Queue(t.e.ID, QueueOptions{Picture: picture, Lease: t.lease, Concurrency: t.e.Metadata.Options.Jobs})
}

// relay connects the engine with those who had and will have the run.
func (t *turn) relay(ctx context.Context) (*backup.Relay, error) {
	r := &backup.Relay{Leg: t.Leg, Picture: t.Picture, Save: t.save, Call: t.callSuccessor, Taken: t.isTaken, Reached: t.reached}
	if t.taking {
		r.Leg++
		return r, nil
	}
	if t.baton.Folder == "" || t.baton.Copied {
		return r, nil
	}
	again := t.baton
	r.Again = &again
	for picture := t.Picture - 1; picture >= 0; picture-- {
		results, err := t.queue(picture).Results(ctx)
		if err != nil {
			return nil, err
		}
		if len(results) > 0 {
			r.Earlier = append(r.Earlier, backup.Earlier{StateKey: backup.StateKey(again.Folder, picture, again.Key != nil), Results: results})
		}
	}
	return r, nil
}

// save keeps the baton. For a successor it is the moment when the run becomes its own.
func (t *turn) save(ctx context.Context, b backup.Baton) (mine bool, err error) {
	if t.taking {
		if mine, err = t.Runs.Take(ctx, t.e.ID, t.Leg, b.SnapshotID, b); mine {
			t.taking = false
			t.Leg++
			t.beat(ctx)
		}
	} else {
		err = record(ctx, func(ctx context.Context) error {
			mine, err = t.Runs.Save(ctx, t.e.ID, t.Leg, b.SnapshotID, b)
			return err
		})
	}
	t.baton = b
	return mine, err
}

func (t *turn) callSuccessor(ctx context.Context) error {
	t.called.Store(true)
	return t.Call(ctx, execution.Order{ExecutionID: t.e.ID, After: t.Leg})
}

func (t *turn) isTaken(ctx context.Context) (bool, error) {
	s, err := t.Runs.Standing(ctx, t.e.ID)
	return err == nil && s.Leg > t.Leg, err
}

func (t *turn) reached(ctx context.Context) (p backup.Progress, err error) {
	e, err := t.Runs.Peek(ctx, t.e.ID)
	if err != nil || e.Progress == nil {
		return p, err
	}
	if err := json.Unmarshal(e.Progress, &p); err != nil {
		return p, fmt.Errorf("read the run's progress: %w", err)
	}
	return p, nil
}

// report records the progress. Guarda's own database may be away for a while;
// the backup goes on.
func (t *turn) report(ctx context.Context, p backup.Progress) error {
	if t.taking {
		return nil
	}
	sign, err := t.Runs.Beat(ctx, t.e.ID, t.Leg, p)
	if err != nil {
		t.log.WarnContext(ctx, "the progress could not be recorded", "error", err.Error())
		return nil
	}
	return t.heed(sign)
}

// heed returns why to stop, if a sign says so. That the run has passed to the
// successor that was called is noticed elsewhere: what is being copied may end.
func (t *turn) heed(sign execution.Sign) error {
	switch {
	case sign == execution.Stopped:
		return canceled()
	case sign == execution.Passed && !t.called.Load():
		return backup.ErrPassedOn
	}
	return nil
}

// beat keeps the run alive, stops the engine when the run was canceled or is
// another process's, and sees that helping workers are there.
func (t *turn) beat(ctx context.Context) {
	leg := t.Leg
	t.beating = every(ctx, beatEvery, func(ctx context.Context) bool {
		sign, err := t.Runs.Beat(ctx, t.e.ID, leg, nil)
		if err != nil {
			if ctx.Err() == nil {
				t.log.WarnContext(ctx, "the run's sign of life could not be recorded", "error", err.Error())
			}
			return true
		}
		if why := t.heed(sign); why != nil {
			t.stop(why)
			return false
		}
		if !t.called.Load() {
			t.muster(ctx)
		}
		return true
	})
}

// help takes the order of a worker that should be there.
func (t *turn) help(ctx context.Context, order backup.WorkOrder) error {
	t.mu.Lock()
	t.orders = append(t.orders, order)
	t.mu.Unlock()
	return t.callFor(ctx, order)
}

// muster calls for workers whose process died or never came.
func (t *turn) muster(ctx context.Context) {
	t.mu.Lock()
	orders := t.orders
	t.mu.Unlock()
	if len(orders) == 0 {
		return
	}
	if n, err := t.deps.Queue.Counts(ctx); err != nil || n.Pending == 0 {
		return // what is left is being copied
	}
	for _, order := range orders {
		if err := t.callFor(ctx, order); err != nil && ctx.Err() == nil {
			t.log.WarnContext(ctx, "a helping worker could not be started", "worker", order.Worker, "error", err.Error())
		}
	}
}

func (t *turn) callFor(ctx context.Context, order backup.WorkOrder) error {
	missing, err := t.Runs.CallFor(ctx, t.e.ID, order.Worker, t.lease)
	if err != nil || !missing {
		return err
	}
	return t.Help(ctx, order)
}

// failed records how a turn failed. A run that may go on is left to be taken
// up again; any other has failed, and what it stored is removed.
func (t *turn) failed(ctx context.Context, cause error) error {
	if t.taking {
		t.log.WarnContext(ctx, "the run could not be taken over; the process that has it calls again", "error", cause.Error())
		return nil
	}
	if t.mayGoOn(cause) {
		done, err := t.interrupted(ctx, cause)
		if done || err != nil {
			return err
		}
		cause = canceled()
	}
	f := execution.FailureOf(cause)
	if f.Code == fault.Canceled {
		t.log.WarnContext(ctx, t.named("Backup", " cancelado"), "error_code", f.Code, "error", cause.Error())
	} else {
		t.log.ErrorContext(ctx, t.named("Falha no backup", ""), "error_code", f.Code, "error", cause.Error())
	}
	var changed bool
	err := record(ctx, func(ctx context.Context) (err error) {
		changed, err = t.Runs.FailLeg(ctx, t.e.ID, t.Leg, f, f.Code == fault.Canceled)
		return err
	})
	if err != nil {
		return err
	}
	if !changed {
		t.log.WarnContext(ctx, "the run had been ended by somebody else")
		t.discardIfEnded(ctx)
		return nil
	}
	t.discard(ctx)
	return nil
}

// discardIfEnded removes what was stored of a run that somebody gave up while
// this process, the last that had it, could not be heard: nobody else will.
func (t *turn) discardIfEnded(ctx context.Context) {
	if t.taking {
		return
	}
	s, err := t.Runs.Standing(ctx, t.e.ID)
	if err == nil && !s.Going && s.Leg == t.Leg {
		t.discard(ctx)
	}
}

// discard removes what was stored of a run that failed.
func (t *turn) discard(ctx context.Context) {
	if t.baton.Folder == "" {
		return // nothing was stored
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardFor)
	defer cancel()
	if err := backup.Discard(ctx, t.deps.Store, t.baton); err != nil {
		t.log.WarnContext(ctx, "the objects of the failed run could not be removed", "folder", t.baton.Folder, "error", err.Error())
	}
}

// interrupted leaves the run to be taken up again. It returns false when the
// run was canceled meanwhile.
func (t *turn) interrupted(ctx context.Context, cause error) (done bool, err error) {
	at := t.Clock.Now().Add(execution.Backoff(t.Resumes + 1))
	t.log.WarnContext(ctx, "the run is interrupted, to go on later", "at", at, "error", cause.Error())
	err = record(ctx, func(ctx context.Context) error {
		if done, err = t.Runs.Interrupt(ctx, t.e.ID, t.Leg, at, execution.FailureOf(cause)); done || err != nil {
			return err
		}
		s, err := t.Runs.Standing(ctx, t.e.ID)
		done = err == nil && s.Leg != t.Leg // another process has it
		return err
	})
	return done, err
}

// mayGoOn says whether trying again with another picture makes sense. A run
// that did not get as far as a plan has nothing to keep: whoever asked for it
// should hear at once what is wrong.
func (t *turn) mayGoOn(cause error) bool {
	if t.Resumes >= execution.MaxResumes || t.baton.StateKey == "" && t.Resumes == 0 {
		return false
	}
	return fault.CodeOf(cause) == fault.Unavailable || errors.Is(cause, backup.ErrTimeUp)
}
