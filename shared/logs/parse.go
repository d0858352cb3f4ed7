package logs

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/fault"
)

// MaxEntries is how many entries a request may bring.
const MaxEntries = 20_000

// Parse reads the entries of a request's body: one JSON object, an array, or
// NDJSON (lines says that it was announced as such: then a line that is no
// JSON is one rejection). What is wrong with an entry is a rejection of it; a
// body that is no JSON at all is fault.BadRequest, one with too many entries
// fault.TooLarge. source is for entries of log drains, which name none.
//
// Entries keep parts of body: it must not change afterwards.
func Parse(body []byte, lines bool, source string) (*Batch, error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if bytes.HasPrefix(body, gzipMagic) || bytes.HasPrefix(body, zstdMagic) {
		return nil, fault.New(fault.BadRequest, "the body is compressed, and nothing says how").Hint("send it with Content-Encoding gzip or zstd")
	}
	p := &parser{source: source, scanner: scanner{b: body}}
	i := p.space(0)
	if i == len(body) {
		return nil, fault.New(fault.BadRequest, "the request has no body").Hint("send a JSON object, an array of them, or one a line")
	}
	if body[i] == '[' {
		return p.list(i)
	}
	if !lines && body[i] != '{' {
		return nil, p.syntax(i)
	}
	if !lines {
		end, ok := p.value(i, 0)
		if rest := p.space(end); ok && rest == len(body) {
			p.entry(body[i:end])
			return p.batch()
		} else if !ok || bytes.IndexByte(body[end:rest], '\n') < 0 {
			return nil, p.syntax(end)
		}
	}
	return p.lines()
}

// What some programs write in front of UTF-8 (RFC 8259, 8.1, lets a reader skip
// it), and what compressed bodies begin with.
var (
	byteOrderMark = []byte("\ufeff")
	gzipMagic     = []byte{0x1f, 0x8b}
	zstdMagic     = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

type parser struct {
	scanner
	Rejections
	source  string
	entries []Entry
}

func (p *parser) batch() (*Batch, error) {
	if p.at > MaxEntries {
		return nil, fault.New(fault.TooLarge, "the request has more than %d entries", MaxEntries).Hint("send them in several requests")
	}
	return &Batch{Entries: p.entries, Sent: p.at, Rejections: p.List}, nil
}

func (p *parser) syntax(at int) error {
	if at >= len(p.b) {
		return fault.New(fault.BadRequest, "the body is not valid JSON: it ends too early")
	}
	return fault.New(fault.BadRequest, "the body is not valid JSON, at byte %d (line %d)", at, 1+bytes.Count(p.b[:at], []byte("\n")))
}

func (p *parser) list(i int) (*Batch, error) {
	p.entries = make([]Entry, 0, min(MaxEntries, len(p.b)/100+1))
	end, ok := p.array(i, 0, func(value []byte) {
		if p.at <= MaxEntries {
			p.entry(value)
		}
	})
	if !ok {
		return nil, p.syntax(end)
	}
	if rest := p.space(end); rest != len(p.b) {
		return nil, p.syntax(rest)
	}
	return p.batch()
}

func (p *parser) lines() (*Batch, error) {
	whole := p.b
	for line := range bytes.Lines(whole) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		p.scanner = scanner{b: line}
		if end, ok := p.value(0, 0); !ok || end != len(line) {
			p.Field("", "syntax", "is not valid JSON, at byte %d", end)
			p.at++
		} else {
			p.entry(line)
		}
		if p.at > MaxEntries {
			break
		}
	}
	return p.batch()
}

// maxNamed is how much of an unknown field's name is told, in bytes.
const maxNamed = 100

// members are the raw values of an entry's fields.
type members struct {
	id, level, source, message, metadata, createdAt, userID, sessionID []byte
	eventMessage                                                       []byte // of a log drain
	unknown                                                            string
}

// entry reads one entry from a value that was scanned.
func (p *parser) entry(raw []byte) {
	before := len(p.List)
	e := p.read(raw)
	if len(p.List) == before {
		e.index = p.at
		p.entries = append(p.entries, e)
	}
	p.at++
}

func (p *parser) read(raw []byte) (e Entry) {
	if raw[0] != '{' {
		p.Field("", "type", "must be an object")
		return e
	}
	if !utf8.Valid(raw) {
		p.Field("", "utf8", "is not valid UTF-8")
		return e
	}
	s := scanner{b: raw}
	var m members
	s.object(0, 0, m.set)
	if m.eventMessage != nil && m.message == nil {
		return p.drained(raw, &m)
	}
	if m.unknown != "" {
		p.Field(m.unknown, "unknown", "there is no such field")
	}
	if m.id != nil {
		e.ID, e.GivenID = p.uuid("id", m.id)
	}
	if level, ok := p.required("level", m.level); ok {
		if e.Level = LevelOf(level); e.Level == "" {
			p.Field("level", "not_allowed", "must be one of: %s", "debug, info, warn, error, critical")
		}
	}
	if m.source == nil && p.source != "" {
		e.Source = p.source
	} else if source, ok := p.required("source", m.source); ok {
		e.Source = source
		p.length("source", source, MaxSource)
	}
	if message, ok := p.required("message", m.message); ok {
		e.Message = message
		p.size("message", len(message), MaxMessage)
	}
	p.rest(&e, &m)
	return e
}

