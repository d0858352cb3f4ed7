// Command auth is the function that signs people in.
package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/userstore"
)

func main() { lambdafn.StartHTTP("auth", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.JWT)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda auth"})
	if err != nil {
		return nil, err
	}
	users := userstore.New(pool)
	return New(Deps{Log: log, Login: &auth.Login{
		Users: users, Attempts: users, Tokens: auth.NewTokens(cfg.JWTSecret.Reveal(), clock.System{}), Clock: clock.System{},
	}}), nil
}
