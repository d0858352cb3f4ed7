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
	if len(userRole.Permissions()) < len(i.Role.Permissions()) { // each role has all of the lesser one's
		i.Role = userRole
	}
	return &k, nil
}

// AddAPIKey keeps a key of auth.NewAPIKey; expires may be nil.
func (s *Store) AddAPIKey(ctx context.Context, userID, name, publicID string, hash [32]byte, role auth.Role, expires *time.Time) error {
	_, err := s.db.Exec(ctx, `insert into guarda.api_keys (user_id, name, public_id, secret_hash, role, expires_at)
		values ($1::uuid, $2, $3, $4, $5, $6)`, userID, name, publicID, hash[:], string(role), expires)
	return postgres.Explain(err, "add an API key")
}

// KeyUsed notes that a key was used, to the minute: a busy key is not a write
// for each request.
func (s *Store) KeyUsed(ctx context.Context, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, `update guarda.api_keys set last_used_at = $2
		where id = $1::uuid and (last_used_at is null or last_used_at < $3)`, id, at, at.Add(-time.Minute))
	return postgres.Explain(err, "note the use of an API key")
}