// rest reads the fields that every kind of entry has.
func (p *parser) rest(e *Entry, m *members) {
	if m.metadata != nil {
		e.Metadata = p.object("metadata", m.metadata)
	}
	if m.createdAt != nil {
		e.CreatedAt = p.time("created_at", m.createdAt)
	}
	if m.userID != nil {
		e.UserID, _ = p.uuid("user_id", m.userID)
	}
	if m.sessionID != nil {
		e.SessionID, _ = p.text("session_id", m.sessionID)
		p.length("session_id", e.SessionID, MaxSession)
	}
}

func (m *members) set(key, value []byte) {
	if string(value) == "null" {
		return
	}
	switch string(key) {
	case `"id"`:
		m.id = value
	case `"level"`:
		m.level = value
	case `"source"`:
		m.source = value
	case `"message"`:
		m.message = value
	case `"metadata"`:
		m.metadata = value
	case `"created_at"`, `"timestamp"`:
		m.createdAt = value
	case `"user_id"`:
		m.userID = value
	case `"session_id"`:
		m.sessionID = value
	case `"event_message"`:
		m.eventMessage = value
	default:
		name := unquote(key)
		if bytes.IndexByte(key, '\\') >= 0 { // "\u006cevel" is level
			if plain := AppendQuoted(nil, name); bytes.IndexByte(plain, '\\') < 0 {
				m.set(plain, value)
				return
			}
		}
		if m.unknown == "" {
			m.unknown = strings.ToValidUTF8(name[:min(len(name), maxNamed)], "")
		}
	}
}

func (p *parser) text(name string, raw []byte) (string, bool) {
	if raw[0] != '"' {
		p.Field(name, "type", "must be a text")
		return "", false
	}
	s := unquote(raw)
	if strings.IndexByte(s, 0) >= 0 {
		p.Field(name, "nul", "must not hold the character U+0000")
		return "", false
	}
	return s, true
}

func (p *parser) required(name string, raw []byte) (string, bool) {
	if raw == nil {
		p.Field(name, "required", "is required")
		return "", false
	}
	s, ok := p.text(name, raw)
	if ok && strings.TrimSpace(s) == "" {
		p.Field(name, "required", "is required")
		return "", false
	}
	return s, ok
}

func (p *parser) length(name, s string, most int) {
	if len(s) > most && utf8.RuneCountInString(s) > most {
		p.Field(name, "too_long", "has more than %d characters", most)
	}
}

func (p *parser) size(name string, n, most int) {
	if n > most {
		p.Field(name, "too_long", "has more than %d bytes", most)
	}
}

func (p *parser) uuid(name string, raw []byte) (uuid.UUID, bool) {
	s, ok := p.text(name, raw)
	if !ok {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		p.Field(name, "invalid", "must be a UUID")
		return uuid.Nil, false
	}
	return id, true
}

func (p *parser) object(name string, raw []byte) []byte {
	if raw[0] != '{' {
		p.Field(name, "type", "must be an object")
		return nil
	}
	p.size(name, len(raw), MaxMetadata)
	s := scanner{b: raw}
	s.value(0, 0)
	switch {
	case s.depth > MaxDepth:
		p.Field(name, "too_deep", "is nested too deeply")
	case s.numbers:
		p.Field(name, "out_of_range", "holds a number that is too large")
	case s.escapes:
		cleaned, ok := clean(raw)
		if !ok {
			p.Field(name, "nul", "must not hold the character U+0000")
		}
		return cleaned
	}
	return raw
}

// Times before this one and far in the future are mistakes.
const earliest = 1970

func (p *parser) time(name string, raw []byte) time.Time {
	if raw[0] != '"' {
		t, ok := sinceEpoch(string(raw))
		if !ok {
			p.Field(name, "type", "must be a time such as 2026-11-24T12:00:00Z")
		}
		return t
	}
	s, ok := p.text(name, raw)
	if !ok {
		return time.Time{}
	}
	t, ok := ParseTime(s)
	if !ok || t.Year() < earliest || t.Year() > 9999 {
		p.Field(name, "type", "must be a time such as 2026-11-24T12:00:00Z")
		return time.Time{}
	}
	return t.Truncate(time.Microsecond)
}

// ParseTime reads an ISO 8601 time: with a zone (RFC 3339), without one (then
// it is UTC), or a date alone.
func ParseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// sinceEpoch reads a number of seconds, milliseconds, microseconds or
// nanoseconds since 1970, by its size: the same number means a time near now
// in one of them only.
func sinceEpoch(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f < 0 || f >= 1e11 { // a fraction makes sense of seconds only
			return time.Time{}, false
		}
		return time.UnixMicro(int64(math.Round(f * 1e6))).UTC(), true
	}
	switch {
	case n < 0:
		return time.Time{}, false
	case n < 1e11:
		return time.Unix(n, 0).UTC(), true
	case n < 1e14:
		return time.UnixMilli(n).UTC(), true
	case n < 1e17:
		return time.UnixMicro(n).UTC(), true
	}
	return time.UnixMicro(n / 1000).UTC(), true
}
