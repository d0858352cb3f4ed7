package coordinator_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/execution/coordinator"
	"guarda/shared/fault"
	"guarda/shared/verify"
)

// frozen is a process that stands still, as a sandbox of Lambda's does or a
// process that got SIGSTOP, from a moment on until it is thawed: it gives no
// sign of life either.
type frozen struct {
	coordinator.Runs
	mu     sync.Mutex    // held while a sign of life is on its way
	still  chan struct{} // closed when it stands still
	thawed chan struct{}
}

func (f *frozen) freeze(context.Context) {
	f.mu.Lock()
	close(f.still)
	f.mu.Unlock()
	<-f.thawed
}

// Beat implements coordinator.Runs.
func (f *frozen) Beat(ctx context.Context, id string, leg int, progress any) (execution.Sign, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.still:
		<-f.thawed
	default:
	}
	return f.Runs.Beat(ctx, id, leg, progress)
}

// freezeAt begins a run in a process that freezes before a call to the store,
// and returns when it stands still for so long that it counts as dead.
func (w *world) freezeAt(at blobfault.Fault) (id string, thaw func()) {
	w.t.Helper()
	f := &frozen{Runs: w.runs, still: make(chan struct{}), thawed: make(chan struct{})}
	at.Before = f.freeze
	store := blobfault.New(w.t, w.store, at)
	means := w.means
	means.Store = func(context.Context) (blob.Store, error) { return store, nil }
	id = w.create()
	ended := make(chan error, 1)
	go func() {
		c := &coordinator.Coordinator{Runs: f, Means: means, Call: w.Coordinate}
		ended <- c.Do(context.Background(), execution.Order{ExecutionID: id})
	}()
	thaw = sync.OnceFunc(func() {
		close(f.thawed)
		if err := <-ended; err != nil {
			w.t.Errorf("the process that was frozen: %v", err)
		}
	})
	select {
	case <-f.still:
		w.t.Cleanup(thaw) // also when the test fails before it does
	case err := <-ended:
		w.t.Fatalf("it ended before it could be frozen: %v", err)
	}
	if _, err := w.pool.Exec(w.t.Context(), `update guarda.backup_executions set heartbeat_at = heartbeat_at - $2::interval where id = $1::text::uuid`,
		id, execution.Silence+time.Minute); err != nil {
		w.t.Fatal(err)
	}
	return id, thaw
}

