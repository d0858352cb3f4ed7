// Command authorizer is the function that tells API Gateway who is calling.
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

func main() { lambdafn.StartAuthorizer("authorizer", build) }

func build(ctx context.Context, _ *slog.Logger) (lambdafn.Authorize, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.JWT)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{MaxConns: 1, ApplicationName: "guarda authorizer"})
	if err != nil {
		return nil, err
	}
	return New(&auth.Authenticator{
		Tokens: auth.NewTokens(cfg.JWTSecret.Reveal(), clock.System{}), Keys: auth.RememberKeys(userstore.New(pool), clock.System{}), Clock: clock.System{},
	}), nil
}

// New reads the identity from a request's headers.
func New(a *auth.Authenticator) lambdafn.Authorize {
	return func(ctx context.Context, h http.Header) (auth.Identity, error) {
		return a.Authenticate(ctx, h.Get("Authorization"), h.Get("X-API-Key"))
	}
}
