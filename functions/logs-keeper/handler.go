package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"guarda/shared/blob"
	"guarda/shared/lambdafn"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

// event is what the schedule in template.yaml sends; nothing of it is needed.
type event struct {
	ScheduledTime string `json:"scheduled_time"`
}

type result struct {
	Replayed logs.Replayed `json:"replayed"`
	Kept     logstore.Kept `json:"kept"`
}

// replayTime is how long storing what waits may take of a run; the next run
// goes on.
const replayTime = 45 * time.Second

func newHandler(store *logstore.Store, blobs blob.Store, log *slog.Logger) lambdafn.Job[event] {
	return func(ctx context.Context, _ event) (any, error) {
		var r result
		var replayErr, keepErr error
		replay, cancel := context.WithTimeout(ctx, replayTime)
		r.Replayed, replayErr = logs.Replay(replay, blobs, store, log)
		cancel()
		if r.Replayed.Batches > 0 {
			log.InfoContext(ctx, "batches that were put aside are stored", "batches", r.Replayed.Batches, "entries", r.Replayed.Entries)
		}
		r.Kept, keepErr = store.Keep(ctx)
		return r, errors.Join(replayErr, keepErr)
	}
}
