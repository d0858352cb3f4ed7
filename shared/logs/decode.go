package logs

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"guarda/shared/fault"
)

// MaxBody is how many bytes a request's body may have once it is decoded.
const MaxBody = 20 << 20

// Decode undoes a content encoding: "" and identity, gzip, zstd. A body that
// decodes to more than MaxBody is fault.TooLarge, found out after MaxBody bytes
// whatever it claims; one that is cut off or damaged is fault.BadRequest, an
// encoding that is none of these fault.UnsupportedMedia. A body that is said to
// be gzip and is not is taken as it is: API Gateway decodes bodies and leaves
// the header.
func Decode(body []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return limited(body)
	case "gzip", "x-gzip":
		if !bytes.HasPrefix(body, gzipMagic) {
			return limited(body)
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, damaged(encoding, err)
		}
		return decoded(z, encoding)
	case "zstd":
		z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(32<<20), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, damaged(encoding, err)
		}
		defer z.Close()
		return decoded(z, encoding)
	}
	return nil, fault.New(fault.UnsupportedMedia, "the content encoding %q is not one that is understood here", encoding).
		Hint("send the body as it is, or with Content-Encoding gzip or zstd")
}

func limited(body []byte) ([]byte, error) {
	if len(body) > MaxBody {
		return nil, tooLarge()
	}
	return body, nil
}

func decoded(r io.Reader, encoding string) ([]byte, error) {
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, MaxBody+1))
	switch {
	case n > MaxBody, errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, tooLarge()
	case err != nil:
		return nil, damaged(encoding, err)
	}
	return out.Bytes(), nil
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "the body has more than %d bytes when it is decoded", MaxBody).Hint("send the entries in several requests")
}

func damaged(encoding string, err error) error {
	return fault.New(fault.BadRequest, "the body is not valid %s", encoding).
		Hint("zstd needs the Content-Type application/x-ndjson or application/zstd to pass API Gateway unchanged").Because(err)
}
