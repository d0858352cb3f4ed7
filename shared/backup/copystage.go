package backup

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// copy copies all chunks: this process's own workers, and helpers if asked
// for. It returns ErrPassedOn when the time was not enough and a successor has
// the picture; the caller ends the picture only after that.
func (x *execution) copy(ctx context.Context, p *picture, s *state) error {
	if err := x.fanOut(ctx, p, s); err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	side, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup // what goes on as long as the workers do
	beat := func(side context.Context) error { return p.beat(ctx, side, heartbeatEvery) }
	for _, f := range []func(context.Context) error{x.tracker.watch, beat, x.journal.watch} {
		beside.Go(func() {
			if err := f(side); err != nil {
				fail(err)
			}
		})
	}
	var passed error
	var passing sync.WaitGroup
	passing.Go(func() {
		if passed = x.passOn(side); passed != nil && !errors.Is(passed, ErrPassedOn) {
			fail(passed)
		}
	})
	left, err := x.work(ctx, p, s)
	if !x.called.Load() {
		stop() // before anybody was called: there is no need any more
	}
	passing.Wait()
	stop()
	beside.Wait()
	switch cause := context.Cause(ctx); {
	case errors.Is(passed, ErrPassedOn):
		return passed
	case passed != nil && err == nil && !left:
		return nil // nobody came, and nobody is needed any more
	case cause != nil:
		return cause
	case err == nil && left:
		return fmt.Errorf("chunks were left: %w", ErrTimeUp)
	}
	return err
}

// work lets this process's workers copy. left says that they stopped because
// of the time.
func (x *execution) work(ctx context.Context, p *picture, s *state) (left bool, err error) {
	tables := s.tables()
	workers, shared := errgroup.WithContext(ctx)
	all := make([]*worker, min(x.spec.Jobs, max(1, len(s.Chunks))))
	for i := range all {
		w := &worker{name: x.workerName(i + 1), connect: x.Connect, snapshot: fixed(p.id), lockTimeout: x.spec.LockTimeout,
			tables: tables, queue: x.Queue, clock: x.Clock, log: x.Log, stopAt: x.pace.handOver, killAt: x.pace.stop, renew: x.pace.renew(),
			copier: copier{store: x.Store, folder: x.folder, key: x.key, compression: x.spec.Compression, base: s.Base, largeObjects: s.LargeObjects, live: &x.tracker.live}}
		all[i] = w
		workers.Go(func() error { return w.run(shared) })
	}
	err = workers.Wait()
	for _, w := range all {
		left = left || w.report.More
	}
	return left, err
}

func (x *execution) workerName(n int) string {
	if x.Relay == nil {
		return fmt.Sprintf("coordinator-%d", n)
	}
	return fmt.Sprintf("coordinator-%d.%d", x.Relay.Leg, n)
}

// fixed is the snapshot of a worker whose process holds the picture.
func fixed(id string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return id, nil }
}

// fanOut asks other processes for help with a large database.
func (x *execution) fanOut(ctx context.Context, p *picture, s *state) error {
	var total int64
	for _, chunk := range s.Chunks {
		total += chunk.Estimate
	}
	if x.FanOut == nil || x.FanOut.Workers < 1 || total < x.FanOut.MinBytes {
		return nil
	}
	picture := 0
	if x.Relay != nil {
		picture = x.Relay.Picture
	}
	for i := range x.FanOut.Workers {
		err := x.FanOut.Invoke(ctx, WorkOrder{RunID: x.spec.ID, Worker: fmt.Sprintf("worker-%d", i+1), Picture: picture, Folder: x.folder, SnapshotID: p.id,
			PlanKey: x.stateKey, Key: x.wrapped, Compression: x.spec.Compression, LockTimeout: x.spec.LockTimeout})
		if err != nil {
			x.Log.WarnContext(ctx, "a helping worker could not be started", "error", err.Error())
		}
	}
	return nil
}
