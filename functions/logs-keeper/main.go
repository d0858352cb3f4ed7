// Command logs-keeper is the function that EventBridge Scheduler calls every
// minute for the log store: it stores what was put aside while Postgres was
// away, makes partitions ahead, drops old ones, adds up counts, moves old days
// to the object store, and erases there and in Postgres what is asked for.
package main

import (
	"context"
	"log/slog"

	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/patternstore"
)

func main() { lambdafn.StartJob("logs-keeper", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[event], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-keeper"})
	if err != nil {
		return nil, err
	}
	blobs, err := open.Store(ctx, cfg.StoreURL, open.Options{})
	if err != nil {
		return nil, err
	}
	store := logstore.New(db, clock.System{})
	store.Patterns = patternstore.New(db, clock.System{})
	return newHandler(store, blobs, clock.System{}, log), nil
}
