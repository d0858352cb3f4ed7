// Command export-worker is the function that makes large exports of log
// entries, takes up those that were cut off, and removes old files.
package main

import (
	"context"
	"log/slog"

	"guarda/functions/internal/exportmeans"
	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/exportstore"
)

func main() { lambdafn.StartJob("export-worker", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[Order], error) {
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database, config.Store)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{ApplicationName: "guarda export-worker"})
	if err != nil {
		return nil, err
	}
	files := func(ctx context.Context) (blob.Store, error) { return open.Store(ctx, cfg.StoreURL, open.Options{}) }
	w := &Worker{Runner: exportmeans.New(db, files, clock.System{}, log), Waiting: exportstore.New(db).Waiting}
	return w.Do, nil
}
