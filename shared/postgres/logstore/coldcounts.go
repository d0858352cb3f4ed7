package logstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"guarda/shared/logs"
)

// bothTiers makes one function, which counts a window, of one that counts the
// hot entries of a part of it and one that counts some archived hits. Parts are
// counted one after the other, from the newest on, each in both tiers, so that a
// count that ends early is right for what it got through.
func (x *search) bothTiers(ctx context.Context, hot func(low, high time.Time) (bool, error), archived func([]logs.Archived) bool) func(low, high time.Time) (bool, error) {
	return func(low, high time.Time) (bool, error) {
		if !x.reachesCold(low) {
			return hot(low, high)
		}
		newestTop := *x.q
		newestTop.OldestTop = false
		x.q = &newestTop
		more := true
		err := x.walk(ctx, low, high, nil, func(rows []logs.Archived, a, b time.Time) (_ bool, err error) {
			if more, err = hot(a, b); more && err == nil {
				more = archived(rows)
			}
			return more, err
		})
		return more, err
	}
}

// shortCount reports whether a count ended early because of archived entries.
func (x *search) shortCount(err error) bool {
	return err != nil && !x.reached.IsZero() && (errors.Is(err, errTimeUp) || isTimeout(err) || isCold(err))
}

// streamBoth is stream for a window that may have archived rows.
func (x *search) streamBoth(ctx context.Context, low, high time.Time, f func(*logs.Row) error) error {
	if !x.reachesCold(low) {
		return x.stream(ctx, low, high, f)
	}
	return x.walk(ctx, low, high, nil, func(rows []logs.Archived, a, b time.Time) (bool, error) {
		var next logs.Row
		have := false
		step := func() {
			if have = len(rows) > 0; have {
				next = textOf(&rows[0])
				rows = rows[1:]
			}
		}
		step()
		err := x.stream(ctx, a, b, func(r *logs.Row) error {
			for have && x.firstText(&next, r) {
				if err := f(&next); err != nil {
					return err
				}
				step()
			}
			return f(r)
		})
		for ; err == nil && have; step() {
			err = f(&next)
		}
		return err == nil, err
	})
}

// firstText compares rows as texts: those of times and ids have the order of
// what they stand for.
func (x *search) firstText(a, b *logs.Row) bool {
	c := strings.Compare(string(a.CreatedAt), string(b.CreatedAt))
	if c == 0 {
		c = strings.Compare(string(a.ID), string(b.ID))
	}
	return x.q.OldestTop && c < 0 || !x.q.OldestTop && c > 0
}

// textOf is an archived row as Stream hands rows on.
func textOf(a *logs.Archived) logs.Row {
	r := logs.Row{ID: []byte(a.ID.String()), CreatedAt: []byte(a.CreatedAt().Format("2006-01-02T15:04:05.000000Z")), Level: []byte(a.Level), Source: []byte(a.Source), Message: []byte(a.Message), Metadata: a.Metadata}
	if len(r.Metadata) == 0 || r.Metadata[0] != '{' {
		r.Metadata = []byte("{}")
	}
	if a.User.Valid {
		r.UserID = []byte(a.User.UUID.String())
	}
	if a.Session != nil {
		r.SessionID = []byte(*a.Session)
	}
	if a.Pattern.Valid {
		r.PatternID = []byte(a.Pattern.UUID.String())
	}
	return r
}
