package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle/noncebased"

	"guarda/shared/fault"
)

// The parameters of Tink's AES256_GCM_HKDF_1MB. A segment is the unit of
// authentication, so it is also what a reader must hold before it may hand
// out the first byte.
//
// Tink's framing (package noncebased) is used as it is; the dozen lines around
// it, which Tink has in a package that also brings in protobuf and its key
// registry (1.8 MB of every function), are written here on the standard
// library. A test reads and writes against Tink's own.
const (
	segmentSize     = 1 << 20 // bytes of ciphertext, tag included
	tagSize         = 16
	noncePrefixSize = 7
	headerSize      = 1 + KeySize + noncePrefixSize // its own length, salt, nonce prefix
)

// streamKey derives the key of one stream: HKDF-SHA256 of the data key, with
// the stream's salt, and the associated data as info.
func streamKey(key *DataKey, salt, associated []byte) (segmentCipher, error) {
	derived, err := hkdf.Key(sha256.New, key.secret[:], salt, string(associated), KeySize)
	if err != nil {
		return segmentCipher{}, fmt.Errorf("derive stream key: %w", err)
	}
	return segmentCipher{gcm((*[KeySize]byte)(derived))}, nil
}

// newEncrypter writes the header to dst and returns the cipher. Close writes
// the last segment and does not close dst.
func newEncrypter(dst io.Writer, key *DataKey, associated []byte) (io.WriteCloser, error) {
	header := make([]byte, headerSize)
	header[0] = headerSize
	_, _ = rand.Read(header[1:]) // never fails: see crypto/rand.Read
	seg, err := streamKey(key, header[1:1+KeySize], associated)
	if err != nil {
		return nil, err
	}
	if _, err := dst.Write(header); err != nil {
		return nil, err
	}
	return noncebased.NewWriter(noncebased.WriterParams{
		W:                            dst,
		SegmentEncrypter:             seg,
		NonceSize:                    nonceSize,
		NoncePrefix:                  header[1+KeySize:],
		PlaintextSegmentSize:         segmentSize - tagSize,
		FirstCiphertextSegmentOffset: headerSize,
	})
}

// segmentCipher encrypts and decrypts segments. The methods with a destination
// let the framing reuse its buffer.
type segmentCipher struct{ aead cipher.AEAD }

func (c segmentCipher) EncryptSegment(segment, nonce []byte) ([]byte, error) {
	return c.EncryptSegmentWithDst(nil, segment, nonce)
}

func (c segmentCipher) EncryptSegmentWithDst(dst, segment, nonce []byte) ([]byte, error) {
	return c.aead.Seal(dst, nonce, segment, nil), nil
}

func (c segmentCipher) DecryptSegment(segment, nonce []byte) ([]byte, error) {
	return c.DecryptSegmentWithDst(nil, segment, nonce)
}

func (c segmentCipher) DecryptSegmentWithDst(dst, segment, nonce []byte) ([]byte, error) {
	return c.aead.Open(dst, nonce, segment, nil)
}

// decrypter reads an encrypted stream. Two habits of Tink's reader are
// mended: after an error it would go on (and could then report the end of the
// stream), and it takes io.ErrUnexpectedEOF from the source, which is how a
// broken connection shows, for the stream's last segment.
type decrypter struct {
	src   *source
	plain io.Reader
	err   error
}

func newDecrypter(src *source, key *DataKey, associated []byte) (*decrypter, error) {
	d := &decrypter{src: src}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(src, header); err != nil {
		return nil, d.explain(err)
	}
	if header[0] != headerSize {
		return nil, d.explain(errors.New("it does not start with the header of an encrypted stream"))
	}
	seg, err := streamKey(key, header[1:1+KeySize], associated)
	if err != nil {
		return nil, err
	}
	d.plain, err = noncebased.NewReader(noncebased.ReaderParams{
		R:                            src,
		SegmentDecrypter:             seg,
		NonceSize:                    nonceSize,
		NoncePrefix:                  header[1+KeySize:],
		CiphertextSegmentSize:        segmentSize,
		FirstCiphertextSegmentOffset: headerSize,
	})
	return d, err
}

func (d *decrypter) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.plain.Read(p)
	if err != nil && err != io.EOF {
		err = d.explain(err)
	}
	d.err = err
	return n, err
}

func (d *decrypter) explain(err error) error {
	if d.src.err != nil {
		return d.src.err
	}
	return fault.New(fault.Corrupt, "the encrypted stream does not authenticate").
		Hint("it was cut short, changed or moved to another name after it was written, or belongs to another key: restore from another copy of this backup").
		Because(err)
}

// source is the stored stream. It remembers the error that ended it, so that
// a failure to read is never taken for damage, and how many bytes there were.
type source struct {
	r   io.Reader
	n   int64
	err error // what ended the stream, other than io.EOF
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, errSource{s.err}
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
		err = errSource{err}
	}
	return n, err
}

// errSource hides what an error of the source is from the layers above, which
// give io.ErrUnexpectedEOF a meaning of their own.
type errSource struct{ cause error }

func (e errSource) Error() string { return e.cause.Error() }
