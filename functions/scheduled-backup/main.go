// Command scheduled-backup is the function that EventBridge Scheduler calls
// every minute: it starts what is due and ends what died.
package main

import (
	"context"
	"log/slog"

	"guarda/functions/internal/coordinate"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/execution"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
)

func main() { lambdafn.StartJob("scheduled-backup", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[event], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Coordinator)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda scheduled-backup"})
	if err != nil {
		return nil, err
	}
	invoker, err := coordinate.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	ticker := &execution.Ticker{Store: backupstore.New(db, clock.System{}), Invoker: invoker, DefaultZone: cfg.DefaultTimezone.String(), Log: log}
	return newHandler(ticker, clock.System{}), nil
}
