package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"guarda/shared/backup/contenthash"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// ChunkReader reads the rows of a chunk, in COPY's text format, and proves
// them: it reports the end (io.EOF) only when the object's SHA-256, its
// length, the number of rows and their content hash are what the manifest
// says. Until then the rows are not proved. It is for one goroutine.
type ChunkReader struct {
	chunk  *Chunk
	raw    io.ReadCloser
	stored hash.Hash
	size   int64
	plain  io.ReadCloser
	lines  contenthash.Lines
	bytes  int64
	err    error
}

// OpenChunk starts reading a chunk that has an object.
func OpenChunk(ctx context.Context, store blob.Store, c *Chunk, key *seal.DataKey) (*ChunkReader, error) {
	raw, err := store.Get(ctx, c.Object, 0, -1)
	if err != nil {
		return nil, err
	}
	r := &ChunkReader{chunk: c, raw: raw, stored: sha256.New()}
	r.plain, err = seal.NewReader(storedBytes{r}, seal.Options{Compression: seal.Compression(c.Encoding), Key: key, AssociatedData: []byte(c.Object)})
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("read the object %s: %w", c.Object, err)
	}
	return r, nil
}

// storedBytes is what the sealed stream is read from.
type storedBytes struct{ r *ChunkReader }

func (s storedBytes) Read(p []byte) (int, error) {
	n, err := s.r.raw.Read(p)
	s.r.stored.Write(p[:n])
	s.r.size += int64(n)
	return n, err
}

// Read implements io.Reader.
func (r *ChunkReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.plain.Read(p)
	_, _ = r.lines.Write(p[:n])
	r.bytes += int64(n)
	switch {
	case err == io.EOF:
		r.err = r.prove()
	case err != nil:
		r.err = fmt.Errorf("read the object %s: %w", r.chunk.Object, err)
	}
	return n, r.err
}

// Bytes returns how many plain bytes were read so far.
func (r *ChunkReader) Bytes() int64 { return r.bytes }

// Rows returns how many rows were read so far.
func (r *ChunkReader) Rows() int64 { return r.lines.Rows() }

func (r *ChunkReader) prove() error {
	c := r.chunk
	if sum := hex.EncodeToString(r.stored.Sum(nil)); r.size != c.StoredBytes || sum != c.SHA256 {
		return fault.New(fault.Corrupt, "the object %s is not what was written: it has %d bytes and SHA-256 %s instead of %d and %s", c.Object, r.size, sum, c.StoredBytes, c.SHA256).
			Hint("restore from another copy of this backup")
	}
	want, err := c.Sum()
	if err != nil {
		return damaged(err)
	}
	got, err := r.lines.Sum()
	if err != nil || got != want || r.bytes != c.RawBytes {
		return fault.New(fault.Corrupt, "the rows in %s are not those that were read from the source: %d rows with content hash %s instead of %d with %s", c.Object, got.Rows, got, want.Rows, want).
			Hint("restore from another copy of this backup").Because(err)
	}
	return io.EOF
}

// Close releases what the reader holds.
func (r *ChunkReader) Close() error {
	_ = r.plain.Close()
	return r.raw.Close()
}
