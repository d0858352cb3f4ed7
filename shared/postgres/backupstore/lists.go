package backupstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/postgres"
)

// List returns up to limit runs after a position, newest first.
func (s *Store) List(ctx context.Context, f execution.Filter, after execution.Position, limit int) ([]*execution.Execution, error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		numbers := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			numbers[i] = len(args)
		}
		where = append(where, fmt.Sprintf(condition, numbers...))
	}
	if len(f.Statuses) > 0 {
		add(`e.status = any($%d::text[])`, f.Statuses)
	}
	if len(f.Types) > 0 {
		add(`coalesce(e.backup_type, e.requested_type) = any($%d::text[])`, f.Types)
	}
	if f.SourceID != "" {
		add(`e.source_id = $%d::text::uuid`, f.SourceID)
	}
	if f.ScheduleID != "" {
		add(`e.schedule_id = $%d::text::uuid`, f.ScheduleID)
	}
	if f.StartedAfter != nil {
		add(`e.started_at >= $%d::timestamptz`, *f.StartedAfter)
	}
	if f.StartedBefore != nil {
		add(`e.started_at < $%d::timestamptz`, *f.StartedBefore)
	}
	if after.ID != "" {
		add(`(e.started_at, e.id) < ($%d::timestamptz, $%d::text::uuid)`, after.StartedAt, after.ID)
	}
	sql := `select ` + columns + withoutTables + from
	if len(where) > 0 {
		sql += ` where ` + strings.Join(where, ` and `)
	}
	args = append(args, limit)
	sql += fmt.Sprintf(` order by e.started_at desc, e.id desc limit $%d::int`, len(args))
	return s.collect(ctx, "list runs", sql, args...)
}

func (s *Store) collect(ctx context.Context, doing, sql string, args ...any) ([]*execution.Execution, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, postgres.Explain(err, doing)
	}
	list, err := pgx.CollectRows(rows, scan)
	return list, postgres.Explain(err, doing)
}

// Recent returns, for each source, its runs under way and its last n that
// ended, newest first.
func (s *Store) Recent(ctx context.Context, n int) (map[string][]*execution.Execution, error) {
	list, err := s.collect(ctx, "list the last runs of each source", `
		select `+columns+withoutTables+`
		from guarda.sources o
		cross join lateral (
			select * from guarda.backup_executions x where x.source_id = o.id order by x.started_at desc, x.id desc limit $1::int
		) e
		left join guarda.backup_schedules s on s.id = e.schedule_id
		order by e.started_at desc, e.id desc`, n)
	return bySource(list), err
}

// LastSuccesses returns the newest completed run of each source.
func (s *Store) LastSuccesses(ctx context.Context) (map[string]*execution.Execution, error) {
	list, err := s.collect(ctx, "list the last good run of each source", `
		select `+columns+withoutTables+`
		from guarda.sources o
		cross join lateral (
			select * from guarda.backup_executions x where x.source_id = o.id and x.status = 'completed' order by x.started_at desc limit 1
		) e
		left join guarda.backup_schedules s on s.id = e.schedule_id`)
	found := map[string]*execution.Execution{}
	for id, runs := range bySource(list) {
		found[id] = runs[0]
	}
	return found, err
}

// LastOf returns the newest run of each of the given schedules.
func (s *Store) LastOf(ctx context.Context, schedules []string) (map[string]*execution.Execution, error) {
	list, err := s.collect(ctx, "list the last run of schedules", `
		select `+columns+withoutTables+`
		from unnest($1::text[]::uuid[]) as wanted (id)
		cross join lateral (
			select * from guarda.backup_executions x where x.schedule_id = wanted.id order by x.started_at desc, x.id desc limit 1
		) e
		left join guarda.backup_schedules s on s.id = e.schedule_id`, schedules)
	found := map[string]*execution.Execution{}
	for _, e := range list {
		found[*e.ScheduleID] = e
	}
	return found, err
}

func bySource(list []*execution.Execution) map[string][]*execution.Execution {
	by := map[string][]*execution.Execution{}
	for _, e := range list {
		if e.SourceID != nil {
			by[*e.SourceID] = append(by[*e.SourceID], e)
		}
	}
	return by
}

// Totals are sums over completed backups.
type Totals struct {
	Backups  int
	Bytes    int64
	BySource map[string]int64 // bytes
}

// Totals sums up the completed backups, those of forgotten sources included.
func (s *Store) Totals(ctx context.Context) (Totals, error) {
	t := Totals{BySource: map[string]int64{}}
	rows, err := s.db.Query(ctx, `
		select coalesce(source_id::text, ''), count(*), coalesce(sum(size_bytes), 0)::bigint
		from guarda.backup_executions where status = 'completed' group by 1`)
	if err != nil {
		return t, postgres.Explain(err, "sum up the backups")
	}
	var source string
	var count int
	var bytes int64
	_, err = pgx.ForEachRow(rows, []any{&source, &count, &bytes}, func() error {
		t.Backups += count
		t.Bytes += bytes
		if source != "" {
			t.BySource[source] = bytes
		}
		return nil
	})
	return t, postgres.Explain(err, "sum up the backups")
}
