// Command settings-logs is the function behind /api/settings/logs: how long
// entries are kept, what is masked, how words are found.
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
	"guarda/shared/postgres/logstore"
)

func main() { lambdafn.StartHTTP("settings-logs", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda settings-logs"})
	if err != nil {
		return nil, err
	}
	return New(log, logstore.New(db, clock.System{})), nil
}
