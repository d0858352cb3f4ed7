// Command backup-auto is the function behind POST /api/backup/auto: it makes
// a schedule.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/httpapi"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/postgres/idempotencystore"
)

func main() { lambdafn.StartHTTP("backup-auto", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-auto"})
	if err != nil {
		return nil, err
	}
	h := &handler{store: backupstore.New(db, clock.System{}), keys: idempotencystore.New(db, clock.System{}), clock: clock.System{},
		defaultZone: cfg.DefaultTimezone.String(), log: log}
	rt := httpapi.NewRouter(log)
	h.routes(rt)
	return rt, nil
}
