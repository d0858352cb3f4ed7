package backup

import (
	"context"
	"log/slog"
	"time"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

const (
	queueOutage = 30 * time.Second      // how long a queue may be away
	queueWait   = 50 * time.Millisecond // before the second try; each time twice as long,
	queueLonger = 2 * time.Second       // up to this
)

// patient is a shared queue whose calls are tried again while it cannot be
// reached: Guarda's own database may restart, and the picture of the source,
// which would be lost with the run, has nothing to do with it. Every call may
// be made twice: a chunk that was claimed by a call whose answer was lost comes
// back when its lease runs out.
type patient struct {
	Queue
	clock clock.Clock
	log   *slog.Logger
}

// Add implements Queue.
func (q *patient) Add(ctx context.Context, chunks []Chunk) error {
	return q.try(ctx, func() error { return q.Queue.Add(ctx, chunks) })
}

// Claim implements Queue.
func (q *patient) Claim(ctx context.Context, worker string) (c *Chunk, err error) {
	err = q.try(ctx, func() (err error) { c, err = q.Queue.Claim(ctx, worker); return err })
	return c, err
}

// Renew implements Queue. It is not tried again: the next renewal is near, and
// one that is missing is not yet a lost lease.
func (q *patient) Renew(ctx context.Context, no int, worker string) error {
	err := q.Queue.Renew(ctx, no, worker)
	if fault.CodeOf(err) != fault.Unavailable {
		return err
	}
	q.log.WarnContext(ctx, "the lease of a chunk could not be renewed; trying again", "chunk", no, "error", err.Error())
	return nil
}

// Done implements Queue.
func (q *patient) Done(ctx context.Context, r ChunkResult) error {
	return q.try(ctx, func() error { return q.Queue.Done(ctx, r) })
}

// Release implements Queue.
func (q *patient) Release(ctx context.Context, no int, worker string, cause error) error {
	return q.try(ctx, func() error { return q.Queue.Release(ctx, no, worker, cause) })
}

// Counts implements Queue.
func (q *patient) Counts(ctx context.Context) (n Counts, err error) {
	err = q.try(ctx, func() (err error) { n, err = q.Queue.Counts(ctx); return err })
	return n, err
}

// Results implements Queue.
func (q *patient) Results(ctx context.Context) (r []ChunkResult, err error) {
	err = q.try(ctx, func() (err error) { r, err = q.Queue.Results(ctx); return err })
	return r, err
}

func (q *patient) try(ctx context.Context, call func() error) error {
	until := q.clock.Now().Add(queueOutage)
	for wait := queueWait; ; wait = min(queueLonger, 2*wait) {
		err := call()
		if fault.CodeOf(err) != fault.Unavailable || ctx.Err() != nil || !q.clock.Now().Before(until) {
			return err
		}
		q.log.WarnContext(ctx, "the run's chunks cannot be reached; trying again", "error", err.Error())
		if !sleepUntil(ctx, q.clock, q.clock.Now().Add(wait)) {
			return err
		}
	}
}
