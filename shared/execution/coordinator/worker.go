package coordinator

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"guarda/shared/backup"
	"guarda/shared/execution"
	"guarda/shared/fault"
)

// Worker helps with the chunks of a run that a coordinator does.
type Worker struct {
	Runs Runs
	Means
	// Again starts a successor for what is left when the time is up.
	Again func(ctx context.Context, order backup.WorkOrder) error
}

// Do copies chunks until none are left, the run ends, or the function's time
// is up. An error means that the order may be given again.
func (w *Worker) Do(ctx context.Context, order backup.WorkOrder) error {
	log := w.Log.With("execution_id", order.RunID, "worker", order.Worker)
	e, err := w.Runs.Peek(ctx, order.RunID)
	if fault.CodeOf(err) == fault.NotFound || err == nil && (e.Status.Ended() || e.CancelAsked || e.SourceID == nil) {
		log.InfoContext(ctx, "the run has ended; nothing to help with")
		return nil
	}
	if err != nil {
		return err
	}
	p := &place{Worker: w, order: order, token: rand.Text(), log: log}
	if deadline, ok := ctx.Deadline(); ok {
		p.lease = backup.Lease(deadline.Sub(w.Clock.Now()))
	} else {
		p.lease = backup.Lease(0)
	}
	mine, err := w.Runs.Enter(ctx, order.RunID, order.Worker, p.token, p.lease)
	if err != nil {
		return err
	}
	if !mine {
		log.InfoContext(ctx, "another process has this worker's place; nothing to do")
		return nil
	}
	return p.work(ctx, e)
}

// place is a process's time in one of the places of a run's workers.
type place struct {
	*Worker
	order backup.WorkOrder
	token string
	lease time.Duration
	log   *slog.Logger
}

func (p *place) work(ctx context.Context, e *execution.Execution) error {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watching := every(work, min(beatEvery, p.lease/2), func(ctx context.Context) bool {
		why := p.watch(ctx)
		if why != nil {
			stop(why)
		}
		return why == nil
	})
	report, err := p.copy(work, e)
	watching()
	cause := context.Cause(work)
	if err != nil && cause == nil {
		cause = p.watch(ctx) // a run that ended since the last look takes its chunks from us
	}
	if leaveErr := record(ctx, func(ctx context.Context) error {
		return p.Runs.Leave(ctx, p.order.RunID, p.order.Worker, p.token, execution.Place{Chunks: report.Chunks, Rows: report.Rows, RawBytes: report.Bytes})
	}); leaveErr != nil {
		p.log.WarnContext(ctx, "the worker's place could not be given back", "error", leaveErr.Error())
	}
	log := p.log.With("chunks", report.Chunks, "rows", report.Rows, "bytes", report.Bytes)
	switch {
	case errors.Is(cause, backup.ErrPassedOn), fault.CodeOf(cause) == fault.Canceled:
		log.InfoContext(ctx, "the run ended, or goes on without this worker", "cause", cause.Error())
		return nil
	case err == nil && report.More:
		log.InfoContext(ctx, "the time is up; a successor goes on")
		return p.succeed(ctx)
	case err == nil:
		log.InfoContext(ctx, "no chunk is left for this worker")
		return nil
	}
	log.ErrorContext(ctx, "the worker failed", "error", err.Error())
	return err
}

// succeed calls the successor, unless the coordinator was quicker.
func (p *place) succeed(ctx context.Context) error {
	missing, err := p.Runs.CallFor(ctx, p.order.RunID, p.order.Worker, p.lease)
	if err != nil || !missing {
		return err
	}
	return p.Again(ctx, p.order)
}

// watch returns why to stop, if there is a reason.
func (p *place) watch(ctx context.Context) error {
	s, err := p.Runs.Standing(ctx, p.order.RunID)
	switch {
	case err != nil: // Guarda's database may be away for a while
		return nil
	case !s.Going:
		return canceled()
	case s.Picture != p.order.Picture:
		return backup.ErrPassedOn // what this worker sees is not the run's picture any more
	}
	mine, err := p.Runs.Stay(ctx, p.order.RunID, p.order.Worker, p.token, p.lease)
	if err == nil && !mine {
		return backup.ErrPassedOn
	}
	return nil
}

func (p *place) copy(ctx context.Context, e *execution.Execution) (backup.WorkReport, error) {
	var none backup.WorkReport
	connect, err := p.Connect(ctx, *e.SourceID)
	if err != nil {
		return none, err
	}
	store, err := p.Store(ctx)
	if err != nil {
		return none, err
	}
	d := backup.WorkerDeps{Connect: connect, Store: store, Clock: p.Clock, Log: p.log,
		Queue:    p.Queue(p.order.RunID, QueueOptions{Picture: p.order.Picture, Lease: p.lease, Concurrency: e.Metadata.Options.Jobs}),
		Snapshot: p.snapshot}
	if p.order.Key != nil {
		if d.Keys, err = p.Keys(ctx); err != nil {
			return none, err
		}
	}
	return backup.Work(ctx, d, p.order)
}

// snapshot is that of the worker's picture as it is now.
func (p *place) snapshot(ctx context.Context) (string, error) {
	s, err := p.Runs.Standing(ctx, p.order.RunID)
	if err != nil || s.Picture != p.order.Picture {
		return "", err
	}
	return s.Snapshot, nil
}
