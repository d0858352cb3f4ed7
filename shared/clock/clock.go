// Package clock is the only place that reads the time. Everything else is
// handed a Clock, so that tests decide what time it is.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock, in UTC. Its times carry Go's monotonic
// reading, so the difference of two of them is a true duration.
type System struct{}

// Now returns the current time.
func (System) Now() time.Time { return time.Now().UTC() }

// Manual is a clock that stands still until it is told otherwise.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// At returns a Manual clock that shows t.
func At(t time.Time) *Manual { return &Manual{now: t} }

// Now returns the time last set.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to t.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = t
}

// Advance moves the clock forward by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
