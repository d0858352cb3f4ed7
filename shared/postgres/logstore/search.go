package logstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// columns are what scanHit reads.
const columns = `id::text, level, source, message, coalesce(metadata, '{}')::text, created_at, coalesce(user_id::text, ''), coalesce(session_id, ''), coalesce(pattern_id::text, '')`

// SearchOptions shape a search.
type SearchOptions struct {
	After *logs.Position // of the last entry of the page before; nil: from the start
	Limit int
	Words logs.TextSearch
	// Budget is how long a search may take before it answers with what it has.
	Budget time.Duration
}

// Search returns the next hits after a position.
//
// What is asked for decides how they are found, because the plan matters more
// than the index. Filters that entries are counted by are answered from the
// counts, which say in which minutes there are hits. Anything with an index of
// its own is looked for in windows from the newest on, each four times as long
// as the one before up to a day: a frequent word is found in the first one, and
// a rare one costs a look into the index of each day. The planner is kept from
// walking along the time: it would, for a word that it takes to be frequent,
// and read a day for nothing. Everything else looks at every entry, window by
// window, until its time is up.
func (s *Store) Search(ctx context.Context, q *logs.Query, o SearchOptions) (found *logs.Found, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		x := &search{tx: tx, store: s, q: q, o: o, until: s.clock.Now().Add(o.Budget)}
		if err := x.bounds(ctx); err != nil {
			return err
		}
		switch kind, err := x.strategy(ctx); {
		case err != nil:
			return err
		case kind == nothing || !x.low.Before(x.high):
			found = &logs.Found{}
			return nil
		case kind == byCounts:
			found, err = x.inMinutes(ctx)
			return err
		default:
			found, err = x.inWindows(ctx, kind)
			return err
		}
	})
	if err != nil && !errors.Is(err, errTimeUp) {
		return nil, explainSearch(err)
	}
	found.Hits = highlight(found.Hits, q, o.Words)
	return found, nil
}

// read runs f in a read-only transaction that sees one moment.
func (s *Store) read(ctx context.Context, f func(pgx.Tx) error) error {
	return postgres.Tx(ctx, s.db, postgres.TxOptions{Isolation: pgx.RepeatableRead, ReadOnly: true, Attempts: 2}, f)
}

func explainSearch(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "2201B" {
		return fault.New(fault.Invalid, "the regular expression cannot be read").Field("search_term", "invalid", "is no regular expression of PostgreSQL: %s", pg.Message)
	}
	return postgres.Explain(err, "search logs")
}

type search struct {
	tx    pgx.Tx
	store *Store
	q     *logs.Query
	o     SearchOptions
	until time.Time
	spent time.Duration // of the budget, when statement_timeout was set
	// The range that is left to be searched: from low on, before high. After
	// a position its whole moment is in the range, and the position excludes
	// what was shown.
	low, high time.Time
	// See cold.go: where archived rows end, zero when there are none; how far a
	// walk over them got; the term as Postgres reads it.
	coldTo, reached time.Time
	tsquery         string
}

type strategy string

const (
	byCounts strategy = "counts"
	byIndex  strategy = "index"
	byWalk   strategy = "walk"
	nothing  strategy = "nothing" // the words are all stop words
)

// bounds finds the range: what the query says, cut to where there are entries.
func (x *search) bounds(ctx context.Context) error {
	var first, last, cold *time.Time
	err := x.tx.QueryRow(ctx, `select min(bucket), max(bucket), (select max(high) from guarda.log_segments where state = 'live') from guarda.log_counts where span = 86400`).Scan(&first, &last, &cold)
	if err != nil || first == nil {
		return err
	}
	if cold != nil {
		x.coldTo = cold.Add(time.Microsecond)
	}
	x.low, x.high = first.UTC(), last.UTC().Add(24*time.Hour)
	if x.q.Start.After(x.low) {
		x.low = x.q.Start
	}
	if !x.q.End.IsZero() && x.q.End.Before(x.high) {
		x.high = x.q.End
	}
	if after := x.o.After; after != nil {
		if x.q.OldestTop {
			if after.At.After(x.low) {
				x.low = after.At
			}
		} else if next := after.At.Add(time.Microsecond); next.Before(x.high) {
			x.high = next
		}
	}
	return nil
}

