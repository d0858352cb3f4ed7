package patternstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/logs/pattern"
	"guarda/shared/postgres"
)

// baselineDays is how many earlier days an hour is compared with at most.
const baselineDays = 14

// A pattern that had no entry for forgetAfter is forgotten when the last one is
// deleted, and its templates are deleted after another deleteAfter.
const (
	forgetAfter = 30 * 24 * time.Hour
	deleteAfter = 24 * time.Hour
)

// Judged is what Judge found.
type Judged struct {
	Surging   int // patterns that surge
	Forgotten int // templates that were deleted
}

// Judge brings up to date what is known about each pattern: how many entries it
// has, when the last one came (to the minute), that one from before the first
// came late (to the hour), whether it surges. It forgets
// patterns whose entries are all gone. The counts are those of the moment; what
// must be exact reads guarda.log_counts itself.
func (s *Store) Judge(ctx context.Context, now time.Time) (j Judged, err error) {
	now = now.UTC().Truncate(time.Minute)
	err = postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) error {
		j = Judged{}
		// Rows are locked in one order here; Unite takes turns with this.
		if _, err := tx.Exec(ctx, "select pg_catalog.pg_advisory_xact_lock($1)", uniteLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, updateTotals, now.Add(-2*time.Hour), now); err != nil {
			return err
		}
		hours, err := lastHours(ctx, tx, now)
		if err != nil {
			return err
		}
		if j.Surging, err = storeSurges(ctx, tx, now, hours); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, forget, now.Add(-forgetAfter), now); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `delete from guarda.log_patterns where forgotten_at < $1::timestamptz`, now.Add(-deleteAfter))
		j.Forgotten = int(tag.RowsAffected())
		return err
	})
	return j, postgres.Explain(err, "judge log patterns")
}

const updateTotals = `
	with totals as (
		select coalesce(p.merged_into, p.id) as id, sum(c.n) filter (where c.span = 86400) as n,
			max(c.bucket) filter (where c.span in (60, 3600) and c.n > 0) as last,
			min(c.bucket) filter (where c.span = 3600 and c.n > 0) as first
		from guarda.log_counts c join guarda.log_patterns p on p.id = c.pattern_id
		where c.span in (3600, 86400) or c.span = 60 and c.bucket >= $1::timestamptz
		group by 1
	)
	update guarda.log_patterns p set match_count = coalesce(t.n, 0), last_seen_at = greatest(p.last_seen_at, least(t.last, $2::timestamptz)),
		first_seen_at = case when t.first + interval '1 hour' <= p.first_seen_at then t.first else p.first_seen_at end
	from guarda.log_patterns q left join totals t on t.id = q.id
	where q.id = p.id and p.merged_into is null
		and (p.match_count <> coalesce(t.n, 0) or p.last_seen_at < least(t.last, $2::timestamptz) or t.first + interval '1 hour' <= p.first_seen_at)`

const forget = `
	with counted as (
		select distinct coalesce(p.merged_into, p.id) as id from guarda.log_counts c join guarda.log_patterns p on p.id = c.pattern_id
		where c.span = 86400 group by p.id having sum(c.n) > 0
	), root as (
		select p.id, c.id is null and p.last_seen_at < $1::timestamptz and not p.muted as gone
		from guarda.log_patterns p left join counted c on c.id = p.id where p.merged_into is null
	)
	update guarda.log_patterns p set forgotten_at = case when r.gone then $2::timestamptz end, changed_in = pg_catalog.pg_current_xact_id()
	from root r where r.id = coalesce(p.merged_into, p.id) and r.gone <> (p.forgotten_at is not null)`

// lastHours returns for each pattern the entries of the hour before now, and of
// the same hour on earlier days, of which there are as many as there are logs of.
func lastHours(ctx context.Context, tx pgx.Tx, now time.Time) (map[string][]int64, error) {
	var days int
	err := tx.QueryRow(ctx, `
		select least(coalesce(floor(extract(epoch from $1::timestamptz - interval '1 hour' - min(bucket)) / 86400), 0), $2::int)::int
		from guarda.log_counts where span = 3600`, now, baselineDays).Scan(&days)
	if err != nil {
		return nil, err
	}
	days = max(days, 0)
	rows, err := tx.Query(ctx, `
		select coalesce(p.merged_into, p.id)::text, d, sum(c.n)::bigint
		from generate_series(0, $2::int) d
			join guarda.log_counts c on c.span = 60 and c.bucket >= $1::timestamptz - interval '1 hour' - d * interval '24 hours' and c.bucket < $1::timestamptz - d * interval '24 hours'
			join guarda.log_patterns p on p.id = c.pattern_id
		group by 1, 2`, now, days)
	if err != nil {
		return nil, err
	}
	hours := map[string][]int64{}
	var id string
	var day int
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &day, &n}, func() error {
		if hours[id] == nil {
			hours[id] = make([]int64, days+1)
		}
		hours[id][day] = n
		return nil
	})
	return hours, err
}

func storeSurges(ctx context.Context, tx pgx.Tx, now time.Time, hours map[string][]int64) (int, error) {
	var ids []string
	var recent []int64
	var usual, deviation, score []*float64
	var surging []bool
	count := 0
	for id, h := range hours {
		s := pattern.Judge(h[0], h[1:])
		ids, recent, surging = append(ids, id), append(recent, h[0]), append(surging, s.Surging)
		if s.Surging {
			count++
		}
		if !s.Known {
			usual, deviation, score = append(usual, nil), append(deviation, nil), append(score, nil)
			continue
		}
		usual, deviation, score = append(usual, &s.Usual), append(deviation, &s.Deviation), append(score, &s.Score)
	}
	_, err := tx.Exec(ctx, `
		with found as (
			select id::uuid, recent, usual, deviation, score, surging
			from unnest($2::text[], $3::bigint[], $4::float8[], $5::float8[], $6::float8[], $7::boolean[]) as g (id, recent, usual, deviation, score, surging)
		)
		update guarda.log_patterns p set judged_at = $1::timestamptz, recent_count = coalesce(f.recent, 0), usual_count = f.usual,
			usual_deviation = f.deviation, surge_score = f.score,
			surging_since = case when f.surging then coalesce(p.surging_since, $1::timestamptz) end
		from guarda.log_patterns q left join found f on f.id = q.id
		where q.id = p.id and p.merged_into is null and (f.id is not null or p.recent_count <> 0 or p.surging_since is not null or p.usual_count is not null)`,
		now, ids, recent, usual, deviation, score, surging)
	return count, err
}
