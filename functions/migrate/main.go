// Command migrate is the function that brings Guarda's own database to the
// version of this release. CloudFormation runs it on deploy, the local stack
// at start.
package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"guarda/shared/config"
	"guarda/shared/config/awssecret"
	"guarda/shared/lambdafn"
)

func main() { lambdafn.StartJob("migrate", build) }

func build(ctx context.Context, log *slog.Logger) (lambdafn.Job[json.RawMessage], error) {
	// A configuration that is not valid must still be told to CloudFormation,
	// which otherwise waits for its answer for an hour: so it is not fatal here.
	cfg, err := config.Load(ctx, awssecret.Fetch, config.Database)
	return New(Deps{Config: cfg, ConfigError: err, Log: log}), nil
}
