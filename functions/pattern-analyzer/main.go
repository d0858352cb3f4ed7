// Command pattern-analyzer is the function that EventBridge Scheduler calls
// every minute for the patterns of log messages.
package main

import (
	"context"
	"log/slog"

	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/patternstore"
)

func main() { lambdafn.StartJob("pattern-analyzer", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[event], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda pattern-analyzer"})
	if err != nil {
		return nil, err
	}
	return newHandler(patternstore.New(db, clock.System{}), clock.System{}, log), nil
}
