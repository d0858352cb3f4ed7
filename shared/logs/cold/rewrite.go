package cold

import (
	"context"
	"errors"
	"time"

	"guarda/shared/logs"
)

// rewrite replaces a segment by one without some of its rows, or by none when
// nothing is left, and returns how many rows went. The new one is written and
// checked before the old one goes, and what is counted changes with it.
func (k *Keeper) rewrite(ctx context.Context, s *logs.Settings, old *logs.Segment, reason string, erasure int64, keep func(*logs.Archived) bool) (int64, error) {
	var removed logs.Removed
	seg := k.newSegment(old.Day, s)
	err := k.write(ctx, seg, reason, func(add func([]logs.Archived) error) error {
		return k.each(ctx, old, func(rows []logs.Archived) error {
			kept := rows[:0]
			for i := range rows {
				if a := &rows[i]; keep(a) {
					kept = append(kept, *a)
				} else {
					removed.Add(a)
				}
			}
			return add(kept)
		})
	})
	if err != nil {
		return 0, err
	}
	by := seg
	if seg.Rows == 0 {
		by = nil
	}
	replaced, err := k.Entries.ReplaceSegment(ctx, old, by, &removed, erasure)
	if err != nil || !replaced {
		return 0, errors.Join(err, k.giveUp(ctx, seg))
	}
	k.Log.InfoContext(ctx, "archived log entries were removed", "day", old.Day.Format(time.DateOnly), "reason", reason, "rows", len(removed.IDs), "left", seg.Rows)
	return int64(len(removed.IDs)), nil
}

// retain removes archived entries that no rule keeps. Days of which nothing is
// kept the log store forgets as a whole; here are the levels and sources that go
// before their day. A segment is rewritten when all its entries of a level and
// source are too old, so they go up to a day later than they could.
func (k *Keeper) retain(ctx context.Context, s *logs.Settings, until time.Time, d *Done) error {
	now := k.Clock.Now()
	shortest := 0
	for _, r := range s.Retention {
		if r.Days > 0 && (shortest == 0 || r.Days < shortest) {
			shortest = r.Days
		}
	}
	if shortest == 0 {
		return nil
	}
	list, err := k.Entries.LiveSegments(ctx, now.AddDate(0, 0, -shortest))
	if err != nil {
		return err
	}
	for _, seg := range list {
		expired := func(level logs.Level, source string) bool {
			days := s.Keep(source, level)
			return days > 0 && seg.High.Before(now.AddDate(0, 0, -days))
		}
		any := false
		for _, kind := range seg.Kinds {
			any = any || expired(kind.Level, kind.Source)
		}
		if !any {
			continue
		}
		if !k.Clock.Now().Before(until) || ctx.Err() != nil {
			return nil
		}
		n, err := k.rewrite(ctx, s, seg, "retention", 0, func(a *logs.Archived) bool { return !expired(a.Level, a.Source) })
		if err != nil {
			return err
		}
		d.Expired += n
	}
	return nil
}
