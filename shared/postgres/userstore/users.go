// Package userstore keeps people, API keys and counts of sign-ins in Guarda's
// Postgres. It implements the interfaces of package auth.
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

// Store keeps people. It is safe for concurrent use when its DB is.
type Store struct{ db postgres.DB }

// New makes a store on a pool.
func New(db postgres.DB) *Store { return &Store{db} }

const selectUser = `select id::text, email, name, coalesce(password_hash, ''), role, active from guarda.users`

// UserByEmail returns a person by e-mail in lower case, or fault.NotFound.
func (s *Store) UserByEmail(ctx context.Context, email string) (*auth.User, error) {
	return user(s.db.QueryRow(ctx, selectUser+" where email = $1", email))
}

// UserByID returns a person, or fault.NotFound.
func (s *Store) UserByID(ctx context.Context, id string) (*auth.User, error) {
	return user(s.db.QueryRow(ctx, selectUser+" where id = $1::uuid", id))
}

func user(row pgx.Row) (*auth.User, error) {
	var u auth.User
	err := row.Scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, &u.Role, &u.Active)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no such user")
	}
	if err != nil {
		return nil, postgres.Explain(err, "read a user")
	}
	return &u, nil
}

// SignedIn notes when a person signed in.
func (s *Store) SignedIn(ctx context.Context, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, "update guarda.users set last_login_at = $2 where id = $1::uuid", id, at)
	return postgres.Explain(err, "note the sign-in")
}

// Any reports whether there is a person at all.
func (s *Store) Any(ctx context.Context) (found bool, err error) {
	err = s.db.QueryRow(ctx, "select exists (select from guarda.users)").Scan(&found)
	return found, postgres.Explain(err, "look for users")
}

// Add makes a person; an e-mail that is taken is fault.Conflict.
func (s *Store) Add(ctx context.Context, u auth.User) error {
	_, err := s.db.Exec(ctx, `insert into guarda.users (id, email, name, password_hash, role, active)
		values ($1::uuid, $2, $3, nullif($4, ''), $5, $6)`, u.ID, u.Email, u.Name, u.PasswordHash, string(u.Role), u.Active)
	if postgres.IsUnique(err, "idx_users_email") {
		return fault.New(fault.Conflict, "there is a user with the e-mail %s already", u.Email)
	}
	return postgres.Explain(err, "add a user")
}
