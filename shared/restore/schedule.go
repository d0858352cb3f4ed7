package restore

import (
	"sync"

	"guarda/shared/pgcatalog"
)

// schedule hands out entries in an order that their dependencies allow. Two
// entries of one table go out together only when both build indexes, which
// does not conflict; anything else would only wait for the other's lock. What
// an entry locks besides its own table (a foreign key the table it refers to)
// counts the same.
type schedule struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting []*pgcatalog.Entry // in restore order
	undone  map[int]bool       // ids of entries of this schedule that are not done
	using   map[uint32]int     // by table: n index builds, or -1 for something else
	size    int
	stopped bool
}

func newSchedule(entries []*pgcatalog.Entry) *schedule {
	s := &schedule{waiting: append([]*pgcatalog.Entry(nil), entries...), undone: map[int]bool{}, using: map[uint32]int{}, size: len(entries)}
	s.changed = sync.NewCond(&s.mu)
	for _, e := range entries {
		s.undone[e.ID] = true
	}
	return s
}

// next waits for an entry that can be applied. It returns nil when there is
// none left, or the schedule was stopped.
func (s *schedule) next() *pgcatalog.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.stopped || len(s.waiting) == 0 {
			return nil
		}
		for i, e := range s.waiting {
			if s.ready(e) {
				s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
				s.take(e)
				return e
			}
		}
		s.changed.Wait()
	}
}

func (s *schedule) ready(e *pgcatalog.Entry) bool {
	for _, d := range e.DependsOn {
		if s.undone[d] {
			return false
		}
	}
	for _, t := range e.Locks {
		if s.using[t] != 0 {
			return false
		}
	}
	n := s.using[e.Table]
	return e.Table == 0 || n == 0 || n > 0 && e.Kind == "INDEX"
}

func (s *schedule) take(e *pgcatalog.Entry) {
	for _, t := range e.Locks {
		s.using[t] = -1
	}
	switch {
	case e.Table == 0:
	case e.Kind == "INDEX":
		s.using[e.Table]++
	default:
		s.using[e.Table] = -1
	}
}

// done says that an entry was applied.
func (s *schedule) done(e *pgcatalog.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.undone, e.ID)
	for _, t := range e.Locks {
		s.using[t] = 0
	}
	switch {
	case e.Table == 0:
	case e.Kind == "INDEX":
		s.using[e.Table]--
	default:
		s.using[e.Table] = 0
	}
	s.changed.Broadcast()
}

// stop makes next return nil for everyone.
func (s *schedule) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.changed.Broadcast()
}
