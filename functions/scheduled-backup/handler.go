package main

import (
	"context"
	"time"

	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/lambdafn"
)

// maxAhead is how far a tick's time may lie in the future: clocks differ.
const maxAhead = time.Minute

// event is what the schedule in template.yaml sends.
type event struct {
	// ScheduledTime is when the tick was due, in RFC 3339. Without it (a call
	// by hand) it is now.
	ScheduledTime string `json:"scheduled_time"`
}

func newHandler(ticker *execution.Ticker, c clock.Clock) lambdafn.Job[event] {
	return func(ctx context.Context, e event) (any, error) {
		now := c.Now()
		at := now
		if e.ScheduledTime != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, e.ScheduledTime); err != nil {
				return nil, fault.New(fault.Invalid, "the tick's scheduled_time %q is not a time in RFC 3339", e.ScheduledTime)
			}
			if at.After(now.Add(maxAhead)) {
				return nil, fault.New(fault.Invalid, "the tick's scheduled_time %s is in the future", e.ScheduledTime)
			}
		}
		return ticker.Tick(ctx, at)
	}
}
