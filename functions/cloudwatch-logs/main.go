// Command cloudwatch-logs is the function that a CloudWatch Logs subscription
// sends log groups to: Guarda's own functions' first of all.
package main

import (
	"context"
	"log/slog"

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

func main() { lambdafn.StartJob("cloudwatch-logs", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[event], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda cloudwatch-logs"})
	if err != nil {
		return nil, err
	}
	store := logstore.New(db, clock.System{})
	store.Patterns = patternstore.New(db, clock.System{})
	return newHandler(&logs.Ingester{
		Store: store, Clock: clock.System{}, Log: log,
		Spool: &logs.BlobSpool{Clock: clock.System{}, Open: func(ctx context.Context) (blob.Store, error) { return open.Store(ctx, cfg.StoreURL, open.Options{}) }},
	}, log), nil
}
