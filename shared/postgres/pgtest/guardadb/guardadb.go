// Package guardadb gives tests a database of Guarda's own, with every migration
// applied. It is copied from one that is migrated once a run.
package guardadb

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgtest"
)

var template struct {
	once sync.Once
	name string
	err  error
}

// New makes a migrated database and returns its URL. See pgtest.New.
func New(t testing.TB) string {
	t.Helper()
	admin := pgtest.ServerURL(t)
	template.once.Do(func() { template.name, template.err = migrated(t, admin) })
	if template.err != nil {
		t.Fatalf("migrate the database that others are copied from: %v", template.err)
	}
	return pgtest.NewFrom(t, template.name)
}

// turns is the advisory lock of whoever makes the template: several test
// programs share a server.
const turns = 7172

// migrated returns the name of the server's migrated database, which it makes
// if it is not there yet.
func migrated(t testing.TB, admin string) (string, error) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", turns); err != nil {
		return "", err
	}
	name := "guarda_" + migrations.Digest()
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil || there {
		return name, err
	}
	making := name + "_making" // perhaps left by somebody who was killed
	if _, err := conn.Exec(ctx, "drop database if exists "+making+" with (force)"); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, "create database "+making+pgtest.LikeNew); err != nil {
		return "", err
	}
	if _, err := migrations.Up(ctx, pgtest.WithDatabase(t, admin, making)); err != nil {
		return "", err
	}
	// The sessions that migrated it may still be ending: PostgreSQL waits five
	// seconds for them, which is not always enough.
	for try := 1; ; try++ {
		_, err = conn.Exec(ctx, "alter database "+making+" rename to "+name)
		var pg *pgconn.PgError
		if try == 10 || !errors.As(err, &pg) || pg.Code != "55006" {
			return name, err
		}
	}
}
