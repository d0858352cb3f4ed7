package patternstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/logs"
	"guarda/shared/logs/pattern"
	"guarda/shared/postgres"
)

// Assign sets the entries' PatternID and adds the templates that are new, in
// the caller's transaction. What it keeps in memory does not count on the
// commit: a template is added again until it was read back.
func (s *Store) Assign(ctx context.Context, tx pgx.Tx, entries []logs.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		s.memory = newMemory()
	}
	m := s.memory
	if now := s.clock.Now(); m.readAt.IsZero() || now.Sub(m.readAt) > refreshAfter {
		if err := m.refresh(ctx, tx); err != nil {
			s.memory = nil // half of it may have been read
			return err
		}
		m.readAt = now
	}
	for i := range entries {
		e := &entries[i]
		h := m.miner.Add([]byte(e.Message))
		for _, t := range m.miner.Changes() {
			m.changed(t, e)
		}
		id := m.miner.ID(h)
		if m.isLost(id) {
			m.changed(m.miner.Oldest(h), e)
		}
		e.PatternID = m.pattern(id)
	}
	return m.write(ctx, tx)
}

// changed notes what the database has to learn of a template.
func (m *memory) changed(t pattern.Template, e *logs.Entry) {
	id := uuid.UUID(t.ID)
	if k, ok := m.kept[id]; ok {
		if !slices.Equal(k.tokens, t.Tokens) {
			m.stale[id] = t.Tokens
		}
		return
	}
	f, ok := m.unkept[id]
	if !ok {
		f = found{source: e.Source, level: string(e.Level), at: e.CreatedAt, entry: e.ID}
	}
	f.Template = t
	m.unkept[id] = f
}

// isLost reports whether nobody is to write down a pattern any more.
func (m *memory) isLost(id pattern.ID) bool {
	if _, ok := m.kept[uuid.UUID(id)]; ok {
		return false
	}
	_, ok := m.unkept[uuid.UUID(id)]
	return !ok
}

func (m *memory) write(ctx context.Context, tx pgx.Tx) error {
	if len(m.unkept) > 0 {
		all := make([]found, 0, len(m.unkept))
		for _, f := range m.unkept {
			all = append(all, f)
		}
		if err := insert(ctx, tx, all); err != nil {
			return err
		}
	}
	if len(m.stale) == 0 {
		return nil
	}
	var ids, tokens []string
	for id, t := range m.stale {
		ids, tokens = append(ids, id.String()), append(tokens, arrayOf(t))
	}
	// Whoever else changes a row at this moment does the same to it.
	_, err := tx.Exec(ctx, `
		update guarda.log_patterns p set tokens = g.tokens::text[], changed_in = pg_catalog.pg_current_xact_id()
		from unnest($1::text[], $2::text[]) as g (id, tokens)
		where p.id = g.id::uuid and p.tokens <> g.tokens::text[]
			and p.id in (select q.id from guarda.log_patterns q where q.id = any($1::text[]::uuid[]) for no key update skip locked)`, ids, tokens)
	return err
}

// insert adds templates that are not there yet, in the order of their ids, so
// that two transactions never wait for each other. Those that are there are not
// touched: a conflict would lock them, and Judge and Unite lock many in an order
// of their own.
func insert(ctx context.Context, q postgres.Querier, all []found) error {
	slices.SortFunc(all, func(a, b found) int { return slices.Compare(a.ID[:], b.ID[:]) })
	var ids, tokens, texts, sources, levels, entries []string
	var times []time.Time
	for _, f := range all {
		ids, tokens, texts = append(ids, uuid.UUID(f.ID).String()), append(tokens, arrayOf(f.Tokens)), append(texts, f.Text)
		sources, levels, times, entries = append(sources, f.source), append(levels, f.level), append(times, f.at), append(entries, f.entry.String())
	}
	_, err := q.Exec(ctx, `
		insert into guarda.log_patterns (id, tokens, template, source, level, first_seen_at, last_seen_at, sample_log_at, sample_log_id)
		select id::uuid, tokens::text[], template, source, level, at, at, at, nullif(entry::uuid, '00000000-0000-0000-0000-000000000000')
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]) as t (id, tokens, template, source, level, at, entry)
		where not exists (select from guarda.log_patterns p where p.id = t.id::uuid and p.forgotten_at is null)
		order by id::uuid
		on conflict (id) do update set forgotten_at = null, changed_in = pg_catalog.pg_current_xact_id() where log_patterns.forgotten_at is not null`, ids, tokens, texts, sources, levels, times, entries)
	return err
}

// arrayOf writes texts as a PostgreSQL array.
func arrayOf(texts []string) string {
	b := []byte{'{'}
	for i, t := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		for j := range len(t) {
			if t[j] == '"' || t[j] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, t[j])
		}
		b = append(b, '"')
	}
	return string(append(b, '}'))
}

// missingBatch is how many entries get their pattern in one transaction.
const missingBatch = 5000

// AssignMissing gives entries from since on that have no pattern theirs, the
// oldest first, until none is left or the time is up. Functions that do it at
// the same time take different entries. It returns how many it gave one.
func (s *Store) AssignMissing(ctx context.Context, since, until time.Time) (total int, err error) {
	for {
		n := 0
		err := postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) (err error) {
			n, err = s.assignMissing(ctx, tx, since)
			return err
		})
		if err != nil {
			return total, postgres.Explain(err, "find the patterns of log entries")
		}
		total += n
		if n < missingBatch || !s.clock.Now().Before(until) {
			return total, nil
		}
	}
}

func (s *Store) assignMissing(ctx context.Context, tx pgx.Tx, since time.Time) (int, error) {
	rows, err := tx.Query(ctx, `select id::text, created_at, source, level, message from guarda.advanced_logs
		where pattern_id is null and created_at >= $1::timestamptz order by created_at limit $2::int for update skip locked`, since, missingBatch)
	if err != nil {
		return 0, err
	}
	var entries []logs.Entry
	var id, level string
	var e logs.Entry
	_, err = pgx.ForEachRow(rows, []any{&id, &e.CreatedAt, &e.Source, &level, &e.Message}, func() error {
		e.ID, e.Level = uuid.MustParse(id), logs.Level(level)
		entries = append(entries, e)
		return nil
	})
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	if err := s.Assign(ctx, tx, entries); err != nil {
		return 0, err
	}
	slices.SortStableFunc(entries, func(a, b logs.Entry) int { return cmp.Compare(a.CreatedAt.UnixNano(), b.CreatedAt.UnixNano()) })
	var ids, patterns []string
	var times []time.Time
	for i := range entries {
		ids, times, patterns = append(ids, entries[i].ID.String()), append(times, entries[i].CreatedAt), append(patterns, entries[i].PatternID.String())
	}
	_, err = tx.Exec(ctx, `update guarda.advanced_logs l set pattern_id = g.pattern::uuid
		from unnest($1::text[], $2::timestamptz[], $3::text[]) as g (id, created_at, pattern)
		where l.created_at = g.created_at and l.id = g.id::uuid and l.created_at >= $4::timestamptz and l.created_at <= $5::timestamptz`,
		ids, times, patterns, times[0], times[len(times)-1])
	return len(entries), err
}
