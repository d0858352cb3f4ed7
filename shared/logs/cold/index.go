package cold

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"slices"
	"time"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// The index of a segment, docs/design/cold-logs.md: magic, header, filters.
const (
	indexMagic  = "GLOGIDX1"
	indexPrefix = len(indexMagic) + 8 // and the header's length and checksum
	maxHeader   = 64 << 20
	maxSources  = 200 // of a row group; with more of them any may be in it
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// indexHeader is JSON in the index.
type indexHeader struct {
	Format int             `json:"format"` // 1
	Rows   int64           `json:"rows"`
	Words  logs.TextSearch `json:"words"` // whose words the filters have
	Groups []group         `json:"groups"`
}

// group is a row group of the Parquet object.
type group struct {
	Rows    int          `json:"rows"`
	Low     int64        `json:"low"` // created_at of the first row, microseconds since 1970
	High    int64        `json:"high"`
	Offset  int64        `json:"offset"` // of its bytes in the Parquet object
	Length  int64        `json:"length"`
	Levels  []logs.Level `json:"levels"`
	Sources []string     `json:"sources,omitempty"` // none: any
	Word    span         `json:"word_filter"`
	Key     span         `json:"key_filter"`
}

func (g *group) low() time.Time  { return time.UnixMicro(g.Low).UTC() }
func (g *group) high() time.Time { return time.UnixMicro(g.High).UTC() }

// span is where a filter is, from the header's end on.
type span struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	CRC    uint32 `json:"crc32c"`
}

// index is a segment's index while it is written. The filters of words come
// before those of keys, so that each kind is read with one request.
type index struct {
	indexHeader
	words, keys [][]byte
}

func (x *index) add(g group, words, keys []byte) {
	x.Groups, x.words, x.keys = append(x.Groups, g), append(x.words, words), append(x.keys, keys)
	x.Rows += int64(g.Rows)
}

// encode returns the index and how many bytes of it come before the filters.
func (x *index) encode() (whole []byte, header int, err error) {
	at := int64(0)
	var body []byte
	place := func(f []byte) span {
		s := span{at, int64(len(f)), crc32.Checksum(f, castagnoli)}
		at += s.Length
		body = append(body, f...)
		return s
	}
	for i := range x.Groups {
		x.Groups[i].Word = place(x.words[i])
	}
	for i := range x.Groups {
		x.Groups[i].Key = place(x.keys[i])
	}
	doc, err := json.Marshal(x.indexHeader)
	if err != nil {
		return nil, 0, err
	}
	whole = append(make([]byte, 0, indexPrefix+len(doc)+len(body)), indexMagic...)
	whole = binary.LittleEndian.AppendUint32(whole, uint32(len(doc)))
	whole = binary.LittleEndian.AppendUint32(whole, crc32.Checksum(doc, castagnoli))
	whole = append(whole, doc...)
	return append(whole, body...), indexPrefix + len(doc), nil
}

func corruptIndex(why string) error {
	return fault.New(fault.Corrupt, "the index of archived log entries is damaged: %s", why)
}

// decodeHeader reads what comes before the filters, and holds what it says
// against the sizes of both objects.
func decodeHeader(b []byte, indexSize, parquetSize int64) (*indexHeader, error) {
	if len(b) < indexPrefix || string(b[:len(indexMagic)]) != indexMagic {
		return nil, corruptIndex("it does not begin as one")
	}
	n := binary.LittleEndian.Uint32(b[len(indexMagic):])
	doc := b[indexPrefix:]
	if n > maxHeader || int(n) != len(doc) {
		return nil, corruptIndex("its header has another length")
	}
	if crc32.Checksum(doc, castagnoli) != binary.LittleEndian.Uint32(b[len(indexMagic)+4:]) {
		return nil, corruptIndex("its header's checksum is wrong")
	}
	var h indexHeader
	if err := json.Unmarshal(doc, &h); err != nil {
		return nil, corruptIndex("its header cannot be read")
	}
	if h.Format != 1 {
		return nil, fault.New(fault.Invalid, "archived log entries have the unknown format %d", h.Format).Hint("a newer version of Guarda wrote them")
	}
	filters := indexSize - int64(len(b))
	var rows int64
	for i := range h.Groups {
		g := &h.Groups[i]
		within := func(s span) bool {
			return s.Offset >= 0 && s.Length >= 0 && s.Length%32 == 0 && s.Offset <= filters && s.Length <= filters-s.Offset
		}
		if g.Rows <= 0 || g.Low > g.High || g.Offset < 0 || g.Length <= 0 || g.Offset > parquetSize || g.Length > parquetSize-g.Offset || !within(g.Word) || !within(g.Key) {
			return nil, corruptIndex("a row group of it lies outside")
		}
		if i > 0 && g.Low < h.Groups[i-1].High {
			return nil, corruptIndex("its row groups are not in order")
		}
		rows += int64(g.Rows)
	}
	if rows != h.Rows {
		return nil, corruptIndex("its row groups have another number of rows")
	}
	return &h, nil
}

// filtersOf cuts a stretch of filters that begins at from into those of groups.
func filtersOf(spans []span, from int64, body []byte) ([]filter, error) {
	out := make([]filter, len(spans))
	for i, s := range spans {
		if s.Offset < from || s.Offset+s.Length-from > int64(len(body)) {
			return nil, corruptIndex("a filter of it lies outside")
		}
		f := body[s.Offset-from : s.Offset-from+s.Length]
		if crc32.Checksum(f, castagnoli) != s.CRC {
			return nil, corruptIndex("a filter's checksum is wrong")
		}
		out[i] = filter(f)
	}
	return out, nil
}

// takes reports whether a row group can have rows that are asked for, as its
// header says.
func (g *group) takes(w *logs.Wanted) bool {
	if !w.Touches(g.low(), g.high()) {
		return false
	}
	if len(w.Levels) > 0 && !slices.ContainsFunc(w.Levels, func(l logs.Level) bool { return slices.Contains(g.Levels, l) }) {
		return false
	}
	return len(w.Sources) == 0 || len(g.Sources) == 0 || slices.ContainsFunc(w.Sources, func(s string) bool { return slices.Contains(g.Sources, s) })
}

// byKeys reports whether a query asks for anything that filters of keys answer.
func byKeys(w *logs.Wanted) bool {
	return w.User.Valid || w.Session != "" || w.Patterns != nil || len(w.Members) > 0
}

func takesKeys(f filter, w *logs.Wanted) bool {
	if w.User.Valid && !f.may(userKey(w.User.UUID)) || w.Session != "" && !f.may(sessionKey(w.Session)) {
		return false
	}
	if w.Patterns != nil {
		found := false
		for _, p := range w.Patterns {
			found = found || f.may(patternKey(p))
		}
		if !found {
			return false
		}
	}
	for _, any := range w.Members {
		if !slices.ContainsFunc(any, func(name string) bool { return f.may(memberKey(name)) }) {
			return false
		}
	}
	return true
}
