package seal

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"guarda/shared/fault"
)

// A compressor is a stream encoder from a pool; release gives it back, and
// may be left out (after an error), which only costs the next one an
// allocation.
type compressor interface {
	io.WriteCloser
	release()
}

type decompressor interface {
	io.Reader
	release()
}

const (
	// zstdWindow is how far back zstd looks when writing. It bounds the memory
	// of writer and reader alike.
	zstdWindow = 2 << 20
	// zstdMaxWindow is the largest window we accept when reading: 8 MiB, what
	// RFC 8878 §3.1.1.1.2 asks every decoder to support.
	zstdMaxWindow = 8 << 20
	brotliWindow  = 20 // 2^20 bytes
)

// Default levels, see docs/design/sealed-stream.md for the figures.
const (
	zstdFastest   = 1
	zstdDefault   = 3
	gzipDefault   = 6
	brotliDefault = 4
)

// Coders hold megabytes of tables, so they are kept for the next stream; the
// pools are the one thing here that streams share.
var (
	zstdEncoders   [zstd.SpeedBestCompression + 1]sync.Pool
	gzipEncoders   [gzip.BestCompression + 1]sync.Pool
	brotliEncoders [brotli.BestCompression + 1]sync.Pool
	zstdDecoders   sync.Pool
	gzipDecoders   sync.Pool
	brotliDecoders sync.Pool
)

// newCompressor returns the compressor for c on dst, nil for None.
func newCompressor(c Compression, level int, dst io.Writer) (compressor, error) {
	switch c {
	case None:
		return nil, nil
	case Zstd:
		if level, err := levelOr(c, level, zstdFastest, 22); err != nil {
			return nil, err
		} else {
			return newZstdEncoder(zstd.EncoderLevelFromZstd(level), dst)
		}
	case Gzip:
		level, err := levelOr(c, level, gzipDefault, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		pool := &gzipEncoders[level]
		w, ok := pool.Get().(*gzip.Writer)
		if !ok {
			if w, err = gzip.NewWriterLevel(dst, level); err != nil {
				return nil, err
			}
		}
		w.Reset(dst)
		return gzipEncoder{w, pool}, nil
	case Brotli:
		level, err := levelOr(c, level, brotliDefault, brotli.BestCompression)
		if err != nil {
			return nil, err
		}
		pool := &brotliEncoders[level]
		w, ok := pool.Get().(*brotli.Writer)
		if ok {
			w.Reset(dst)
		} else {
			w = brotli.NewWriterOptions(dst, brotli.WriterOptions{Quality: level, LGWin: brotliWindow})
		}
		return brotliEncoder{w, pool}, nil
	}
	return nil, unknownEncoding(c)
}

func levelOr(c Compression, level, usual, most int) (int, error) {
	if level == 0 {
		return usual, nil
	}
	if level < 1 || level > most {
		return 0, fault.New(fault.Invalid, "level %d of %s is out of range", level, string(c)).Hint("choose a level from 1 to %d", most)
	}
	return level, nil
}

func newZstdEncoder(level zstd.EncoderLevel, dst io.Writer) (compressor, error) {
	pool := &zstdEncoders[level]
	w, ok := pool.Get().(*zstd.Encoder)
	if ok {
		w.Reset(dst)
		return zstdEncoder{w, pool}, nil
	}
	w, err := zstd.NewWriter(dst,
		zstd.WithEncoderLevel(level),
		zstd.WithEncoderConcurrency(1), // no goroutines: the caller has one per stream
		zstd.WithWindowSize(zstdWindow),
		zstd.WithEncoderCRC(true),
		// The fastest level leaves blocks in which nothing repeats as they are.
		// Hex and digits (uuid, bytea, numbers) do not repeat and still are
		// half air: coding their bytes alone is 1.9 times smaller.
		zstd.WithAllLitEntropyCompression(true),
		zstd.WithZeroFrames(true), // so that nothing is not a valid stream
	)
	if err != nil {
		return nil, err
	}
	return zstdEncoder{w, pool}, nil
}

// newDecompressor returns the decompressor for c on src, nil for None.
func newDecompressor(c Compression, src io.Reader) (decompressor, error) {
	switch c {
	case None:
		return nil, nil
	case Zstd:
		r, ok := zstdDecoders.Get().(*zstd.Decoder)
		if !ok {
			var err error
			r, err = zstd.NewReader(nil,
				zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(zstdMaxWindow))
			if err != nil {
				return nil, err
			}
		}
		if err := r.Reset(src); err != nil {
			return nil, err
		}
		return zstdDecoder{r}, nil
	case Gzip:
		if r, ok := gzipDecoders.Get().(*gzip.Reader); ok {
			if err := r.Reset(src); err != nil {
				return nil, unexpected(err)
			}
			return gzipDecoder{r}, nil
		}
		r, err := gzip.NewReader(src)
		if err != nil {
			return nil, unexpected(err)
		}
		return gzipDecoder{r}, nil
	case Brotli:
		r, ok := brotliDecoders.Get().(*brotli.Reader)
		if !ok {
			return &brotliDecoder{r: brotli.NewReader(src)}, nil
		}
		if err := r.Reset(src); err != nil {
			return nil, err
		}
		return &brotliDecoder{r: r}, nil
	}
	return nil, unknownEncoding(c)
}

// unexpected turns the end of an empty stream into an error that is not io.EOF.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

type zstdEncoder struct {
	*zstd.Encoder
	pool *sync.Pool
}

func (e zstdEncoder) release() {
	e.Reset(nil) // let go of dst
	e.pool.Put(e.Encoder)
}

type gzipEncoder struct {
	*gzip.Writer
	pool *sync.Pool
}

func (e gzipEncoder) release() {
	e.Reset(nil)
	e.pool.Put(e.Writer)
}

type brotliEncoder struct {
	*brotli.Writer
	pool *sync.Pool
}

func (e brotliEncoder) release() { e.pool.Put(e.Writer) }

type zstdDecoder struct{ *zstd.Decoder }

func (d zstdDecoder) release() {
	if d.Reset(nil) == nil {
		zstdDecoders.Put(d.Decoder)
	}
}

type gzipDecoder struct{ *gzip.Reader }

func (d gzipDecoder) release() { gzipDecoders.Put(d.Reader) }

type brotliDecoder struct{ r *brotli.Reader }

func (d *brotliDecoder) Read(p []byte) (int, error) { return d.r.Read(p) }

func (d *brotliDecoder) release() {
	_ = d.r.Reset(nil)
	brotliDecoders.Put(d.r)
}
