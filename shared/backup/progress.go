package backup

import (
	"context"
	"sync"
	"time"

	"guarda/shared/clock"
)

const (
	reportEvery = 500 * time.Millisecond
	rateWindow  = 10 // reports that the rate is taken over
)

// tracker knows where a run is and tells its Report.
type tracker struct {
	clock  clock.Clock
	tell   func(context.Context, Progress) error
	queue  Queue
	live   live
	shared bool // the queue is a database: ask it less often

	mu      sync.Mutex
	now     Progress
	total   int64 // estimate of all chunks, bytes on disk
	history []sample
}

type sample struct {
	at    time.Time
	bytes int64
}

// phase begins a phase and tells it. A phase that another process began goes on.
func (t *tracker) phase(ctx context.Context, name PhaseName) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now.Phase == name {
		return t.send(ctx)
	}
	at := t.clock.Now()
	if n := len(t.now.Phases); n > 0 {
		t.now.Phases[n-1].CompletedAt = &at
	}
	p := Phase{Name: name, StartedAt: at}
	if name == PhaseDone {
		p.CompletedAt = &at
	}
	t.now.Phases = append(t.now.Phases, p)
	t.now.Phase = name
	return t.send(ctx)
}

// goOn takes over from what the process before had told.
func (t *tracker) goOn(p Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = p
}

// planned records what there is to copy.
func (t *tracker) planned(chunks []Chunk, tables int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range chunks {
		t.total += c.Estimate
	}
	t.now.ChunksTotal, t.now.TablesTotal, t.now.BytesTotal = len(chunks), tables, t.total
}

// watch tells where the copying is until ctx ends; an error of Report or of
// the queue ends it.
func (t *tracker) watch(ctx context.Context) error {
	every := reportEvery
	if t.shared {
		every *= 2
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := t.update(ctx); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
	}
}

func (t *tracker) update(ctx context.Context) error {
	n, err := t.queue.Counts(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.now
	p.BytesDone = max(p.BytesDone, n.RawBytes+t.live.bytes.Load())
	p.RowsDone = max(p.RowsDone, n.Rows+t.live.rows.Load())
	p.StoredBytes, p.ChunksDone, p.TablesDone = n.StoredBytes, n.Done, n.TablesDone
	t.estimate()
	return t.send(ctx)
}

// estimate works out total, rate and time left. The tables' size on disk is
// only a first guess of how much text they are: it is never less than what
// was read already, and exact once all chunks are done.
func (t *tracker) estimate() {
	p := &t.now
	p.BytesTotal = max(t.total, p.BytesDone)
	if p.ChunksDone == p.ChunksTotal {
		p.BytesTotal = p.BytesDone
	}
	at := t.clock.Now()
	t.history = append(t.history, sample{at, p.BytesDone})
	if len(t.history) > rateWindow {
		t.history = t.history[1:]
	}
	first := t.history[0]
	p.SecondsLeft = nil
	if took := at.Sub(first.at).Seconds(); took > 0 {
		p.BytesPerSecond = float64(p.BytesDone-first.bytes) / took
		if p.BytesPerSecond > 0 && p.Phase == PhaseCopy {
			left := float64(p.BytesTotal-p.BytesDone) / p.BytesPerSecond
			p.SecondsLeft = &left
		}
	}
}

func (t *tracker) send(ctx context.Context) error {
	t.now.UpdatedAt = t.clock.Now()
	if t.tell == nil {
		return nil
	}
	p := t.now
	p.Phases = append([]Phase(nil), t.now.Phases...)
	return t.tell(ctx, p)
}

func (t *tracker) phases() []Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Phase(nil), t.now.Phases...)
}
