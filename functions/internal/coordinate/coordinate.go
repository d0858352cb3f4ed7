// Package coordinate is how functions tell the coordinator which run to do.
package coordinate

import (
	"context"

	"guarda/shared/config"
	"guarda/shared/execution"
	"guarda/shared/invoke"
)

// Invoker tells the function that the configuration names.
type Invoker struct {
	lambda   *invoke.Lambda
	function string
}

// New makes an invoker.
func New(ctx context.Context, cfg *config.Config) (*Invoker, error) {
	l, err := invoke.New(ctx)
	if err != nil {
		return nil, err
	}
	return &Invoker{lambda: l, function: cfg.CoordinatorFunction}, nil
}

// Coordinate implements execution.Invoker.
func (i *Invoker) Coordinate(ctx context.Context, order execution.Order) error {
	return i.lambda.Async(ctx, i.function, order)
}
