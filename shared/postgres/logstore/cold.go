package logstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Cold reads what was archived; package cold does. See cold.Reader.Walk.
type Cold interface {
	Walk(ctx context.Context, segs []*logs.Segment, w *logs.Wanted, f func(rows []logs.Archived, to time.Time) (bool, error)) error
}

// coldError is an error of the object store: what was found in Postgres is an
// answer without it.
type coldError struct{ error }

func (e coldError) Unwrap() error { return e.error }

func isCold(err error) bool { return errors.As(err, new(coldError)) }

// reachesCold reports whether there can be archived rows from low on.
func (x *search) reachesCold(low time.Time) bool {
	return !x.coldTo.IsZero() && low.Before(x.coldTo)
}

// walk hands the archived rows of a range to f that are hits, in batches, with
// the part of the range that each completes, in the order of the search. When
// the time is up it returns errTimeUp, and x.reached is how far it got; an error
// of the object store is a coldError, with x.reached too. ranges, when given,
// are the only parts of the range that count.
func (x *search) walk(ctx context.Context, low, high time.Time, ranges []timeRange, f func(rows []logs.Archived, low, high time.Time) (bool, error)) error {
	x.reached = high
	if x.q.OldestTop {
		x.reached = low
	}
	segs, err := segmentsOf(ctx, x.tx, low, high)
	if err != nil {
		return err
	}
	if len(segs) == 0 {
		_, err := f(nil, low, high)
		return err
	}
	if x.store.Cold == nil {
		return coldError{fault.New(fault.Unavailable, "archived log entries cannot be read here")}
	}
	// What comes before all of them needs no object store.
	if a, b := x.beforeAll(segs, low, high); a.Before(b) {
		more, err := f(nil, a, b)
		if err != nil || !more {
			return err
		}
		if x.q.OldestTop {
			low, x.reached = b, b
		} else {
			high, x.reached = a, a
		}
	}
	w, err := x.wanted(ctx, low, high, ranges)
	if err != nil {
		return err
	}
	var own error
	err = x.store.Cold.Walk(ctx, segs, w, func(rows []logs.Archived, to time.Time) (bool, error) {
		var more bool
		if rows, own = x.hits(ctx, rows); own != nil {
			return false, own
		}
		a, b := to, x.reached
		if x.q.OldestTop {
			a, b = x.reached, to
		}
		if more, own = f(rows, a, b); own != nil {
			return false, own
		}
		x.reached = to
		if more && !x.store.clock.Now().Before(x.until) && low.Before(to) && to.Before(high) {
			own = errTimeUp
		}
		return more, own
	})
	if own != nil || err == nil {
		return own
	}
	if ctx.Err() != nil {
		return err
	}
	if fault.CodeOf(err) == fault.NotFound { // not the entry that somebody asked for
		err = fault.New(fault.Unavailable, "archived log entries of %s are not in the object store", low.Format(time.DateOnly)).Because(err)
	}
	return coldError{err}
}

// beforeAll is the part of a range that a search gets to before it gets to any
// segment.
func (x *search) beforeAll(segs []*logs.Segment, low, high time.Time) (time.Time, time.Time) {
	if x.q.OldestTop {
		first := high
		for _, s := range segs {
			first = earliest(first, s.Low)
		}
		return low, first
	}
	last := low
	for _, s := range segs {
		last = latest(last, s.High.Add(time.Microsecond))
	}
	return last, high
}

// cutShort reports whether a search ends with what it has: because its time is
// up, or because the object store does not answer and something was found. Then
// low to high is what is left of the window.
func (x *search) cutShort(err error, found int, low, high time.Time) (time.Time, time.Time, bool) {
	if !isTimeout(err) && !errors.Is(err, errTimeUp) && !(isCold(err) && found > 0) {
		return low, high, false
	}
	if !x.reached.IsZero() {
		if x.q.OldestTop {
			low = latest(low, x.reached)
		} else {
			high = earliest(high, x.reached)
		}
	}
	return low, high, true
}

