package backupstore_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guarda/shared/execution"
	"guarda/shared/fault"
)

type baton struct {
	StateKey string `json:"state_key,omitempty"`
	Copied   bool   `json:"copied,omitempty"`
}

func TestOneSuccessorTakesARunOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	f.claim(id)
	if mine, err := f.Save(t.Context(), id, 1, "0001-1", baton{StateKey: "k"}); !mine || err != nil {
		t.Fatal(mine, err)
	}
	var took atomic.Int32
	var wg sync.WaitGroup
	for range 6 { // an order may be delivered more than once
		wg.Go(func() {
			before, err := f.Before(t.Context(), id, 1)
			if err != nil {
				t.Error(err)
			}
			if before == nil { // another one was quicker
				return
			}
			mine, err := f.Take(t.Context(), id, before.Leg, "0002-1", baton{StateKey: "k"})
			if err != nil {
				t.Error(err)
			}
			if mine {
				took.Add(1)
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 {
		t.Fatalf("%d took it over", took.Load())
	}
	if s, err := f.Standing(t.Context(), id); err != nil || !s.Going || s.Leg != 2 || s.Snapshot != "0002-1" || s.Picture != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if e := f.get(id); e.Relays != 1 || e.Resumes != 0 {
		t.Errorf("%d relays, %d resumes", e.Relays, e.Resumes)
	}
}

// TestALegThatLostTheRunChangesNothing: whatever the process before still
// wants to write.
func TestALegThatLostTheRunChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	f.claim(id)
	if mine, err := f.Take(t.Context(), id, 1, "s", baton{StateKey: "k"}); !mine || err != nil {
		t.Fatal(mine, err)
	}
	before := f.one(`select e::text from guarda.backup_executions e where id = $1::text::uuid`, id)
	f.clock.Advance(time.Second)
	if sign, err := f.Beat(t.Context(), id, 1, map[string]any{"phase": "done"}); sign != execution.Passed || err != nil {
		t.Errorf("beat: %v %v", sign, err)
	}
	if ok, err := f.Save(t.Context(), id, 1, "old", baton{}); ok || err != nil {
		t.Errorf("save: %v %v", ok, err)
	}
	if ok, err := f.Interrupt(t.Context(), id, 1, f.clock.Now(), execution.FailureOf(fault.New(fault.Unavailable, "x"))); ok || err != nil {
		t.Errorf("interrupt: %v %v", ok, err)
	}
	if ok, err := f.FailLeg(t.Context(), id, 1, execution.FailureOf(fault.New(fault.Unavailable, "x")), false); ok || err != nil {
		t.Errorf("fail: %v %v", ok, err)
	}
	if ok, err := f.Complete(t.Context(), f.get(id), 1, nil); ok || err != nil {
		t.Errorf("complete: %v %v", ok, err)
	}
	if after := f.one(`select e::text from guarda.backup_executions e where id = $1::text::uuid`, id); after != before {
		t.Errorf("it changed:\n%s\n%s", before, after)
	}
}

func TestACutOffRunGetsANewPictureUnlessOnlyItsManifestWasMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		baton   baton
		picture int
	}{
		"before the plan":     {baton{}, 1},
		"while it copied":     {baton{StateKey: "k"}, 1},
		"when all was copied": {baton{StateKey: "k", Copied: true}, 0},
	} {
		f := newFixture(t)
		id := f.create()
		f.claim(id)
		if _, err := f.Save(t.Context(), id, 1, "", c.baton); err != nil {
			t.Fatal(err)
		}
		if turn, err := f.Claim(t.Context(), id); turn != nil || err != nil {
			t.Fatalf("%s: taken up while it goes: %+v %v", name, turn, err)
		}
		if _, err := f.Beat(t.Context(), id, 1, map[string]int{"bytes_done": 7}); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(execution.Silence + time.Second)
		turn, err := f.Claim(t.Context(), id)
		if err != nil || turn == nil || turn.Leg != 2 || turn.Picture != c.picture || turn.Resumes != 1 || turn.Baton == nil {
			t.Errorf("%s: %+v %v", name, turn, err)
		}
		if e := f.get(id); (e.Progress != nil) != c.baton.Copied {
			t.Errorf("%s: the progress is %s", name, e.Progress)
		}
	}
}

func TestAnInterruptedRunGoesOnWhenItsTimeHasCome(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	f.claim(id)
	why := execution.FailureOf(fault.New(fault.Unavailable, "the server went away"))
	if ok, err := f.Interrupt(t.Context(), id, 1, f.clock.Now().Add(execution.Backoff(1)), why); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if turn, err := f.Claim(t.Context(), id); turn != nil || err != nil {
		t.Errorf("too early: %+v %v", turn, err)
	}
	f.clock.Advance(execution.Backoff(1))
	ticker, _ := f.ticker()
	if done := tick(t, ticker, f.clock.Now()); len(done.Resumed) != 1 {
		t.Errorf("%+v", done)
	}
	if turn, err := f.Claim(t.Context(), id); turn == nil || err != nil {
		t.Errorf("%+v %v", turn, err)
	}
	if w := f.get(id).Metadata.Warnings; len(w) != 1 || w[0].Code != "interrupted" {
		t.Errorf("warnings: %+v", w)
	}
}

func TestOnlySoManyRunsGoAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range execution.MaxRunning {
		f.claim(f.create())
	}
	id := f.create()
	if turn, err := f.Claim(t.Context(), id); turn != nil || err != nil {
		t.Errorf("%+v %v", turn, err)
	}
	if e := f.get(id); e.Status != execution.Pending {
		t.Errorf("%+v", e)
	}
}

func TestAPlaceHasOneWorkerAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.create()
	const lease = 10 * time.Second
	ok := func(want bool, got bool, err error) {
		t.Helper()
		if got != want || err != nil {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	}
	call := func(want bool) {
		t.Helper()
		got, err := f.CallFor(t.Context(), id, "worker-1", lease)
		ok(want, got, err)
	}
	enter := func(token string, want bool) {
		t.Helper()
		got, err := f.Enter(t.Context(), id, "worker-1", token, lease)
		ok(want, got, err)
	}
	call(true)
	call(false) // it is on its way
	enter("a", true)
	enter("b", false)
	f.clock.Advance(lease - time.Second)
	got, err := f.Stay(t.Context(), id, "worker-1", "a", lease)
	ok(true, got, err)
	f.clock.Advance(2 * time.Second)
	enter("b", false)
	call(false)
	f.clock.Advance(lease)
	call(true) // it died
	enter("b", true)
	got, err = f.Stay(t.Context(), id, "worker-1", "a", lease)
	ok(false, got, err)
	if err := f.Leave(t.Context(), id, "worker-1", "b", execution.Place{Chunks: 3, Rows: 30, RawBytes: 300}); err != nil {
		t.Fatal(err)
	}
	if p := f.get(id).Workers; len(p) != 1 || p[0] != (execution.Place{Name: "worker-1", Starts: 2, Chunks: 3, Rows: 30, RawBytes: 300}) {
		t.Errorf("%+v", p)
	}
	calls := 0
	for range 20 { // nobody ever comes
		if yes, err := f.CallFor(t.Context(), id, "worker-2", lease); err != nil {
			t.Fatal(err)
		} else if yes {
			calls++
		}
		f.clock.Advance(2 * lease)
	}
	if w := f.get(id).Metadata.Warnings; calls != 5 || len(w) != 1 || w[0].Code != "worker_missing" || w[0].Object != "worker-2" {
		t.Errorf("%d calls for a worker that never comes, warnings %+v", calls, w)
	}
}
