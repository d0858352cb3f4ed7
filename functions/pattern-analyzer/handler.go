package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"guarda/shared/clock"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres/patternstore"
)

// event is what the schedule in template.yaml sends; nothing of it is needed:
// a run does what there is to do.
type event struct {
	ScheduledTime string `json:"scheduled_time"`
}

// result is what a run did.
type result struct {
	Assigned  int `json:"assigned"`  // entries that got their pattern
	Merged    int `json:"merged"`    // templates that became part of a pattern
	Surging   int `json:"surging"`   // patterns that surge
	Forgotten int `json:"forgotten"` // templates that no entry has any more
}

const (
	// assignTime is how long entries without a pattern may take of a run; the
	// next run goes on.
	assignTime = 40 * time.Second
	// assignBack is how far back entries without a pattern are looked for: as
	// long as any entry may be late.
	assignBack = 400 * 24 * time.Hour
)

func newHandler(patterns *patternstore.Store, c clock.Clock, log *slog.Logger) lambdafn.Job[event] {
	return func(ctx context.Context, _ event) (any, error) {
		var r result
		var assignErr, uniteErr error
		now := c.Now()
		r.Assigned, assignErr = patterns.AssignMissing(ctx, now.Add(-assignBack), now.Add(assignTime))
		r.Merged, uniteErr = patterns.Unite(ctx)
		judged, judgeErr := patterns.Judge(ctx, c.Now())
		r.Surging, r.Forgotten = judged.Surging, judged.Forgotten
		if r.Assigned > 0 || r.Merged > 0 {
			log.InfoContext(ctx, "log patterns are up to date", "assigned", r.Assigned, "merged", r.Merged, "surging", r.Surging)
		}
		return r, errors.Join(assignErr, uniteErr, judgeErr)
	}
}
