package retry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/blobtest"
	"guarda/shared/blob/memory"
	"guarda/shared/blob/retry"
	"guarda/shared/fault"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(*testing.T) blob.Store { return retry.New(memory.New(), retry.Options{}) }, blobtest.Options{})
}

// noSleep remembers the waits and does not wait.
type noSleep struct {
	mu    sync.Mutex
	waits []time.Duration
	err   error
}

func (n *noSleep) Sleep(_ context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waits = append(n.waits, d)
	return n.err
}

func TestEveryCallIsRetriedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	inner := memory.New()
	var script []blobfault.Fault
	for _, c := range []blobfault.Call{blobfault.Put, blobfault.Get, blobfault.Stat, blobfault.List, blobfault.Folders, blobfault.Delete, blobfault.Sign} {
		script = append(script, blobfault.Fault{On: c, Times: 2})
	}
	sleeper := &noSleep{}
	s := retry.New(blobfault.New(t, inner, script...), retry.Options{Sleeper: sleeper, Attempts: 3})
	body := strings.NewReader("not this, only this")
	if _, err := body.Seek(10, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "a/b", body, blob.PutOptions{}); err != nil {
		t.Errorf("put: %v", err)
	}
	r, err := s.Get(ctx, "a/b", 0, -1)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	if b, _ := io.ReadAll(r); string(b) != "only this" {
		t.Errorf("the object is %q", b)
	}
	if _, err := s.Stat(ctx, "a/b"); err != nil {
		t.Errorf("stat: %v", err)
	}
	var names []string
	for o, err := range s.List(ctx, "") {
		names = append(names, o.Key)
		if err != nil {
			t.Errorf("list: %v", err)
		}
	}
	for f, err := range s.Folders(ctx, "") {
		names = append(names, f)
		if err != nil {
			t.Errorf("folders: %v", err)
		}
	}
	if !slices.Equal(names, []string{"a/b", "a/"}) {
		t.Errorf("listed %q", names)
	}
	if _, err := s.SignedURL(ctx, "a/b", blob.SignOptions{TTL: time.Minute}); err != nil {
		t.Errorf("link: %v", err)
	}
	if err := s.Delete(ctx, "a/b"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if len(sleeper.waits) != 14 {
		t.Errorf("waited %d times", len(sleeper.waits))
	}
}

func TestAPutThatFailsHalfWayStartsAtTheBeginning(t *testing.T) {
	t.Parallel()
	inner := memory.New()
	s := retry.New(blobfault.New(t, inner, blobfault.Fault{On: blobfault.Put, AfterBytes: 3}), retry.Options{Sleeper: &noSleep{}})
	if _, err := s.Put(t.Context(), "a", bytes.NewReader([]byte("abcdef")), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if o, err := inner.Stat(t.Context(), "a"); err != nil || o.Size != 6 {
		t.Errorf("stored %+v, %v", o, err)
	}
}

func TestWhatARetryCannotMendIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		body io.Reader
	}{
		"forbidden":           {fault.New(fault.Forbidden, "no"), strings.NewReader("x")},
		"full":                {blobfault.DiskFull(), strings.NewReader("x")},
		"an unknown error":    {errors.New("what"), strings.NewReader("x")},
		"a body that is read": {blobfault.Unreachable(), io.MultiReader(strings.NewReader("x"))},
	} {
		sleeper := &noSleep{}
		s := retry.New(blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Put, Err: c.err}), retry.Options{Sleeper: sleeper})
		if _, err := s.Put(t.Context(), "a", c.body, blob.PutOptions{}); !errors.Is(err, c.err) || len(sleeper.waits) > 0 {
			t.Errorf("%s: %v after %d waits", name, err, len(sleeper.waits))
		}
	}
}

func TestItGivesUp(t *testing.T) {
	t.Parallel()
	sleeper := &noSleep{}
	broken := blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Stat, Times: -1})
	s := retry.New(broken, retry.Options{Sleeper: sleeper, Attempts: 12, First: time.Second, Longest: 5 * time.Second})
	if _, err := s.Stat(t.Context(), "a"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("stat: %v", err)
	}
	if n := broken.Calls(blobfault.Stat); n != 12 {
		t.Errorf("called %d times", n)
	}
	distinct := map[time.Duration]bool{}
	for i, w := range sleeper.waits {
		distinct[w] = true
		if most := min(5*time.Second, time.Second<<i); w < 0 || w > most {
			t.Errorf("wait %d was %s, at most %s expected", i+1, w, most)
		}
	}
	if len(distinct) < 5 {
		t.Errorf("the waits are not random: %v", sleeper.waits)
	}

	stopped := &noSleep{err: context.Canceled}
	s = retry.New(broken, retry.Options{Sleeper: stopped})
	if _, err := s.Stat(t.Context(), "a"); fault.CodeOf(err) != fault.Unavailable || len(stopped.waits) != 1 {
		t.Errorf("stat that is stopped while waiting: %v after %d waits", err, len(stopped.waits))
	}
}

func TestItWaitsAsLongAsTheStoreAsks(t *testing.T) {
	t.Parallel()
	sleeper := &noSleep{}
	slow := fault.New(fault.Unavailable, "slow down").RetryAfter(3)
	s := retry.New(blobfault.New(t, memory.New(), blobfault.Fault{On: blobfault.Delete, Err: slow}), retry.Options{Sleeper: sleeper})
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if len(sleeper.waits) != 1 || sleeper.waits[0] < 3*time.Second {
		t.Errorf("waited %v", sleeper.waits)
	}
}

// breaksOff is a store whose list ends with an error after its first object.
type breaksOff struct{ blob.Store }

func (b breaksOff) List(context.Context, string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		if yield(blob.Object{Key: "a"}, nil) {
			yield(blob.Object{}, blobfault.Unreachable())
		}
	}
}

func TestAListThatBreaksOffYieldsNothingTwice(t *testing.T) {
	t.Parallel()
	sleeper := &noSleep{}
	var objects, failures int
	for _, err := range retry.New(breaksOff{memory.New()}, retry.Options{Sleeper: sleeper}).List(t.Context(), "") {
		if err != nil {
			failures++
		} else {
			objects++
		}
	}
	if objects != 1 || failures != 1 || len(sleeper.waits) != 0 {
		t.Errorf("%d objects, %d errors, %d waits", objects, failures, len(sleeper.waits))
	}
}
