package execution

import (
	"context"
	"time"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// MaxWait is how long a request may wait for a run: API Gateway cuts the
// request off after 29 s.
const MaxWait = 25 * time.Second

// Request asks for a run now.
type Request struct {
	SourceID    string // "" is the default source
	ScheduleID  string // the schedule that is run now; "" for none
	Type        string
	Tables      []string
	Exclude     []string
	Compression string // "" leaves it to the source
	Encryption  bool
	Timestamps  map[string]string // see Options.Timestamps
	Key         string            // see New.RequestKey
}

// StartStore is what starting and following a run needs to keep.
type StartStore interface {
	Source(ctx context.Context, id string) (Source, error)
	Create(ctx context.Context, n New) (string, error)
	Peek(ctx context.Context, id string) (*Execution, error)
	Fail(ctx context.Context, id string, f fault.Failure, canceled bool) (bool, error)
}

// Starter begins runs on request and waits for them.
type Starter struct {
	Store   StartStore
	Invoker Invoker
	Clock   clock.Clock
	// Pause waits between two looks at a run; nil waits in real time.
	Pause func(ctx context.Context, d time.Duration) error
}

// Start begins a run and returns its id. When the coordinator cannot be
// started the run is failed, and both the id and the error are returned.
func (s *Starter) Start(ctx context.Context, r Request) (string, error) {
	source, err := s.Store.Source(ctx, r.SourceID)
	if err != nil {
		return "", err
	}
	options := OptionsFor(source.Settings, r.Tables, r.Exclude, r.Compression, r.Encryption)
	options.Timestamps = r.Timestamps
	id, err := s.Store.Create(ctx, New{
		ScheduleID: r.ScheduleID, SourceID: source.ID, SourceName: source.Name, RequestedType: r.Type, Trigger: Manual, RequestKey: r.Key,
		Options: options,
	})
	if err != nil {
		return "", err
	}
	if err := s.Invoker.Coordinate(ctx, Order{ExecutionID: id}); err != nil {
		// If even this fails, the minute's tick takes the pending run up.
		if _, failErr := s.Store.Fail(context.WithoutCancel(ctx), id, FailureOf(err), false); failErr != nil {
			err = fault.New(fault.Unavailable, "the run could not be started").
				Hint("it is waiting and will be started within two minutes; look at it before you ask again").RetryAfter(120).Because(err)
		}
		return id, err
	}
	return id, nil
}

// Wait looks at a run until it has ended, but at most for limit, and returns
// it as it is then.
func (s *Starter) Wait(ctx context.Context, id string, limit time.Duration) (*Execution, error) {
	pause := s.Pause
	if pause == nil {
		pause = sleep
	}
	until := s.Clock.Now().Add(limit)
	for step := 50 * time.Millisecond; ; step = min(step*3/2, time.Second) {
		e, err := s.Store.Peek(ctx, id)
		if err != nil || e.Status.Ended() {
			return e, err
		}
		left := until.Sub(s.Clock.Now())
		if left <= 0 {
			return e, nil
		}
		if err := pause(ctx, min(step, left)); err != nil {
			return e, nil // whoever waited went away; the run goes on
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
