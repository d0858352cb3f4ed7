// Command backup-worker is the function that helps with the chunks of a large
// backup, and calls itself again when its time is up.
package main

import (
	"context"
	"log/slog"

	"guarda/functions/internal/means"
	"guarda/shared/backup"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/execution/coordinator"
	"guarda/shared/invoke"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
)

func main() { lambdafn.StartJob("backup-worker", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[backup.WorkOrder], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store, config.Secrets)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-worker"})
	if err != nil {
		return nil, err
	}
	functions, err := invoke.New(ctx)
	if err != nil {
		return nil, err
	}
	w := &coordinator.Worker{Runs: backupstore.New(db, clock.System{}), Means: means.New(cfg, db, log),
		Again: func(ctx context.Context, order backup.WorkOrder) error {
			return functions.Async(ctx, config.FunctionName(), order)
		}}
	return func(ctx context.Context, order backup.WorkOrder) (any, error) { return nil, w.Do(ctx, order) }, nil
}
