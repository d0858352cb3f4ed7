package logstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
)

type timeRange struct{ low, high time.Time }

// ranges returns the parts of the range in which there can be hits, in the
// order in which they are searched: all of it, or, where the query filters by
// what entries are counted by, the days that have such entries.
func (x *search) ranges(ctx context.Context) ([]timeRange, error) {
	whole := []timeRange{{x.low, x.high}}
	if x.q.EveryKind() {
		return whole, nil
	}
	days, err := x.buckets(ctx, 86400, whole)
	if err != nil {
		return nil, err
	}
	return joined(x.cut(days, day)), nil
}

// joined makes one range of neighbours.
func joined(list []timeRange) []timeRange {
	var out []timeRange
	for _, r := range list {
		if n := len(out); n > 0 && out[n-1].high.Equal(r.low) {
			out[n-1].high = r.high
		} else if n > 0 && out[n-1].low.Equal(r.high) {
			out[n-1].low = r.low
		} else {
			out = append(out, r)
		}
	}
	return out
}

type bucket struct {
	at time.Time
	n  int64
}

// buckets returns the buckets of a span within ranges that have entries which
// the query's counted filters let pass, in the order of the search.
func (x *search) buckets(ctx context.Context, span int, within []timeRange) ([]bucket, error) {
	w := &where{}
	w.counted(x.q)
	lows, highs := make([]time.Time, len(within)), make([]time.Time, len(within))
	for i, r := range within {
		lows[i], highs[i] = r.low.Truncate(time.Duration(span)*time.Second), r.high
	}
	w.args = append(w.args, lows, highs)
	// What was merged and what was not each have indexes of their own.
	part := func(merged string) string {
		return fmt.Sprintf(`select bucket, n from unnest($%d::timestamptz[], $%d::timestamptz[]) r (low, high) join guarda.log_counts on %s and span = %d and bucket >= r.low and bucket < r.high where %s`,
			len(w.args)-1, len(w.args), merged, span, w)
	}
	rows, err := x.tx.Query(ctx, fmt.Sprintf(`select bucket, sum(n)::bigint from (%s union all %s) c group by 1 having sum(n) > 0 order by 1 %s`,
		part("merged"), part("not merged"), x.direction()), w.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b bucket, err error) {
		err = row.Scan(&b.at, &b.n)
		b.at = b.at.UTC()
		return b, err
	})
}

// enough returns the first buckets that have more than n entries together. The
// first and the last bucket of the range may lie in it by a part only, so they
// do not count.
func (x *search) enough(list []bucket, span time.Duration, n int) []bucket {
	var sum int64
	for i, b := range list {
		if !b.at.Before(x.low) && !b.at.Add(span).After(x.high) {
			sum += b.n
		}
		if sum > int64(n) {
			return list[:i+1]
		}
	}
	return list
}

// hourDays is how many days' hours are looked at together, and minuteHours how
// many hours' minutes.
const (
	hourDays    = 8
	minuteHours = 24
)

// inMinutes finds hits by the counts: from days to hours to minutes, then reads
// those minutes.
func (x *search) inMinutes(ctx context.Context) (*logs.Found, error) {
	days, err := x.buckets(ctx, 86400, []timeRange{{x.low, x.high}})
	if err != nil {
		return nil, err
	}
	out := &logs.Found{}
	for chunk := range slices.Chunk(days, hourDays) {
		hours, err := x.buckets(ctx, 3600, x.cut(x.enough(chunk, day, x.o.Limit), day))
		if err != nil {
			return nil, err
		}
		// Without a filter any entry is a hit: the newest of an hour that has
		// enough are found without knowing its minutes.
		for x.q.Unfiltered() && len(hours) > 0 && hours[0].n > int64(x.o.Limit) {
			r := x.cut(hours[:1], time.Hour)[0]
			hits, err := x.page(ctx, r.low, r.high, x.o.Limit+1-len(out.Hits))
			if low, high, yes := x.cutShort(err, len(out.Hits)+len(hits), x.low, x.high); yes && !x.reached.IsZero() {
				out.Hits = append(out.Hits, hits...)
				return x.unfinished(out, low, high), errTimeUp
			}
			if err != nil {
				return nil, err
			}
			if out.Hits = append(out.Hits, hits...); len(out.Hits) > x.o.Limit {
				return x.full(out), nil
			}
			hours = hours[1:]
		}
		for part := range slices.Chunk(hours, minuteHours) {
			minutes, err := x.buckets(ctx, 60, x.cut(x.enough(part, time.Hour, x.o.Limit), time.Hour))
			if err != nil {
				return nil, err
			}
			for len(minutes) > 0 {
				some := x.enough(minutes, time.Minute, x.o.Limit-len(out.Hits))
				hits, err := x.minutes(ctx, some, x.o.Limit+1-len(out.Hits))
				if low, high, yes := x.cutShort(err, len(out.Hits)+len(hits), x.low, x.high); yes && !x.reached.IsZero() {
					out.Hits = append(out.Hits, hits...)
					return x.unfinished(out, low, high), errTimeUp
				}
				if err != nil {
					return nil, err
				}
				if out.Hits = append(out.Hits, hits...); len(out.Hits) > x.o.Limit {
					return x.full(out), nil
				}
				minutes = minutes[len(some):]
			}
		}
	}
	return out, nil
}

func (x *search) cut(list []bucket, span time.Duration) []timeRange {
	out := make([]timeRange, len(list))
	for i, b := range list {
		out[i] = timeRange{latest(b.at, x.low), earliest(b.at.Add(span), x.high)}
	}
	return out
}

// minutes reads the hits of some minutes, in one statement: for each of them on
// its own, so that nothing between them is read.
func (x *search) minutes(ctx context.Context, list []bucket, limit int) ([]logs.Hit, error) {
	ranges := joined(x.cut(list, time.Minute))
	if low := earliest(ranges[0].low, ranges[len(ranges)-1].low); x.reachesCold(low) {
		return x.minutesOfBoth(ctx, ranges, limit)
	}
	return x.hotMinutes(ctx, ranges, limit)
}

func (x *search) hotMinutes(ctx context.Context, ranges []timeRange, limit int) ([]logs.Hit, error) {
	if len(ranges) == 1 && ranges[0].low.Truncate(day).Equal(ranges[0].high.Add(-1).Truncate(day)) {
		return x.hotPage(ctx, ranges[0].low, ranges[0].high, limit)
	}
	w := x.conditions()
	lows, highs := make([]time.Time, len(ranges)), make([]time.Time, len(ranges))
	var lowest, highest time.Time
	for i, r := range ranges {
		lows[i], highs[i] = r.low, r.high
		if i == 0 {
			lowest, highest = r.low, r.high
		}
		lowest, highest = earliest(lowest, r.low), latest(highest, r.high)
	}
	w.between("created_at", lowest, highest) // so that only these days are planned for
	w.args = append(w.args, lows, highs, limit)
	n := len(w.args)
	inner := fmt.Sprintf(`select l.* from unnest($%d::timestamptz[], $%d::timestamptz[]) r (low, high) cross join lateral (
		select * from guarda.advanced_logs where created_at >= r.low and created_at < r.high and %s order by created_at %[4]s, id %[4]s limit $%[5]d::int) l
		order by created_at %[4]s, id %[4]s limit $%[5]d::int`, n-2, n-1, w, x.direction(), n)
	return x.collect(ctx, x.marked(w, inner), w.args)
}
