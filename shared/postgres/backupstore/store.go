// Package backupstore keeps runs, schedules and the chunks of runs in
// Guarda's own Postgres.
//
// Every statement stands alone or in a transaction of its own, names the
// schema and casts its parameters, so that all of it works through a
// transaction pooler without prepared statements.
package backupstore

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/postgres"
)

// Store keeps runs and schedules. It is safe for concurrent use. Errors are
// *fault.Error: NotFound, Conflict, Precondition, and Unavailable while
// Postgres is away.
type Store struct {
	db    postgres.DB
	clock clock.Clock
}

// New makes a store.
func New(db postgres.DB, c clock.Clock) *Store { return &Store{db: db, clock: c} }

// inTx runs f in a transaction.
func (s *Store) inTx(ctx context.Context, doing string, f func(pgx.Tx) error) error {
	return postgres.Explain(postgres.Tx(ctx, s.db, postgres.TxOptions{}, f), doing)
}

// document encodes a jsonb parameter. It is text, because without prepared
// statements a []byte is sent as bytea.
func document(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}
