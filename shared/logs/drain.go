package logs

import (
	"strings"

	"github.com/google/uuid"
)

// defaultDrain is the source of a drained entry when nothing names one.
const defaultDrain = "supabase"

// drained reads an entry as Supabase's log drains send it, an event of
// Logflare: event_message is the text, timestamp microseconds since 1970, id
// the event's, and everything else describes it. The level is what the
// metadata says under one of the names that Supabase's services use.
func (p *parser) drained(raw []byte, m *members) (e Entry) {
	e.Level, e.Source = Info, p.source
	message, ok := p.text("event_message", m.eventMessage)
	if !ok {
		return e
	}
	if e.Message = message; strings.TrimSpace(message) == "" {
		e.Message = " " // a drain does not send it again, and the rest may say something
	}
	p.size("event_message", len(message), MaxMessage)
	if m.id != nil {
		if s, ok := p.text("id", m.id); ok {
			if id, err := uuid.Parse(s); err == nil {
				e.ID, e.GivenID = id, true
			}
		}
	}
	rest := []byte{'{'}
	s := scanner{b: raw}
	s.object(0, 0, func(key, value []byte) {
		switch string(key) {
		case `"event_message"`, `"timestamp"`, `"id"`:
			return
		case `"source"`, `"appname"`, `"identifier"`, `"project"`:
			if value[0] == '"' && e.Source == "" {
				e.Source = unquote(value)
			}
		case `"level"`:
			if value[0] == '"' {
				e.Level = levelOr(unquote(value), e.Level)
			}
		case `"metadata"`:
			e.Level = severity(value, e.Level, 0)
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(append(append(rest, key...), ':'), value...)
	})
	if e.Source == "" {
		e.Source = defaultDrain
	}
	p.length("source", e.Source, MaxSource)
	e.Metadata = p.object("metadata", append(rest, '}'))
	if m.createdAt != nil {
		e.CreatedAt = p.time("timestamp", m.createdAt)
	}
	return e
}

func levelOr(s string, otherwise Level) Level {
	if l := LevelOf(s); l != "" {
		return l
	}
	return otherwise
}

// severity looks for a level in a drained event's metadata, an object or a
// list of one, and in the objects right below it ("parsed" of Postgres logs).
func severity(raw []byte, found Level, depth int) Level {
	if depth > 3 {
		return found
	}
	s := scanner{b: raw}
	switch raw[0] {
	case '[':
		s.array(0, 0, func(value []byte) { found = severity(value, found, depth+1) })
	case '{':
		s.object(0, 0, func(key, value []byte) {
			switch string(key) {
			case `"level"`, `"error_severity"`, `"severity"`:
				if value[0] == '"' {
					found = levelOr(unquote(value), found)
				}
			case `"parsed"`:
				found = severity(value, found, depth+1)
			}
		})
	}
	return found
}
