// Package blobfault is a decorator for tests that makes a store fail as a
// script says, and fails the test when a scripted fault did not happen: a
// test of a failure that never occurred proves nothing.
package blobfault

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

// Call names an operation of a store.
type Call string

// The operations.
const (
	Put     Call = "put"
	Get     Call = "get"
	Stat    Call = "stat"
	List    Call = "list"
	Folders Call = "folders"
	Delete  Call = "delete"
	Sign    Call = "sign"
)

// Fault is one thing that goes wrong. It applies to the calls of one kind
// whose key (or prefix, or one of whose keys) contains Key.
type Fault struct {
	On  Call
	Key string // "" is every key
	// Skip lets that many matching calls pass first.
	Skip int
	// Times is how many matching calls are hit; 0 is one, -1 is all, of which
	// at least one must happen.
	Times int

	// What happens: the first of these that is set, after Delay.

	// Delay is waited first; it ends early when the call's context does.
	Delay time.Duration
	// Before is called first, with the call's context.
	Before func(ctx context.Context)
	// AfterBytes, when positive, lets that many bytes of the body (Put) or of
	// the object (Get) pass, and fails then; 0 fails at once.
	AfterBytes int64
	// Truncate makes Get end without an error after AfterBytes.
	Truncate bool
	// Flip changes one bit of the byte at AfterBytes that Get returns.
	Flip bool
	// Lose lets Put, Delete or another call be carried out, and then reports
	// Err, as when the answer is lost.
	Lose bool
	// Err is the error; nil is Unreachable(), unless there is only a Delay or
	// Before, which then change nothing else.
	Err error
}

// Unreachable is the error of a store that does not answer.
func Unreachable() error {
	return fault.New(fault.Unavailable, "the scripted store does not answer").Hint("this is a test")
}

// DiskFull is the error of a store that has no room.
func DiskFull() error {
	return fault.New(fault.Exhausted, "the scripted store is full").Hint("this is a test")
}

// Store is the decorator.
type Store struct {
	inner blob.Store

	mu     sync.Mutex
	script []*scripted
	calls  map[Call]int
}

type scripted struct {
	Fault
	seen, hit int
}

var _ blob.Store = (*Store)(nil)

// New decorates a store. When the test ends, faults that did not happen as
// often as scripted fail it. A call is hit by the first fault of the script
// that matches and is not used up.
func New(t testing.TB, inner blob.Store, script ...Fault) *Store {
	t.Helper()
	s := &Store{inner: inner, calls: map[Call]int{}}
	s.Add(script...)
	t.Cleanup(func() {
		for _, miss := range s.Missed() {
			t.Errorf("a scripted fault did not happen: %s", miss)
		}
	})
	return s
}

// Add appends to the script.
func (s *Store) Add(script ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range script {
		if f.Err == nil && (f.Delay == 0 && f.Before == nil || f.AfterBytes > 0 || f.Lose) && !f.Flip && !f.Truncate {
			f.Err = Unreachable()
		}
		s.script = append(s.script, &scripted{Fault: f})
	}
}

// Missed describes the faults that have not happened as often as scripted.
func (s *Store) Missed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for i, f := range s.script {
		if f.hit < max(1, f.Times) {
			out = append(out, fmt.Sprintf("number %d, on %s of %q: happened %d times in %d matching calls", i+1, f.On, f.Key, f.hit, f.seen))
		}
	}
	return out
}

// Calls returns how often an operation was called, faulty calls included.
func (s *Store) Calls(c Call) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[c]
}

// next returns the fault for a call, nil for none.
func (s *Store) next(c Call, keys ...string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c]++
	var found *Fault
	for _, f := range s.script {
		if f.On != c || !matches(f.Key, keys) {
			continue
		}
		f.seen++
		if found == nil && f.seen > f.Skip && (f.Times < 0 || f.hit < max(1, f.Times)) {
			f.hit++
			found = &f.Fault
		}
	}
	return found
}

func matches(want string, keys []string) bool {
	for _, k := range keys {
		if strings.Contains(k, want) {
			return true
		}
	}
	return want == ""
}

// begin does what comes before a call; the error is what it fails with.
func (f *Fault) begin(ctx context.Context) error {
	if f == nil {
		return nil
	}
	if f.Before != nil {
		f.Before(ctx)
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if f.Lose || f.AfterBytes > 0 {
		return nil
	}
	return f.Err
}

// lost returns the error of a call that was carried out.
func (f *Fault) lost(err error) error {
	if err == nil && f != nil && f.Lose {
		return f.Err
	}
	return err
}

func (s *Store) String() string { return s.inner.String() }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts blob.PutOptions) (blob.Object, error) {
	f := s.next(Put, key)
	if err := f.begin(ctx); err != nil {
		return blob.Object{}, err
	}
	if f != nil && f.AfterBytes > 0 {
		body = &faulty{Reader: body, f: f, left: f.AfterBytes}
	}
	o, err := s.inner.Put(ctx, key, body, opts)
	if err = f.lost(err); err != nil {
		return blob.Object{}, err
	}
	return o, nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	f := s.next(Get, key)
	if err := f.begin(ctx); err != nil {
		return nil, err
	}
	r, err := s.inner.Get(ctx, key, offset, length)
	if err != nil || f == nil || f.AfterBytes == 0 && !f.Flip && !f.Truncate {
		return r, err
	}
	return struct {
		io.Reader
		io.Closer
	}{&faulty{Reader: r, f: f, left: f.AfterBytes}, r}, nil
}

// faulty is a stream in which something happens after some bytes.
type faulty struct {
	io.Reader
	f    *Fault
	left int64
	done bool
}

func (r *faulty) Read(p []byte) (int, error) {
	if r.done {
		return r.Reader.Read(p)
	}
	if r.left == 0 {
		switch {
		case r.f.Truncate:
			return 0, io.EOF
		case !r.f.Flip:
			return 0, r.f.Err
		}
		n, err := r.Reader.Read(p)
		if n > 0 {
			p[0] ^= 1
			r.done = true
		}
		return n, err
	}
	n, err := r.Reader.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Object, error) {
	if err := s.next(Stat, key).begin(ctx); err != nil {
		return blob.Object{}, err
	}
	return s.inner.Stat(ctx, key)
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		if err := s.next(List, prefix).begin(ctx); err != nil {
			yield(blob.Object{}, err)
			return
		}
		s.inner.List(ctx, prefix)(yield)
	}
}

// Folders implements blob.Store.
func (s *Store) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.next(Folders, prefix).begin(ctx); err != nil {
			yield("", err)
			return
		}
		s.inner.Folders(ctx, prefix)(yield)
	}
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	f := s.next(Delete, keys...)
	if err := f.begin(ctx); err != nil {
		return err
	}
	return f.lost(s.inner.Delete(ctx, keys...))
}

// SignedURL implements blob.Store.
func (s *Store) SignedURL(ctx context.Context, key string, opts blob.SignOptions) (string, error) {
	if err := s.next(Sign, key).begin(ctx); err != nil {
		return "", err
	}
	return s.inner.SignedURL(ctx, key, opts)
}
