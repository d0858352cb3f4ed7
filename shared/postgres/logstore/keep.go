package logstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// daysAhead is how many days' partitions are made before they are needed.
const daysAhead = 3

// daysMoved is how many days are moved out of the default partition in a run.
const daysMoved = 10

// What is kept of what is beside the entries.
const (
	feedLife  = time.Hour
	batchLife = 14 * 24 * time.Hour // longer than a batch may wait in the spool
	limitLife = time.Hour           // a bucket is full again long before
)

// Kept says what the keeper did.
type Kept struct {
	DaysMade    []string `json:"days_made"`
	DaysDropped []string `json:"days_dropped"`
	Expired     int64    `json:"expired"` // entries deleted one by one
	Merged      int64    `json:"merged"`  // counts that were added up
	Analyzed    []string `json:"analyzed"`
	TextSearch  string   `json:"text_search,omitempty"` // what became active
}

// Keep does what has to be done every now and then, in steps that each stand
// alone: an error in one does not keep the others from being done.
func (s *Store) Keep(ctx context.Context) (k Kept, err error) {
	settings, err := s.LogSettings(ctx)
	if err != nil {
		return k, err
	}
	now := s.clock.Now()
	steps := []func() error{
		func() error { return s.makeAhead(ctx, now, &k) },
		func() error { return s.emptyDefault(ctx, &k) },
		func() error {
			_, err := s.db.Exec(ctx, `with f as (delete from guarda.log_feed where received_at < $1::timestamptz returning seq), b as (delete from guarda.log_batches where received_at < $2::timestamptz),
				l as (delete from guarda.log_limits where updated_at < $3::timestamptz)
				update guarda.log_settings s set feed_forgotten = greatest(s.feed_forgotten, g.last) from (select max(seq) as last from f) g where g.last is not null`,
				now.Add(-feedLife), now.Add(-batchLife), now.Add(-limitLife))
			return err
		},
		func() error { return s.retain(ctx, now, settings, &k) },
		func() (err error) {
			err = s.db.QueryRow(ctx, `select guarda.merge_log_counts()`).Scan(&k.Merged)
			return err
		},
		func() error { return s.analyze(ctx, &k) },
		func() error { return s.prepareWords(ctx, settings, &k) },
	}
	var errs []error
	for _, step := range steps {
		if err := step(); err != nil {
			errs = append(errs, postgres.Explain(err, "keep the log store"))
		}
	}
	return k, errors.Join(errs...)
}

func (s *Store) makeAhead(ctx context.Context, now time.Time, k *Kept) error {
	for n := range daysAhead + 1 {
		date := now.AddDate(0, 0, n).Format(time.DateOnly)
		made, err := s.makeDay(ctx, date)
		if err != nil {
			return err
		}
		if made {
			k.DaysMade = append(k.DaysMade, date)
		}
	}
	return nil
}

// emptyDefault gives days a partition of which the default partition has rows,
// because somebody inserted them by a statement: retention knows partitions
// only. A run does some days, the oldest first; rows beyond the calendar stay.
func (s *Store) emptyDefault(ctx context.Context, k *Kept) error {
	for range daysMoved {
		var date string
		err := s.db.QueryRow(ctx, `select coalesce(((select min(created_at) from guarda.advanced_logs_default
			where created_at >= timestamptz '1970-01-01 00:00Z' and created_at < timestamptz '9999-12-31 00:00Z') at time zone 'UTC')::date::text, '')`).Scan(&date)
		if err != nil || date == "" {
			return err
		}
		if _, err := s.makeDay(ctx, date); err != nil {
			return err
		}
		k.DaysMade = append(k.DaysMade, date)
	}
	return nil
}

// retain drops days that no rule keeps, and deletes from the others what its
// rules don't keep. Which sources and levels a day has, the counts say.
func (s *Store) retain(ctx context.Context, now time.Time, settings *logs.Settings, k *Kept) error {
	longest, shortest := 0, 0
	for _, r := range settings.Retention {
		if r.Days == 0 {
			longest = -1
			continue
		}
		if longest >= 0 {
			longest = max(longest, r.Days)
		}
		if shortest == 0 || r.Days < shortest {
			shortest = r.Days
		}
	}
	if shortest == 0 {
		return nil
	}
	rows, err := s.db.Query(ctx, `select d from guarda.log_days() d where d < $1::text::date order by d`, now.AddDate(0, 0, -shortest).Format(time.DateOnly))
	if err != nil {
		return err
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return err
	}
	for _, d := range days {
		// The day's last entry is as old as the day after it.
		if longest > 0 && d.AddDate(0, 0, longest+1).Before(now) && general(settings.Retention) {
			if err := s.dropDay(ctx, d); err != nil {
				return err
			}
			k.DaysDropped = append(k.DaysDropped, d.Format(time.DateOnly))
			continue
		}
		n, err := s.expire(ctx, d, now, settings)
		if k.Expired += n; err != nil {
			return err
		}
	}
	return nil
}

// general reports whether there is a rule for entries that no other one names;
// without it they are kept for ever.
func general(rules []logs.RetentionRule) bool {
	return slices.ContainsFunc(rules, func(r logs.RetentionRule) bool { return r.Source == "" && r.Level == "" })
}

// dropDay waits for its lock only shortly: everybody else would wait behind it.
func (s *Store) dropDay(ctx context.Context, d time.Time) error {
	return postgres.Tx(ctx, s.db, postgres.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_catalog.set_config('lock_timeout', '2s', true)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select guarda.drop_log_partition($1::text::date)`, d.Format(time.DateOnly))
		return err
	})
}

func (s *Store) expire(ctx context.Context, d, now time.Time, settings *logs.Settings) (int64, error) {
	rows, err := s.db.Query(ctx, `select source, level from guarda.log_counts where span = 86400 and bucket = $1::timestamptz group by 1, 2 having sum(n) > 0`, d)
	if err != nil {
		return 0, err
	}
	var source, level string
	var sources, levels []string
	var until []time.Time
	_, err = pgx.ForEachRow(rows, []any{&source, &level}, func() error {
		if keep := settings.Keep(source, logs.Level(level)); keep > 0 && d.AddDate(0, 0, keep).Before(now) {
			sources, levels, until = append(sources, source), append(levels, level), append(until, now.AddDate(0, 0, -keep))
		}
		return nil
	})
	if err != nil || len(sources) == 0 {
		return 0, err
	}
	tag, err := s.db.Exec(ctx, fmt.Sprintf(`delete from guarda.advanced_logs l using unnest($1::text[], $2::text[], $3::timestamptz[]) as g (source, level, until)
		where l.created_at >= %s and l.created_at < %s and l.created_at < g.until and l.source = g.source and l.level = g.level`, timeLiteral(d), timeLiteral(d.AddDate(0, 0, 1))), sources, levels, until)
	return tag.RowsAffected(), err
}

// analyze gives the planner statistics of partitions that have none, or whose
// are from when they were a tenth smaller; autovacuum comes later than a day
// fills.
func (s *Store) analyze(ctx context.Context, k *Kept) error {
	rows, err := s.db.Query(ctx, `
		select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid join pg_catalog.pg_stat_user_tables t on t.relid = c.oid
		where i.inhparent = 'guarda.advanced_logs'::regclass and t.n_mod_since_analyze > 1000 and t.n_mod_since_analyze > 0.1 * greatest(c.reltuples, 0) order by 1 desc limit 3`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := s.db.Exec(ctx, `analyze `+pgx.Identifier{"guarda", name}.Sanitize()); err != nil {
			return err
		}
		k.Analyzed = append(k.Analyzed, name)
	}
	return nil
}
