// Package backuptest gives the tests of functions a migrated database of
// Guarda's with a source in it, and a real run: coordinator, engine and store
// in this process instead of behind Lambda.
package backuptest

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/functions/internal/means"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/execution"
	"guarda/shared/execution/coordinator"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/postgres/sourcestore"
	"guarda/shared/seal"
	"guarda/shared/source"
)

// World is what a function works in.
type World struct {
	Pool     *pgxpool.Pool
	Store    *backupstore.Store
	Keys     *idempotencystore.Store
	SourceID string // the default source, a small database
	Config   *config.Config
	Log      *slog.Logger
	// Refuse, when set, is what starting the coordinator answers.
	Refuse error
	// Hold keeps runs pending: the coordinator is told, and does nothing.
	Hold bool

	t    *testing.T
	work sync.WaitGroup
}

// New makes a world with a source of two tables.
func New(t *testing.T) *World {
	t.Helper()
	own, shop := guardadb.New(t), pgtest.New(t)
	pgtest.Exec(t, shop, `create table item (id int primary key, name text); insert into item select i, 'n' || i from generate_series(1, 2000) i; create table empty (id int)`)
	pool, err := postgres.Open(context.Background(), own, postgres.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	keyFile := t.TempDir() + "/guarda.key"
	if err := seal.GenerateKeyFile(keyFile); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadFrom(t.Context(), map[string]string{
		"GUARDA_DATABASE_URL": own, "GUARDA_STORE_URL": "file://" + t.TempDir(), "GUARDA_KEY_FILE": keyFile,
		"GUARDA_SECRETS_KEY":     base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 32))),
		"GUARDA_DIR_SIGNING_KEY": strings.Repeat("d", 32), "GUARDA_DIR_BASE_URL": "http://127.0.0.1:3000/files",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Pool: pool, Store: backupstore.New(pool, clock.System{}), Keys: idempotencystore.New(pool, clock.System{}), Config: cfg,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), t: t}
	w.SourceID = w.AddSource("shop", shop)
	t.Cleanup(w.work.Wait)
	return w
}

// AddSource keeps a source; the first one is the default.
func (w *World) AddSource(name, dsn string) string {
	w.t.Helper()
	sealer, err := source.NewSealer(w.Config.SecretsKey)
	if err != nil {
		w.t.Fatal(err)
	}
	var id string
	err = w.Pool.QueryRow(w.t.Context(), `
		insert into guarda.sources (name, sealed_dsn, host, port, database, username, is_default)
		values ($1::text, '\x00', 'localhost', 5432, 'shop', 'u', not exists (select from guarda.sources)) returning id::text`, name).Scan(&id)
	if err == nil {
		_, err = w.Pool.Exec(w.t.Context(), `update guarda.sources set sealed_dsn = $2::bytea where id = $1::text::uuid`, id, sealer.Seal(id, dsn))
	}
	if err == nil {
		_, err = sourcestore.New(w.Pool, clock.System{}).Get(w.t.Context(), id)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// Starter starts runs in this world.
func (w *World) Starter() *execution.Starter {
	return &execution.Starter{Store: w.Store, Invoker: w, Clock: clock.System{}}
}

// Coordinate implements execution.Invoker.
func (w *World) Coordinate(_ context.Context, order execution.Order) error {
	if w.Refuse != nil || w.Hold {
		return w.Refuse
	}
	c := &coordinator.Coordinator{Runs: w.Store, Means: means.New(w.Config, w.Pool, w.Log), Call: w.Coordinate}
	w.work.Go(func() {
		if err := c.Do(context.Background(), order); err != nil {
			w.t.Errorf("coordinator: %v", err)
		}
	})
	return nil
}

// Wait waits until no run is going.
func (w *World) Wait() { w.work.Wait() }
