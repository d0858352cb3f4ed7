// Package shop makes the sample database: a few hundred thousand rows of a
// shop with awkward content, the same at every load. The local stack shows it
// on first start, the tests back it up and restore it.
package shop

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed schema.sql
var schemaSQL string

//go:embed rows.sql
var rowsSQL string

// Load makes the sample in the database of conn, all of it or nothing. It
// needs an empty database and the right to create roles (shop_reader and
// shop_clerk are made if they do not exist). It takes a few seconds.
func Load(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin to load the sample: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for _, script := range []struct{ name, sql string }{{"schema", schemaSQL}, {"rows", rowsSQL}} {
		if _, err := tx.Conn().PgConn().Exec(ctx, script.sql).ReadAll(); err != nil {
			return fmt.Errorf("load the sample's %s: %w", script.name, err)
		}
	}
	return tx.Commit(ctx)
}
