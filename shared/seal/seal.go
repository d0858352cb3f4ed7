// Package seal turns a stream of plain bytes into what is kept in the store,
// and back: compression first, authenticated encryption second. It also keeps
// the keys: a data key per backup, wrapped by something that people hold (a
// key file, a passphrase, a key in AWS KMS).
//
// The format is written down byte by byte in docs/design/sealed-stream.md.
// What this version writes, every later version reads: testdata holds sealed
// files that must stay readable.
//
// # What is detected
//
// An encrypted stream is authenticated as a whole: a changed bit, a cut at
// any byte, swapped or repeated parts, and a stream that was moved to another
// object key are all errors. Without encryption, zstd and gzip carry a
// checksum of the content, brotli and none do not; the SHA-256 of the stored
// object in the manifest covers those.
//
// # Memory
//
// A stream needs a few megabytes whatever its length (figures in
// docs/design/sealed-stream.md), also for a hostile stream.
package seal

import (
	"guarda/shared/fault"
)

// Compression names how a stream is compressed. The zero value means Auto
// when writing and is not valid when reading.
type Compression string

// The compressions. Auto is a choice, made by looking at the first megabyte,
// and never recorded: Writer.Encoding says what was chosen.
const (
	Auto   Compression = "auto"
	Zstd   Compression = "zstd"
	Gzip   Compression = "gzip"
	Brotli Compression = "brotli"
	None   Compression = "none"
)

// ParseCompression reads a compression as people write it in settings and
// flags. "" is Auto.
func ParseCompression(s string) (Compression, error) {
	switch c := Compression(s); c {
	case "":
		return Auto, nil
	case Auto, Zstd, Gzip, Brotli, None:
		return c, nil
	}
	return "", fault.New(fault.Invalid, "unknown compression %q", s).
		Hint("choose auto, zstd, gzip, brotli or none")
}

// Options say how a stream is written or read.
type Options struct {
	// Compression to use; when reading, the recorded encoding.
	Compression Compression
	// Key encrypts the stream; nil leaves it unencrypted.
	Key *DataKey
	// AssociatedData is bound to an encrypted stream: reading needs the same
	// bytes. It is the object's key, so that objects cannot be swapped.
	AssociatedData []byte
	// Level of the compression; 0 is the default. zstd 1 to 22, gzip 1 to 9,
	// brotli 1 to 11. Ignored for Auto and None, and when reading.
	Level int
}
