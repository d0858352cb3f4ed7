// Package exportstore keeps exports of log entries in Guarda's own Postgres.
// Statements hold no session state, so all of it works through a transaction
// pooler.
package exportstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/logs/export"
	"guarda/shared/postgres"
)

// maxAttempts is how often an export is taken up: a file that kills its
// function each time must not do so for ever.
const maxAttempts = 3

// Store keeps exports. It is safe for concurrent use. Errors are *fault.Error.
type Store struct{ db postgres.DB }

// New makes a store.
func New(db postgres.DB) *Store { return &Store{db} }

var _ export.Store = (*Store)(nil)

const columns = `id::text, coalesce(user_id::text, ''), status, format, filters::text, query::text, options::text, rows_done, rows_expected,
	row_count, size_bytes, coalesce(file_path, ''), error_code, coalesce(error_message, ''), coalesce(error_hint, ''), failure::text, created_at, heartbeat_at, completed_at, expires_at, attempts`

func scan(row pgx.CollectableRow) (e export.Export, err error) {
	var filters, query, options string
	var code, failure *string
	var message, hint string
	err = row.Scan(&e.ID, &e.UserID, &e.Status, &e.Format, &filters, &query, &options, &e.RowsDone, &e.RowsExpected,
		&e.Rows, &e.Bytes, &e.Path, &code, &message, &hint, &failure, &e.CreatedAt, &e.HeartbeatAt, &e.CompletedAt, &e.ExpiresAt, &e.Attempt)
	if err != nil {
		return e, err
	}
	switch {
	case failure != nil:
		if err := json.Unmarshal([]byte(*failure), &e.Failure); err != nil {
			return e, fmt.Errorf("read the failure of export %s: %w", e.ID, err)
		}
	case code != nil: // from before failures were kept
		e.Failure = &fault.Failure{Code: fault.Code(*code), Message: fault.Term(message), Hint: fault.Term(hint)}
	}
	e.Filters = json.RawMessage(filters)
	if err := json.Unmarshal([]byte(query), &e.Query); err != nil {
		return e, fmt.Errorf("read the query of export %s: %w", e.ID, err)
	}
	if err := json.Unmarshal([]byte(options), &e.Settings); err != nil {
		return e, fmt.Errorf("read the options of export %s: %w", e.ID, err)
	}
	return e, nil
}

func (s *Store) list(ctx context.Context, sql string, args ...any) ([]export.Export, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, postgres.Explain(err, "read exports")
	}
	list, err := pgx.CollectRows(rows, scan)
	return list, postgres.Explain(err, "read exports")
}

