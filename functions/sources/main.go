// Command sources is the function behind /api/sources: the databases that are
// backed up.
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
	"guarda/shared/postgres/sourcestore"
	"guarda/shared/source"
)

func main() { lambdafn.StartHTTP("sources", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Secrets)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda sources"})
	if err != nil {
		return nil, err
	}
	sealer, err := source.NewSealer(cfg.SecretsKey)
	if err != nil {
		return nil, err
	}
	return New(Deps{
		Log: log, Sources: sourcestore.New(pool, clock.System{}), Answers: idempotencystore.New(pool, clock.System{}), Sealer: sealer,
		Connect: postgres.Connect, SessionMode: postgres.SessionMode,
	}), nil
}
