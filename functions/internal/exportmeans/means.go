// Package exportmeans gives the functions that export log entries what they do
// it with.
package exportmeans

import (
	"context"
	"log/slog"
	"time"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/logs/cold"
	"guarda/shared/logs/export"
	"guarda/shared/postgres"
	"guarda/shared/postgres/exportstore"
	"guarda/shared/postgres/logstore"
)

// New makes a runner on Guarda's own database.
func New(db postgres.DB, files func(context.Context) (blob.Store, error), c clock.Clock, log *slog.Logger) *export.Runner {
	store := logstore.New(db, c)
	store.Cold = &cold.Reader{Open: files}
	return &export.Runner{Store: exportstore.New(db), Entries: entries{store}, Files: files, Clock: c, Log: log}
}

// entries adds the bars of a histogram to the log store.
type entries struct{ *logstore.Store }

// Bars implements export.Entries. Where counting ends before the range does,
// the older bars are empty.
func (e entries) Bars(ctx context.Context, q *logs.Query, words logs.TextSearch, n int, budget time.Duration) ([]export.Bucket, error) {
	span := q.End.Sub(q.Start)
	if span <= 0 {
		return nil, nil
	}
	width := int64(max(1, (span/time.Duration(n)+time.Second-1)/time.Second))
	list, _, err := e.Tallies(ctx, q, words, int(width), budget)
	if err != nil {
		return nil, err
	}
	first := q.Start.Unix() / width
	bars := make([]export.Bucket, (q.End.Unix()-1)/width-first+1)
	for i := range bars {
		bars[i] = export.Bucket{Start: time.Unix((first+int64(i))*width, 0).UTC(), Levels: map[logs.Level]int64{}}
	}
	for _, t := range list {
		if i := t.Bucket.Unix()/width - first; i >= 0 && i < int64(len(bars)) {
			bars[i].Levels[t.Level] += t.N
		}
	}
	return bars, nil
}