// strategy decides how to search, and sets the planner to it.
func (x *search) strategy(ctx context.Context) (strategy, error) {
	kind := byIndex
	switch {
	case x.q.Counted():
		kind = byCounts
	case x.q.Term != "" && x.q.Mode != logs.Words && x.q.Mode != "":
		kind = byWalk
	case x.q.Term != "":
		w := &where{}
		w.add("select numnode(q), querytree(q) from (select "+tsquery(x.o.Words)+" as q) x", x.q.Term)
		var nodes int
		var tree string
		if err := x.tx.QueryRow(ctx, w.conditions[0], w.args...).Scan(&nodes, &tree); err != nil {
			return "", err
		}
		if nodes == 0 {
			return nothing, nil
		}
		if tree == "" || tree == "T" { // only words that must not be there
			kind = byWalk
		}
	}
	if kind == byWalk && (x.q.UserID != "" || x.q.SessionID != "" || len(x.q.Metadata) > 0) {
		kind = byIndex
	}
	_, err := x.tx.Exec(ctx, `select set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), set_config('statement_timeout', $3::text, true),
		set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', $1::text, true), set_config('enable_bitmapscan', $2::text, true)`,
		onOff(kind != byIndex), onOff(kind == byIndex), strconv.FormatInt(max(x.o.Budget.Milliseconds(), 1), 10))
	return kind, err
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (x *search) direction() string {
	if x.q.OldestTop {
		return "asc"
	}
	return "desc"
}

// conditions are the query's, with the position.
func (x *search) conditions() *where {
	w := &where{}
	w.all(x.q, x.o.Words)
	if after := x.o.After; after != nil {
		op := "<"
		if x.q.OldestTop {
			op = ">"
		}
		w.add("(created_at, id) "+op+" ("+timeLiteral(after.At)+", ?::text::uuid)", after.ID.String())
	}
	return w
}

// page returns the first hits of a range.
func (x *search) page(ctx context.Context, low, high time.Time, limit int) ([]logs.Hit, error) {
	if x.reachesCold(low) {
		return x.pageOfBoth(ctx, low, high, nil, limit, func(low, high time.Time, limit int) ([]logs.Hit, error) {
			return x.hotPage(ctx, low, high, limit)
		})
	}
	return x.hotPage(ctx, low, high, limit)
}

// hotPage runs the statement for a range and collects its hits.
func (x *search) hotPage(ctx context.Context, low, high time.Time, limit int) ([]logs.Hit, error) {
	w := x.conditions()
	w.between("created_at", low, high)
	w.args = append(w.args, limit)
	inner := fmt.Sprintf(`select * from guarda.advanced_logs where %s order by created_at %[2]s, id %[2]s limit $%[3]d::int`, w, x.direction(), len(w.args))
	return x.collect(ctx, x.marked(w, inner), w.args)
}

// marked adds the marked message: outside of the limit, so that only what is
// shown is marked.
func (x *search) marked(w *where, inner string) string {
	return fmt.Sprintf(`select %s, %s from (%s) l order by created_at %[4]s, id %[4]s`, columns, x.mark(w), inner, x.direction())
}

// mark is the expression of a marked message.
func (x *search) mark(w *where) string {
	mark := "''"
	if x.q.Term != "" && (x.q.Mode == logs.Words || x.q.Mode == "") {
		message := "message"
		if x.o.Words.Fold {
			message = "guarda.fold_accents(message)"
		}
		w.args = append(w.args, x.q.Term)
		query := strings.Replace(tsquery(x.o.Words), "?", fmt.Sprintf("$%d", len(w.args)), 1)
		mark = fmt.Sprintf("case when octet_length(message) <= %d then ts_headline('%s', %s, %s, 'HighlightAll=true, StartSel=%s, StopSel=%s') else '' end", maxMarked, x.o.Words.Config, message, query, markStart, markStop)
	}
	return mark
}

func (x *search) collect(ctx context.Context, sql string, args []any) ([]logs.Hit, error) {
	rows, err := x.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanHit)
}

func scanHit(row pgx.CollectableRow) (h logs.Hit, err error) {
	var id, user, pattern, mark string
	var metadata string
	if err := row.Scan(&id, &h.Level, &h.Source, &h.Message, &metadata, &h.CreatedAt, &user, &h.SessionID, &pattern, &mark); err != nil {
		return h, err
	}
	h.ID, h.UserID, h.PatternID = parseUUID(id), parseUUID(user), parseUUID(pattern)
	h.CreatedAt, h.Metadata = h.CreatedAt.UTC(), []byte(metadata)
	if mark != "" {
		h.Highlights = marks(mark, h.Message)
	}
	return h, nil
}

