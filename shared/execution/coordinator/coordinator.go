// Package coordinator does runs of backups: it takes a run up, lets the engine
// work, keeps the run's row up to date meanwhile, and records how it ended.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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
	// margin is left before the function's deadline to clean up and to record.
	margin = 45 * time.Second
	// recordFor is how long recording the end of a run is tried.
	recordFor = 30 * time.Second
)

// Runs is what doing a run needs to keep. See backupstore for the contract.
type Runs interface {
	Peek(ctx context.Context, id string) (*execution.Execution, error)
	Claim(ctx context.Context, id string) (bool, error)
	Beat(ctx context.Context, id string, progress any) (going bool, err error)
	Going(ctx context.Context, id string) (bool, error)
	Complete(ctx context.Context, e *execution.Execution, files []execution.File) (bool, error)
	Fail(ctx context.Context, id string, f execution.Failure, canceled bool) (bool, error)
}

// Means are what a run is done with. They are opened when a run needs them, so
// that one which is missing is the run's failure, with its reason.
type Means struct {
	// Connect returns what opens connections to a source.
	Connect func(ctx context.Context, sourceID string) (func(context.Context) (*pgx.Conn, error), error)
	Store   func(ctx context.Context) (blob.Store, error)
	Keys    func(ctx context.Context) (seal.KeyProvider, error)
	Queue   func(executionID string) backup.Queue
	Clock   clock.Clock
	Log     *slog.Logger
}

// Coordinator does runs.
type Coordinator struct {
	Runs Runs
	Means
	// MinFanOut is how large a database must be for helping workers, in bytes;
	// Help starts one. nil: there are none.
	MinFanOut int64
	Help      func(ctx context.Context, order backup.WorkOrder) error
}

// Do does a run that is pending. A run that is not (an order that comes twice)
// is left alone. The failure of a run is recorded on it and is not an error of
// Do: an error means that the order may be given again.
func (c *Coordinator) Do(ctx context.Context, order execution.Order) error {
	log := c.Log.With("execution_id", order.ExecutionID)
	mine, err := c.Runs.Claim(ctx, order.ExecutionID)
	if err != nil {
		return err
	}
	if !mine {
		log.InfoContext(ctx, "the run is not pending any more; nothing to do")
		return nil
	}
	e, err := c.Runs.Peek(ctx, order.ExecutionID)
	if err != nil {
		return c.fail(ctx, log, order.ExecutionID, err)
	}
	log = log.With("source", e.SourceName)
	log.InfoContext(ctx, "the run begins", "type", e.RequestedType, "trigger", e.Trigger)
	store, result, err := c.execute(ctx, log, e)
	if err != nil {
		return c.fail(ctx, log, e.ID, err)
	}
	return c.complete(ctx, log, e, store, result)
}

// execute lets the engine work, under a deadline of its own and with a pulse.
func (c *Coordinator) execute(ctx context.Context, log *slog.Logger, e *execution.Execution) (store blob.Store, result *backup.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "the run panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline.Add(-margin), fault.New(fault.Unavailable, "the backup did not finish in the time that its function has (15 minutes)").
			Hint("allow the source more jobs, so that more workers help, or leave large tables to a backup of their own"))
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beating := c.beat(ctx, log, e.ID, stop)
	defer beating()

	deps, err := c.deps(ctx, log, e)
	if err != nil {
		return nil, nil, err
	}
	o := e.Metadata.Options
	run := backup.Run{ID: e.ID, Source: e.SourceName, Type: backup.Type(e.RequestedType), RequestedType: backup.Type(e.RequestedType),
		Tables: o.Tables, Exclude: o.Exclude, Compression: seal.Compression(o.Compression), Jobs: o.Jobs, LockTimeout: time.Duration(o.LockTimeoutSeconds) * time.Second}
	if c.Help != nil && run.Jobs > localJobs {
		deps.FanOut = &backup.FanOut{MinBytes: c.MinFanOut, Workers: run.Jobs - localJobs, Invoke: c.Help}
		run.Jobs = localJobs
	}
	result, err = backup.Execute(ctx, deps, run)
	if cause := context.Cause(ctx); err != nil && fault.As(cause) != nil {
		err = cause // why it was stopped says more than where
	}
	return deps.Store, result, err
}

func (c *Coordinator) deps(ctx context.Context, log *slog.Logger, e *execution.Execution) (backup.Deps, error) {
	var none backup.Deps
	if e.SourceID == nil {
		return none, fault.New(fault.NotFound, "the source %s was removed before the run began", e.SourceName).
			Hint("add it again, or choose another one")
	}
	connect, err := c.Connect(ctx, *e.SourceID)
	if err != nil {
		return none, err
	}
	store, err := c.Store(ctx)
	if err != nil {
		return none, err
	}
	var keys seal.KeyProvider
	if e.Metadata.Options.Encryption {
		if keys, err = c.Keys(ctx); err != nil {
			return none, err
		}
		if keys == nil {
			return none, fault.New(fault.Invalid, "the backup is to be encrypted, and there is no key").
				Hint("set GUARDA_KMS_KEY_ARN or GUARDA_KEY_FILE, or ask for encryption: false")
		}
	}
	report := func(ctx context.Context, p backup.Progress) error {
		going, err := c.Runs.Beat(ctx, e.ID, p)
		switch {
		case err != nil:
			// Guarda's own database may be away for a while; the backup goes on.
			log.WarnContext(ctx, "the progress could not be recorded", "error", err.Error())
		case !going:
			return canceled()
		}
		return nil
	}
	return backup.Deps{Connect: connect, Store: store, Keys: keys, Queue: c.Queue(e.ID), Clock: c.Clock, Log: log, Report: report}, nil
}

func canceled() error {
	return fault.New(fault.Canceled, "the run was canceled")
}

// beat keeps the run alive until the returned function is called, and stops it
// when it was canceled or is not running any more.
func (c *Coordinator) beat(ctx context.Context, log *slog.Logger, id string, stop context.CancelCauseFunc) func() {
	return every(ctx, beatEvery, func(ctx context.Context) bool {
		going, err := c.Runs.Beat(ctx, id, nil)
		if err != nil {
			if ctx.Err() == nil {
				log.WarnContext(ctx, "the run's sign of life could not be recorded", "error", err.Error())
			}
			return true
		}
		if !going {
			stop(canceled())
		}
		return going
	})
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

// fail records why a run failed.
func (c *Coordinator) fail(ctx context.Context, log *slog.Logger, id string, cause error) error {
	f := execution.FailureOf(cause)
	log.ErrorContext(ctx, "the run failed", "code", f.Code, "error", cause.Error())
	var changed bool
	err := record(ctx, func(ctx context.Context) (err error) {
		changed, err = c.Runs.Fail(ctx, id, f, f.Code == fault.Canceled)
		return err
	})
	if err == nil && !changed {
		log.WarnContext(ctx, "the run had been ended by somebody else")
	}
	return err
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
