package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

const (
	sampleBytes = 1 << 20   // what decides about the compression
	writeBytes  = 128 << 10 // handed to the compressor at once
)

// copier copies chunks on one connection. It is for one goroutine; its buffer
// is used again for the next chunk.
type copier struct {
	conn        *pgx.Conn
	store       blob.Store
	folder      string
	key         *seal.DataKey
	compression seal.Compression
	base        *Base
	live        *live
	buffer      []byte

	largeObjects []largeObject // all of the run
}

// live counts the bytes and rows of chunks that are being copied.
type live struct{ bytes, rows atomic.Int64 }

// statement is the COPY that reads a chunk.
func statement(t *pgcatalog.Table, c *Chunk) string {
	table := pgx.Identifier{t.Schema, t.Name}.Sanitize()
	columns := make([]string, len(t.Columns))
	for i, name := range t.Columns {
		columns[i] = pgx.Identifier{name}.Sanitize()
	}
	list := strings.Join(columns, ", ")
	where := rangeConditions(c)
	if t.Filter != "" {
		where = append(where, "("+t.Filter+")")
	}
	if len(where) == 0 {
		if list != "" {
			list = " (" + list + ")"
		}
		return "copy " + table + list + " to stdout"
	}
	return "copy (select " + list + " from only " + table + " where " + strings.Join(where, " and ") + ") to stdout"
}

// copy reads a chunk and stores it. The object, if there are rows, is there
// when it returns without an error; otherwise there is none.
func (w *copier) copy(ctx context.Context, t *pgcatalog.Table, c *Chunk) (*ChunkResult, error) {
	if w.buffer == nil {
		w.buffer = make([]byte, 0, sampleBytes)
	}
	s := &sink{ctx: ctx, w: w, chunk: c, buffer: w.buffer[:0], limit: sampleBytes}
	if w.compression != seal.Auto {
		s.limit = writeBytes
	}
	defer s.settleLive()
	tag, err := w.conn.PgConn().CopyTo(ctx, s, w.statement(t, c))
	if err != nil {
		s.abort(err)
		if s.err != nil { // the store's error, not the source's
			return nil, s.err
		}
		return nil, pgsession.Explain(err, fmt.Sprintf("read table %s.%s", t.Schema, t.Name))
	}
	r, err := s.finish()
	if err != nil {
		return nil, err
	}
	if tag.RowsAffected() != r.Rows {
		w.discard(ctx, r.ObjectKey)
		return nil, fault.New(fault.Internal, "the server sent %d rows of %s.%s and %d lines came", tag.RowsAffected(), t.Schema, t.Name, r.Rows)
	}
	return r, nil
}

// discard deletes an object that no manifest will name. Failing to leaves it
// to garbage collection.
func (w *copier) discard(ctx context.Context, key string) {
	if key != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = w.store.Delete(ctx, key)
	}
}

// sink takes the rows of one chunk: hash, buffer, compressor, cipher, store.
// The object is begun when the first megabyte is there or the rows end, so a
// range without rows makes none.
type sink struct {
	ctx    context.Context
	w      *copier
	chunk  *Chunk
	lines  contenthash.Lines
	buffer []byte
	limit  int // flush the buffer at this size
	raw    int64
	told   live // what was added to w.live

	out  *upload
	seal *seal.Writer
	err  error // the store's or the sealing's error
}

// Write implements io.Writer. pgx writes a row at a time; nothing here relies
// on it.
func (s *sink) Write(p []byte) (int, error) {
	_, _ = s.lines.Write(p)
	s.raw += int64(len(p))
	for rest := p; len(rest) > 0; {
		n := min(len(rest), s.limit-len(s.buffer))
		s.buffer = append(s.buffer, rest[:n]...)
		rest = rest[n:]
		if len(s.buffer) == s.limit {
			if s.err = s.flush(); s.err != nil {
				return 0, s.err
			}
		}
	}
	return len(p), nil
}

func (s *sink) flush() error {
	if s.seal == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	_, err := s.seal.Write(s.buffer)
	s.buffer = s.buffer[:0]
	s.limit = writeBytes
	s.tell()
	return err
}

