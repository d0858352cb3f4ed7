package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"

	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

const maxPlan = 1 << 30 // bytes of a run's state

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
	s, err := readState(ctx, d.Store, order.PlanKey, key)
	if err != nil {
		return WorkReport{}, err
	}
	pace := paceOf(ctx, d.Clock.Now())
	var unique [4]byte
	_, _ = rand.Read(unique[:]) // never fails: see crypto/rand.Read
	w := &worker{name: order.Worker + "." + hex.EncodeToString(unique[:]), connect: d.Connect, snapshot: d.Snapshot, follows: d.Snapshot != nil, lockTimeout: order.LockTimeout,
		tables: s.tables(), queue: &patient{Queue: d.Queue, clock: d.Clock, log: d.Log}, clock: d.Clock, log: d.Log, stopAt: pace.handOver, killAt: pace.stop, renew: pace.renew(),
		copier: copier{store: d.Store, folder: order.Folder, key: key, compression: order.Compression, base: s.Base, largeObjects: s.LargeObjects, live: &live{}}}
	if d.Snapshot == nil {
		w.snapshot = fixed(order.SnapshotID)
	}
	err = w.run(ctx)
	return w.report, err
}
