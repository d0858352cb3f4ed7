package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/lambdafn"
	"guarda/shared/logs"
	"guarda/shared/logs/cold"
	"guarda/shared/postgres/logstore"
)

// event is what the schedule in template.yaml sends; nothing of it is needed.
type event struct {
	ScheduledTime string `json:"scheduled_time"`
}

type result struct {
	Replayed logs.Replayed `json:"replayed"`
	Kept     logstore.Kept `json:"kept"`
	Cold     cold.Done     `json:"cold"`
}

// replayTime is how long storing what waits may take of a run; the next run
// goes on.
const replayTime = 45 * time.Second

// coldTime is how long moving entries to the object store may take of a run,
// but for the piece that is under way.
const coldTime = 20 * time.Second

func newHandler(store *logstore.Store, blobs blob.Store, c clock.Clock, log *slog.Logger) lambdafn.Job[event] {
	keeper := &cold.Keeper{Entries: store, Blobs: blobs, Clock: c, Log: log}
	return func(ctx context.Context, _ event) (any, error) {
		var r result
		var replayErr, keepErr, coldErr error
		replay, cancel := context.WithTimeout(ctx, replayTime)
		r.Replayed, replayErr = logs.Replay(replay, blobs, store, log)
		cancel()
		if r.Replayed.Batches > 0 {
			log.InfoContext(ctx, "batches that were put aside are stored", "batches", r.Replayed.Batches, "entries", r.Replayed.Entries)
		}
		noteErr := keeper.Note(ctx)
		r.Kept, keepErr = store.Keep(ctx)
		if noteErr == nil { // without it late entries would be archived one by one
			r.Cold, coldErr = keeper.Run(ctx, c.Now().Add(coldTime))
		}
		return r, errors.Join(replayErr, noteErr, keepErr, coldErr)
	}
}
