package logstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
)

// Count returns how many hits a query has. It stops counting above most (0:
// never), or when its time is up.
func (s *Store) Count(ctx context.Context, q *logs.Query, words logs.TextSearch, most int64, budget time.Duration) (total logs.Total, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		x := &search{tx: tx, store: s, q: q, o: SearchOptions{Words: words, Budget: budget}, until: s.clock.Now().Add(budget)}
		if err := x.bounds(ctx); err != nil {
			return err
		}
		kind, err := x.strategy(ctx)
		if err != nil || kind == nothing || !x.low.Before(x.high) {
			return err
		}
		if kind == byCounts {
			return x.sum(ctx, 0, 86400, func(_ time.Time, _ logs.Level, _ string, _ uuid.UUID, n int64) { total.N += n })
		}
		return x.eachWindow(ctx, kind, func(low, high time.Time) (bool, error) {
			w := x.conditions()
			w.between("created_at", low, high)
			limit := ""
			if most > 0 {
				limit = fmt.Sprintf(" limit %d", most+1-total.N)
			}
			var n int64
			err := x.tx.QueryRow(ctx, fmt.Sprintf(`select count(*) from (select from guarda.advanced_logs where %s%s) h`, w, limit), w.args...).Scan(&n)
			if total.N += n; most > 0 && total.N > most {
				total.N, total.AtLeast = most, true
			}
			return !total.AtLeast, err
		}, func(time.Time) { total.AtLeast = true })
	})
	if errors.Is(err, errTimeUp) {
		return total, nil
	}
	if err != nil {
		return total, explainSearch(err)
	}
	return total, nil
}

// Tally is a number of hits of one bucket and kind.
type Tally struct {
	Bucket  time.Time // start; of Tallies with an interval only
	Level   logs.Level
	Source  string
	Pattern uuid.UUID // zero: none
	N       int64
}

// Tallies counts the hits from q.Start to before q.End by level, source and
// pattern, and with an interval (seconds) by time too: then buckets start at
// multiples of it, and sources and patterns are not told apart. Queries that the
// counts answer are answered from them and agree exactly with the rows; others
// count rows, from the newest on, until the time is up: backTo then says how
// far they got.
func (s *Store) Tallies(ctx context.Context, q *logs.Query, words logs.TextSearch, interval int, budget time.Duration) (list []Tally, backTo time.Time, err error) {
	type key struct {
		bucket  int64
		level   logs.Level
		source  string
		pattern uuid.UUID
	}
	sums := map[key]int64{}
	add := func(at time.Time, level logs.Level, source string, pattern uuid.UUID, n int64) {
		k := key{0, level, source, pattern}
		if interval > 0 {
			k.bucket = at.Unix() / int64(interval) * int64(interval)
		}
		sums[k] += n
	}
	err = s.read(ctx, func(tx pgx.Tx) error {
		x := &search{tx: tx, store: s, q: q, o: SearchOptions{Words: words, Budget: budget}, until: s.clock.Now().Add(budget)}
		if err := x.bounds(ctx); err != nil {
			return err
		}
		kind, err := x.strategy(ctx)
		if err != nil || kind == nothing || !x.low.Before(x.high) {
			return err
		}
		if kind == byCounts {
			return x.sum(ctx, interval, coarsest(interval), add)
		}
		return x.eachWindow(ctx, kind, func(low, high time.Time) (bool, error) {
			return true, x.countRows(ctx, interval, low, high, add)
		}, func(at time.Time) { backTo = at })
	})
	if err != nil && !errors.Is(err, errTimeUp) {
		return nil, backTo, explainSearch(err)
	}
	for k, n := range sums {
		if n != 0 {
			list = append(list, Tally{Bucket: time.Unix(k.bucket, 0).UTC(), Level: k.level, Source: k.source, Pattern: k.pattern, N: n})
		}
	}
	return list, backTo, nil
}

// coarsest returns the longest span whose buckets lie within those of an
// interval.
func coarsest(interval int) int {
	for i := len(spans) - 1; i >= 0; i-- {
		if interval%spans[i] == 0 {
			return spans[i]
		}
	}
	return 0
}

