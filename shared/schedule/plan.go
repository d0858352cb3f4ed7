package schedule

import (
	"time"

	"guarda/shared/fault"
)

// Plan sets the next run of a schedule that is new, changed or switched on:
// the first after now, none when it is inactive. The error is Parse's.
func (s *Schedule) Plan(defaultZone string, now time.Time) error {
	cron, err := s.CronIn(defaultZone)
	if err != nil {
		return err
	}
	s.NextRun = nil
	if next := cron.Next(now); s.Active && !next.IsZero() {
		s.NextRun = &next
	}
	return nil
}

// AtField says in which field of a request an expression was that Parse
// refused. The hint stays, so the caller reads the way out; what else is wrong
// with the request (other, nil if nothing) comes along.
func AtField(err error, name string, other error) error {
	f := fault.As(err)
	if f == nil || f.Code != fault.Invalid {
		return err
	}
	out := *f
	out.Fields = append(out.Fields, fault.Field{Name: name, Code: "invalid", Message: f.Message})
	if o := fault.As(other); o != nil {
		out.Fields = append(out.Fields, o.Fields...)
	}
	return &out
}
