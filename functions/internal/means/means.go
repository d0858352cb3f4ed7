// Package means gives the coordinator and its workers what they do backups
// with, from their configuration.
package means

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/execution/coordinator"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/chunkqueue"
	"guarda/shared/postgres/sourcestore"
	"guarda/shared/seal"
	"guarda/shared/seal/kmskey"
	"guarda/shared/source"
)

// New makes the means. Nothing is opened yet: what is missing fails the run
// that needs it, with its reason.
func New(cfg *config.Config, db postgres.DB, log *slog.Logger) coordinator.Means {
	return coordinator.Means{
		Connect: func(ctx context.Context, id string) (func(context.Context) (*pgx.Conn, error), error) {
			return connect(ctx, cfg, sourcestore.New(db, clock.System{}), id)
		},
		Store: func(ctx context.Context) (blob.Store, error) {
			return open.Store(ctx, cfg.StoreURL, open.Options{})
		},
		Keys: func(ctx context.Context) (seal.KeyProvider, error) { return keys(ctx, cfg) },
		Queue: func(id string, o coordinator.QueueOptions) backup.Queue {
			return chunkqueue.New(db, clock.System{}, id, chunkqueue.Options(o))
		},
		Clock: clock.System{},
		Log:   log,
	}
}

// connect unseals a source's connection string.
func connect(ctx context.Context, cfg *config.Config, sources *sourcestore.Store, id string) (func(context.Context) (*pgx.Conn, error), error) {
	sealed, err := sources.SealedDSN(ctx, id)
	if err != nil {
		return nil, err
	}
	sealer, err := source.NewSealer(cfg.SecretsKey)
	if err != nil {
		return nil, err
	}
	dsn, err := sealer.Open(id, sealed)
	if err != nil {
		return nil, err
	}
	parsed, err := pgx.ParseConfig(dsn)
	if err != nil { // the cause would quote the string
		return nil, fault.New(fault.Invalid, "the source's connection string cannot be read").
			Hint("enter it again with PUT /api/sources/{id}, and try it with POST /api/sources/{id}/test")
	}
	pgsession.Defaults(parsed)
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, parsed.Copy()) }, nil
}

// keys opens the key that wraps data keys; nil when none is configured.
func keys(ctx context.Context, cfg *config.Config) (seal.KeyProvider, error) {
	switch {
	case cfg.KeyFile != "":
		return seal.KeyFile(cfg.KeyFile)
	case cfg.Key.IsSet():
		return seal.KeyText([]byte(cfg.Key.Reveal()))
	case cfg.KMSKeyARN != "":
		return kmskey.New(ctx, kmskey.Options{KeyID: cfg.KMSKeyARN})
	}
	return nil, nil
}
