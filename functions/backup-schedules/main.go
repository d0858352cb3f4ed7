// Command backup-schedules is the function behind /api/backup/schedules.
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

func main() { lambdafn.StartHTTP("backup-schedules", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Coordinator)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-schedules"})
	if err != nil {
		return nil, err
	}
	invoker, err := coordinate.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	store := backupstore.New(db, clock.System{})
	h := &handler{
		store: store, starter: &execution.Starter{Store: store, Invoker: invoker, Clock: clock.System{}},
		keys: idempotencystore.New(db, clock.System{}), clock: clock.System{}, defaultZone: cfg.DefaultTimezone.String(), log: log,
	}
	rt := httpapi.NewRouter(log)
	h.routes(rt)
	return rt, nil
}
