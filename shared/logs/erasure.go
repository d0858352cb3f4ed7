package logs

import (
	"time"

	"github.com/google/uuid"

	"guarda/shared/fault"
)

// Subject says whose entries are erased: those that have all that it names.
type Subject struct {
	User    uuid.NullUUID
	Session string // "": any
}

// OfArchived reports whether an archived row is the subject's.
func (s *Subject) OfArchived(a *Archived) bool {
	return s.named() && (!s.User.Valid || a.User.Valid && a.User.UUID == s.User.UUID) && (s.Session == "" || a.Session != nil && *a.Session == s.Session)
}

// OfEntry reports whether an entry is the subject's.
func (s *Subject) OfEntry(e *Entry) bool {
	return s.named() && (!s.User.Valid || e.UserID == s.User.UUID) && (s.Session == "" || e.SessionID == s.Session)
}

func (s *Subject) named() bool { return s.User.Valid || s.Session != "" }

// Stages of an erasure, in their order.
const (
	EraseSpool   = "spool"     // batches that wait
	EraseHot     = "hot"       // Postgres
	EraseCold    = "cold"      // segments, which are rewritten
	EraseObjects = "objects"   // the old objects, once no search reads them
	EraseLook    = "last_look" // what came in by batches that were under way
	EraseDone    = "done"
)

// Erasure is a request to erase somebody's entries, and how far it is.
type Erasure struct {
	ID          string
	Seq         int64
	Subject     Subject // zero once it is done
	Stage       string
	State       string // pending, running, completed
	Reason      string
	By          string // who asked, by name
	ByID        string // "": an API key of nobody
	RequestedAt time.Time
	UpdatedAt   time.Time
	CompletedAt *time.Time

	HotRows, ColdRows, SpooledRows                 int64
	SegmentsTotal, SegmentsDone, SegmentsRewritten int
	ColdDoneAt                                     *time.Time
	LastError                                      *fault.Failure // of the last run; nil when it went well
}