func parseUUID(s string) uuid.UUID {
	id, err := uuid.Parse(s)
	if err != nil { // "", or what Postgres gave out as a uuid
		return uuid.Nil
	}
	return id
}

// firstWindow is how long the first window is, and firstWalk where every entry
// is looked at, which must get on even where there are millions an hour; each
// next one is four times as long, up to a day.
const (
	firstWindow = 15 * time.Minute
	firstWalk   = time.Minute
)

const day = 24 * time.Hour

// inWindows searches window by window.
func (x *search) inWindows(ctx context.Context, kind strategy) (*logs.Found, error) {
	ranges, err := x.ranges(ctx)
	if err != nil {
		return nil, err
	}
	out := &logs.Found{}
	width := firstWindow
	if kind == byWalk {
		width = firstWalk
	}
	for _, r := range ranges {
		for low, high := r.low, r.high; low.Before(high); {
			a, b := x.window(low, high, width)
			if err := x.hurry(ctx); err != nil {
				return nil, err
			}
			hits, err := x.page(ctx, a, b, x.o.Limit+1-len(out.Hits))
			if restLow, restHigh, yes := x.cutShort(err, len(out.Hits)+len(hits), low, high); yes {
				if out.Hits = append(out.Hits, hits...); len(out.Hits) == 0 && x.nowhere(restLow, restHigh) {
					return nil, errNowhere()
				}
				return x.unfinished(out, restLow, restHigh), errTimeUp
			}
			if err != nil {
				return nil, err
			}
			if out.Hits = append(out.Hits, hits...); len(out.Hits) > x.o.Limit {
				return x.full(out), nil
			}
			if x.q.OldestTop {
				low = b
			} else {
				high = a
			}
			width = min(4*width, day)
			if !x.store.clock.Now().Before(x.until) && low.Before(high) {
				return x.unfinished(out, low, high), nil
			}
		}
	}
	return out, nil
}

// nowhere reports whether all of the range is left: a search that goes on from
// there would get as far again.
func (x *search) nowhere(low, high time.Time) bool {
	if x.q.OldestTop {
		return !low.After(x.low)
	}
	return !high.Before(x.high)
}

func errNowhere() error {
	return fault.New(fault.Unavailable, "the time that a search has was not enough for its first step").
		Hint("search a shorter range or for something simpler, or try again when the database has less to do").RetryAfter(5)
}

// hurry leaves the next statement only as long as the search itself has left.
// Setting that costs a round trip, so it is done when a good part of the time
// is gone.
func (x *search) hurry(ctx context.Context) error {
	left := max(x.until.Sub(x.store.clock.Now()), time.Millisecond)
	if x.o.Budget-left-x.spent < x.o.Budget/8 {
		return nil
	}
	x.spent = x.o.Budget - left
	_, err := x.tx.Exec(ctx, `select set_config('statement_timeout', $1::text, true)`, strconv.FormatInt(left.Milliseconds(), 10))
	return err
}

// window cuts the next window off a range. It never spans two partitions.
func (x *search) window(low, high time.Time, width time.Duration) (time.Time, time.Time) {
	if x.q.OldestTop {
		return low, earliest(high, low.Add(width), low.Truncate(day).Add(day))
	}
	return latest(low, high.Add(-width), high.Add(-time.Nanosecond).Truncate(day)), high
}

func earliest(times ...time.Time) time.Time {
	t := times[0]
	for _, o := range times[1:] {
		if o.Before(t) {
			t = o
		}
	}
	return t
}

func latest(times ...time.Time) time.Time {
	t := times[0]
	for _, o := range times[1:] {
		if o.After(t) {
			t = o
		}
	}
	return t
}

// errTimeUp ends a transaction in which a statement ran out of time; what was
// found before is the answer.
var errTimeUp = errors.New("the time is up")

func isTimeout(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "57014"
}

// full cuts the hit too many off, which says that there are more.
func (x *search) full(out *logs.Found) *logs.Found {
	out.Hits = out.Hits[:x.o.Limit]
	last := &out.Hits[len(out.Hits)-1]
	out.More, out.Next = true, &logs.Position{At: last.CreatedAt, ID: last.ID}
	return out
}

// unfinished says that the time was up when low to high was still to search.
func (x *search) unfinished(out *logs.Found, low, high time.Time) *logs.Found {
	out.More = true
	if x.q.OldestTop {
		out.BackTo, out.Next = low, &logs.Position{At: low.Add(-time.Microsecond), ID: uuid.Max}
	} else {
		out.BackTo, out.Next = high, &logs.Position{At: high}
	}
	return out
}
