package manifest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"guarda/shared/backup/contenthash"
	"guarda/shared/blob"
	"guarda/shared/fault"
)

const (
	// LargeObjectClass is the OID of pg_largeobject, which stands for large
	// objects in the keys of their chunks.
	LargeObjectClass = 2613
	// LargeObjectPage is what their chunks' positions count in, in bytes.
	LargeObjectPage = 2048

	pageBits = 31
	// maxLargeObjectRow bounds a row of their chunks, in bytes of text.
	maxLargeObjectRow = 8 << 20
)

// LargeObjects are the database's large objects, but for what is schema (their
// making, owners, grants and comments are entries). Chunks hold them in the
// order of OID and offset; FromBlock and ToBlock are positions (see
// LargeObjectPosition). A row of a chunk is, in COPY's text format, the OID, the
// offset in bytes and the bytes, as bytea in hex; no row is empty, and empty
// large objects have none.
type LargeObjects struct {
	Count       int64   `json:"count"`
	Bytes       int64   `json:"bytes"` // the sum of their sizes
	Rows        int64   `json:"rows"`
	RawBytes    int64   `json:"raw_bytes"`
	StoredBytes int64   `json:"stored_bytes"`
	ContentHash string  `json:"content_hash"`
	Chunks      []Chunk `json:"chunks"`
}

// LargeObjectPosition is the place of a byte in all large objects: the OID times
// 2^31 and the page in the object. offset is in bytes.
func LargeObjectPosition(oid uint32, offset int64) int64 {
	return int64(oid)<<pageBits + offset/LargeObjectPage
}

// LargeObjectOffset returns the offset in bytes of a position in its object.
func LargeObjectOffset(position int64) int64 {
	return (position & (1<<pageBits - 1)) * LargeObjectPage
}

func (l *LargeObjects) check() error {
	var total contenthash.Sum
	next := int64(0)
	for i := range l.Chunks {
		c := &l.Chunks[i]
		if c.FromBlock < next || c.ToBlock <= c.FromBlock {
			return fmt.Errorf("the chunk from %d to %d does not follow %d", c.FromBlock, c.ToBlock, next)
		}
		next = c.ToBlock
		if blob.ValidKey(c.Object) != nil {
			return fmt.Errorf("object key %q", c.Object)
		}
		sum, err := c.Sum()
		if err != nil {
			return err
		}
		total.Add(sum)
	}
	want, err := contenthash.Parse(l.ContentHash, l.Rows)
	if err != nil {
		return err
	}
	if total != want {
		return fmt.Errorf("their chunks have %d rows and hash %s, themselves %d and %s", total.Rows, total, want.Rows, want)
	}
	return nil
}

// LargeObjectReader reads the pieces of large objects out of a chunk. It holds
// one row in memory.
type LargeObjectReader struct {
	r    io.Reader
	buf  []byte
	from int // what of buf is not used yet
	end  error
	data []byte
}

// NewLargeObjectReader reads the rows that r gives.
func NewLargeObjectReader(r io.Reader) *LargeObjectReader {
	return &LargeObjectReader{r: r, buf: make([]byte, 0, 64<<10)}
}

// Next returns the next piece: these bytes stand in the large object at offset.
// data is good until the next call. At the end the error is what the reader
// ended with, io.EOF if all was well.
func (l *LargeObjectReader) Next() (oid uint32, offset int64, data []byte, err error) {
	line, err := l.line()
	if err != nil {
		return 0, 0, nil, err
	}
	first, rest, ok := bytes.Cut(line, []byte{'\t'})
	second, text, ok2 := bytes.Cut(rest, []byte{'\t'})
	hexed, ok3 := bytes.CutPrefix(text, []byte(`\\x`))
	id, err1 := strconv.ParseUint(string(first), 10, 32)
	offset, err2 := strconv.ParseInt(string(second), 10, 64)
	if !ok || !ok2 || !ok3 || err1 != nil || err2 != nil || offset < 0 {
		return 0, 0, nil, fault.New(fault.Corrupt, "a row of the large objects cannot be read").Hint("restore from another copy of this backup")
	}
	if n := hex.DecodedLen(len(hexed)); cap(l.data) < n {
		l.data = make([]byte, n)
	}
	n, err := hex.Decode(l.data[:cap(l.data)], hexed)
	if err != nil {
		return 0, 0, nil, fault.New(fault.Corrupt, "a row of the large objects cannot be read").Hint("restore from another copy of this backup").Because(err)
	}
	return uint32(id), offset, l.data[:n], nil
}

func (l *LargeObjectReader) line() ([]byte, error) {
	seen := l.from
	for {
		if i := bytes.IndexByte(l.buf[seen:], '\n'); i >= 0 {
			line := l.buf[l.from : seen+i]
			l.from = seen + i + 1
			return line, nil
		}
		if l.end != nil {
			if l.end == io.EOF && l.from < len(l.buf) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, l.end
		}
		if l.from > 0 {
			l.buf = l.buf[:copy(l.buf, l.buf[l.from:])]
			l.from = 0
		}
		seen = len(l.buf)
		if len(l.buf) == cap(l.buf) {
			if len(l.buf) >= maxLargeObjectRow {
				return nil, fault.New(fault.Corrupt, "a row of the large objects cannot be read").Hint("restore from another copy of this backup")
			}
			l.buf = append(make([]byte, 0, 2*cap(l.buf)), l.buf...)
		}
		n, err := l.r.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		l.end = err
	}
}
