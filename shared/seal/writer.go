package seal

import (
	"errors"
	"io"

	"guarda/shared/fault"
)

// Writer compresses and encrypts what is written to it. It is for one
// goroutine. A Writer that is not closed has written an unfinished stream.
type Writer struct {
	bottom   io.WriteCloser // the cipher, or dst
	comp     compressor     // nil until the encoding is known, and for None
	encoding Compression    // Auto until it is known
	sample   []byte         // what was written while it is not
	err      error          // the first error; every later call returns it
	closed   bool
}

// NewWriter starts a stream on dst. With a key it writes the cipher's header
// at once. dst gets writes of up to 1 MiB.
func NewWriter(dst io.Writer, o Options) (*Writer, error) {
	w := &Writer{bottom: nopWriteCloser{dst}, encoding: o.Compression}
	if w.encoding == "" {
		w.encoding = Auto
	}
	if o.Key != nil {
		enc, err := newEncrypter(dst, o.Key, o.AssociatedData)
		if err != nil {
			return nil, err
		}
		w.bottom = enc
	}
	if w.encoding == Auto {
		return w, nil
	}
	if err := w.choose(w.encoding, o.Level); err != nil {
		return nil, err
	}
	return w, nil
}

// choose settles the encoding and starts the compressor.
func (w *Writer) choose(c Compression, level int) error {
	comp, err := newCompressor(c, level, w.bottom)
	if err != nil {
		return err
	}
	w.encoding, w.comp = c, comp
	return nil
}

var errClosed = errors.New("seal: the stream is closed already")

// Write implements io.Writer. An error is final.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	if w.err != nil {
		return 0, w.err
	}
	written := 0
	if w.encoding == Auto {
		if w.sample == nil {
			w.sample = newSample()
		}
		n := min(len(p), sampleSize-len(w.sample))
		w.sample = append(w.sample, p[:n]...)
		written, p = n, p[n:]
		if len(p) == 0 {
			return written, nil
		}
		if w.err = w.settle(); w.err != nil {
			return written, w.err
		}
	}
	n, err := w.pass(p)
	w.err = err
	return written + n, err
}

// settle chooses the encoding from the sample and passes the sample on.
func (w *Writer) settle() error {
	c, level := choose(w.sample)
	if err := w.choose(c, level); err != nil {
		return err
	}
	_, err := w.pass(w.sample)
	freeSample(w.sample)
	w.sample = nil
	return err
}

func (w *Writer) pass(p []byte) (int, error) {
	if w.comp != nil {
		return w.comp.Write(p)
	}
	return w.bottom.Write(p)
}

// Close finishes the compression and the encryption. It does not close dst.
// Closing again does nothing and returns the first result.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err != nil {
		return w.err
	}
	w.err = w.finish()
	return w.err
}

func (w *Writer) finish() error {
	if w.encoding == Auto {
		if err := w.settle(); err != nil {
			return err
		}
	}
	if w.comp != nil {
		if err := w.comp.Close(); err != nil {
			return err
		}
		w.comp.release()
	}
	return w.bottom.Close()
}

// Encoding says how the stream is compressed: "zstd", "gzip", "brotli" or
// "none". It is known for certain after Close; with Auto it is "auto" before
// the first megabyte is full.
func (w *Writer) Encoding() string { return string(w.encoding) }

type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }

func unknownEncoding(c Compression) error {
	return fault.New(fault.Invalid, "unknown encoding %q of a stored stream", string(c)).
		Hint("it may have been written by a newer version of guarda: use that one")
}
