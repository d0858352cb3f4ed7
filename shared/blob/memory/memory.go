// Package memory is a blob.Store in memory, for tests of what stands on a
// store.
package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"guarda/shared/blob"
	"guarda/shared/blob/internal/body"
	"guarda/shared/clock"
)

// Store keeps objects in memory. The zero value is ready to use; it must not
// be copied after that.
type Store struct {
	// Clock dates the objects; nil is the system's.
	Clock clock.Clock

	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	blob.Object
	content []byte // never changed once stored
}

var _ blob.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{} }

func (s *Store) String() string { return "memory:" }

// Put implements blob.Store; its memory is that of the object.
func (s *Store) Put(ctx context.Context, key string, src io.Reader, opts blob.PutOptions) (blob.Object, error) {
	if err := blob.ValidKey(key); err != nil {
		return blob.Object{}, err
	}
	content, err := io.ReadAll(body.New(ctx, src))
	if err != nil {
		return blob.Object{}, fmt.Errorf("put %s: %w", key, err)
	}
	if ctx.Err() != nil {
		return blob.Object{}, body.Ended(ctx)
	}
	sum := sha256.Sum256(content)
	o := blob.Object{Key: key, Size: int64(len(content)), Modified: s.clock().Now(), SHA256: hex.EncodeToString(sum[:])}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.objects[key]; exists && opts.IfAbsent {
		return blob.Object{}, blob.ExistsError(s, key)
	}
	if s.objects == nil {
		s.objects = map[string]object{}
	}
	s.objects[key] = object{o, content}
	return o, nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := blob.ValidRange(offset); err != nil {
		return nil, err
	}
	o, err := s.object(ctx, key)
	if err != nil {
		return nil, err
	}
	part := o.content[min(offset, o.Size):]
	if length >= 0 {
		part = part[:min(length, int64(len(part)))]
	}
	return io.NopCloser(body.New(ctx, bytes.NewReader(part))), nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Object, error) {
	o, err := s.object(ctx, key)
	return o.Object, err
}

func (s *Store) object(ctx context.Context, key string) (object, error) {
	if err := blob.ValidKey(key); err != nil {
		return object{}, err
	}
	if ctx.Err() != nil {
		return object{}, body.Ended(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	if !ok {
		return object{}, blob.NotFoundError(s, key)
	}
	return o, nil
}

// List implements blob.Store. It yields the objects of the moment it starts.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		if err := blob.ValidPrefix(prefix); err != nil {
			yield(blob.Object{}, err)
			return
		}
		s.mu.Lock()
		objects := maps.Clone(s.objects)
		s.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(objects)) {
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			if ctx.Err() != nil {
				yield(blob.Object{}, body.Ended(ctx))
				return
			}
			if !yield(objects[key].Object, nil) {
				return
			}
		}
	}
}

// Folders implements blob.Store.
func (s *Store) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := blob.ValidFolder(prefix); err != nil {
			yield("", err)
			return
		}
		last := ""
		for o, err := range s.List(ctx, prefix) {
			if err != nil {
				yield("", err)
				return
			}
			name, _, nested := strings.Cut(o.Key[len(prefix):], "/")
			if !nested || name == last {
				continue
			}
			last = name
			if !yield(name+"/", nil) {
				return
			}
		}
	}
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := blob.ValidKey(key); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return body.Ended(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		delete(s.objects, key)
	}
	return nil
}

// SignedURL implements blob.Store with a data: URL that holds the object.
func (s *Store) SignedURL(ctx context.Context, key string, opts blob.SignOptions) (string, error) {
	if err := blob.ValidTTL(opts.TTL); err != nil {
		return "", err
	}
	o, err := s.object(ctx, key)
	if err != nil {
		return "", err
	}
	return "data:application/octet-stream," + url.PathEscape(string(o.content)), nil
}

func (s *Store) clock() clock.Clock {
	if s.Clock == nil {
		return clock.System{}
	}
	return s.Clock
}
