// Command backup-execute is the function behind POST /api/backup/execute: it
// starts a backup and waits a while for it.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/functions/internal/coordinate"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/execution"
	"guarda/shared/httpapi"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/postgres/idempotencystore"
)

func main() { lambdafn.StartHTTP("backup-execute", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Coordinator)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-execute"})
	if err != nil {
		return nil, err
	}
	invoker, err := coordinate.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	h := &handler{
		starter: &execution.Starter{Store: backupstore.New(db, clock.System{}), Invoker: invoker, Clock: clock.System{}},
		keys:    idempotencystore.New(db, clock.System{}), clock: clock.System{}, log: log,
	}
	rt := httpapi.NewRouter(log)
	h.routes(rt)
	return rt, nil
}
