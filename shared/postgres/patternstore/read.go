package patternstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// newFor is how long a pattern is new. What came in the first newFor of the
// log itself is not: then everything would be.
const newFor = 24 * time.Hour

// Pattern is a pattern as people see it.
type Pattern struct {
	ID           uuid.UUID
	Template     string
	Source       string // of the entry that had it first
	Level        string
	Count        int64 // entries of what was asked for
	FirstSeen    time.Time
	LastSeen     time.Time // to the minute
	New          bool
	Muted        bool
	Recent       int64    // entries of the last hour
	Usual        *float64 // the median of that hour on earlier days; nil while there are too few
	Deviation    *float64
	Score        *float64
	SurgingSince *time.Time
	Sample       uuid.UUID // an entry; zero: none
	SampleAt     time.Time
	Key          float64 // what the list is sorted by
}

// Sort is what a list of patterns is sorted by, the greatest first.
type Sort string

// The orders.
const (
	ByCount     Sort = "count"
	ByLastSeen  Sort = "last_seen"
	ByFirstSeen Sort = "first_seen"
	BySurge     Sort = "surge"
)

func (s Sort) expression() string {
	switch s {
	case ByLastSeen:
		return "extract(epoch from p.last_seen_at)::float8"
	case ByFirstSeen:
		return "extract(epoch from p.first_seen_at)::float8"
	case BySurge:
		return "coalesce(p.surge_score, -1e300)"
	}
	return "c.n::float8"
}

// Filter says which patterns to list. The zero value is all.
type Filter struct {
	Contains string // a part of the template, in any case
	Muted    *bool
	New      bool // only new ones
	Surging  bool // only those that surge
}

// Position is the last pattern of a page.
type Position struct {
	Key float64   `json:"k"`
	ID  uuid.UUID `json:"i"`
}

const patternColumns = `p.id::text, p.template, p.source, p.level, p.first_seen_at, p.last_seen_at,
	p.first_seen_at > $1::timestamptz and p.first_seen_at > (select min(first_seen_at) from guarda.log_patterns) + $2::float8 * interval '1 second',
	p.muted, p.recent_count, p.usual_count, p.usual_deviation, p.surge_score, p.surging_since, coalesce(p.sample_log_id::text, ''), coalesce(p.sample_log_at, p.first_seen_at)`

func (p *Pattern) targets(id, sample *string) []any {
	return []any{id, &p.Template, &p.Source, &p.Level, &p.FirstSeen, &p.LastSeen, &p.New, &p.Muted, &p.Recent, &p.Usual, &p.Deviation, &p.Score, &p.SurgingSince, sample, &p.SampleAt}
}

func (p *Pattern) finish(id, sample string) {
	p.ID = uuid.MustParse(id)
	if sample != "" {
		p.Sample = uuid.MustParse(sample)
	}
	p.FirstSeen, p.LastSeen, p.SampleAt = p.FirstSeen.UTC(), p.LastSeen.UTC(), p.SampleAt.UTC()
	if p.SurgingSince != nil {
		t := p.SurgingSince.UTC()
		p.SurgingSince = &t
	}
}

// List returns up to limit patterns of those that were counted, as
// guarda.log_counts has them, after a position (nil: from the first).
func (s *Store) List(ctx context.Context, counted map[uuid.UUID]int64, f Filter, by Sort, after *Position, limit int) ([]Pattern, error) {
	var ids []string
	var counts []int64
	for id, n := range counted {
		ids, counts = append(ids, id.String()), append(counts, n)
	}
	var afterKey *float64
	var afterID *string
	if after != nil {
		id := after.ID.String()
		afterKey, afterID = &after.Key, &id
	}
	rows, err := s.db.Query(ctx, fmt.Sprintf(`
		with c as (
			select coalesce(q.merged_into, q.id) as id, sum(t.n)::bigint as n
			from unnest($3::text[], $4::bigint[]) as t (id, n) join guarda.log_patterns q on q.id = t.id::uuid group by 1
		), listed as (
			select %s, c.n as n, %s as key
			from guarda.log_patterns p join c on c.id = p.id
			where c.n > 0 and ($5::text = '' or strpos(lower(p.template), lower($5::text)) > 0) and ($6::boolean is null or p.muted = $6::boolean)
				and (not $7::boolean or p.surging_since is not null)
		)
		select * from listed l (id, template, source, level, first_seen_at, last_seen_at, is_new, muted, recent, usual, deviation, score, surging, sample, sample_at, n, key)
		where (not $8::boolean or is_new) and ($9::float8 is null or (key, id) < ($9::float8, $10::text))
		order by key desc, id desc limit $11::int`, patternColumns, by.expression()),
		s.clock.Now().Add(-newFor), newFor.Seconds(), ids, counts, f.Contains, f.Muted, f.Surging, f.New, afterKey, afterID, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list log patterns")
	}
	var list []Pattern
	for rows.Next() {
		var p Pattern
		var id, sample string
		if err := rows.Scan(append(p.targets(&id, &sample), &p.Count, &p.Key)...); err != nil {
			rows.Close()
			return nil, postgres.Explain(err, "list log patterns")
		}
		p.finish(id, sample)
		list = append(list, p)
	}
	return list, postgres.Explain(rows.Err(), "list log patterns")
}