// eachWindow calls count for windows of the range from the newest on, until it
// says to stop; timeUp is told how far it got when the time is up before.
func (x *search) eachWindow(ctx context.Context, kind strategy, count func(low, high time.Time) (bool, error), timeUp func(time.Time)) error {
	newestTop := *x.q
	newestTop.OldestTop = false
	x.q = &newestTop
	ranges, err := x.ranges(ctx)
	if err != nil {
		return err
	}
	width := day
	if kind == byWalk {
		width = firstWalk
	}
	for _, r := range ranges {
		for low, high := r.low, r.high; low.Before(high); {
			a, b := x.window(low, high, width)
			if err := x.hurry(ctx); err != nil {
				return err
			}
			more, err := count(a, b)
			if isTimeout(err) || err == nil && more && !x.store.clock.Now().Before(x.until) && low.Before(a) {
				timeUp(b)
				return errTimeUp
			}
			if err != nil || !more {
				return err
			}
			high = a
			width = min(4*width, day)
		}
	}
	return nil
}

type addTally func(at time.Time, level logs.Level, source string, pattern uuid.UUID, n int64)

// grouping returns the expressions that hits are grouped by: with an interval
// the time, cut to a part of it (the caller puts the parts together, because
// the arithmetic of intervals is slow in SQL), without one source and pattern.
func grouping(interval int, at string) string {
	if interval > 0 {
		return at + ", level, '', ''"
	}
	return "timestamptz 'epoch', level, source, coalesce(pattern_id::text, '')"
}

// cutTo is created_at cut to the longest unit that an interval is made of.
func cutTo(interval int) string {
	unit := "second"
	switch {
	case interval%3600 == 0:
		unit = "hour"
	case interval%60 == 0:
		unit = "minute"
	}
	return "date_trunc('" + unit + "', created_at, 'UTC')"
}

// sum adds up the counts of the range: the spans' buckets that lie in it
// whole, the longest first, and the rows of the seconds at both ends.
func (x *search) sum(ctx context.Context, interval, longest int, add addTally) error {
	pieces, ends := cover(x.low, x.high, longest)
	for _, e := range ends {
		if err := x.countRows(ctx, interval, e.low, e.high, add); err != nil {
			return err
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	w := &where{}
	w.counted(x.q)
	// Each piece on its own: of an "or" the planner makes no use.
	var parts []string
	for _, p := range pieces {
		parts = append(parts, fmt.Sprintf("select %s, n from guarda.log_counts where span = %d and bucket >= %s and bucket < %s and %s",
			grouping(interval, "bucket"), p.span, timeLiteral(p.low), timeLiteral(p.high), w))
	}
	return x.tally(ctx, fmt.Sprintf(`select at, level, source, pattern, sum(n)::bigint from (%s) c (at, level, source, pattern, n) group by 1, 2, 3, 4`,
		strings.Join(parts, " union all ")), w.args, add)
}

func (x *search) countRows(ctx context.Context, interval int, low, high time.Time, add addTally) error {
	w := x.conditions()
	w.between("created_at", low, high)
	return x.tally(ctx, fmt.Sprintf(`select %s, count(*) from guarda.advanced_logs where %s group by 1, 2, 3, 4`, grouping(interval, cutTo(interval)), w), w.args, add)
}

func (x *search) tally(ctx context.Context, sql string, args []any, add addTally) error {
	rows, err := x.tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var at time.Time
	var n int64
	var level, source, pattern string
	_, err = pgx.ForEachRow(rows, []any{&at, &level, &source, &pattern, &n}, func() error {
		add(at, logs.Level(level), source, parseUUID(pattern), n)
		return nil
	})
	return err
}

type piece struct {
	span int
	timeRange
}

// cover divides a range into buckets of the spans, none longer than longest
// (0: rows only), and what is left at its ends.
func cover(low, high time.Time, longest int) (pieces []piece, ends []timeRange) {
	outer := timeRange{low, high}
	last := 0 // the span that outer's ends are cut to
	for _, span := range spans {
		if span > longest {
			break
		}
		length := time.Duration(span) * time.Second
		inner := timeRange{outer.low.Add(length - 1).Truncate(length), outer.high.Truncate(length)}
		if !inner.low.Before(inner.high) {
			break
		}
		for _, r := range []timeRange{{outer.low, inner.low}, {inner.high, outer.high}} {
			if !r.low.Before(r.high) {
				continue
			}
			if last == 0 {
				ends = append(ends, r)
			} else {
				pieces = append(pieces, piece{last, r})
			}
		}
		outer, last = inner, span
	}
	if last == 0 {
		return pieces, append(ends, outer)
	}
	return append(pieces, piece{last, outer}), ends
}
