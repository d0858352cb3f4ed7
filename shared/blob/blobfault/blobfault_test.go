package blobfault_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/blobtest"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
)

func TestWithoutAScriptNothingChanges(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Store { return blobfault.New(t, memory.New()) }, blobtest.Options{})
}

func put(s blob.Store, key, content string) error {
	_, err := s.Put(context.Background(), key, strings.NewReader(content), blob.PutOptions{})
	return err
}

func get(t *testing.T, s blob.Store, key string) (string, error) {
	t.Helper()
	r, err := s.Get(t.Context(), key, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestScriptedFaultsHappen(t *testing.T) {
	t.Parallel()
	inner := memory.New()
	s := blobfault.New(t, inner,
		blobfault.Fault{On: blobfault.Put, Key: "data/", Skip: 1},
		blobfault.Fault{On: blobfault.Put, Key: "full", AfterBytes: 3, Err: blobfault.DiskFull()},
		blobfault.Fault{On: blobfault.Put, Key: "lost", Lose: true},
		blobfault.Fault{On: blobfault.Get, Key: "cut", AfterBytes: 2, Truncate: true},
		blobfault.Fault{On: blobfault.Get, Key: "flip", AfterBytes: 2, Flip: true},
		blobfault.Fault{On: blobfault.Get, Key: "break", AfterBytes: 2},
		blobfault.Fault{On: blobfault.Delete, Times: 2},
		blobfault.Fault{On: blobfault.Stat, Delay: time.Millisecond},
	)
	for i, want := range []fault.Code{"", fault.Unavailable, ""} {
		if err := put(s, "data/x", "x"); fault.CodeOf(err) != want {
			t.Errorf("put %d: %v", i+1, err)
		}
	}
	if err := put(s, "full", "abcdef"); fault.CodeOf(err) != fault.Exhausted {
		t.Errorf("a full store: %v", err)
	}
	if err := put(s, "lost", "abc"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a lost answer: %v", err)
	}
	if got, err := get(t, inner, "lost"); got != "abc" || err != nil {
		t.Errorf("the object of a lost answer is %q, %v", got, err)
	}
	for key, want := range map[string]string{"cut": "ab", "flip": "abbdef", "break": "ab"} {
		if err := put(inner, key, "abcdef"); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t, s, key); got != want || (err != nil) != (key == "break") {
			t.Errorf("%s: %q, %v", key, got, err)
		}
		if got, err := get(t, s, key); got != "abcdef" || err != nil {
			t.Errorf("%s, the second time: %q, %v", key, got, err)
		}
	}
	for i, want := range []fault.Code{fault.Unavailable, fault.Unavailable, ""} {
		if err := s.Delete(t.Context(), "cut"); fault.CodeOf(err) != want {
			t.Errorf("delete %d: %v", i+1, err)
		}
	}
	if _, err := s.Stat(t.Context(), "flip"); err != nil {
		t.Errorf("a slow stat: %v", err)
	}
	if n := s.Calls(blobfault.Put); n != 5 {
		t.Errorf("%d puts were counted", n)
	}
}

// recorder is a testing.TB of which we see the failures.
type recorder struct {
	testing.TB
	failures bytes.Buffer
	cleanup  func()
}

func (r *recorder) Helper()                        {}
func (r *recorder) Cleanup(f func())               { r.cleanup = f }
func (r *recorder) Errorf(format string, _ ...any) { r.failures.WriteString(format) }

func TestAFaultThatDidNotHappenFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, times := range map[string]int{"one": 0, "two": 2, "any number": -1} {
		r := &recorder{TB: t}
		s := blobfault.New(r, memory.New(), blobfault.Fault{On: blobfault.Put, Key: "a", Times: times})
		_ = put(s, "b", "x")
		if r.cleanup(); r.failures.Len() == 0 {
			t.Errorf("%s: the missing fault was not reported", name)
		}
	}
}