// Get returns a pattern by its id or that of one that became part of it, with
// all of these ids, its own first; or fault.NotFound. Its Count is that of all
// entries, as Judge saw it last.
func (s *Store) Get(ctx context.Context, id string) (*Pattern, []uuid.UUID, error) {
	var p Pattern
	var own, sample string
	var others []string
	err := s.db.QueryRow(ctx, `
		select `+patternColumns+`, p.match_count, array(select m.id::text from guarda.log_patterns m where m.merged_into = p.id order by m.seq)
		from guarda.log_patterns p where p.id = (select coalesce(merged_into, id) from guarda.log_patterns where id = $3::uuid)`,
		s.clock.Now().Add(-newFor), newFor.Seconds(), id).Scan(append(p.targets(&own, &sample), &p.Count, &others)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fault.New(fault.NotFound, "there is no such log pattern")
	}
	if err != nil {
		return nil, nil, postgres.Explain(err, "read a log pattern")
	}
	p.finish(own, sample)
	ids := []uuid.UUID{p.ID}
	for _, o := range others {
		ids = append(ids, uuid.MustParse(o))
	}
	return &p, ids, nil
}

// Mute says whether a pattern is left out of what people are told about new and
// surging ones; fault.NotFound when there is none.
func (s *Store) Mute(ctx context.Context, id string, muted bool) error {
	tag, err := s.db.Exec(ctx, `update guarda.log_patterns set muted = $2::boolean
		where id = (select coalesce(merged_into, id) from guarda.log_patterns where id = $1::uuid)`, id, muted)
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no such log pattern")
	}
	return postgres.Explain(err, "mute a log pattern")
}

// Trend is counts over time: of Width each, the first from Start on.
type Trend struct {
	Start  time.Time
	Width  time.Duration
	Counts map[uuid.UUID][]int64
}

// Trends returns about buckets counts for each pattern from low to before high.
// The first and the last bucket may hold more than the range.
func (s *Store) Trends(ctx context.Context, ids []uuid.UUID, sources, levels []string, low, high time.Time, buckets int) (*Trend, error) {
	span := time.Minute
	switch d := high.Sub(low); {
	case d > 60*24*time.Hour:
		span = 24 * time.Hour
	case d > 48*time.Hour:
		span = time.Hour
	}
	width := (high.Sub(low)/time.Duration(buckets) + span - 1) / span * span
	width = max(width, span)
	t := &Trend{Start: low.Truncate(width), Width: width, Counts: map[uuid.UUID][]int64{}}
	n := int((high.Sub(t.Start) + width - 1) / width)
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
		t.Counts[id] = make([]int64, n)
	}
	rows, err := s.db.Query(ctx, `
		select coalesce(p.merged_into, p.id)::text, floor(extract(epoch from c.bucket - $1::timestamptz) / $3::float8)::int, sum(c.n)::bigint
		from guarda.log_counts c join guarda.log_patterns p on p.id = c.pattern_id
		where c.span = $4::int and c.bucket >= $1::timestamptz and c.bucket < $2::timestamptz and coalesce(p.merged_into, p.id) = any($5::text[]::uuid[])
			and (cardinality($6::text[]) = 0 or c.source = any($6::text[])) and (cardinality($7::text[]) = 0 or c.level = any($7::text[]))
		group by 1, 2`, t.Start, high, width.Seconds(), int(span.Seconds()), texts, notNil(sources), notNil(levels))
	if err != nil {
		return nil, postgres.Explain(err, "count log patterns")
	}
	var id string
	var at int
	var count int64
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &count}, func() error {
		if counts := t.Counts[uuid.MustParse(id)]; at >= 0 && at < len(counts) {
			counts[at] = count
		}
		return nil
	})
	return t, postgres.Explain(err, "count log patterns")
}

func notNil(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// Share returns the part of all entries that are of a pattern, 0 to 1.
func (s *Store) Share(ctx context.Context, id uuid.UUID) (share float64, err error) {
	err = s.db.QueryRow(ctx, `
		select coalesce(sum(c.n) filter (where coalesce(p.merged_into, p.id) = $1::text::uuid) / nullif(sum(c.n), 0), 0)::float8
		from guarda.log_counts c left join guarda.log_patterns p on p.id = c.pattern_id where c.span = 86400`, id.String()).Scan(&share)
	return share, postgres.Explain(err, "count log patterns")
}

// Sample returns the message of a pattern's sample, nil when it is gone.
func (s *Store) Sample(ctx context.Context, p *Pattern) (*string, error) {
	var message string
	err := s.db.QueryRow(ctx, `select message from guarda.advanced_logs where created_at = $1::timestamptz and id = $2::text::uuid`, p.SampleAt, p.Sample.String()).Scan(&message)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &message, postgres.Explain(err, "read a log pattern's sample")
}
