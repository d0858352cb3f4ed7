// Command backup-coordinator is the function that does one backup, and hands it
// to the next process of its own kind when its time is up. It is invoked
// asynchronously, so an order may come more than once.
package main

import (
	"context"
	"log/slog"

	"guarda/functions/internal/means"
	"guarda/shared/backup"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/execution"
	"guarda/shared/execution/coordinator"
	"guarda/shared/invoke"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/backupstore"
)

// minFanOut is the size of a database, in bytes, from which on workers help a
// function of 15 minutes: smaller ones are copied before a worker would have
// started to be of use.
const minFanOut = 1 << 30

func main() { lambdafn.StartJob("backup-coordinator", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[execution.Order], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store, config.Secrets, config.Worker)
	if err != nil {
		return nil, err
	}
	// Its own workers, the pulse and the progress use the pool at once.
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda backup-coordinator", MaxConns: 4})
	if err != nil {
		return nil, err
	}
	functions, err := invoke.New(ctx)
	if err != nil {
		return nil, err
	}
	c := &coordinator.Coordinator{Runs: backupstore.New(db, clock.System{}), Means: means.New(cfg, db, log), MinFanOut: minFanOut,
		Help: func(ctx context.Context, order backup.WorkOrder) error {
			return functions.Async(ctx, cfg.WorkerFunction, order)
		},
		Call: func(ctx context.Context, order execution.Order) error {
			return functions.Async(ctx, config.FunctionName(), order)
		}}
	return func(ctx context.Context, order execution.Order) (any, error) { return nil, c.Do(ctx, order) }, nil
}
