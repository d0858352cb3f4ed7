package backup

import (
	"context"
	"errors"
	"time"
)

const (
	chunkBytesPerSecond = 128 << 10 // of the process's time: a slow source still ends a chunk in a fraction of it
	minChunkBytes       = 1 << 20
	maxReserve          = 15 * time.Second
	maxLead             = 2 * time.Minute
)

// pace divides the time that a process has. All of it is in proportion, so
// that functions of 15 minutes and of 10 seconds work alike. The zero pace has
// no end.
type pace struct {
	limit    time.Duration // from the beginning to the deadline; 0: none
	handOver time.Time     // begin no more chunks; look for a successor
	stop     time.Time     // give up the chunks that are being copied
}

// paceOf divides what ctx leaves from now on.
func paceOf(ctx context.Context, now time.Time) pace {
	deadline, ok := ctx.Deadline()
	if !ok {
		return pace{}
	}
	limit := max(0, deadline.Sub(now))
	return pace{limit: limit, handOver: deadline.Add(-min(limit*3/10, maxLead)), stop: deadline.Add(-min(limit/10, maxReserve))}
}

// lead is the time between looking for a successor and stopping.
func (p pace) lead() time.Duration { return p.stop.Sub(p.handOver) }

// chunkBytes is how large a chunk may be so that it is copied in a fraction of
// the time even over a slow line.
func (p pace) chunkBytes() int64 {
	if p.limit == 0 {
		return maxChunkBytes
	}
	return min(maxChunkBytes, max(minChunkBytes, int64(p.limit.Seconds()*chunkBytesPerSecond)))
}

// renew is the time between two renewals of a chunk's lease.
func (p pace) renew() time.Duration { return Lease(p.limit) / 4 }

// Lease is how long a chunk stays with a worker that gives no sign of life,
// when processes live for limit; 0 is no limit. Workers renew theirs four
// times as often.
func Lease(limit time.Duration) time.Duration {
	const longest, shortest = 2 * time.Minute, 4 * time.Second
	if limit == 0 {
		return longest
	}
	return min(longest, max(shortest, limit*2/5))
}

// ErrTimeUp ends the copy of a chunk that its process has no time for any
// more. It is nobody's failure: another worker takes the chunk.
var ErrTimeUp = errors.New("the time of the worker's process is over")
