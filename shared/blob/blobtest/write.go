package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

func testSizes(t *testing.T, s blob.Store, o Options) {
	for _, size := range []int64{0, 1, 4095, 65536, 8*mib - 1, 8 * mib, 8*mib + 1, 25 * mib} {
		key := fmt.Sprintf("sizes/%d", size)
		want, _ := hashOf(t, part(uint64(size), size))
		stored, err := s.Put(t.Context(), key, part(uint64(size), size), blob.PutOptions{})
		if err != nil {
			t.Fatalf("put %d bytes: %v", size, err)
		}
		if stored.Key != key || stored.Size != size || stored.SHA256 != want {
			t.Errorf("put %d bytes returned %+v", size, stored)
		}
		if now := time.Now(); stored.Modified.Location() != time.UTC || stored.Modified.Before(now.Add(-time.Hour)) || stored.Modified.After(now.Add(time.Hour)) {
			t.Errorf("put %d bytes returned the time %s", size, stored.Modified)
		}
		r, err := s.Get(t.Context(), key, 0, -1)
		if err != nil {
			t.Fatalf("get %d bytes: %v", size, err)
		}
		got, n := hashOf(t, r)
		r.Close()
		if got != want || n != size {
			t.Errorf("%d bytes came back as %d, same=%t", size, n, got == want)
		}
		st, err := s.Stat(t.Context(), key)
		if err != nil || st.Key != key || st.Size != size || st.SHA256 != "" && st.SHA256 != want || st.Modified.IsZero() || st.Modified.Location() != time.UTC {
			t.Errorf("stat of %d bytes: %+v, %v", size, st, err)
		}
	}
	if o.Unfinished != nil {
		if left := o.Unfinished(t, s); len(left) > 0 {
			t.Errorf("unfinished uploads were left: %q", left)
		}
	}
}

func testHash(t *testing.T, s blob.Store, _ Options) {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2 appendix B.1
	if got := put(t, s, "abc", "abc").SHA256; got != abc {
		t.Errorf("the hash of abc is %q", got)
	}
}

func testReplace(t *testing.T, s blob.Store, _ Options) {
	put(t, s, "a/b", "a long first content")
	if put(t, s, "a/b", "second"); get(t, s, "a/b") != "second" {
		t.Errorf("after the second put the object is %q", get(t, s, "a/b"))
	}
	if got := keys(t, s, ""); len(got) != 1 {
		t.Errorf("two puts of one key made %q", got)
	}
}

func testIfAbsent(t *testing.T, s blob.Store, o Options) {
	first, err := s.Put(t.Context(), "a", strings.NewReader("first"), blob.PutOptions{IfAbsent: true})
	if err != nil || first.Size != 5 {
		t.Fatalf("first put: %+v, %v", first, err)
	}
	for _, size := range []int64{6, 9 * mib} { // in one piece and in parts
		if _, err := s.Put(t.Context(), "a", part(1, size), blob.PutOptions{IfAbsent: true}); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("put of %d bytes over an object: %v", size, err)
		}
	}
	if got := get(t, s, "a"); got != "first" {
		t.Errorf("the object is now %q", got)
	}
	if o.Unfinished != nil {
		if left := o.Unfinished(t, s); len(left) > 0 {
			t.Errorf("unfinished uploads were left: %q", left)
		}
	}
}

func testIfAbsentRace(t *testing.T, s blob.Store, _ Options) {
	for round := range 5 {
		key := fmt.Sprintf("race/%d", round)
		const writers = 16
		errs := make([]error, writers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				<-start
				_, errs[i] = s.Put(t.Context(), key, strings.NewReader(fmt.Sprintf("writer %d", i)), blob.PutOptions{IfAbsent: true})
			})
		}
		close(start)
		wg.Wait()
		var won []int
		for i, err := range errs {
			if err == nil {
				won = append(won, i)
			} else if fault.CodeOf(err) != fault.Conflict {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("round %d: writers %v all won", round, won)
		}
		if got, want := get(t, s, key), fmt.Sprintf("writer %d", won[0]); got != want {
			t.Errorf("round %d: %s won, the object is of %q", round, want, got)
		}
	}
}

var errBody = errors.New("the body failed")

func testFailingBody(t *testing.T, s blob.Store, o Options) {
	for _, n := range []int64{0, 1, 100_000, 8*mib - 1, 8 * mib, 8*mib + 1, 17 * mib} {
		body := &atByte{r: noise(1), n: n, do: func() error { return errBody }}
		if _, err := s.Put(t.Context(), "a/b/c", body, blob.PutOptions{}); !errors.Is(err, errBody) {
			t.Errorf("put of a body that fails after %d bytes: %v", n, err)
		}
	}
	// The end of a broken connection is not the end of the body.
	cut := io.MultiReader(part(1, 9*mib), &atByte{do: func() error { return io.ErrUnexpectedEOF }})
	if _, err := s.Put(t.Context(), "a/b/c", cut, blob.PutOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("put of a body that is cut: %v", err)
	}
	leavesNothing(t, s, o)
}

func testCanceledPut(t *testing.T, s blob.Store, o Options) {
	for _, n := range []int64{0, 100_000, 9 * mib, 17 * mib} {
		ctx, cancel := context.WithCancel(t.Context())
		body := &atByte{r: noise(1), n: n, do: func() error { cancel(); return nil }}
		if _, err := s.Put(ctx, "a/b", io.LimitReader(body, 30*mib), blob.PutOptions{}); fault.CodeOf(err) != fault.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("put canceled after %d bytes: %v", n, err)
		}
		cancel()
	}
	leavesNothing(t, s, o)
}

func testFailedReplace(t *testing.T, s blob.Store, _ Options) {
	put(t, s, "a", "old")
	for _, n := range []int64{2, 9 * mib} {
		if _, err := s.Put(t.Context(), "a", &atByte{r: noise(1), n: n, do: func() error { return errBody }}, blob.PutOptions{}); err == nil {
			t.Error("a put of a failing body succeeded")
		}
		if got := get(t, s, "a"); got != "old" {
			t.Errorf("after a failed put the object is %q", got)
		}
	}
}

// testWholeObjects lets writers replace an object while readers read it: what
// a reader gets is one writer's object from beginning to end.
func testWholeObjects(t *testing.T, s blob.Store, _ Options) {
	const writers, rounds = 3, 8
	size := func(i int) int64 { return 300_000 + int64(i)*50_000 }
	want := map[string]bool{}
	for i := range writers {
		sum, _ := hashOf(t, part(uint64(i), size(i)))
		want[sum] = true
	}
	if _, err := s.Put(t.Context(), "a/hot", part(0, size(0)), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for i := range writers {
		writing.Go(func() {
			for range rounds {
				if _, err := s.Put(t.Context(), "a/hot", part(uint64(i), size(i)), blob.PutOptions{}); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			for {
				r, err := s.Get(t.Context(), "a/hot", 0, -1)
				if err != nil {
					t.Errorf("reader: %v", err)
					return
				}
				sum, n := hashOf(t, r)
				r.Close()
				if !want[sum] {
					t.Errorf("a reader got %d bytes that nobody wrote", n)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
}
