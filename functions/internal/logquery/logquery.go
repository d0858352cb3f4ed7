// Package logquery reads queries for log entries from requests and shows
// entries, for the functions that search, follow and export them.
package logquery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/httpapi"
	"guarda/shared/logs"
)

// maxFilters is how many metadata filters a query may have.
const maxFilters = 10

// Read reads the filters of a query; ranged says whether it may have a range of
// time. What is wrong with them, q has.
func Read(q *httpapi.Query, ranged bool) *logs.Query {
	out := &logs.Query{Sources: q.Texts("source", 100, logs.MaxSource), Term: q.Text("search_term", 1000), Mode: logs.Mode(q.OneOf("mode", "words", "substring", "regex")),
		UserID: q.UUID("user_id"), SessionID: q.Text("session_id", logs.MaxSession), PatternID: q.UUID("pattern_id")}
	for _, l := range q.Each("level", "debug", "info", "warn", "error", "critical") {
		out.Levels = append(out.Levels, logs.Level(l))
	}
	if out.Mode == "" {
		out.Mode = logs.Words
	}
	if out.Mode == logs.Words { // a space of another mode is looked for
		out.Term = strings.TrimSpace(out.Term)
	}
	if ranged {
		out.Start, out.End = Range(q)
	}
	out.NotSources, out.NotPatterns = q.Texts("exclude_source", 100, logs.MaxSource), q.Texts("exclude_pattern_id", 100, 36)
	for _, id := range out.NotPatterns {
		q.Check.UUID("exclude_pattern_id", id)
	}
	texts := map[string]string{"search_term": out.Term, "session_id": out.SessionID, "source": strings.Join(out.Sources, ""), "exclude_source": strings.Join(out.NotSources, "")}
	out.Metadata, out.NotMetadata = metadata(q, "metadata", texts), metadata(q, "exclude_metadata", texts)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		switch text := texts[name]; {
		case strings.IndexByte(text, 0) >= 0:
			q.Field(name, "invalid", "must not hold the character U+0000")
		case !utf8.ValidString(text):
			q.Field(name, "utf8", "is not valid UTF-8")
		}
	}
	return out
}

// metadata reads the filters of a name, and notes their texts.
func metadata(q *httpapi.Query, name string, texts map[string]string) []logs.PathValue {
	filters := q.Prefixed(name+".", 1000)
	if len(filters) > maxFilters {
		q.Field(name, "too_many", "has more than %d items", maxFilters)
	}
	var out []logs.PathValue
	for _, path := range slices.Sorted(maps.Keys(filters)) {
		out = append(out, logs.PathValue{Path: path, Value: filters[path]})
		texts[name+"."+path] = path + filters[path]
	}
	return out
}

// Range reads from when on and before when entries are asked for; zero where
// nothing is said. A date alone as the end means that day as well.
func Range(q *httpapi.Query) (start, end time.Time) {
	start, _ = moment(q, "start_date")
	end, dateOnly := moment(q, "end_date")
	if dateOnly {
		end = end.AddDate(0, 0, 1)
	}
	if !start.IsZero() && !end.IsZero() && !start.Before(end) {
		q.Field("start_date", "range", "must be before end_date")
	}
	return start, end
}

func moment(q *httpapi.Query, name string) (t time.Time, dateOnly bool) {
	s := q.Text(name, 40)
	if s == "" {
		return t, false
	}
	t, ok := logs.ParseTime(strings.Replace(s, " ", "+", 1)) // a "+" that was not escaped
	if !ok {
		t, ok = logs.ParseTime(s)
	}
	if !ok || t.Year() < 1 || t.Year() > 9999 {
		q.Field(name, "type", "must be a time such as 2026-11-24T12:00:00Z")
		return time.Time{}, false
	}
	return t, len(s) == len(time.DateOnly)
}

// View is an entry as it is shown.
type View struct {
	ID         string          `json:"id"`
	Level      logs.Level      `json:"level"`
	Source     string          `json:"source"`
	Message    string          `json:"message"`
	Metadata   json.RawMessage `json:"metadata"`
	CreatedAt  time.Time       `json:"created_at"`
	UserID     *string         `json:"user_id"`
	SessionID  *string         `json:"session_id"`
	PatternID  *string         `json:"pattern_id"`
	Highlights [][2]int        `json:"highlights,omitempty"`
}

// ViewOf shows an entry.
func ViewOf(h *logs.Hit) View {
	v := View{ID: h.ID.String(), Level: h.Level, Source: h.Source, Message: h.Message, Metadata: h.Metadata, CreatedAt: h.CreatedAt,
		UserID: idOrNil(h.UserID), PatternID: idOrNil(h.PatternID), Highlights: h.Highlights}
	if h.SessionID != "" {
		v.SessionID = &h.SessionID
	}
	if len(v.Metadata) == 0 || v.Metadata[0] != '{' { // a row that came by another way
		v.Metadata = json.RawMessage(`{}`)
	}
	return v
}

func idOrNil(id uuid.UUID) *string {
	if id == uuid.Nil {
		return nil
	}
	s := id.String()
	return &s
}

// Views shows entries.
func Views(hits []logs.Hit) []View {
	out := make([]View, len(hits))
	for i := range hits {
		out[i] = ViewOf(&hits[i])
	}
	return out
}
