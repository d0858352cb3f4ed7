package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

const (
	defaultMargin = time.Minute
	maxPlan       = 1 << 30 // bytes
)

// Work takes part in a run that another process coordinates: it imports the
// run's snapshot and copies chunks until none are left or the deadline of ctx
// is near. It uses one connection to the source.
func Work(ctx context.Context, d WorkerDeps, order WorkOrder) (WorkReport, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Margin == 0 {
		d.Margin = defaultMargin
	}
	var key *seal.DataKey
	if order.Key != nil {
		if d.Keys == nil {
			return WorkReport{}, fault.New(fault.Invalid, "the run is encrypted, and this worker has no key").
				Hint("give the worker the key that the coordinator has")
		}
		var err error
		if key, err = d.Keys.Unwrap(ctx, *order.Key); err != nil {
			return WorkReport{}, err
		}
	}
	tables, err := readPlan(ctx, d, order, key)
	if err != nil {
		return WorkReport{}, err
	}
	w := &worker{name: order.Worker, connect: d.Connect, snapshot: order.SnapshotID, lockTimeout: order.LockTimeout,
		tables: tables, queue: d.Queue, clock: d.Clock, log: d.Log,
		copier: copier{store: d.Store, folder: order.Folder, key: key, compression: order.Compression, live: &live{}}}
	if deadline, ok := ctx.Deadline(); ok {
		w.stopAt = deadline.Add(-d.Margin)
	}
	err = w.run(ctx)
	return w.report, err
}

func readPlan(ctx context.Context, d WorkerDeps, order WorkOrder, key *seal.DataKey) (map[uint32]*pgcatalog.Table, error) {
	src, err := d.Store.Get(ctx, order.PlanKey, 0, -1)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	raw, err := manifest.ReadSealed(src, manifest.Object{Key: order.PlanKey, Encoding: string(seal.Zstd)}, key, maxPlan)
	if err != nil {
		return nil, fmt.Errorf("read the run's plan: %w", err)
	}
	var plan workPlan
	if err := json.Unmarshal(raw, &plan); err != nil {
		return nil, fmt.Errorf("read the run's plan: %w", err)
	}
	tables := make(map[uint32]*pgcatalog.Table, len(plan.Tables))
	for i := range plan.Tables {
		tables[plan.Tables[i].OID] = &plan.Tables[i]
	}
	return tables, nil
}
