// Command logs-patterns is the function behind /api/logs/patterns: what the
// messages of the logs have in common, how often, since when, and what is
// unusual about it.
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
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/patternstore"
)

func main() { lambdafn.StartHTTP("logs-patterns", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-patterns"})
	if err != nil {
		return nil, err
	}
	store := logstore.New(db, clock.System{})
	// The bucket is opened by the first query that reaches archived days.
	store.Cold = &cold.Reader{Open: func(ctx context.Context) (blob.Store, error) { return open.Store(ctx, cfg.StoreURL, open.Options{}) }}
	return New(Deps{Log: log, Logs: store, Patterns: patternstore.New(db, clock.System{}), Clock: clock.System{}}), nil
}
