// Package logs is what Guarda knows about log entries: reading them from what
// senders send, masking, taking them in without loss, searching, following.
//
// It knows no HTTP, no object store and no database; package logstore keeps
// the entries.
package logs

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"guarda/shared/fault"
)

// Level says how grave an entry is; the specification's five.
type Level string

// The levels, from the least to the most grave.
const (
	Debug    Level = "debug"
	Info     Level = "info"
	Warn     Level = "warn"
	Error    Level = "error"
	Critical Level = "critical"
)

// Levels returns all levels, from the least to the most grave.
func Levels() []Level { return []Level{Debug, Info, Warn, Error, Critical} }

// LevelOf reads a level in any case, and the other names that loggers use.
// Names that it does not know are "".
func LevelOf(s string) Level {
	switch strings.ToLower(s) {
	case "debug", "trace", "verbose", "fine", "debug1", "debug2", "debug3", "debug4", "debug5":
		return Debug
	case "info", "information", "informational", "notice", "log", "statement", "default":
		return Info
	case "warn", "warning":
		return Warn
	case "error", "err":
		return Error
	case "critical", "crit", "fatal", "panic", "emergency", "emerg", "alert":
		return Critical
	}
	return ""
}

// What an entry may have at most. Sizes are bytes.
const (
	MaxMessage  = 256 << 10
	MaxMetadata = 256 << 10
	MaxSource   = 100 // characters, the column's
	MaxSession  = 255
	MaxDepth    = 64 // of metadata
)

// Entry is a log entry.
type Entry struct {
	ID        uuid.UUID
	GivenID   bool      // the sender's own ID: another entry with it is the same entry
	CreatedAt time.Time // UTC, whole microseconds, as Postgres keeps it
	Level     Level
	Source    string
	Message   string
	Metadata  []byte    // a JSON object that Postgres takes as jsonb; nil: {}
	UserID    uuid.UUID // zero: none
	SessionID string    // "": none
	PatternID uuid.UUID // zero: none

	index int // place among the entries sent
}

// Index is the entry's place among the entries sent.
func (e *Entry) Index() int { return e.index }

// At says which place it has.
func (e *Entry) At(index int) { e.index = index }

// Rejection says why an entry was not taken in.
type Rejection struct {
	Index   int // place among the entries sent, from 0
	Field   string
	Code    string // required, type, too_long, not_allowed, invalid, utf8, nul, syntax, out_of_range
	Message fault.Text
}

// Rejections collects them.
type Rejections struct {
	List []Rejection
	at   int
}

// Field rejects the entry that is being looked at.
func (r *Rejections) Field(name, code, format string, args ...any) {
	r.List = append(r.List, Rejection{Index: r.at, Field: name, Code: code, Message: fault.Text{Format: format, Args: args}})
}

// Batch is what a request brought.
type Batch struct {
	ID         uuid.UUID
	Entries    []Entry
	Sent       int // entries in the request, rejected ones included
	Rejections []Rejection
}

// Identify gives the entries that have none a time and an id. Entries without
// a time get now, a microsecond apart, so that they are listed in the order in
// which they were sent; an id made here is a version 7 UUID of the entry's
// time, so that the id alone says where to look for it (RFC 9562, 5.7).
func (s *Sequence) Identify(entries []Entry, now time.Time) {
	for i := range entries {
		e := &entries[i]
		if e.CreatedAt.IsZero() {
			e.CreatedAt = s.next(now)
		}
		if !e.GivenID {
			e.ID = s.id(e.CreatedAt)
		}
	}
}

// Sequence hands out times that never repeat and ids that grow with them, in
// one process. The zero Sequence is ready; it is safe for concurrent use.
type Sequence struct {
	mu   sync.Mutex
	last int64 // microseconds since 1970
	n    uint32
	pool [4096]byte
	left int
}

func (s *Sequence) next(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(now.UnixMicro(), s.last+1)
	return time.UnixMicro(s.last).UTC()
}

// id makes a version 7 UUID: 48 bits of milliseconds, 12 bits of the
// microsecond's fraction, 30 bits that count, so that entries of one time stay
// in their order, and 32 random ones. The count begins at random: processes
// that make ids for the same time begin together.
func (s *Sequence) id(at time.Time) (id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left < 4 {
		_, _ = rand.Read(s.pool[:]) // never fails: crypto/rand ends the program instead
		s.left = len(s.pool)
	}
	if s.n == 0 {
		s.n = binary.BigEndian.Uint32(s.pool[:4]) >> 3 // far from where 30 bits end
		s.left = len(s.pool) - 4
	}
	us := at.UnixMicro()
	s.n++
	binary.BigEndian.PutUint64(id[:8], uint64(us/1000)<<16|uint64(us%1000)<<2)
	binary.BigEndian.PutUint32(id[8:], s.n)
	copy(id[12:], s.pool[len(s.pool)-s.left:])
	s.left -= 4
	id[6] = 0x70 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id
}

// TimeOf returns the millisecond that an id of Sequence was made for; false
// for an id that says no time.
func TimeOf(id uuid.UUID) (time.Time, bool) {
	if id[6]>>4 != 7 || id[8]>>6 != 2 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC(), true
}
