package logs

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Mode is how a term is looked for.
type Mode string

// The modes.
const (
	Words     Mode = "words"     // as websearch_to_tsquery reads it, by the index
	Substring Mode = "substring" // anywhere in the message, case ignored; looks at every entry
	Regex     Mode = "regex"     // PostgreSQL's regular expressions, case ignored; looks at every entry
)

// Query says which entries are looked for. The zero Query is all of them.
type Query struct {
	Levels     []Level
	Sources    []string
	Start, End time.Time // from Start on, before End; zero: no bound
	Term       string
	Mode       Mode
	UserID     string // uuid
	SessionID  string
	PatternID  string // uuid
	Metadata   []PathValue
	// What must not be there. NotPatterns are uuids.
	NotSources, NotPatterns []string
	NotMetadata             []PathValue
	OldestTop               bool // order: oldest first instead of newest first
}

// PathValue asks for metadata whose member at a path is a value.
type PathValue struct {
	Path  string // members separated by dots
	Value string
}

// Counted reports whether the query asks only for what entries are counted by,
// so that counts answer it.
func (q *Query) Counted() bool {
	return q.Term == "" && q.UserID == "" && q.SessionID == "" && len(q.Metadata) == 0 && len(q.NotMetadata) == 0
}

// Unfiltered reports whether the query asks for everything in its range.
func (q *Query) Unfiltered() bool {
	return q.Counted() && q.EveryKind()
}

// EveryKind reports whether no level, source or pattern is asked for or left
// out: what entries are counted by.
func (q *Query) EveryKind() bool {
	return len(q.Levels) == 0 && len(q.Sources) == 0 && q.PatternID == "" && len(q.NotSources) == 0 && len(q.NotPatterns) == 0
}

// maxSplits bounds how many readings of a path are tried.
const maxSplits = 5

// Readings returns the ways to read a path: keys may have dots themselves
// (http.status_code), so a.b is the member b of a, or the member "a.b".
func (p PathValue) Readings() [][]string {
	parts := strings.Split(p.Path, ".")
	if len(parts) > maxSplits {
		parts = append(parts[:maxSplits-1:maxSplits-1], strings.Join(parts[maxSplits-1:], "."))
	}
	var out [][]string
	for cut := range 1 << (len(parts) - 1) {
		path := []string{parts[0]}
		for i, part := range parts[1:] {
			if cut>>i&1 == 0 {
				path = append(path, part)
			} else {
				path[len(path)-1] += "." + part
			}
		}
		out = append(out, path)
	}
	return out
}

// Position is where an entry stands in the order of time.
type Position struct {
	At time.Time
	ID uuid.UUID
}

// Total is a number of hits.
type Total struct {
	N       int64
	AtLeast bool // counting stopped there
}

// Hit is an entry that was found.
type Hit struct {
	Entry
	Highlights [][2]int // of the message, in UTF-16 code units
}

// Found is a page of hits.
type Found struct {
	Hits []Hit
	More bool
	// Next is where the next page goes on; nil when there is none.
	Next *Position
	// BackTo is how far the search got when its time was up; zero when it
	// looked at the whole range.
	BackTo time.Time
}
