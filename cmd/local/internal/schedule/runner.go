package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/shared/clock"
)

// Entry is a schedule that fires an event at a function.
type Entry struct {
	ID         string // names it
	ARN        string
	Function   string
	Expression *Expression
	Input      string // "" sends the default event
	Scheduler  bool   // EventBridge Scheduler: <aws.scheduler.…> in Input is filled in
	Start, End time.Time
}

// Runner fires entries.
type Runner struct {
	Clock clock.Clock
	// Enqueue hands over an asynchronous event.
	Enqueue func(function string, payload []byte) (string, error)
	// Log is told of what could not be handed over.
	Log               func(function, message string)
	Region, AccountID string
}

// Run fires the entries when they are due, from their next time on, until ctx
// ends. What was due while the machine slept fires once, for the last time
// that was missed.
func (r *Runner) Run(ctx context.Context, entries []Entry) {
	var all sync.WaitGroup
	for _, e := range entries {
		all.Go(func() { r.follow(ctx, e) })
	}
	all.Wait()
}

func (r *Runner) follow(ctx context.Context, e Entry) {
	// Short waits: after a suspend of the machine a long timer would be late
	// by the length of the sleep.
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	due := e.next(r.Clock.Now())
	for !due.IsZero() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := r.Clock.Now()
		if now.Before(due) {
			continue
		}
		for { // the last one that is due
			later := e.next(due)
			if later.IsZero() || later.After(now) {
				break
			}
			due = later
		}
		r.Fire(e, due)
		due = e.next(now)
	}
}

// next is the entry's first time after t within Start and End.
func (e Entry) next(t time.Time) time.Time {
	if t.Before(e.Start) {
		t = e.Start.Add(-time.Nanosecond)
	}
	due := e.Expression.Next(t)
	if !e.End.IsZero() && due.After(e.End) {
		return time.Time{}
	}
	return due
}

// Fire hands over the event for one due time.
func (r *Runner) Fire(e Entry, due time.Time) {
	payload, err := r.payload(e, due)
	if err == nil {
		_, err = r.Enqueue(e.Function, payload)
	}
	if err != nil {
		r.Log(e.Function, fmt.Sprintf("schedule %s, due %s: %v", e.ID, due.Format(time.RFC3339), err))
	}
}

func (r *Runner) payload(e Entry, due time.Time) ([]byte, error) {
	at, id := due.UTC().Format("2006-01-02T15:04:05Z"), runtimeapi.NewRequestID()
	if e.Input != "" {
		input := e.Input
		if e.Scheduler {
			input = strings.NewReplacer("<aws.scheduler.scheduled-time>", at, "<aws.scheduler.execution-id>", id,
				"<aws.scheduler.schedule-arn>", e.ARN, "<aws.scheduler.attempt-number>", "1").Replace(input)
		}
		if !json.Valid([]byte(input)) {
			return nil, fmt.Errorf("the input is no JSON: %s", input)
		}
		return []byte(input), nil
	}
	source, detail := "aws.events", any(map[string]any{})
	if e.Scheduler {
		source, detail = "aws.scheduler", "{}"
	}
	return json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "Scheduled Event", "source": source, "account": r.AccountID, "time": at,
		"region": r.Region, "resources": []string{e.ARN}, "detail": detail,
	})
}
