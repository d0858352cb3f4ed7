package seal

import (
	"io"

	"guarda/shared/fault"
)

// reader gives back the plain bytes. The end of the stream (io.EOF) is only
// reported when the whole stored stream was read and is sound.
type reader struct {
	src    *source
	lower  io.Reader    // the decrypter, or src
	decomp decompressor // nil for None
	err    error        // how the stream ended; every later call returns it
}

// NewReader starts reading a stream. o.Compression is the recorded encoding.
// The reader does not close src; its Close releases what the reader holds and
// does not check the rest of the stream. It is for one goroutine.
//
// Reads return fault.Corrupt when the stream is not what was written, and the
// source's own error when it cannot be read. Bytes handed out before such an
// error are authentic when the stream is encrypted.
func NewReader(src io.Reader, o Options) (io.ReadCloser, error) {
	r := &reader{src: &source{r: src}}
	r.lower = r.src
	if o.Key != nil {
		d, err := newDecrypter(r.src, o.Key, o.AssociatedData)
		if err != nil {
			return nil, err
		}
		r.lower = d
	}
	var err error
	if r.decomp, err = newDecompressor(o.Compression, r.lower); err != nil {
		return nil, r.explain(err)
	}
	return r, nil
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.decomp == nil {
		n, err := r.lower.Read(p)
		if err != nil && err != io.EOF {
			err = r.explain(err)
		}
		r.err = err
		return n, err
	}
	n, err := r.decomp.Read(p)
	switch {
	case err == io.EOF:
		r.err = r.end()
	case err != nil:
		r.err = r.explain(err)
	}
	return n, r.err
}

// end is called at the end of the compressed stream: nothing may follow it,
// and the cipher's last segment must have been seen.
func (r *reader) end() error {
	var b [1]byte
	for {
		n, err := r.lower.Read(b[:])
		switch {
		case n > 0:
			return fault.New(fault.Corrupt, "the stored stream goes on after its end").
				Hint("it was changed after it was written: restore from another copy of this backup")
		case err == io.EOF && r.src.n == 0:
			return fault.New(fault.Corrupt, "the stored stream is empty").
				Hint("it was cut short after it was written: restore from another copy of this backup")
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return r.explain(err)
		}
	}
}

// explain finds the root of an error: the source, else the cipher, else the
// compressed data itself.
func (r *reader) explain(err error) error {
	if r.src.err != nil {
		return r.src.err
	}
	if d, ok := r.lower.(*decrypter); ok && d.err != nil && d.err != io.EOF {
		return d.err
	}
	if fault.As(err) != nil {
		return err
	}
	return fault.New(fault.Corrupt, "the compressed stream is damaged").
		Hint("it was cut short or changed after it was written, or its recorded encoding is wrong: restore from another copy of this backup").
		Because(err)
}

// Close releases the decompressor. Reading after it is an error.
func (r *reader) Close() error {
	if r.decomp != nil && r.err != errClosed {
		r.decomp.release()
		r.decomp = nil
	}
	r.err = errClosed
	return nil
}
