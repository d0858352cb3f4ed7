// Package body reads what Put is given: it counts and hashes the bytes, stops
// when the context ends, and remembers whether it was the body or the store
// that failed.
package body

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"guarda/shared/fault"
)

// Reader is a body being read. It is for one goroutine.
type Reader struct {
	ctx  context.Context
	r    io.Reader
	hash hash.Hash
	n    int64
	err  error
}

// New returns a Reader of r that fails once ctx has ended.
func New(ctx context.Context, r io.Reader) *Reader {
	return &Reader{ctx: ctx, r: r, hash: sha256.New()}
}

// Read implements io.Reader.
func (b *Reader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if err := b.ctx.Err(); err != nil {
		b.err = Ended(b.ctx)
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.hash.Write(p[:n])
	b.n += int64(n)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// Size returns the number of bytes read so far.
func (b *Reader) Size() int64 { return b.n }

// SHA256 returns the hash of the bytes read so far, in lower-case hex.
func (b *Reader) SHA256() string { return hex.EncodeToString(b.hash.Sum(nil)) }

// Err returns the body's own error, or nil. io.EOF is not an error.
func (b *Reader) Err() error { return b.err }

// Ended returns the error for a context that has ended.
func Ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "the object store did not answer in time").
			Hint("see whether the store is slow or the network is congested, then try again").Because(context.Cause(ctx))
	}
	return fault.New(fault.Canceled, "the transfer was stopped").Because(context.Cause(ctx))
}
