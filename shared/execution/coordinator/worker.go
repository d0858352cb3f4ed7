package coordinator

import (
	"context"

	"guarda/shared/backup"
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
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watching := every(ctx, beatEvery, func(ctx context.Context) bool {
		going, err := w.Runs.Going(ctx, order.RunID)
		if err == nil && !going {
			stop(canceled())
			return false
		}
		return true
	})
	defer watching()

	report, err := w.work(ctx, order, *e.SourceID)
	log = log.With("chunks", report.Chunks, "rows", report.Rows, "bytes", report.Bytes)
	switch {
	case err == nil && report.More:
		log.InfoContext(ctx, "the time is up; a successor goes on")
		return w.Again(ctx, order)
	case err == nil:
		log.InfoContext(ctx, "no chunk is left")
		return nil
	}
	if going, lookErr := w.Runs.Going(context.WithoutCancel(ctx), order.RunID); lookErr == nil && !going {
		log.InfoContext(ctx, "the run ended while this worker helped", "error", err.Error())
		return nil
	}
	log.ErrorContext(ctx, "the worker failed", "error", err.Error())
	return err
}

func (w *Worker) work(ctx context.Context, order backup.WorkOrder, sourceID string) (backup.WorkReport, error) {
	var none backup.WorkReport
	connect, err := w.Connect(ctx, sourceID)
	if err != nil {
		return none, err
	}
	store, err := w.Store(ctx)
	if err != nil {
		return none, err
	}
	d := backup.WorkerDeps{Connect: connect, Store: store, Queue: w.Queue(order.RunID), Clock: w.Clock, Log: w.Log}
	if order.Key != nil {
		if d.Keys, err = w.Keys(ctx); err != nil {
			return none, err
		}
	}
	return backup.Work(ctx, d, order)
}
