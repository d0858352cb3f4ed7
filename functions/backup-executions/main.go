// Command backup-executions is the function behind /api/backup/executions and
// /api/backup/summary.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/httpapi"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
)

func main() { lambdafn.StartHTTP("backup-executions", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-executions"})
	if err != nil {
		return nil, err
	}
	h := &handler{store: backupstore.New(db, clock.System{}), clock: clock.System{}, log: log,
		blobs: func(ctx context.Context) (blob.Store, error) {
			return open.Store(ctx, cfg.StoreURL, open.Options{SigningKey: []byte(cfg.DirSigningKey.Reveal()), BaseURL: cfg.DirBaseURL})
		}}
	rt := httpapi.NewRouter(log)
	h.routes(rt)
	return rt, nil
}
