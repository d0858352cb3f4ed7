// Package contenthash sums up the rows of a table so that two copies of it can
// be compared without sorting: the sum, modulo 2^128, of a 128-bit hash of
// each line of COPY's text format, and the number of lines. The sum of the
// parts of a table is the sum of the table.
//
// The hash of a line is XXH3-128 (https://github.com/Cyan4973/xxHash, XXH3 of
// 0.8) with Seed over the line's bytes without the newline. Adding, unlike
// exclusive or, also counts rows that occur twice. It is a guard against
// damage and defects, not against someone who may choose the rows; the sealed
// stream is what authenticates.
package contenthash

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"

	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Seed of the hash, "guarda-1" read as a big-endian number. It is part of the
// store format.
const Seed uint64 = 0x6775617264612d31

// Sum is the content hash of some rows. The zero value is that of no rows.
type Sum struct {
	Hi, Lo uint64
	Rows   int64
}

// Add adds the rows of another part.
func (s *Sum) Add(o Sum) {
	s.add(o.Hi, o.Lo)
	s.Rows += o.Rows
}

func (s *Sum) add(hi, lo uint64) {
	var carry uint64
	s.Lo, carry = bits.Add64(s.Lo, lo, 0)
	s.Hi, _ = bits.Add64(s.Hi, hi, carry)
}

// String returns the 32 hex digits of the sum, most significant first.
func (s Sum) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.Hi)
	binary.BigEndian.PutUint64(b[8:], s.Lo)
	return hex.EncodeToString(b[:])
}

// Parse reads what String and Rows gave.
func Parse(digits string, rows int64) (Sum, error) {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 16 || rows < 0 {
		return Sum{}, fmt.Errorf("%q with %d rows is not a content hash", digits, rows)
	}
	return Sum{Hi: binary.BigEndian.Uint64(b[:8]), Lo: binary.BigEndian.Uint64(b[8:]), Rows: rows}, nil
}

// Lines hashes a stream of COPY text, however it is cut into writes. It keeps
// no bytes of it. The zero value is ready to use.
type Lines struct {
	sum     Sum
	partial *xxh3.Hasher // the line that has begun
	begun   bool
}

// Write implements io.Writer; it never fails. A write that is exactly one line
// is the fast case.
func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			l.begin(p)
			break
		}
		if l.begun {
			_, _ = l.partial.Write(p[:end])
			h := l.partial.Sum128()
			l.sum.add(h.Hi, h.Lo)
			l.begun = false
		} else {
			h := xxh3.Hash128Seed(p[:end], Seed)
			l.sum.add(h.Hi, h.Lo)
		}
		l.sum.Rows++
		p = p[end+1:]
	}
	return n, nil
}

func (l *Lines) begin(p []byte) {
	if !l.begun {
		if l.partial == nil {
			l.partial = xxh3.NewSeed(Seed)
		} else {
			l.partial.Reset()
		}
		l.begun = true
	}
	_, _ = l.partial.Write(p)
}

// Rows returns the number of complete lines so far.
func (l *Lines) Rows() int64 { return l.sum.Rows }

var errUnfinished = errors.New("the last line has no end")

// Sum returns the sum of everything written. It is an error when the last
// line has no newline.
func (l *Lines) Sum() (Sum, error) {
	if l.begun {
		return Sum{}, errUnfinished
	}
	return l.sum, nil
}

// Reset makes l ready for another stream.
func (l *Lines) Reset() {
	l.sum = Sum{}
	l.begun = false
}
