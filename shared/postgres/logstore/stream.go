package logstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
)

// Stream hands every entry of a query to f, in the query's order, as one moment
// shows them. It reads day by day, each with one statement whose rows are
// passed on as they arrive, so memory grows neither with the entries nor with
// the days. An error of f ends it and is returned.
func (s *Store) Stream(ctx context.Context, q *logs.Query, words logs.TextSearch, f func(*logs.Row) error) error {
	var stopped error
	err := s.read(ctx, func(tx pgx.Tx) error {
		x := &search{tx: tx, store: s, q: q, o: SearchOptions{Words: words, Budget: streamBudget}, until: s.clock.Now().Add(streamBudget)}
		if err := x.bounds(ctx); err != nil {
			return err
		}
		// The budget's statement_timeout holds here too: ctx is what ends it.
		if kind, err := x.strategy(ctx); err != nil || kind == nothing {
			return err
		}
		if _, err := tx.Exec(ctx, `select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true), set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_seqscan', 'on', true), set_config('work_mem', '32MB', true)`); err != nil {
			return err
		}
		for low, high := x.low, x.high; low.Before(high); {
			from, to := x.window(low, high, day)
			if err := x.streamBoth(ctx, from, to, f); err != nil {
				stopped = err
				return err
			}
			if q.OldestTop {
				low = to
			} else {
				high = from
			}
		}
		return nil
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return explainSearch(err)
	}
	return nil
}

// streamBudget is more than any function may take.
const streamBudget = time.Hour

func (x *search) stream(ctx context.Context, low, high time.Time, f func(*logs.Row) error) error {
	w := x.conditions()
	w.between("created_at", low, high)
	sql := fmt.Sprintf(`select id, created_at, level, source, message, coalesce(metadata, '{}'), user_id, session_id, pattern_id
		from guarda.advanced_logs where %s order by created_at %[2]s, id %[2]s`, w, x.direction())
	rows, err := x.tx.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, w.args...)...)
	if err != nil {
		return explainSearch(err)
	}
	defer rows.Close()
	var r logs.Row
	at := make([]byte, 0, 32)
	for rows.Next() {
		v := rows.RawValues()
		at = appendTime(at[:0], v[1])
		r = logs.Row{ID: v[0], CreatedAt: at, Level: v[2], Source: v[3], Message: v[4], Metadata: v[5], UserID: v[6], SessionID: v[7], PatternID: v[8]}
		if len(r.Metadata) == 0 || r.Metadata[0] != '{' { // a row that came by another way
			r.Metadata = []byte("{}")
		}
		if err := f(&r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return explainSearch(err)
	}
	return nil
}

// appendTime turns "2026-11-24 12:00:00.5+00", Postgres's text with ISO and
// UTC, into RFC 3339 with six digits of the second.
func appendTime(b, text []byte) []byte {
	const seconds = len("2026-11-24 12:00:00")
	if len(text) < seconds || text[10] != ' ' { // a year of five digits, infinity
		return append(b, text...)
	}
	b = append(b, text[:10]...)
	b = append(b, 'T')
	b = append(b, text[11:seconds]...)
	digits := 0
	b = append(b, '.')
	for i := seconds + 1; i < len(text) && text[seconds] == '.' && text[i] >= '0' && text[i] <= '9'; i++ {
		b = append(b, text[i])
		digits++
	}
	for ; digits < 6; digits++ {
		b = append(b, '0')
	}
	return append(b, 'Z')
}
