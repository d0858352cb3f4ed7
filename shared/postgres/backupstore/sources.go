package backupstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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

// SourceView is a source as the API shows it.
type SourceView struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	Host      string          `json:"host"`
	Port      int             `json:"port"`
	Database  string          `json:"database"`
	Username  string          `json:"username"`
	IsDefault bool            `json:"is_default"`
	Settings  json.RawMessage `json:"settings"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// SourceViews returns all sources, by name.
func (s *Store) SourceViews(ctx context.Context) ([]SourceView, error) {
	rows, err := s.db.Query(ctx, `
		select id::text, name, kind, host, port, database, username, is_default, settings::text, created_at, updated_at
		from guarda.sources order by name collate "C"`)
	if err != nil {
		return nil, postgres.Explain(err, "list the sources")
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v SourceView, err error) {
		var settings string
		err = row.Scan(&v.ID, &v.Name, &v.Kind, &v.Host, &v.Port, &v.Database, &v.Username, &v.IsDefault, &settings, &v.CreatedAt, &v.UpdatedAt)
		v.Settings, v.CreatedAt, v.UpdatedAt = json.RawMessage(settings), v.CreatedAt.UTC(), v.UpdatedAt.UTC()
		return v, err
	})
	return list, postgres.Explain(err, "list the sources")
}

// LastRestoreTest returns when a restore drill last passed, nil when none did.
func (s *Store) LastRestoreTest(ctx context.Context) (*time.Time, error) {
	var at *time.Time
	err := s.db.QueryRow(ctx, `
		select max(completed_at) from guarda.backup_verifications where kind = 'restore_drill' and status = 'passed'`).Scan(&at)
	return at, postgres.Explain(err, "find the last restore test")
}
