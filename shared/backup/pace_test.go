package backup

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheTimeIsDividedInProportion holds for every limit that a function may have.
func TestTheTimeIsDividedInProportion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := time.Duration(rapid.Int64Range(int64(3*time.Second), int64(15*time.Minute)).Draw(t, "limit"))
		now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		ctx, cancel := context.WithDeadline(t.Context(), now.Add(limit))
		defer cancel()
		p := paceOf(ctx, now)
		end := now.Add(limit)
		if working := p.handOver.Sub(now); working < limit*7/10 {
			t.Fatalf("%s of %s are for copying", working, limit)
		}
		if !p.handOver.Before(p.stop) || !p.stop.Before(end) || p.lead() > maxLead || end.Sub(p.stop) > maxReserve {
			t.Fatalf("hands over %s and stops %s before the end", end.Sub(p.handOver), end.Sub(p.stop))
		}
		if lease := Lease(limit); p.renew() > lease/4 || lease > 2*time.Minute || lease < 4*time.Second {
			t.Fatalf("a lease of %s, renewed every %s", lease, p.renew())
		}
		// At 128 kB/s, which is slow, a chunk is copied before the process ends.
		if n := p.chunkBytes(); n < minChunkBytes || n > maxChunkBytes || n > minChunkBytes && float64(n) > limit.Seconds()*chunkBytesPerSecond {
			t.Fatalf("chunks of %d bytes", n)
		}
	})
	if p := paceOf(context.Background(), time.Time{}); p != (pace{}) || p.chunkBytes() != maxChunkBytes {
		t.Errorf("without a deadline: %+v", p)
	}
}
