package userstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/postgres"
)

// APIKey returns a key by its public id, or fault.NotFound. Its role is the
// key's own, but never more than its maker's now.
func (s *Store) APIKey(ctx context.Context, publicID string) (*auth.APIKey, error) {
	var k auth.APIKey
	var userRole auth.Role
	i := &k.Identity
	err := s.db.QueryRow(ctx, `
		select k.id::text, u.id::text, u.email, k.name, k.role, u.role, k.secret_hash, k.expires_at, k.revoked_at, u.active
		from guarda.api_keys k join guarda.users u on u.id = k.user_id
		where k.public_id = $1`, publicID).
		Scan(&i.APIKeyID, &i.UserID, &i.Email, &i.Name, &i.Role, &userRole, &k.SecretHash, &k.ExpiresAt, &k.RevokedAt, &k.Active)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no such API key")
	}
	if err != nil {
		return nil, postgres.Explain(err, "read an API key")
	}
	i.Role = i.Role.Under(userRole)
	return &k, nil
}

// NewKey is a key of auth.NewAPIKey that is to be kept.
type NewKey struct {
	UserID        string // of who makes it
	Name          string
	PublicID      string
	Hash          [32]byte
	Role          auth.Role
	ExpiresAt     *time.Time // nil: never
	LogsPerMinute *int       // nil: as the settings of logs say
	RequestKey    *[32]byte  // nil: the request has no Idempotency-Key
}

// Key is a key as people see it.
type Key struct {
	ID            string
	Name          string
	PublicID      string
	Role          auth.Role
	MadeBy        string // e-mail
	CreatedAt     time.Time
	ExpiresAt     *time.Time
	LastUsedAt    *time.Time
	RevokedAt     *time.Time
	LogsPerMinute *int
}

const keyColumns = `k.id::text, k.name, k.public_id, k.role, u.email, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.logs_per_minute`

func scanKey(row pgx.Row) (*Key, error) {
	var k Key
	err := row.Scan(&k.ID, &k.Name, &k.PublicID, &k.Role, &k.MadeBy, &k.CreatedAt, &k.ExpiresAt, &k.LastUsedAt, &k.RevokedAt, &k.LogsPerMinute)
	return &k, err
}

// AddAPIKey keeps a key. A request that made one already is fault.Conflict, and
// so is a person who is gone.
func (s *Store) AddAPIKey(ctx context.Context, n NewKey) (*Key, error) {
	var request []byte
	if n.RequestKey != nil {
		request = n.RequestKey[:]
	}
	k, err := scanKey(s.db.QueryRow(ctx, `
		with k as (
			insert into guarda.api_keys (user_id, name, public_id, secret_hash, role, expires_at, logs_per_minute, request_key)
			select id, $2, $3, $4, $5, $6, $7, $8 from guarda.users where id = $1::uuid
			on conflict (request_key) do nothing
			returning *)
		select `+keyColumns+` from k join guarda.users u on u.id = k.user_id`, n.UserID, n.Name, n.PublicID, n.Hash[:], string(n.Role), n.ExpiresAt, n.LogsPerMinute, request))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.Conflict, "the API key was made already, and is shown only once").
			Hint("revoke it if its answer was lost, and make another one")
	}
	return k, postgres.Explain(err, "add an API key")
}

// KeyCursor is a place in the list of keys.
type KeyCursor struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// APIKeys lists the keys after a place, the newest first.
func (s *Store) APIKeys(ctx context.Context, after *KeyCursor, limit int) ([]Key, error) {
	var at *time.Time
	var id *string
	if after != nil {
		at, id = &after.At, &after.ID
	}
	rows, err := s.db.Query(ctx, `select `+keyColumns+` from guarda.api_keys k join guarda.users u on u.id = k.user_id
		where $1::timestamptz is null or (k.created_at, k.id) < ($1::timestamptz, $2::text::uuid)
		order by k.created_at desc, k.id desc limit $3::int8`, at, id, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list API keys")
	}
	defer rows.Close()
	var list []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, postgres.Explain(err, "list API keys")
		}
		list = append(list, *k)
	}
	return list, postgres.Explain(rows.Err(), "list API keys")
}

// RevokeAPIKey ends a key for good; an unknown one is fault.NotFound. One that
// was revoked stays as it is.
func (s *Store) RevokeAPIKey(ctx context.Context, id string, now time.Time) error {
	tag, err := s.db.Exec(ctx, `update guarda.api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1::uuid`, id, now)
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no such API key")
	}
	return postgres.Explain(err, "revoke an API key")
}

// KeyUsed notes that a key was used, to the minute: a busy key is not a write
// for each request.
func (s *Store) KeyUsed(ctx context.Context, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, `update guarda.api_keys set last_used_at = $2
		where id = $1::uuid and (last_used_at is null or last_used_at < $3)`, id, at, at.Add(-time.Minute))
	return postgres.Explain(err, "note the use of an API key")
}
