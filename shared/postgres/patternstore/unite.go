package patternstore

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres"
)

// uniteLock lets one function at a time make templates part of others: a lock
// of the transaction, which a pooler bears.
const uniteLock int64 = 0x67756172646120

// Unite makes templates that turned out to be one pattern so, and lets patterns
// show what all of their messages have. It returns how many templates were made
// part of another one. While another function is at it, it does nothing.
func (s *Store) Unite(ctx context.Context) (merged int, err error) {
	s.uniting.Lock()
	defer s.uniting.Unlock()
	var horizon string
	err = postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) error {
		merged, horizon = 0, ""
		var mine, changed bool
		if err := tx.QueryRow(ctx, "select pg_catalog.pg_try_advisory_xact_lock($1)", uniteLock).Scan(&mine); err != nil || !mine {
			return err
		}
		if err := tx.QueryRow(ctx, `select exists (select from guarda.log_patterns where changed_in >= coalesce(nullif($1::text, ''), '0')::xid8)`, s.united).Scan(&changed); err != nil || !changed {
			return err
		}
		m := newMemory()
		if err := m.refresh(ctx, tx); err != nil {
			return err
		}
		m.miner.Reconcile()
		horizon = m.horizon
		var err error
		merged, err = m.unite(ctx, tx)
		return err
	})
	if err == nil && horizon != "" {
		s.united = horizon
	}
	return merged, postgres.Explain(err, "unite log patterns")
}

// unite stores what the miner joined, and what patterns show.
func (m *memory) unite(ctx context.Context, tx pgx.Tx) (int, error) {
	var made []found
	var ids, patterns []string        // templates that go to another pattern than before
	var shownIDs, shownTexts []string // all patterns
	for _, t := range m.miner.Export() {
		if t.Group == t.ID {
			shownIDs, shownTexts = append(shownIDs, uuid.UUID(t.ID).String()), append(shownTexts, t.Text)
			continue
		}
		k, ok := m.kept[uuid.UUID(t.ID)]
		switch {
		case !ok:
			made = append(made, found{Template: t})
		case k.into != uuid.UUID(t.Group):
			ids, patterns = append(ids, uuid.UUID(t.ID).String()), append(patterns, uuid.UUID(t.Group).String())
		}
	}
	if err := insertForms(ctx, tx, made); err != nil {
		return 0, err
	}
	if len(ids) > 0 {
		if _, err := tx.Exec(ctx, `
			update guarda.log_patterns p set merged_into = g.pattern::uuid, changed_in = pg_catalog.pg_current_xact_id(), surging_since = null
			from unnest($1::text[], $2::text[]) as g (id, pattern) where p.id = g.id::uuid`, ids, patterns); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, `
			update guarda.log_patterns p set first_seen_at = least(p.first_seen_at, c.first_seen_at), last_seen_at = greatest(p.last_seen_at, c.last_seen_at)
			from (select merged_into, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at from guarda.log_patterns
				where merged_into = any($1::text[]::uuid[]) group by 1) c
			where p.id = c.merged_into`, patterns); err != nil {
			return 0, err
		}
	}
	_, err := tx.Exec(ctx, `
		update guarda.log_patterns p set template = g.template, changed_in = pg_catalog.pg_current_xact_id()
		from unnest($1::text[], $2::text[]) as g (id, template) where p.id = g.id::uuid and p.template <> g.template`, shownIDs, shownTexts)
	return len(ids), err
}

// insertForms adds templates that no message had as such: the general forms of
// patterns, whose source, level and times they take.
func insertForms(ctx context.Context, tx pgx.Tx, made []found) error {
	if len(made) == 0 {
		return nil
	}
	var ids, tokens, texts, patterns []string
	for _, f := range made {
		ids, tokens = append(ids, uuid.UUID(f.ID).String()), append(tokens, arrayOf(f.Tokens))
		texts, patterns = append(texts, f.Text), append(patterns, uuid.UUID(f.Group).String())
	}
	_, err := tx.Exec(ctx, `
		insert into guarda.log_patterns (id, tokens, template, source, level, first_seen_at, last_seen_at, merged_into)
		select g.id::uuid, g.tokens::text[], g.template, p.source, p.level, p.first_seen_at, p.last_seen_at, p.id
		from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as g (id, tokens, template, pattern)
			join guarda.log_patterns p on p.id = g.pattern::uuid
		order by 1 on conflict (id) do nothing`, ids, tokens, texts, patterns)
	return err
}
