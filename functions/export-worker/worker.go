package main

import (
	"context"
	"errors"
	"time"

	"guarda/shared/fault"
	"guarda/shared/logs/export"
)

// margin is left before the function's deadline to record how it ended.
const margin = 25 * time.Second

// Order says what to do: an export, or, without one, what is to be done now and
// then: taking up what was cut off, and removing old files.
type Order struct {
	ExportID string `json:"export_id"`
}

// Worker makes exports.
type Worker struct {
	*export.Runner
	Waiting func(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Kept is what a look around did.
type Kept struct {
	TakenUp int `json:"taken_up"`
	Removed int `json:"removed"`
}

// Do carries out an order. An order that comes twice does nothing the second
// time: the export is not pending any more.
func (w *Worker) Do(ctx context.Context, o Order) (any, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	if o.ExportID != "" {
		return nil, w.Runner.Do(ctx, o.ExportID, false)
	}
	var kept Kept
	var all []error
	waiting, err := w.Waiting(ctx, w.Clock.Now(), 10)
	all = append(all, err)
	for _, id := range waiting {
		if ctx.Err() != nil {
			break
		}
		if err := w.Runner.Do(ctx, id, false); err != nil && fault.CodeOf(err) != fault.Canceled {
			all = append(all, err)
			continue
		}
		kept.TakenUp++
	}
	kept.Removed, err = w.Clean(ctx)
	return kept, errors.Join(append(all, err)...)
}
