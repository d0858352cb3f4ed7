// Package patternstore keeps the patterns of log messages in Guarda's own
// Postgres and shares them between functions.
//
// Each function mines in its own memory; guarda.log_patterns is what they know
// together. A template's id is derived from it, so two functions that meet the
// same one at the same time agree without asking. Only Unite makes templates
// part of one another, one function at a time; the oldest keeps its id, the
// others lead to it. Entries and counts keep the id that they were given, so a
// pattern's count is the sum over the ids that lead to it, exact at any moment.
package patternstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/logs/pattern"
	"guarda/shared/postgres"
)

// refreshAfter is how old what others found may be before it is read again.
const refreshAfter = 10 * time.Second

// maxKnown bounds what a function holds in memory: the latest templates.
const maxKnown = pattern.DefaultLimit

// Store keeps patterns. It is safe for concurrent use; calls of Assign take
// turns. Errors are *fault.Error, but for those of Assign, which belong to the
// caller's transaction.
type Store struct {
	db    postgres.DB
	clock clock.Clock

	mu     sync.Mutex
	memory *memory

	uniting sync.Mutex
	united  string // transactions from this one on may hold what Unite did not see
}

// New makes a store.
func New(db postgres.DB, c clock.Clock) *Store { return &Store{db: db, clock: c} }

// memory is what a function knows.
type memory struct {
	miner   *pattern.Miner
	kept    map[uuid.UUID]kept     // templates that the database has, as it was when they were read
	unkept  map[uuid.UUID]found    // templates that it does not have, as far as we know
	stale   map[uuid.UUID][]string // templates that it shows more of than is always so: their tokens
	horizon string                 // transactions from this one on may have changed what we did not see
	readAt  time.Time
}

type kept struct {
	into   uuid.UUID // the pattern
	tokens []string
}

// found is a template and the entry that had it first.
type found struct {
	pattern.Template
	source, level string
	at            time.Time
	entry         uuid.UUID
}

func newMemory() *memory {
	return &memory{miner: pattern.New(maxKnown), kept: map[uuid.UUID]kept{}, unkept: map[uuid.UUID]found{}, stale: map[uuid.UUID][]string{}, horizon: "0"}
}

// pattern returns the pattern that a template belongs to.
func (m *memory) pattern(id pattern.ID) uuid.UUID {
	if k, ok := m.kept[uuid.UUID(id)]; ok {
		return k.into
	}
	return uuid.UUID(id)
}

// refresh reads what committed transactions changed since the last time, with
// the patterns that the changed ones belong to.
func (m *memory) refresh(ctx context.Context, q postgres.Querier) error {
	var horizon string
	if err := q.QueryRow(ctx, `select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text`).Scan(&horizon); err != nil {
		return err
	}
	rows, err := q.Query(ctx, `
		with changed as (
			select id, merged_into from guarda.log_patterns where changed_in >= $1::text::xid8 order by seq desc limit $2::int
		)
		select id::text, coalesce(merged_into, id)::text, tokens, forgotten_at is not null from guarda.log_patterns
		where (id in (select id from changed) or id in (select merged_into from changed)) and (tokens <> '{}' or template = '')
		order by seq`, m.horizon, maxKnown)
	if err != nil {
		return err
	}
	var templates []pattern.Template
	var id, group string
	var tokens []string
	var forgotten bool
	_, err = pgx.ForEachRow(rows, []any{&id, &group, &tokens, &forgotten}, func() error {
		t := pattern.Template{ID: pattern.ID(uuid.MustParse(id)), Group: pattern.ID(uuid.MustParse(group)), Tokens: tokens}
		templates = append(templates, t)
		tokens = nil
		if forgotten {
			delete(m.kept, uuid.UUID(t.ID))
			return nil
		}
		m.kept[uuid.UUID(t.ID)] = kept{uuid.UUID(t.Group), t.Tokens}
		delete(m.unkept, uuid.UUID(t.ID))
		if slices.Equal(m.stale[uuid.UUID(t.ID)], t.Tokens) {
			delete(m.stale, uuid.UUID(t.ID))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := m.miner.Import(templates); err != nil {
		return err
	}
	m.horizon = horizon
	m.miner.Changes() // what was read is no news
	return nil
}