func (s *sink) tell() {
	bytes, rows := s.raw, s.lines.Rows()
	s.w.live.bytes.Add(bytes - s.told.bytes.Swap(bytes))
	s.w.live.rows.Add(rows - s.told.rows.Swap(rows))
}

// settleLive takes the chunk out of what is being copied.
func (s *sink) settleLive() {
	s.w.live.bytes.Add(-s.told.bytes.Load())
	s.w.live.rows.Add(-s.told.rows.Load())
}

// open begins the object.
func (s *sink) open() error {
	compression, level := s.w.compression, 0
	if compression == seal.Auto {
		var err error
		if compression, level, err = choose(s.buffer); err != nil {
			return err
		}
	}
	key := chunkKey(s.w.folder, s.chunk) + manifest.Suffix(string(compression), s.w.key != nil)
	s.out = startUpload(s.ctx, s.w.store, key)
	var err error
	s.seal, err = seal.NewWriter(s.out.pipe, seal.Options{Compression: compression, Level: level, Key: s.w.key, AssociatedData: []byte(key)})
	return err
}

// chunkKey is the key of a new object for a chunk, without suffixes. It is
// unique, so that two workers that copy the same chunk never write one object.
func chunkKey(folder string, c *Chunk) string {
	var unique [4]byte
	_, _ = rand.Read(unique[:]) // never fails: see crypto/rand.Read
	end := "end"
	if c.ToBlock >= 0 {
		end = fmt.Sprint(c.ToBlock)
	}
	return fmt.Sprintf("%sdata/%d/%d-%s.%s.copy", folder, c.TableOID, c.FromBlock, end, hex.EncodeToString(unique[:]))
}

// finish ends the object and describes it.
func (s *sink) finish() (*ChunkResult, error) {
	sum, err := s.lines.Sum()
	if err != nil {
		s.abort(err)
		return nil, fmt.Errorf("rows of %s.%s: %w", s.chunk.Schema, s.chunk.Table, err)
	}
	r := &ChunkResult{No: s.chunk.No, Rows: sum.Rows, RawBytes: s.raw, ContentHash: sum.String()}
	if s.raw == 0 {
		return r, nil
	}
	if err := s.flush(); err != nil {
		s.abort(err)
		return nil, err
	}
	if err := s.seal.Close(); err != nil {
		s.abort(err)
		return nil, err
	}
	stored, err := s.out.finish()
	if err != nil {
		return nil, err
	}
	r.ObjectKey, r.StoredBytes, r.SHA256, r.Encoding = stored.Key, stored.Size, stored.SHA256, s.seal.Encoding()
	return r, nil
}

// abort makes sure that the object does not come into being.
func (s *sink) abort(cause error) {
	if s.out != nil {
		s.out.abort(cause)
	}
}

// upload is a Put that reads what is written to pipe.
type upload struct {
	pipe   *io.PipeWriter
	done   chan struct{}
	stored blob.Object
	err    error
}

func startUpload(ctx context.Context, store blob.Store, key string) *upload {
	r, w := io.Pipe()
	u := &upload{pipe: w, done: make(chan struct{})}
	go func() {
		defer close(u.done)
		u.stored, u.err = store.Put(ctx, key, r, blob.PutOptions{})
		if u.err == nil {
			_ = r.Close()
		} else {
			_ = r.CloseWithError(u.err) // what the writer sees
		}
	}()
	return u
}

func (u *upload) finish() (blob.Object, error) {
	_ = u.pipe.Close()
	<-u.done
	return u.stored, u.err
}

func (u *upload) abort(cause error) {
	_ = u.pipe.CloseWithError(cause)
	<-u.done
}

// choose is the rule of auto compression: zstd's fastest level, unless that
// saves less than a twentieth of the sample.
func choose(sample []byte) (seal.Compression, int, error) {
	var size counter
	w, err := seal.NewWriter(&size, seal.Options{Compression: seal.Zstd, Level: 1})
	if err != nil {
		return "", 0, err
	}
	if _, err := w.Write(sample); err != nil {
		return "", 0, err
	}
	if err := w.Close(); err != nil {
		return "", 0, err
	}
	if int(size) > len(sample)-len(sample)/20 {
		return seal.None, 0, nil
	}
	return seal.Zstd, 1, nil
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