// wanted is the query for archived rows.
func (x *search) wanted(ctx context.Context, low, high time.Time, ranges []timeRange) (*logs.Wanted, error) {
	q := x.q
	w := &logs.Wanted{Low: low, High: high, Levels: q.Levels, Sources: q.Sources, Session: q.SessionID, After: x.o.After, OldestTop: q.OldestTop, Search: x.o.Words}
	for _, r := range ranges {
		w.Ranges = append(w.Ranges, [2]time.Time{r.low, r.high})
	}
	if q.UserID != "" {
		w.User = uuid.NullUUID{UUID: parseUUID(q.UserID), Valid: true}
	}
	for _, m := range q.Metadata {
		w.Members = append(w.Members, members(m))
	}
	if q.PatternID != "" {
		rows, err := x.tx.Query(ctx, `select $1::text union all select p.id::text from guarda.log_patterns p where p.merged_into = $1::text::uuid`, q.PatternID)
		if err != nil {
			return nil, err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			w.Patterns = append(w.Patterns, parseUUID(id))
		}
	}
	if q.Term != "" && (q.Mode == logs.Words || q.Mode == "") {
		if x.tsquery == "" {
			c := &where{}
			c.add("select "+tsquery(x.o.Words)+"::text", q.Term)
			if err := x.tx.QueryRow(ctx, c.conditions[0], c.args...).Scan(&x.tsquery); err != nil {
				return nil, err
			}
		}
		w.Words = x.tsquery
	}
	return w, nil
}

// members are the names (logs.Member) of which metadata must have one.
func members(m logs.PathValue) (names []string) {
	for _, path := range m.Readings() {
		for _, value := range scalars(m.Value) {
			names = append(names, logs.Member("\x00"+strings.Join(path, "\x00"), value))
		}
	}
	return names
}

// scalars are what a text may stand for in metadata: itself, and what it spells
// in JSON.
func scalars(s string) []any {
	out := []any{s}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		switch v.(type) {
		case nil, bool, json.Number:
			out = append(out, v)
		}
	}
	return out
}

// hits returns the rows whose message and metadata match. Postgres decides, by
// the conditions that it would have for its own rows.
func (x *search) hits(ctx context.Context, rows []logs.Archived) ([]logs.Archived, error) {
	if len(rows) == 0 || x.q.Term == "" && len(x.q.Metadata) == 0 {
		return rows, nil
	}
	w := &where{}
	for _, m := range x.q.Metadata {
		w.metadata(m)
	}
	if x.q.Term != "" {
		w.term(x.q, x.o.Words)
	}
	messages, docs := make([]string, len(rows)), make([]*string, len(rows))
	for i := range rows {
		messages[i] = rows[i].Message
		if rows[i].Metadata != nil {
			doc := string(rows[i].Metadata)
			docs[i] = &doc
		}
	}
	w.args = append(w.args, messages, docs)
	list, err := x.tx.Query(ctx, fmt.Sprintf(`select n from (select message, doc::jsonb as metadata, n from unnest($%d::text[], $%d::text[]) with ordinality as g (message, doc, n)) l where %s order by n`,
		len(w.args)-1, len(w.args), w), w.args...)
	if err != nil {
		return nil, err
	}
	places, err := pgx.CollectRows(list, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	out := make([]logs.Archived, len(places))
	for i, n := range places {
		out[i] = rows[n-1]
	}
	return out, nil
}

const segmentColumns = `id::text, day, low, high, rows, content::text, path, size, footer, index_size, index_header, kinds::text, text_search, fold_accents`

func scanSegment(row pgx.CollectableRow) (*logs.Segment, error) {
	var s logs.Segment
	var id, kinds string
	if err := row.Scan(&id, &s.Day, &s.Low, &s.High, &s.Rows, &s.Content, &s.Path, &s.Size, &s.Footer, &s.IndexSize, &s.IndexHeader, &kinds, &s.Words.Config, &s.Words.Fold); err != nil {
		return nil, err
	}
	s.ID, s.Day, s.Low, s.High = parseUUID(id), s.Day.UTC(), s.Low.UTC(), s.High.UTC()
	var list [][3]any
	if err := json.Unmarshal([]byte(kinds), &list); err != nil {
		return nil, err
	}
	for _, k := range list {
		level, _ := k[0].(string)
		source, _ := k[1].(string)
		n, _ := k[2].(float64)
		s.Kinds = append(s.Kinds, logs.Kind{Level: logs.Level(level), Source: source, Rows: int64(n)})
	}
	return &s, nil
}

// segmentsOf returns the segments that a transaction sees in a range.
func segmentsOf(ctx context.Context, tx pgx.Tx, low, high time.Time) ([]*logs.Segment, error) {
	w := &where{conditions: []string{"state = 'live'", "low < " + timeLiteral(high), "high >= " + timeLiteral(low)}}
	rows, err := tx.Query(ctx, fmt.Sprintf(`select %s from guarda.log_segments where %s order by low, id`, segmentColumns, w))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSegment)
}

