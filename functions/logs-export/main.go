// Command logs-export is the function behind POST /api/logs/export and GET
// /api/logs/exports, /{id}.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/functions/internal/exportmeans"
	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/invoke"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/exportstore"
	"guarda/shared/postgres/idempotencystore"
)

func main() { lambdafn.StartHTTP("logs-export", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store, config.Worker)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-export"})
	if err != nil {
		return nil, err
	}
	functions, err := invoke.New(ctx)
	if err != nil {
		return nil, err
	}
	files := func(ctx context.Context) (blob.Store, error) {
		return open.Store(ctx, cfg.StoreURL, open.Options{SigningKey: []byte(cfg.DirSigningKey.Reveal()), BaseURL: cfg.DirBaseURL})
	}
	return New(Deps{
		Log: log, Store: exportstore.New(db), Runner: exportmeans.New(db, files, clock.System{}, log), Answers: idempotencystore.New(db, clock.System{}), Clock: clock.System{}, Zone: cfg.DefaultTimezone.String(),
		Invoke: func(ctx context.Context, id string) error {
			return functions.Async(ctx, cfg.WorkerFunction, map[string]string{"export_id": id})
		},
	}), nil
}
