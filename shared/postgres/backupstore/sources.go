package backupstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// Source returns what a run needs to know about a source; "" is the default
// one. A source that does not exist is fault.Invalid: it is an input here.
func (s *Store) Source(ctx context.Context, id string) (execution.Source, error) {
	var found execution.Source
	var settings string
	err := s.db.QueryRow(ctx, `
		select id::text, name, settings::text from guarda.sources
		where ($1::text = '' and is_default) or id::text = lower($1::text)`, id).Scan(&found.ID, &found.Name, &settings)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && id == "":
		return found, fault.New(fault.Invalid, "there is no database to back up yet").
			Hint("add one with POST /api/sources and make it the default, or name one as source_id").
			Field("source_id", "required", "there is no default source")
	case errors.Is(err, pgx.ErrNoRows):
		return found, noSuchSource(id)
	case err != nil:
		return found, postgres.Explain(err, "read a source")
	}
	if err := json.Unmarshal([]byte(settings), &found.Settings); err != nil {
		return found, fmt.Errorf("settings of the source %s: %w", found.Name, err)
	}
	return found, nil
}
