// Command logs-erasures is the function behind /api/logs/erasures: requests to
// erase a person's log entries, and what became of them. The log keeper carries
// them out.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/logstore"
)

func main() { lambdafn.StartHTTP("logs-erasures", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-erasures"})
	if err != nil {
		return nil, err
	}
	return New(log, logstore.New(db, clock.System{}), idempotencystore.New(db, clock.System{})), nil
}
