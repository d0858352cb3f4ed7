// Command logs-search is the function behind GET /api/logs/search, /histogram,
// /facets, /{id}, /{id}/context and /api/logs/saved.
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
	"guarda/shared/logs/cold"
	"guarda/shared/postgres"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/logstore"
)

func main() { lambdafn.StartHTTP("logs-search", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-search"})
	if err != nil {
		return nil, err
	}
	store := logstore.New(db, clock.System{})
	// The bucket is opened by the first query that reaches archived days.
	store.Cold = &cold.Reader{Open: func(ctx context.Context) (blob.Store, error) { return open.Store(ctx, cfg.StoreURL, open.Options{}) }}
	return New(Deps{Log: log, Store: store, Answers: idempotencystore.New(db, clock.System{}), Clock: clock.System{}}), nil
}