func (s *Store) one(ctx context.Context, sql string, args ...any) (*export.Export, error) {
	list, err := s.list(ctx, sql, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Create keeps a new export, pending, and returns its id.
func (s *Store) Create(ctx context.Context, e *export.Export) (id string, err error) {
	query, err := json.Marshal(e.Query)
	if err != nil {
		return "", fmt.Errorf("encode the query: %w", err)
	}
	options, err := json.Marshal(e.Settings)
	if err != nil {
		return "", fmt.Errorf("encode the options: %w", err)
	}
	err = s.db.QueryRow(ctx, `
		insert into guarda.log_exports (user_id, status, format, filters, query, options, created_at)
		values (nullif($1::text, '')::uuid, 'pending', $2::text, $3::text::jsonb, $4::text::jsonb, $5::text::jsonb, $6::timestamptz)
		returning id::text`, e.UserID, string(e.Format), string(e.Filters), string(query), string(options), e.CreatedAt).Scan(&id)
	return id, postgres.Explain(err, "create an export")
}

// Get returns an export; fault.NotFound when there is none.
func (s *Store) Get(ctx context.Context, id string) (*export.Export, error) {
	e, err := s.one(ctx, `select `+columns+` from guarda.log_exports where id = $1::text::uuid`, id)
	if err == nil && e == nil {
		err = fault.New(fault.NotFound, "there is no such export").Hint("exports are listed by GET /api/logs/exports")
	}
	return e, err
}

// Position is where a list goes on: after the last export of a page.
type Position struct {
	At time.Time `json:"t"`
	ID string    `json:"i"`
}

// List returns exports, the newest first.
func (s *Store) List(ctx context.Context, after *Position, limit int) ([]export.Export, error) {
	if after == nil {
		return s.list(ctx, `select `+columns+` from guarda.log_exports order by created_at desc, id desc limit $1::int`, limit)
	}
	return s.list(ctx, `select `+columns+` from guarda.log_exports where (created_at, id) < ($1::timestamptz, $2::text::uuid)
		order by created_at desc, id desc limit $3::int`, after.At, after.ID, limit)
}

// Claim implements export.Store. One that was taken up too often fails.
func (s *Store) Claim(ctx context.Context, id string, now time.Time) (*export.Export, error) {
	cut := fault.New(fault.Unavailable, "the export was cut off several times").
		Hint("export a shorter range, or give the function export-worker more memory").Failure()
	doc, err := json.Marshal(cut)
	if err != nil {
		return nil, fmt.Errorf("encode the failure: %w", err)
	}
	e, err := s.one(ctx, `
		update guarda.log_exports set
			status = case when attempts >= $3::int then 'failed' else 'running' end, attempts = attempts + 1, heartbeat_at = $2::timestamptz, rows_done = 0,
			error_code = case when attempts >= $3::int then $5::text end,
			error_message = case when attempts >= $3::int then $6::text end,
			error_hint = case when attempts >= $3::int then $7::text end,
			failure = case when attempts >= $3::int then $8::text::jsonb end,
			completed_at = case when attempts >= $3::int then $2::timestamptz end
		where id = $1::text::uuid and (status = 'pending' or status = 'running' and heartbeat_at < $4::timestamptz)
		returning `+columns, id, now, maxAttempts, now.Add(-export.Silence), string(cut.Code), cut.Message.String(), cut.Hint.String(), string(doc))
	if err != nil || e == nil || e.Status == export.Failed {
		return nil, err
	}
	return e, nil
}

// Beat implements export.Store.
func (s *Store) Beat(ctx context.Context, e *export.Export, rows int64, expected *int64, now time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		update guarda.log_exports set rows_done = $3::bigint, rows_expected = coalesce($4::bigint, rows_expected), heartbeat_at = $5::timestamptz
		where id = $1::text::uuid and status = 'running' and attempts = $2::int`, e.ID, e.Attempt, rows, expected, now)
	return tag.RowsAffected() == 1, postgres.Explain(err, "record the export's progress")
}

// Complete implements export.Store.
func (s *Store) Complete(ctx context.Context, e *export.Export, d export.Done) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		update guarda.log_exports set status = 'completed', file_path = $3::text, row_count = $4::bigint, rows_done = $4::bigint, size_bytes = $5::bigint,
			last_log_id = nullif($6::text, '')::uuid, last_log_at = $7::timestamptz, completed_at = $8::timestamptz, expires_at = $9::timestamptz
		where id = $1::text::uuid and status = 'running' and attempts = $2::int`, e.ID, e.Attempt, d.Path, d.Rows, d.Bytes, d.Last, orNull(d.LastAt), d.At, d.Expires)
	return tag.RowsAffected() == 1, postgres.Explain(err, "record the export")
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Fail implements export.Store.
func (s *Store) Fail(ctx context.Context, e *export.Export, f fault.Failure, now time.Time) error {
	doc, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode the failure: %w", err)
	}
	_, err = s.db.Exec(ctx, `
		update guarda.log_exports set status = 'failed', error_code = $3::text, error_message = $4::text, error_hint = nullif($5::text, ''), failure = $6::text::jsonb,
			completed_at = $7::timestamptz
		where id = $1::text::uuid and status in ('pending', 'running') and attempts = $2::int`, e.ID, e.Attempt, string(f.Code), f.Message.String(), f.Hint.String(), string(doc), now)
	return postgres.Explain(err, "record the export's failure")
}

// Cancel ends an export that waits or is being made; the function that makes
// it finds out when it next says how far it is. One that has ended is
// fault.Conflict.
func (s *Store) Cancel(ctx context.Context, id string, now time.Time) (*export.Export, error) {
	stopped := fault.New(fault.Canceled, "the export was canceled").Failure()
	doc, err := json.Marshal(stopped)
	if err != nil {
		return nil, fmt.Errorf("encode the failure: %w", err)
	}
	e, err := s.one(ctx, `
		update guarda.log_exports set status = 'failed', error_code = $3::text, error_message = $4::text, failure = $5::text::jsonb, completed_at = $2::timestamptz
		where id = $1::text::uuid and status in ('pending', 'running') returning `+columns, id, now, string(stopped.Code), stopped.Message.String(), string(doc))
	if err == nil && e == nil {
		err = fault.New(fault.Conflict, "the export has ended already").Hint("GET /api/logs/exports/%s says how", id)
	}
	return e, err
}

// Return implements export.Store.
func (s *Store) Return(ctx context.Context, e *export.Export) error {
	_, err := s.db.Exec(ctx, `update guarda.log_exports set status = 'pending', rows_done = 0, attempts = attempts - 1
		where id = $1::text::uuid and status = 'running' and attempts = $2::int`, e.ID, e.Attempt)
	return postgres.Explain(err, "give the export back")
}

// Expired implements export.Store.
func (s *Store) Expired(ctx context.Context, now time.Time, limit int) ([]export.Export, error) {
	return s.list(ctx, `select `+columns+` from guarda.log_exports where file_path is not null and expires_at < $1::timestamptz order by expires_at limit $2::int`, now, limit)
}

// Forget implements export.Store: the file is gone, the record stays.
func (s *Store) Forget(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, `update guarda.log_exports set file_path = null where id = $1::text::uuid`, id)
	return postgres.Explain(err, "forget the export's file")
}

// Waiting returns exports that nobody works on: pending for a while, or left by
// a function that died.
func (s *Store) Waiting(ctx context.Context, now time.Time, limit int) ([]string, error) {
	rows, err := s.db.Query(ctx, `
		select id::text from guarda.log_exports
		where status = 'pending' and created_at < $1::timestamptz or status = 'running' and heartbeat_at < $1::timestamptz
		order by created_at limit $2::int`, now.Add(-export.Silence), limit)
	if err != nil {
		return nil, postgres.Explain(err, "look for exports that wait")
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return ids, postgres.Explain(err, "look for exports that wait")
}
