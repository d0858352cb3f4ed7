// Package retry is a decorator that tries again what failed because the store
// could not be reached.
//
// The s3 store retries its requests itself; this is for stores that do not,
// such as a folder on a share, and for outages longer than a request's.
package retry

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"guarda/shared/blob"
	"guarda/shared/fault"
)

// Sleeper waits. Tests have one that does not.
type Sleeper interface {
	// Sleep returns after d, or earlier with an error when ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// Timer is the Sleeper that really waits.
type Timer struct{}

// Sleep implements Sleeper.
func (Timer) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Options are the options of New. The zero value is usable.
type Options struct {
	Attempts int           // how often a call is made at most; 0 is 5
	First    time.Duration // the longest first wait; 0 is 200 ms
	Longest  time.Duration // the longest wait at all; 0 is 10 s
	Sleeper  Sleeper       // nil is Timer
}

// Store is the decorator. It is as safe for concurrent use as what it
// decorates.
type Store struct {
	blob.Store
	o Options
}

// New decorates a store. Only errors with the code fault.Unavailable are
// retried. The wait before the nth retry is random between 0 and First*2^n,
// at most Longest ("full jitter", AWS Architecture Blog, 2015), and at least
// what the error says.
//
// Put is retried when its body is an io.Seeker, from where the body stood.
// A reader from Get is not resumed. List and Folders are retried as long as
// they have yielded nothing.
func New(inner blob.Store, o Options) *Store {
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.First == 0 {
		o.First = 200 * time.Millisecond
	}
	if o.Longest == 0 {
		o.Longest = 10 * time.Second
	}
	if o.Sleeper == nil {
		o.Sleeper = Timer{}
	}
	return &Store{Store: inner, o: o}
}

// try calls f until it succeeds, fails for good, or was called often enough.
func (s *Store) try(ctx context.Context, f func() error) error {
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || attempt >= s.o.Attempts || fault.CodeOf(err) != fault.Unavailable || ctx.Err() != nil {
			return err
		}
		if s.o.Sleeper.Sleep(ctx, s.wait(attempt, err)) != nil {
			return err // what went wrong says more than that we stopped waiting
		}
	}
}

func (s *Store) wait(attempt int, err error) time.Duration {
	most := s.o.Longest
	if shift := attempt - 1; shift < 20 {
		most = min(most, s.o.First<<shift)
	}
	wait := rand.N(most + 1)
	if e := fault.As(err); e != nil {
		wait = max(wait, min(s.o.Longest, time.Duration(e.Retry)*time.Second))
	}
	return wait
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts blob.PutOptions) (o blob.Object, err error) {
	seeker, ok := body.(io.Seeker)
	var start int64
	if ok {
		start, err = seeker.Seek(0, io.SeekCurrent)
		ok = err == nil // a pipe is an io.Seeker that cannot seek
	}
	if !ok {
		return s.Store.Put(ctx, key, body, opts)
	}
	first := true
	err = s.try(ctx, func() (err error) {
		if !first {
			if _, err := seeker.Seek(start, io.SeekStart); err != nil {
				return err
			}
		}
		first = false
		o, err = s.Store.Put(ctx, key, body, opts)
		return err
	})
	return o, err
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (r io.ReadCloser, err error) {
	err = s.try(ctx, func() (err error) {
		r, err = s.Store.Get(ctx, key, offset, length)
		return err
	})
	return r, err
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (o blob.Object, err error) {
	err = s.try(ctx, func() (err error) {
		o, err = s.Store.Stat(ctx, key)
		return err
	})
	return o, err
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return again(ctx, s, func() iter.Seq2[blob.Object, error] { return s.Store.List(ctx, prefix) })
}

// Folders implements blob.Store.
func (s *Store) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return again(ctx, s, func() iter.Seq2[string, error] { return s.Store.Folders(ctx, prefix) })
}

var errStopped = errors.New("the caller wants no more")

func again[V any](ctx context.Context, s *Store, start func() iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var yielded bool
		var late error // an error after something was yielded
		err := s.try(ctx, func() error {
			for v, err := range start() {
				if err != nil && !yielded {
					return err
				}
				if err != nil {
					late = err
					return nil
				}
				yielded = true
				if !yield(v, nil) {
					return errStopped
				}
			}
			return nil
		})
		if err == nil {
			err = late
		}
		if err != nil && err != errStopped {
			var none V
			yield(none, err)
		}
	}
}

// Delete implements blob.Store. Deleting twice does no harm.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	return s.try(ctx, func() error { return s.Store.Delete(ctx, keys...) })
}

// SignedURL implements blob.Store.
func (s *Store) SignedURL(ctx context.Context, key string, opts blob.SignOptions) (u string, err error) {
	err = s.try(ctx, func() (err error) {
		u, err = s.Store.SignedURL(ctx, key, opts)
		return err
	})
	return u, err
}
