package backup

import (
	"context"
	"errors"
	"slices"
	"sync"

	"guarda/shared/fault"
)

const maxAttempts = 3

// memoryQueue is the queue of a run that one process makes alone. It needs no
// leases: its workers end when the process does.
type memoryQueue struct {
	mu      sync.Mutex
	waiting []*memoryChunk // the next one to claim in front
	byNo    map[int]*memoryChunk
	left    map[uint32]int // chunks of a table that are not done
	counts  Counts
}

type memoryChunk struct {
	Chunk
	claimed  bool
	failures int
	result   *ChunkResult
}

// NewMemoryQueue returns an empty queue in memory.
func NewMemoryQueue() Queue {
	return &memoryQueue{byNo: map[int]*memoryChunk{}, left: map[uint32]int{}}
}

func (q *memoryQueue) Add(_ context.Context, chunks []Chunk) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range chunks {
		m := &memoryChunk{Chunk: c}
		q.byNo[c.No] = m
		q.waiting = append(q.waiting, m)
		q.left[c.TableOID]++
	}
	q.counts.Pending += len(chunks)
	return nil
}

func (q *memoryQueue) Claim(context.Context, string) (*Chunk, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, nil
	}
	m := q.waiting[0]
	q.waiting = q.waiting[1:]
	m.claimed = true
	m.Attempt++
	q.counts.Pending--
	q.counts.Claimed++
	c := m.Chunk
	return &c, nil
}

func (q *memoryQueue) Renew(context.Context, int, string) error { return nil }

func (q *memoryQueue) Done(_ context.Context, r ChunkResult) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.byNo[r.No]
	if m == nil || !m.claimed {
		return fault.New(fault.Conflict, "chunk %d is not being copied by this worker", r.No)
	}
	m.claimed, m.result = false, &r
	q.counts.Claimed--
	q.counts.Done++
	q.counts.Rows += r.Rows
	q.counts.RawBytes += r.RawBytes
	if !r.Reused {
		q.counts.StoredBytes += r.StoredBytes
	}
	if q.left[m.TableOID]--; q.left[m.TableOID] == 0 {
		q.counts.TablesDone++
	}
	return nil
}

func (q *memoryQueue) Release(_ context.Context, no int, _ string, cause error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.byNo[no]
	if m == nil || !m.claimed {
		return fault.New(fault.Conflict, "chunk %d is not being copied by this worker", no)
	}
	m.claimed = false
	q.counts.Claimed--
	if !errors.Is(cause, ErrTimeUp) {
		m.failures++
		if m.failures >= maxAttempts || fault.CodeOf(cause) != fault.Unavailable {
			q.counts.Failed++
			return nil
		}
	}
	q.counts.Pending++
	q.waiting = append([]*memoryChunk{m}, q.waiting...)
	return nil
}

func (q *memoryQueue) Counts(context.Context) (Counts, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts, nil
}

func (q *memoryQueue) Results(context.Context) ([]ChunkResult, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var results []ChunkResult
	for _, m := range q.byNo {
		if m.result != nil {
			results = append(results, *m.result)
		}
	}
	slices.SortFunc(results, func(a, b ChunkResult) int { return a.No - b.No })
	return results, nil
}
