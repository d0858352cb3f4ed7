package schedule

import "time"

// Due is what a tick has to do about one schedule.
type Due struct {
	Run    time.Time // the run to start; zero when none is due
	Missed int       // runs of the last 32 days that are not started any more
	Next   time.Time // the first run after now; zero when there is none
}

// DueAt says what is due now, when next is the earliest run that was not
// started yet (zero when it is not known, as for a schedule just switched on:
// then nothing is due). Of the runs that were missed, because nobody ticked,
// only the latest is started, and only if it is not older than catchUp: one
// fresh backup is what is missing, not many.
func (c *Cron) DueAt(next, now time.Time, catchUp time.Duration) Due {
	d := Due{Next: next}
	if next.IsZero() {
		d.Next = c.Next(now)
		return d
	}
	// Bounds the walk for a schedule of every minute that was left for years.
	if recent := c.Next(now.AddDate(0, 0, -32)); recent.After(next) && !recent.After(now) {
		d.Next = recent
	}
	for !d.Next.IsZero() && !d.Next.After(now) {
		if !d.Run.IsZero() {
			d.Missed++
		}
		d.Run, d.Next = d.Next, c.Next(d.Next)
	}
	if !d.Run.IsZero() && now.Sub(d.Run) > catchUp {
		d.Run = time.Time{}
		d.Missed++
	}
	return d
}
