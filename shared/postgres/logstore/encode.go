package logstore

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"guarda/shared/logs"
)

// rows encodes rows for COPY in PostgreSQL's binary format (manual, "COPY",
// file formats): what pgx's CopyFrom does for any type through interfaces is a
// third of the time of an ingest.
type rows struct{ b []byte }

func newRows(capacity int) *rows {
	r := &rows{b: make([]byte, 0, capacity)}
	r.b = append(r.b, "PGCOPY\n\xff\r\n\x00"...)
	r.b = append(r.b, 0, 0, 0, 0, 0, 0, 0, 0) // flags, length of the header's extension
	return r
}

// end returns the whole.
func (r *rows) end() []byte { return append(r.b, 0xff, 0xff) }

func (r *rows) row(columns int)  { r.b = binary.BigEndian.AppendUint16(r.b, uint16(columns)) }
func (r *rows) length(n int)     { r.b = binary.BigEndian.AppendUint32(r.b, uint32(n)) }
func (r *rows) null()            { r.b = append(r.b, 0xff, 0xff, 0xff, 0xff) }
func (r *rows) int4(n int)       { r.length(4); r.b = binary.BigEndian.AppendUint32(r.b, uint32(int32(n))) }
func (r *rows) int8(n int64)     { r.length(8); r.b = binary.BigEndian.AppendUint64(r.b, uint64(n)) }
func (r *rows) time(t time.Time) { r.int8(pgMicros(t)) }

// pgMicros is timestamptz's number: microseconds since 2000.
func pgMicros(t time.Time) int64 { return t.UnixMicro() - 946684800_000000 }

func (r *rows) text(s string) {
	r.length(len(s))
	r.b = append(r.b, s...)
}

func (r *rows) uuid(id uuid.UUID) {
	r.length(16)
	r.b = append(r.b, id[:]...)
}

func (r *rows) optionalUUID(id uuid.UUID) {
	if id == uuid.Nil {
		r.null()
		return
	}
	r.uuid(id)
}

// jsonb is version 1 and the text.
func (r *rows) jsonb(doc []byte) {
	if len(doc) == 0 {
		doc = []byte("{}")
	}
	r.length(len(doc) + 1)
	r.b = append(append(r.b, 1), doc...)
}

// Type OIDs of arrays' elements.
const (
	oidUUID        = 2950
	oidTimestamptz = 1184
)

func (r *rows) array(oid, size, n int) {
	if n == 0 {
		r.length(12)
		r.b = binary.BigEndian.AppendUint32(append(r.b, 0, 0, 0, 0, 0, 0, 0, 0), uint32(oid))
		return
	}
	r.length(20 + n*(4+size))
	for _, v := range []int{1, 0, oid, n, 1} { // dimensions, no nulls, type, length, lower bound
		r.b = binary.BigEndian.AppendUint32(r.b, uint32(v))
	}
}

// entry is a row of advanced_logs in the order of entryColumns.
func (r *rows) entry(e *logs.Entry) {
	r.row(9)
	r.uuid(e.ID)
	r.text(string(e.Level))
	r.text(e.Source)
	r.text(e.Message)
	r.jsonb(e.Metadata)
	r.time(e.CreatedAt)
	r.optionalUUID(e.UserID)
	if e.SessionID == "" {
		r.null()
	} else {
		r.text(e.SessionID)
	}
	r.optionalUUID(e.PatternID)
}

const entryColumns = `(id, level, source, message, metadata, created_at, user_id, session_id, pattern_id)`
