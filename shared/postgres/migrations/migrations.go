// Package migrations brings Guarda's own database to the version of this
// release. The SQL files in this folder are part of the program; what was
// applied is recorded in guarda.schema_versions.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"guarda/shared/fault"
	"guarda/shared/postgres"
)

//go:embed *.sql
var files embed.FS

// versionTable records what was applied.
const versionTable = "guarda.schema_versions"

// lockID is the advisory lock that migrations hold ("guarda" in ASCII).
const lockID int64 = 0x677561726461

// Result says what a run did.
type Result struct {
	Version int64   `json:"version"` // the version the database is at now
	Applied []int64 `json:"applied"` // the versions applied or, going down, taken back, in order
}

// Up applies what is missing. It may run many times and in several processes
// at once: a session's advisory lock makes them take turns. Each file is one
// transaction, so an interrupted run leaves whole versions. The URL must lead
// to the server directly or through a session-mode pooler; another one is a
// fault.Invalid that says so.
func Up(ctx context.Context, dsn string) (*Result, error) {
	return run(ctx, dsn, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.Up(ctx) })
}

// Digest names the migrations that this program has: others have another one.
func Digest() string {
	sum := sha256.New()
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		var text []byte
		if text, err = files.ReadFile(name); err != nil {
			break
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// DownTo takes back every version above the given one, and the data in them;
// 0 takes back all. The schema and the table of versions stay.
func DownTo(ctx context.Context, dsn string, version int64) (*Result, error) {
	if version < 0 {
		return nil, fault.New(fault.Invalid, "there is no schema version %d", version)
	}
	return run(ctx, dsn, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.DownTo(ctx, version) })
}

func run(ctx context.Context, dsn string, move func(*goose.Provider) ([]*goose.MigrationResult, error)) (*Result, error) {
	cfg, err := postgres.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	release, err := takeTurn(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer release()
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	store, err := database.NewStore(database.DialectPostgres, versionTable)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectCustom, db, files, goose.WithStore(store))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	done, err := move(p)
	if err != nil {
		return nil, explain(err)
	}
	r := &Result{Applied: []int64{}}
	for _, d := range done {
		r.Applied = append(r.Applied, d.Source.Version)
	}
	if r.Version, err = p.GetDBVersion(ctx); err != nil {
		return nil, explain(err)
	}
	return r, nil
}

// takeTurn makes processes that migrate wait for each other, until release:
// the lock belongs to a session, so it ends with it however the process ends.
// It also makes the schema, which goose needs before its table of versions
// (goose's own session locker comes after that table).
func takeTurn(ctx context.Context, cfg *pgx.ConnConfig) (release func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, postgres.Explain(err, "connect to Guarda's database")
	}
	release = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	err = postgres.SessionMode(ctx, conn)
	if err == nil {
		_, err = conn.Exec(ctx, "select pg_catalog.pg_advisory_lock($1)", lockID)
	}
	if err == nil {
		_, err = conn.Exec(ctx, "create schema if not exists guarda")
	}
	if err != nil {
		release()
		return nil, postgres.Explain(err, "prepare the migration of Guarda's database")
	}
	return release, nil
}

func explain(err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return fault.New(fault.Internal, "migration %d failed; the database is at the version before it", partial.Failed.Source.Version).Because(err)
	}
	return postgres.Explain(err, "migrate Guarda's database")
}
