package logstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// Write stores a batch: entries, counts, a line of the feed and the batch's id
// in one transaction. See logs.Store.
func (s *Store) Write(ctx context.Context, b *logs.Batch) (w logs.Written, err error) {
	for attempt := 0; ; attempt++ {
		if err = s.makeDays(ctx, b.Entries); err == nil {
			err = postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) (err error) {
				w, err = s.write(ctx, tx, b, attempt > 0)
				return err
			})
		}
		if err == nil || attempt == 2 {
			break
		}
		if isMissingTable(err) { // a partition was dropped since we looked
			s.forgetDays()
		} else if !postgres.IsUnique(err, "") {
			break
		}
	}
	return w, explainWrite(err)
}

// explainWrite tells entries that Postgres refuses from everything else.
func explainWrite(err error) error {
	var pg *pgconn.PgError
	if fault.As(err) == nil && errors.As(err, &pg) && len(pg.Code) == 5 {
		switch {
		case pg.Code[:2] == "22", pg.Code == "23514", pg.Code == "54000": // data exceptions, a check, program limits
			return fault.New(fault.Invalid, "the database does not take an entry").Because(err)
		}
	}
	return postgres.Explain(err, "store log entries")
}

func isMissingTable(err error) bool { return hasState(err, "42P01") }

func isDuplicateTable(err error) bool { return hasState(err, "42P07") }

func hasState(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

func (s *Store) write(ctx context.Context, tx pgx.Tx, b *logs.Batch, careful bool) (w logs.Written, err error) {
	tag, err := tx.Exec(ctx, `insert into guarda.log_batches (id, received_at, accepted, duplicates) values ($1::text::uuid, $2::timestamptz, 0, 0) on conflict do nothing`,
		b.ID.String(), s.clock.Now())
	if err != nil {
		return w, err
	}
	if tag.RowsAffected() == 0 {
		err = tx.QueryRow(ctx, `select accepted, duplicates from guarda.log_batches where id = $1::text::uuid`, b.ID.String()).Scan(&w.Accepted, &w.Duplicates)
		return w, err
	}
	entries, err := s.firstTime(ctx, tx, b.Entries)
	if err == nil && careful {
		entries, err = notStored(ctx, tx, entries)
	}
	if err != nil {
		return w, err
	}
	w = logs.Written{Accepted: len(entries), Duplicates: len(b.Entries) - len(entries)}
	if len(entries) > 0 {
		if s.Patterns != nil {
			if err := s.Patterns.Assign(ctx, tx, entries); err != nil {
				return w, err
			}
		}
		if err := copyEntries(ctx, tx, entries); err != nil {
			return w, err
		}
	}
	_, err = tx.Exec(ctx, `update guarda.log_batches set accepted = $2::int, duplicates = $3::int where id = $1::text::uuid`, b.ID.String(), w.Accepted, w.Duplicates)
	return w, err
}

// firstTime leaves out entries whose sender's id was stored before, or comes
// twice in the batch.
func (s *Store) firstTime(ctx context.Context, tx pgx.Tx, entries []logs.Entry) ([]logs.Entry, error) {
	seen := map[uuid.UUID]bool{}
	var ids []string
	var times []time.Time
	for i := range entries {
		if e := &entries[i]; e.GivenID && !seen[e.ID] {
			seen[e.ID] = true
			ids, times = append(ids, e.ID.String()), append(times, e.CreatedAt)
		}
	}
	if len(ids) == 0 {
		return entries, nil
	}
	// In the order of ids, so that two batches never wait for each other.
	rows, err := tx.Query(ctx, `insert into guarda.log_ids (id, created_at)
		select id::uuid, created_at from unnest($1::text[], $2::timestamptz[]) as g (id, created_at) order by 1
		on conflict do nothing returning id::text`, ids, times)
	if err != nil {
		return nil, err
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	isNew := make(map[uuid.UUID]bool, len(fresh))
	for _, id := range fresh {
		isNew[uuid.MustParse(id)] = true
	}
	kept := make([]logs.Entry, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.GivenID {
			if !isNew[e.ID] {
				continue
			}
			delete(isNew, e.ID)
		}
		kept = append(kept, *e)
	}
	return kept, nil
}

// notStored leaves out entries whose key is in the table already: rows that
// came by other ways than Write, or with half of a batch.
func notStored(ctx context.Context, tx pgx.Tx, entries []logs.Entry) ([]logs.Entry, error) {
	var ids []string
	var times []time.Time
	for i := range entries {
		ids, times = append(ids, entries[i].ID.String()), append(times, entries[i].CreatedAt)
	}
	rows, err := tx.Query(ctx, `select l.id::text from guarda.advanced_logs l
		join unnest($1::text[]::uuid[], $2::timestamptz[]) as g (id, created_at) on l.created_at = g.created_at and l.id = g.id`, ids, times)
	if err != nil {
		return nil, err
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(there))
	for _, id := range there {
		known[id] = true
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e logs.Entry) bool { return known[e.ID.String()] }), nil
}

// copyEntries copies entries into their days' partitions, and adds counts and
// feed, which statements on the partitioned table get from a trigger.
func copyEntries(ctx context.Context, tx pgx.Tx, entries []logs.Entry) error {
	counted := map[countKey]int{}
	byDay := map[string]*rows{}
	for i := range entries {
		e := &entries[i]
		day := dayOf(e.CreatedAt)
		r := byDay[day]
		if r == nil {
			r = newRows(len(entries)*400 + 64)
			byDay[day] = r
		}
		r.entry(e)
		for _, span := range spans {
			counted[countKey{span, e.CreatedAt.Truncate(time.Duration(span) * time.Second), e.Source, e.Level, e.PatternID}]++
		}
	}
	for day, r := range byDay {
		if err := copyRows(ctx, tx, `guarda.advanced_logs_`+day+` `+entryColumns, r); err != nil {
			return err
		}
	}
	if err := copyRows(ctx, tx, `guarda.log_counts (span, bucket, source, level, pattern_id, n)`, countRows(counted)); err != nil {
		return err
	}
	if err := copyRows(ctx, tx, `guarda.log_feed (ids, times)`, feedRow(entries)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `select pg_catalog.pg_notify('guarda_logs', '')`)
	return err
}

func copyRows(ctx context.Context, tx pgx.Tx, into string, r *rows) error {
	_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(r.end()), `copy `+into+` from stdin (format binary)`)
	return err
}

