package backupstore

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

func insertLedger(ctx context.Context, tx pgx.Tx, e *execution.Execution) error {
	if e.Ledger == nil {
		return nil
	}
	_, err := tx.Exec(ctx, `
		insert into guarda.backup_ledgers (execution_id, document) values ($1::text::uuid, $2::text::jsonb)
		on conflict (execution_id) do update set document = excluded.document`, e.ID, string(e.Ledger))
	return err
}

// Ledger returns the account of a completed backup, a JSON document (see
// ledger.Kept). A backup from before there were any has none: fault.NotFound.
func (s *Store) Ledger(ctx context.Context, id string) (json.RawMessage, error) {
	var document string
	err := s.db.QueryRow(ctx, `select document::text from guarda.backup_ledgers where execution_id = $1::text::uuid`, id).Scan(&document)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "the backup has no coverage ledger").
			Hint("it was made by an older version: the next backup will have one")
	}
	return json.RawMessage(document), postgres.Explain(err, "read a coverage ledger")
}