// pageOfBoth returns a window's page of both tiers.
func (x *search) pageOfBoth(ctx context.Context, low, high time.Time, ranges []timeRange, limit int, hot func(low, high time.Time, limit int) ([]logs.Hit, error)) ([]logs.Hit, error) {
	var out []logs.Hit
	var archived []int
	err := x.walk(ctx, low, high, ranges, func(rows []logs.Archived, a, b time.Time) (bool, error) {
		more, err := hot(a, b, limit-len(out))
		if err != nil {
			return false, err
		}
		for len(out) < limit && len(rows)+len(more) > 0 {
			if len(more) == 0 || len(rows) > 0 && x.first(&rows[0], &more[0]) {
				archived = append(archived, len(out))
				out, rows = append(out, hitOf(&rows[0])), rows[1:]
			} else {
				out, more = append(out, more[0]), more[1:]
			}
		}
		return len(out) < limit, nil
	})
	if err != nil && !errors.Is(err, errTimeUp) && !isCold(err) {
		return out, err
	}
	if markErr := x.markArchived(ctx, out, archived); markErr != nil {
		return out, markErr
	}
	return out, err
}

// first reports whether an archived row comes before a hit.
func (x *search) first(a *logs.Archived, h *logs.Hit) bool {
	c := a.Compare(&logs.Archived{At: h.CreatedAt.UnixMicro(), ID: h.ID})
	return x.q.OldestTop && c < 0 || !x.q.OldestTop && c > 0
}

func hitOf(a *logs.Archived) logs.Hit {
	h := logs.Hit{Entry: logs.Entry{ID: a.ID, CreatedAt: a.CreatedAt(), Level: a.Level, Source: a.Source, Message: a.Message, Metadata: a.Metadata, UserID: a.User.UUID, PatternID: a.Pattern.UUID}}
	if a.Metadata == nil {
		h.Metadata = []byte("{}")
	}
	if a.Session != nil {
		h.SessionID = *a.Session
	}
	return h
}

// markArchived marks the matches of archived hits.
func (x *search) markArchived(ctx context.Context, hits []logs.Hit, places []int) error {
	w := &where{}
	mark := x.mark(w)
	if len(w.args) == 0 || len(places) == 0 {
		return nil
	}
	messages := make([]string, len(places))
	for i, at := range places {
		messages[i] = hits[at].Message
	}
	w.args = append(w.args, messages)
	rows, err := x.tx.Query(ctx, fmt.Sprintf(`select %s from unnest($%d::text[]) with ordinality as g (message, n) order by n`, mark, len(w.args)), w.args...)
	if err != nil {
		return err
	}
	marked, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for i, at := range places {
		if marked[i] != "" {
			hits[at].Highlights = marks(marked[i], hits[at].Message)
		}
	}
	return nil
}

// minutesOfBoth is minutes for both tiers.
func (x *search) minutesOfBoth(ctx context.Context, ranges []timeRange, limit int) ([]logs.Hit, error) {
	low, high := ranges[0].low, ranges[0].high
	for _, r := range ranges {
		low, high = earliest(low, r.low), latest(high, r.high)
	}
	return x.pageOfBoth(ctx, low, high, ranges, limit, func(a, b time.Time, limit int) ([]logs.Hit, error) {
		var part []timeRange
		for _, r := range ranges {
			if r.low.Before(b) && a.Before(r.high) {
				part = append(part, timeRange{latest(r.low, a), earliest(r.high, b)})
			}
		}
		if len(part) == 0 {
			return nil, nil
		}
		return x.hotMinutes(ctx, part, limit)
	})
}

// findArchived finds an archived row by its id in a range; nil: there is none.
func (s *Store) findArchived(ctx context.Context, tx pgx.Tx, id string, low, high time.Time) (*logs.Hit, error) {
	x := &search{tx: tx, store: s, q: &logs.Query{}, until: s.clock.Now().Add(time.Minute)}
	segs, err := segmentsOf(ctx, tx, low, high)
	if err != nil || len(segs) == 0 {
		return nil, err
	}
	var hit *logs.Hit
	wanted := parseUUID(id)
	err = x.walk(ctx, low, high, nil, func(rows []logs.Archived, _, _ time.Time) (bool, error) {
		if i := slices.IndexFunc(rows, func(a logs.Archived) bool { return a.ID == wanted }); i >= 0 {
			h := hitOf(&rows[i])
			hit = &h
		}
		return hit == nil, nil
	})
	return hit, err
}
