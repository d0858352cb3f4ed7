// Command logs-ingest is the function behind POST /api/logs and POST /v1/logs:
// it takes log entries in.
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
	"guarda/shared/lambdafn"
	"guarda/shared/logs"
	"guarda/shared/postgres"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/patternstore"
)

func main() { lambdafn.StartHTTP("logs-ingest", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-ingest"})
	if err != nil {
		return nil, err
	}
	store := logstore.New(db, clock.System{})
	store.Patterns = patternstore.New(db, clock.System{})
	return New(log, &logs.Ingester{
		Store: store, Clock: clock.System{}, Log: log,
		Spool: &logs.BlobSpool{Clock: clock.System{}, Open: func(ctx context.Context) (blob.Store, error) { return open.Store(ctx, cfg.StoreURL, open.Options{}) }},
	}), nil
}
