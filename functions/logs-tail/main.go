// Command logs-tail is the function behind GET /api/logs/tail: log entries as
// they come in, as server-sent events.
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

func main() { lambdafn.StartStream("logs-tail", build) }

func build(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda logs-tail"})
	if err != nil {
		return nil, err
	}
	return New(Deps{
		Log: log, Store: logstore.New(db, clock.System{}), Clock: clock.System{},
		Listen: func(ctx context.Context) (func(context.Context) error, func(), error) {
			return logstore.Listen(ctx, db)
		},
	}), nil
}
