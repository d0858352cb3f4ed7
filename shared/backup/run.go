package backup

import "context"

// Execute makes a backup. On any error nothing is left in the store that
// claims to be one.
func Execute(ctx context.Context, d Deps, r Run) (*Result, error) {
	return nil, ctx.Err()
}

// Work takes part in a run that another process coordinates: it imports the
// snapshot and copies chunks until none are left or the deadline is near.
func Work(ctx context.Context, d WorkerDeps, order WorkOrder) (WorkReport, error) {
	return WorkReport{}, ctx.Err()
}
