// Package otlp reads logs as the OpenTelemetry protocol sends them over HTTP:
// ExportLogsServiceRequest of opentelemetry-proto (v1, stable), in protobuf and
// in the protocol's JSON. It has its own decoder because the generated one
// brings gRPC's gateway and reflection into the function for five messages.
package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// value is an AnyValue. Zero is the empty value.
type value struct {
	kind   byte // 0, s, b, i, d, a, m (key-value list), x (bytes)
	text   string
	int    int64
	double float64
	bool   bool
	list   []value
	pairs  []pair
}

type pair struct {
	key   string
	value value
}

type record struct {
	time, observed      uint64 // nanoseconds since 1970; 0: unknown
	severity            int64
	severityText, event string
	body                value
	attributes          []pair
	dropped, flags      uint64
	traceID, spanID     []byte
	from                *origin
}

type checker struct{ bad *logs.Rejection }

// Field rejects the record; the first reason counts.
func (c *checker) Field(name, code, format string, args ...any) {
	if c.bad == nil {
		c.bad = &logs.Rejection{Field: name, Code: code, Message: fault.Text{Format: format, Args: args}}
	}
}

// entry maps a record: service.name is the source, the severity number the
// level, and everything that has no column is metadata.
func (r *record) entry() (logs.Entry, *logs.Rejection) {
	var c checker
	e := logs.Entry{Level: r.level(), Source: r.from.service, Message: r.message()}
	if e.Source == "" {
		e.Source = "unknown_service" // the name that the specification gives it
	}
	if utf8.RuneCountInString(e.Source) > logs.MaxSource {
		c.Field("resource.attributes.service.name", "too_long", "has more than %d characters", logs.MaxSource)
	}
	if len(e.Message) > logs.MaxMessage {
		c.Field("body", "too_long", "has more than %d bytes", logs.MaxMessage)
	}
	if r.time != 0 {
		e.CreatedAt = nanos(r.time)
	} else if r.observed != 0 {
		e.CreatedAt = nanos(r.observed)
	}
	for _, name := range []string{"enduser.id", "user.id"} {
		if id, err := uuid.Parse(attribute(r.attributes, name)); err == nil {
			e.UserID = id
		}
	}
	if s := attribute(r.attributes, "session.id"); utf8.RuneCountInString(s) <= logs.MaxSession {
		e.SessionID = s
	}
	if e.Metadata = r.metadata(); len(e.Metadata) > logs.MaxMetadata {
		c.Field("attributes", "too_long", "has more than %d bytes", logs.MaxMetadata)
		e.Metadata = nil
	}
	if nul(e.Message) || nul(e.Source) {
		c.Field("body", "nul", "must not hold the character U+0000")
	} else if r.from.nul || nul(r.severityText) || nul(r.event) || holdsNUL(r.attributes) {
		c.Field("attributes", "nul", "must not hold the character U+0000")
	}
	return e, c.bad
}

func nanos(n uint64) time.Time {
	return time.UnixMicro(int64(n / 1000)).UTC()
}

// level maps the severity number (1 to 24, four a name), else the text.
func (r *record) level() logs.Level {
	switch n := r.severity; {
	case n >= 1 && n <= 8:
		return logs.Debug
	case n >= 9 && n <= 12:
		return logs.Info
	case n >= 13 && n <= 16:
		return logs.Warn
	case n >= 17 && n <= 20:
		return logs.Error
	case n >= 21 && n <= 24:
		return logs.Critical
	}
	if l := logs.LevelOf(r.severityText); l != "" {
		return l
	}
	return logs.Info
}

func (r *record) message() string {
	switch r.body.kind {
	case 's':
		return r.body.text
	case 0:
		return r.event
	}
	return string(appendValue(nil, &r.body))
}

// metadata is nil for a record that is too large with its resource alone.
func (r *record) metadata() []byte {
	if len(r.from.resource)+len(r.from.scope) > logs.MaxMetadata {
		return make([]byte, logs.MaxMetadata+1)
	}
	out := make([]byte, 0, 64+len(r.from.resource)+len(r.from.scope)+64*len(r.attributes))
	name := func(s string) []byte {
		if len(out) > 1 {
			out = append(out, ',')
		}
		return append(appendText(out, s), ':')
	}
	text := func(member, s string) {
		if s != "" {
			out = appendText(name(member), s)
		}
	}
	number := func(member string, n uint64) {
		if n != 0 {
			out = strconv.AppendUint(name(member), n, 10)
		}
	}
	out = append(out, '{')
	if len(r.attributes) > 0 {
		out = appendPairs(name("attributes"), r.attributes)
	}
	if r.from.resource != nil {
		out = append(name("resource"), r.from.resource...)
	}
	if r.from.scope != nil {
		out = append(name("scope"), r.from.scope...)
	}
	text("trace_id", idOf(r.traceID, 16))
	text("span_id", idOf(r.spanID, 8))
	number("flags", r.flags)
	number("dropped_attributes_count", r.dropped)
	text("event_name", r.event)
	text("severity_text", r.severityText)
	if r.observed != 0 && r.time != 0 {
		text("observed_at", nanos(r.observed).Format(time.RFC3339Nano))
	}
	return append(out, '}')
}

// idOf is an id in hex. One of another length, or of zeros only, is none, as
// the protocol has it.
func idOf(raw []byte, size int) string {
	if len(raw) != size || !slices.ContainsFunc(raw, func(b byte) bool { return b != 0 }) {
		return ""
	}
	return hex.EncodeToString(raw)
}

func nul(s string) bool { return strings.IndexByte(s, 0) >= 0 }

// holdsNUL says whether a text in pairs holds U+0000, which Postgres cannot.
func holdsNUL(pairs []pair) bool {
	return slices.ContainsFunc(pairs, func(p pair) bool { return nul(p.key) || p.value.holdsNUL() })
}

func (v *value) holdsNUL() bool {
	for i := range v.list {
		if v.list[i].holdsNUL() {
			return true
		}
	}
	return v.kind == 's' && nul(v.text) || holdsNUL(v.pairs)
}

func attribute(pairs []pair, key string) string {
	for i := range pairs {
		if pairs[i].key == key && pairs[i].value.kind == 's' {
			return pairs[i].value.text
		}
	}
	return ""
}

func appendText(b []byte, s string) []byte { return logs.AppendQuoted(b, s) }

func appendPairs(b []byte, pairs []pair) []byte {
	b = append(b, '{')
	for i := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, pairs[i].key), ':')
		b = appendValue(b, &pairs[i].value)
	}
	return append(b, '}')
}

func appendValue(b []byte, v *value) []byte {
	switch v.kind {
	case 's':
		return appendText(b, v.text)
	case 'b':
		return strconv.AppendBool(b, v.bool)
	case 'i':
		return strconv.AppendInt(b, v.int, 10)
	case 'd':
		if math.IsNaN(v.double) || math.IsInf(v.double, 0) { // JSON has none; the protocol's JSON names them
			return appendText(b, strings.TrimPrefix(strconv.FormatFloat(v.double, 'g', -1, 64), "+"))
		}
		return strconv.AppendFloat(b, v.double, 'g', -1, 64)
	case 'x':
		return appendText(b, base64.StdEncoding.EncodeToString([]byte(v.text)))
	case 'a':
		b = append(b, '[')
		for i := range v.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, &v.list[i])
		}
		return append(b, ']')
	case 'm':
		return appendPairs(b, v.pairs)
	}
	return append(b, "null"...)
}
