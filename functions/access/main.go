// Command access is the function behind /api/access/api-keys.
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
	"guarda/shared/postgres/userstore"
)

func main() { lambdafn.StartHTTP("access", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda access"})
	if err != nil {
		return nil, err
	}
	return New(log, userstore.New(db), clock.System{}), nil
}
