// Package logstore keeps log entries in Guarda's own Postgres: writing, search,
// counts, the feed of tails, partitions and retention.
//
// Statements name the schema and hold no session state, so that all of it works
// through a transaction pooler; only Listen needs a session of its own.
package logstore

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/postgres"
)

// Patterns finds the pattern of entries. Assign sets entries' PatternID within
// the transaction that stores them, and adds to guarda.log_patterns what is
// new. A transaction may fail afterwards and be tried again with the same
// entries.
type Patterns interface {
	Assign(ctx context.Context, tx pgx.Tx, entries []logs.Entry) error
}

// Store keeps entries. It is safe for concurrent use. Errors are *fault.Error.
type Store struct {
	db    postgres.DB
	clock clock.Clock
	// Patterns may be nil: entries have no pattern then.
	Patterns Patterns
	// Cold reads archived days. It may be nil where none are read.
	Cold Cold

	mu   sync.Mutex
	days map[string]bool // that are known to have a partition
}

// New makes a store.
func New(db postgres.DB, c clock.Clock) *Store {
	return &Store{db: db, clock: c, days: map[string]bool{}}
}

var _ logs.Store = (*Store)(nil)