// spans are the lengths in seconds that entries are counted for.
var spans = [...]int{60, 3600, 86400}

type countKey struct {
	span    int
	bucket  time.Time
	source  string
	level   logs.Level
	pattern uuid.UUID
}

func countRows(counted map[countKey]int) *rows {
	r := newRows(len(counted) * 120)
	for k, n := range counted {
		r.row(6)
		r.int4(k.span)
		r.time(k.bucket)
		r.text(k.source)
		r.text(string(k.level))
		r.uuid(k.pattern)
		r.int8(int64(n))
	}
	return r
}

func feedRow(entries []logs.Entry) *rows {
	order := make([]*logs.Entry, len(entries))
	for i := range entries {
		order[i] = &entries[i]
	}
	slices.SortStableFunc(order, func(a, b *logs.Entry) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	r := newRows(len(entries)*32 + 100)
	r.row(2)
	r.array(oidUUID, 16, len(order))
	for _, e := range order {
		r.uuid(e.ID)
	}
	r.array(oidTimestamptz, 8, len(order))
	for _, e := range order {
		r.time(e.CreatedAt)
	}
	return r
}

func dayOf(t time.Time) string { return t.UTC().Format("20060102") }

// makeDays makes the partitions of the entries' days that are not known to be
// there.
func (s *Store) makeDays(ctx context.Context, entries []logs.Entry) error {
	var missing []string
	s.mu.Lock()
	for i := range entries {
		if day := dayOf(entries[i].CreatedAt); !s.days[day] && !slices.Contains(missing, day) {
			missing = append(missing, day)
		}
	}
	s.mu.Unlock()
	for _, day := range missing {
		if _, err := s.makeDay(ctx, day); err != nil {
			return err
		}
		s.mu.Lock()
		s.days[day] = true
		s.mu.Unlock()
	}
	return nil
}

// makeDay makes a day's partition; false: it was there. Attaching it locks the
// default partition, which waits for long readers of all days while everybody
// else waits behind it: it must not wait long.
//
// Whoever waited for somebody else to make it may not see it yet, which shows as
// a table that exists; and a statement may have put a row of the day into the
// default partition after that was looked through. A new transaction sees both.
func (s *Store) makeDay(ctx context.Context, day string) (made bool, err error) {
	for range 5 {
		made, err = s.tryDay(ctx, day)
		if !isDuplicateTable(err) && !hasState(err, "23514") {
			return made, err
		}
	}
	return made, fault.New(fault.Unavailable, "the partition of %s cannot be made while rows of that day are written", day).Because(err)
}

func (s *Store) tryDay(ctx context.Context, day string) (made bool, err error) {
	err = postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_catalog.set_config('lock_timeout', '2s', true)`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select guarda.make_log_partition($1::text::date)`, day).Scan(&made)
	})
	return made, err
}

func (s *Store) forgetDays() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.days)
}
