package logstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres"
)

// SavedSearch is a search that somebody kept.
type SavedSearch struct {
	ID, Name, Query      string // Query is JSON
	Shared, Own          bool
	Version              int64
	CreatedAt, UpdatedAt time.Time
}

// SavedPosition is a place in the list.
type SavedPosition struct {
	Name string `json:"n"`
	ID   string `json:"i"`
}

const savedColumns = `id::text, name, query::text, shared, user_id = $1::text::uuid, version, created_at, updated_at`

func scanSaved(row pgx.CollectableRow) (s SavedSearch, err error) {
	err = row.Scan(&s.ID, &s.Name, &s.Query, &s.Shared, &s.Own, &s.Version, &s.CreatedAt, &s.UpdatedAt)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	return s, err
}

// SavedSearches lists a person's searches and those that are shared, by name.
func (s *Store) SavedSearches(ctx context.Context, userID string, after SavedPosition, limit int) ([]SavedSearch, error) {
	rows, err := s.db.Query(ctx, `select `+savedColumns+` from guarda.saved_searches
		where (user_id = $1::text::uuid or shared) and (name, id::text) > ($2::text, $3::text) order by name, id::text limit $4::int`, userID, after.Name, after.ID, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list saved searches")
	}
	list, err := pgx.CollectRows(rows, scanSaved)
	return list, postgres.Explain(err, "list saved searches")
}

// SaveSearch keeps a search. A name that the person has already is
// fault.Conflict.
func (s *Store) SaveSearch(ctx context.Context, userID string, in SavedSearch) (*SavedSearch, error) {
	rows, err := s.db.Query(ctx, `insert into guarda.saved_searches (user_id, name, query, shared) values ($1::text::uuid, $2::text, $3::text::jsonb, $4::bool)
		returning `+savedColumns, userID, in.Name, in.Query, in.Shared)
	return oneSaved(rows, err)
}

// UpdateSearch replaces a search of the person's own. One that is not theirs
// is fault.NotFound, one that changed since that version fault.Precondition.
func (s *Store) UpdateSearch(ctx context.Context, userID string, version int64, in SavedSearch) (*SavedSearch, error) {
	rows, err := s.db.Query(ctx, `update guarda.saved_searches set name = $3::text, query = $4::text::jsonb, shared = $5::bool, version = version + 1, updated_at = $6::timestamptz
		where id = $2::text::uuid and user_id = $1::text::uuid and version = $7::bigint returning `+savedColumns, userID, in.ID, in.Name, in.Query, in.Shared, s.clock.Now(), version)
	saved, err := oneSaved(rows, err)
	if fault.CodeOf(err) != fault.NotFound {
		return saved, err
	}
	var there bool
	if err := s.db.QueryRow(ctx, `select exists (select from guarda.saved_searches where id = $2::text::uuid and user_id = $1::text::uuid)`, userID, in.ID).Scan(&there); err != nil {
		return nil, postgres.Explain(err, "save a search")
	}
	if there {
		return nil, httpapi.Changed()
	}
	return nil, err
}

// ForgetSearch deletes a search of the person's own.
func (s *Store) ForgetSearch(ctx context.Context, userID, id string) error {
	tag, err := s.db.Exec(ctx, `delete from guarda.saved_searches where id = $2::text::uuid and user_id = $1::text::uuid`, userID, id)
	if err == nil && tag.RowsAffected() == 0 {
		return noSavedSearch()
	}
	return postgres.Explain(err, "forget a saved search")
}

func noSavedSearch() error {
	return fault.New(fault.NotFound, "there is no such saved search of yours")
}

func oneSaved(rows pgx.Rows, err error) (*SavedSearch, error) {
	var saved SavedSearch
	if err == nil {
		saved, err = pgx.CollectExactlyOneRow(rows, scanSaved)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, noSavedSearch()
	case postgres.IsUnique(err, "idx_saved_searches_name"):
		return nil, fault.New(fault.Conflict, "you have a saved search of that name already").Hint("choose another name, or change that one")
	case err != nil:
		return nil, postgres.Explain(err, "save a search")
	}
	return &saved, nil
}
