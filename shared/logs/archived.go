package logs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Archived is a row of advanced_logs as it is kept in the object store: each
// column as Postgres had it, null told from empty.
type Archived struct {
	At       int64 // created_at, in microseconds since 1970
	ID       uuid.UUID
	Level    Level
	Source   string
	Message  string
	Metadata []byte // as jsonb writes it; nil: null
	User     uuid.NullUUID
	Session  *string
	Pattern  uuid.NullUUID
}

// CreatedAt is the row's time, in UTC.
func (a *Archived) CreatedAt() time.Time { return time.UnixMicro(a.At).UTC() }

// Compare orders rows as the log store does, by time and id.
func (a *Archived) Compare(b *Archived) int {
	return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
}

// Bytes is about what the row takes in memory.
func (a *Archived) Bytes() int { return len(a.Message) + len(a.Metadata) + len(a.Source) + 200 }

// Fingerprint is a number for the whole content of a row, the one that
// guarda.log_fingerprint computes in Postgres.
func (a *Archived) Fingerprint() int64 {
	b := make([]byte, 0, a.Bytes())
	text := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(b, ':'), s...)
	}
	id := func(id uuid.NullUUID) {
		if !id.Valid {
			b = append(b, '-')
			return
		}
		b = append(b, id.UUID.String()...)
	}
	b = append(append(b, a.ID.String()...), ' ')
	b = append(strconv.AppendInt(b, a.At, 10), ' ')
	b = append(append(b, a.Level...), ' ')
	text(a.Source)
	b = append(b, ' ')
	text(a.Message)
	b = append(b, ' ')
	if a.Metadata == nil {
		b = append(b, '-')
	} else {
		text(string(a.Metadata))
	}
	b = append(b, ' ')
	id(a.User)
	b = append(b, ' ')
	if a.Session == nil {
		b = append(b, '-')
	} else {
		text(*a.Session)
	}
	b = append(b, ' ')
	id(a.Pattern)
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Segment is a piece of a day in the object store: a Parquet object, sorted by
// time and id, and an index beside it.
type Segment struct {
	ID          uuid.UUID
	Day         time.Time // its start, in UTC
	Low, High   time.Time // of the first and the last row
	Rows        int64
	Content     string // the sum of the rows' fingerprints, in decimal
	Path        string // of the Parquet object
	Size        int64  // bytes of it
	Footer      int64  // bytes of its end that hold the metadata
	IndexSize   int64
	IndexHeader int64 // bytes of the index before its filters
	Kinds       []Kind
	Words       TextSearch // whose words the index has
}

// IndexPath is where the segment's index is.
func (s *Segment) IndexPath() string { return s.Path + ".index" }

// Kind is a number of rows of a level and source.
type Kind struct {
	Level  Level
	Source string
	Rows   int64
}

// Wanted says which archived rows are asked for. What a row itself answers for
// is decided here; the words and the metadata of a query are Postgres's to
// decide, and narrow here only what has to be read.
type Wanted struct {
	Low, High time.Time // from Low on, before High
	Ranges    [][2]time.Time
	Levels    []Level
	Sources   []string
	User      uuid.NullUUID
	Session   string
	Patterns  []uuid.UUID // nil: any
	After     *Position
	OldestTop bool
	// Words is a text search query as Postgres writes it, and Search the text
	// search that read it; "" narrows nothing.
	Words  string
	Search TextSearch
	// Members are what the metadata must have: of each list one.
	Members [][]string
}

// Takes reports whether a row is asked for, its words and metadata aside.
func (w *Wanted) Takes(a *Archived) bool {
	if a.At < w.Low.UnixMicro() || a.At >= w.High.UnixMicro() {
		return false
	}
	if w.Ranges != nil && !slices.ContainsFunc(w.Ranges, func(r [2]time.Time) bool { return a.At >= r[0].UnixMicro() && a.At < r[1].UnixMicro() }) {
		return false
	}
	if len(w.Levels) > 0 && !slices.Contains(w.Levels, a.Level) || len(w.Sources) > 0 && !slices.Contains(w.Sources, a.Source) {
		return false
	}
	if w.User.Valid && (!a.User.Valid || a.User.UUID != w.User.UUID) || w.Session != "" && (a.Session == nil || *a.Session != w.Session) {
		return false
	}
	if w.Patterns != nil && (!a.Pattern.Valid || !slices.Contains(w.Patterns, a.Pattern.UUID)) {
		return false
	}
	if w.After != nil {
		c := cmp.Or(cmp.Compare(a.At, w.After.At.UnixMicro()), bytes.Compare(a.ID[:], w.After.ID[:]))
		return w.OldestTop && c > 0 || !w.OldestTop && c < 0
	}
	return true
}

// Touches reports whether rows from low to high, both included, can be in the
// ranges that are asked for.
func (w *Wanted) Touches(low, high time.Time) bool {
	if !low.Before(w.High) || high.Before(w.Low) {
		return false
	}
	return w.Ranges == nil || slices.ContainsFunc(w.Ranges, func(r [2]time.Time) bool { return low.Before(r[1]) && !high.Before(r[0]) })
}

// maxMemberDepth is how deep metadata is looked into for members.
const maxMemberDepth = maxSplits

// Members names the scalar members of metadata, each with its value, in a form
// in which what jsonb takes to be equal is equal. A list's members count as its
// own, whatever a query makes of lists: a name too many costs a look.
func Members(metadata []byte) []string {
	d := json.NewDecoder(bytes.NewReader(metadata))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil {
		return nil
	}
	var out []string
	var walk func(path string, v any, depth int)
	walk = func(path string, v any, depth int) {
		if list, ok := v.([]any); ok {
			for _, v := range list {
				walk(path, v, depth)
			}
			return
		}
		if object, ok := v.(map[string]any); ok {
			if depth < maxMemberDepth {
				for k, v := range object {
					walk(path+"\x00"+k, v, depth+1)
				}
			}
			return
		}
		if name := Member(path, v); name != "" && depth > 0 {
			out = append(out, name)
		}
	}
	walk("", doc, 0)
	return out
}

// Member names a member at a path, whose parts have a NUL before each; "" when
// the value is no scalar.
func Member(path string, value any) string {
	switch v := value.(type) {
	case nil:
		return path + "\x00\x00null"
	case bool:
		return path + "\x00\x00" + strconv.FormatBool(v)
	case string:
		return path + "\x00\x00\"" + v
	case json.Number:
		// Equal numbers round to the same one, however they are written.
		f, _ := strconv.ParseFloat(v.String(), 64)
		if f == 0 {
			f = 0 // not -0
		}
		return path + "\x00\x00#" + strconv.FormatFloat(f, 'g', -1, 64)
	}
	return ""
}

// Removed adds up rows that leave a segment.
type Removed struct {
	Counts map[Minutely]int
	IDs    []uuid.UUID
}

// Minutely is what entries of a minute are counted by.
type Minutely struct {
	Minute  int64 // its start, microseconds since 1970
	Source  string
	Level   Level
	Pattern uuid.UUID // zero: none
}

// Add adds a row.
func (r *Removed) Add(a *Archived) {
	if r.Counts == nil {
		r.Counts = map[Minutely]int{}
	}
	r.Counts[Minutely{a.CreatedAt().Truncate(time.Minute).UnixMicro(), a.Source, a.Level, a.Pattern.UUID}]++
	r.IDs = append(r.IDs, a.ID)
}
