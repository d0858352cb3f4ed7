package restore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"guarda/shared/clock"
)

const reportEvery = 500 * time.Millisecond

// tracker knows where a restore is and tells its Report.
type tracker struct {
	clock clock.Clock
	tell  func(context.Context, Progress) error

	bytes, rows, made atomic.Int64

	mu    sync.Mutex
	now   Progress
	steps []step
}

type step struct {
	name PhaseName
	at   time.Time
}

func (t *tracker) planned(entries int, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.EntriesTotal, t.now.BytesTotal = entries, bytes
}

func (t *tracker) phase(ctx context.Context, name PhaseName) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Phase = name
	t.steps = append(t.steps, step{name, t.clock.Now()})
	return t.send(ctx)
}

func (t *tracker) send(ctx context.Context) error {
	t.now.UpdatedAt = t.clock.Now()
	t.now.BytesDone, t.now.RowsDone, t.now.EntriesDone = t.bytes.Load(), t.rows.Load(), int(t.made.Load())
	if t.tell == nil {
		return nil
	}
	return t.tell(ctx, t.now)
}

// watch tells where the restore is until stop is called. An error of Report
// ends the context that it returns.
func (t *tracker) watch(ctx context.Context) (_ context.Context, stop func()) {
	ctx, fail := context.WithCancelCause(ctx)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				t.mu.Lock()
				err := t.send(ctx)
				t.mu.Unlock()
				if err != nil {
					fail(err)
					return
				}
			}
		}
	}()
	return ctx, func() {
		close(over)
		<-done
		fail(nil)
	}
}

// phases returns how long each phase took.
func (t *tracker) phases() []Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	var phases []Phase
	for i, s := range t.steps[:max(0, len(t.steps)-1)] {
		phases = append(phases, Phase{s.name, t.steps[i+1].at.Sub(s.at).Seconds()})
	}
	return phases
}
