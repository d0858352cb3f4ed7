// Package blob is the port to object storage: a handful of operations that
// S3, its look-alikes, Google Cloud Storage and a plain directory all have.
// Each adapter lives in a folder of its own and passes the conformance suite
// in blobtest.
package blob

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"guarda/shared/fault"
)

// Object describes a stored object.
type Object struct {
	Key      string
	Size     int64     // bytes
	Modified time.Time // UTC; the store's clock
	SHA256   string    // lower-case hex of the whole object; "" where the store does not keep it
}

// PutOptions are the options of Put. The zero value is a plain put.
type PutOptions struct {
	// ContentType is stored with the object; "" is application/octet-stream.
	ContentType string
	// IfAbsent makes Put fail with fault.Conflict when the key exists.
	IfAbsent bool
}

// SignOptions shape a signed link.
type SignOptions struct {
	TTL      time.Duration // how long the link works; at most 7 days
	FileName string        // name offered to the browser; "" leaves it out
}

// Store keeps objects under keys. Keys are relative to the store's prefix,
// are made of the segments that ValidKey allows, and use '/' as separator.
// Implementations are safe for concurrent use.
//
// Errors are *fault.Error: NotFound (no such object or bucket), Conflict
// (IfAbsent), Forbidden (credentials or policy), Exhausted (disk or quota),
// Unavailable (cannot be reached; retried already), Invalid (bad key), Corrupt
// (the store answered with bytes whose checksum is not theirs).
type Store interface {
	// Put stores everything body yields under key and returns what was stored,
	// SHA256 included. The object appears whole or not at all, also when the
	// process is killed, and an existing object is replaced. Memory use is
	// bounded whatever the length of body.
	Put(ctx context.Context, key string, body io.Reader, opts PutOptions) (Object, error)
	// Get reads length bytes from offset; length < 0 reads to the end. The
	// caller closes the reader. Reading less than asked because the object
	// ends is not an error.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
	// Stat describes the object.
	Stat(ctx context.Context, key string) (Object, error)
	// List yields the objects whose key starts with prefix, in byte order of
	// keys. It stops at the first error.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Folders yields the distinct next path segments below prefix (which is
	// empty or ends in '/'), each ending in '/', in byte order.
	Folders(ctx context.Context, prefix string) iter.Seq2[string, error]
	// Delete removes the objects; a key that does not exist is not an error.
	Delete(ctx context.Context, keys ...string) error
	// SignedURL returns a link that reads the object without credentials.
	SignedURL(ctx context.Context, key string, opts SignOptions) (string, error)
	// String names the store for people: its URL, without secrets.
	String() string
}

// ValidKey reports whether key may name an object: not empty, at most 900
// bytes, no leading or trailing '/', no empty, "." or ".." segment, and only
// letters, digits and !-_.*'()=+,@ in its segments. It is what every store we know takes
// without escaping surprises.
func ValidKey(key string) error {
	if key == "" || len(key) > 900 {
		return fault.New(fault.Invalid, "object key %q must have 1 to 900 bytes", key)
	}
	for seg := range strings.SplitSeq(key, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fault.New(fault.Invalid, "object key %q has an empty or relative segment", key)
		}
		for i := 0; i < len(seg); i++ {
			if c := seg[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!-_.*'()=+,@", c) >= 0) {
				return fault.New(fault.Invalid, "object key %q has the character %q, which not every store takes", key, string(c))
			}
		}
	}
	return nil
}