func (w *world) create() string {
	w.t.Helper()
	id, err := w.runs.Create(w.t.Context(), execution.New{SourceID: w.source, SourceName: "shop", RequestedType: "full", Trigger: execution.Manual,
		Options: execution.OptionsFor(execution.SourceSettings{Jobs: 2}, nil, nil, "", true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) do(id string) *execution.Execution {
	w.t.Helper()
	if err := w.coordinator().Do(w.t.Context(), execution.Order{ExecutionID: id}); err != nil {
		w.t.Fatal(err)
	}
	e, err := w.runs.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// TestAProcessThatWasFrozenDoesNotSpoilItsSuccessorsBackup: it stands still at
// every moment after which it would write something with a fixed name.
func TestAProcessThatWasFrozenDoesNotSpoilItsSuccessorsBackup(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]blobfault.Fault{
		"before its scripts":            {On: blobfault.Put, Key: "/schema/pre-data"},
		"before its state":              {On: blobfault.Put, Key: "/plan-0.json"},
		"before it seals the manifest":  {On: blobfault.Put, Key: "/plan-manifest-1"},
		"before its header":             {On: blobfault.Put, Key: "/header.json"},
		"between header and manifest":   {On: blobfault.Put, Key: "/manifest.json"},
		"before it removes what strays": {On: blobfault.List, Key: "/data/", Skip: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id, thaw := w.freezeAt(at)
			e := w.do(id)
			if e.Status != execution.Completed || e.Resumes != 1 {
				t.Fatalf("%+v %+v", e, e.Metadata.Error)
			}
			thaw()
			if after, err := w.runs.Get(t.Context(), id); err != nil || after.Status != execution.Completed || *after.SizeBytes != *e.SizeBytes {
				t.Errorf("%+v %v", after, err)
			}
			w.whole(id, e)
		})
	}
}

// whole fails the test unless the store has the run's backup, whole, and it is
// the one that the run's row describes.
func (w *world) whole(id string, e *execution.Execution) {
	w.t.Helper()
	keys, _ := w.means.Keys(w.t.Context())
	l, err := manifest.Find(w.t.Context(), w.store, "shop", id)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := verify.Stored(w.t.Context(), verify.Deps{Store: w.store, Keys: keys, Clock: clock.System{}}, l)
	if err != nil || r.Status != verify.OK {
		w.t.Fatalf("%+v %v", r, err)
	}
	if l.Header.Rows != *e.Rows || l.Header.DurationSeconds != *e.Metadata.DurationSeconds {
		w.t.Errorf("the store has %+v, the run %+v", l.Header, e)
	}
}

// TestAProcessThatWasFrozenPublishesNothingOfARunThatFailed: its objects are
// gone by then.
func TestAProcessThatWasFrozenPublishesNothingOfARunThatFailed(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]blobfault.Fault{
		"before its header":           {On: blobfault.Put, Key: "/header.json"},
		"between header and manifest": {On: blobfault.Put, Key: "/manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id, thaw := w.freezeAt(at)
			store := w.store
			w.store = blobfault.New(t, store, blobfault.Fault{On: blobfault.Put, Key: "/header.json", Err: fault.New(fault.Forbidden, "no")})
			if e := w.do(id); e.Status != execution.Failed {
				t.Fatalf("%+v", e)
			}
			thaw()
			if all, err := manifest.List(t.Context(), store, ""); err != nil || len(all) > 0 {
				t.Errorf("%+v %v", all, err)
			}
			keys, _ := w.means.Keys(t.Context())
			garbage, err := backup.Garbage(t.Context(), store, keys, "shop", clock.System{}.Now().Add(backup.LongestRun+time.Hour), backup.LongestRun)
			if err != nil {
				t.Fatal(err)
			}
			left := 0
			for _, err := range store.List(t.Context(), "") {
				if err != nil {
					t.Fatal(err)
				}
				left++
			}
			if left != len(garbage) || left > 2 {
				t.Errorf("%d objects are left, of which garbage collection finds %d", left, len(garbage))
			}
		})
	}
}

// TestAManifestThatIsStoredThoughItsAnswerWasLostIsFound: the run goes on where
// it was, and publishes the same manifest again.
func TestAManifestThatIsStoredThoughItsAnswerWasLostIsFound(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]bool{"the answer was lost": true, "it was not stored": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.store = blobfault.New(t, w.store, blobfault.Fault{On: blobfault.Put, Key: "/manifest.json", Lose: lose, Err: blobfault.Unreachable()})
			id := w.create()
			if e := w.do(id); e.Status != execution.Running {
				t.Fatalf("%s %+v", e.Status, e.Metadata.Error)
			}
			if _, err := w.pool.Exec(t.Context(), `update guarda.backup_executions set resume_at = started_at`); err != nil {
				t.Fatal(err)
			}
			e := w.do(id)
			if e.Status != execution.Completed {
				t.Fatalf("%+v %+v", e, e.Metadata.Error)
			}
			w.whole(id, e)
		})
	}
}

// TestAProcessThatWasFrozenTidiesUpAfterARunThatWasGivenUp meanwhile: nobody
// else would.
func TestAProcessThatWasFrozenTidiesUpAfterARunThatWasGivenUp(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]blobfault.Fault{
		"before its state": {On: blobfault.Put, Key: "/plan-0.json"},
		"while it copies":  {On: blobfault.Put, Key: "/data/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id, thaw := w.freezeAt(at)
			if ended, err := w.runs.Fail(t.Context(), id, execution.FailureOf(fault.New(fault.Unavailable, "given up")), false); !ended || err != nil {
				t.Fatal(ended, err)
			}
			thaw()
			for o, err := range w.store.List(t.Context(), "") {
				if err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s is left", o.Key)
			}
		})
	}
}
