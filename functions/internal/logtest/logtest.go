// Package logtest gives the tests of the log functions a migrated database of
// Guarda's.
package logtest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/clock"
	"guarda/shared/postgres"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
)

// World is what a function works in.
type World struct {
	URL   string
	Pool  *pgxpool.Pool
	Store *logstore.Store
	Log   *slog.Logger
	t     *testing.T
}

// New makes a database without entries.
func New(t *testing.T) *World {
	t.Helper()
	w := &World{URL: guardadb.New(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), t: t}
	pgtest.Exec(t, w.URL, `delete from guarda.advanced_logs; delete from guarda.log_counts; delete from guarda.log_feed; delete from guarda.log_ids`)
	pool, err := postgres.Open(context.Background(), w.URL, postgres.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w.Pool, w.Store = pool, logstore.New(pool, clock.System{})
	return w
}

// Texts runs a query whose rows are one text each.
func (w *World) Texts(sql string, args ...any) []string {
	w.t.Helper()
	rows, err := w.Pool.Query(context.Background(), sql, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// CountsAgree fails the test unless the counts of every span are those of the
// rows.
func (w *World) CountsAgree() {
	w.t.Helper()
	for _, c := range w.Texts(`
		with r as (
			select s.span, date_trunc(s.unit, created_at, 'UTC') as bucket, source, level, coalesce(pattern_id, '00000000-0000-0000-0000-000000000000') as pattern_id, count(*) as n
			from guarda.advanced_logs cross join (values (60, 'minute'), (3600, 'hour'), (86400, 'day')) s (span, unit) group by 1, 2, 3, 4, 5
		), c as (
			select span, bucket, source, level, pattern_id, sum(n) as n from guarda.log_counts group by 1, 2, 3, 4, 5 having sum(n) <> 0
		)
		select format('%s %s %s %s: rows %s, counted %s', span, bucket, source, level, r.n, c.n)
		from r full join c using (span, bucket, source, level, pattern_id) where r.n is distinct from c.n limit 5`) {
		w.t.Errorf("counts and rows differ: %s", c)
	}
}
