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
	// IfAbsent makes Put fail with fault.Conflict when the key exists. Where a
	// store cannot decide that itself (some look-alikes of S3, file systems
	// without links), it is a look before the put: of two at the same moment,
	// both may succeed.
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

// ValidPrefix reports whether prefix may be given to List: empty, or the
// beginning of a valid key, a trailing '/' included.
func ValidPrefix(prefix string) error {
	if prefix == "" || ValidKey(prefix) == nil {
		return nil
	}
	return ValidKey(prefix + "x") // "a/", "a/." and "a/.." begin keys and are none
}

// ValidFolder reports whether prefix may be given to Folders: empty, or the
// beginning of a valid key that ends in '/'.
func ValidFolder(prefix string) error {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return fault.New(fault.Invalid, "the folder %q must end in \"/\"", prefix)
	}
	return ValidPrefix(prefix)
}

// ValidRange reports whether offset may be given to Get; every length may.
func ValidRange(offset int64) error {
	if offset < 0 {
		return fault.New(fault.Invalid, "the offset %d is negative", offset)
	}
	return nil
}

// NotFoundError is the error of a store that has no object under key.
func NotFoundError(s Store, key string) *fault.Error {
	return fault.New(fault.NotFound, "the object %s is not in %s", key, s.String()).
		Hint("it was deleted, or the store's URL is not the one it was written to")
}

// ExistsError is the error of Put with IfAbsent for a key that exists.
func ExistsError(s Store, key string) *fault.Error {
	return fault.New(fault.Conflict, "the object %s is already in %s", key, s.String())
}

// MaxSignedTTL is the longest life of a signed link, the most that S3 allows.
const MaxSignedTTL = 7 * 24 * time.Hour

// ValidTTL reports whether a signed link may live that long.
func ValidTTL(ttl time.Duration) error {
	if ttl < time.Second || ttl > MaxSignedTTL {
		return fault.New(fault.Invalid, "a link cannot be valid for %s", ttl.String()).
			Hint("choose between 1 second and 7 days")
	}
	return nil
}
