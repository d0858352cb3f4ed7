package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"testing"

	"guarda/shared/blob"
)

const mib = 1 << 20

// noise is an endless stream that no store can compress, the same for the
// same seed.
func noise(seed uint64) io.Reader {
	var s [32]byte
	for i := range 8 {
		s[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(s)
}

// part is noise of n bytes. It is not an io.Seeker, as streams are not.
func part(seed uint64, n int64) io.Reader { return io.LimitReader(noise(seed), n) }

func hashOf(t *testing.T, r io.Reader) (sum string, size int64) {
	t.Helper()
	h := sha256.New()
	size, err := io.Copy(h, r)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return hex.EncodeToString(h.Sum(nil)), size
}

func put(t *testing.T, s blob.Store, key, content string) blob.Object {
	t.Helper()
	o, err := s.Put(t.Context(), key, bytes.NewReader([]byte(content)), blob.PutOptions{})
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return o
}

func get(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	return getRange(t, s, key, 0, -1)
}

func getRange(t *testing.T, s blob.Store, key string, offset, length int64) string {
	t.Helper()
	r, err := s.Get(t.Context(), key, offset, length)
	if err != nil {
		t.Fatalf("get %s [%d, +%d): %v", key, offset, length, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %s [%d, +%d): %v", key, offset, length, err)
	}
	return string(b)
}

func keys(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	var out []string
	for o, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		out = append(out, o.Key)
	}
	return out
}

func folders(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	var out []string
	for f, err := range s.Folders(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("folders %q: %v", prefix, err)
		}
		out = append(out, f)
	}
	return out
}

// leavesNothing fails the test when the store holds anything.
func leavesNothing(t *testing.T, s blob.Store, o Options) {
	t.Helper()
	if left := keys(t, s, ""); len(left) > 0 {
		t.Errorf("objects were left: %q", left)
	}
	if left := folders(t, s, ""); len(left) > 0 {
		t.Errorf("folders were left: %q", left)
	}
	if o.Unfinished != nil {
		if left := o.Unfinished(t, s); len(left) > 0 {
			t.Errorf("unfinished uploads were left: %q", left)
		}
	}
}

// atByte calls do once when n bytes of r were read.
type atByte struct {
	r  io.Reader
	n  int64
	do func() error
}

func (a *atByte) Read(p []byte) (int, error) {
	if a.n <= 0 && a.do != nil {
		do := a.do
		a.do = nil
		if err := do(); err != nil {
			return 0, err
		}
	}
	if a.do != nil && int64(len(p)) > a.n {
		p = p[:a.n]
	}
	n, err := a.r.Read(p)
	a.n -= int64(n)
	return n, err
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
