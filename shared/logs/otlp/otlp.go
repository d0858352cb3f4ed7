// Package otlp reads logs as the OpenTelemetry protocol sends them over HTTP:
// ExportLogsServiceRequest of opentelemetry-proto (v1, stable), in protobuf and
// in the protocol's JSON. It has its own decoder because the generated one
// brings gRPC's gateway and reflection into the function for five messages.
package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
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
	time, observed          uint64 // nanoseconds since 1970; 0: unknown
	severity                int64
	severityText, event     string
	body                    value
	attributes              []pair
	traceID, spanID         []byte
	resource, scope         []pair
	scopeName, scopeVersion string
}

// malformed is the error of a request that cannot be read.
func malformed(why string) error {
	return fault.New(fault.BadRequest, "the request is no ExportLogsServiceRequest: %s", why)
}

// decode is what both encodings end in.
func batch(records []record) (*logs.Batch, error) {
	if len(records) > logs.MaxEntries {
		return nil, fault.New(fault.TooLarge, "the request has more than %d entries", logs.MaxEntries).Hint("send them in several requests")
	}
	b := &logs.Batch{Sent: len(records), Entries: make([]logs.Entry, 0, len(records))}
	for i := range records {
		e, bad := records[i].entry()
		if bad != nil {
			bad.Index = i
			b.Rejections = append(b.Rejections, *bad)
			continue
		}
		e.At(i)
		b.Entries = append(b.Entries, e)
	}
	return b, nil
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
	e := logs.Entry{Level: r.level(), Source: attribute(r.resource, "service.name"), Message: r.message()}
	if e.Source == "" {
		e.Source = "unknown_service" // the name that the specification gives it
	}
	if utf8.RuneCountInString(e.Source) > logs.MaxSource {
		c.Field("resource.attributes.service.name", "too_long", "has more than %d characters", logs.MaxSource)
	}
	if len(e.Message) > logs.MaxMessage {
		c.Field("body", "too_long", "has more than %d bytes", logs.MaxMessage)
	}
	if at := max(r.time, 0); at != 0 {
		e.CreatedAt = nanos(at)
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
	e.Metadata = r.metadata(&c)
	if strings.IndexByte(e.Message, 0) >= 0 || strings.IndexByte(e.Source, 0) >= 0 || strings.IndexByte(e.SessionID, 0) >= 0 {
		c.Field("body", "nul", "must not hold the character U+0000")
	}
	if len(e.Metadata) > logs.MaxMetadata {
		c.Field("attributes", "too_long", "has more than %d bytes", logs.MaxMetadata)
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

func (r *record) metadata(c *checker) []byte {
	out := []byte{'{'}
	member := func(name string, add func([]byte) []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(add(append(appendText(out, name), ':')), []byte(nil)...)
	}
	text := func(name, s string) {
		if s != "" {
			member(name, func(b []byte) []byte { return appendText(b, s) })
		}
	}
	pairs := func(name string, p []pair) {
		if len(p) > 0 {
			member(name, func(b []byte) []byte { return appendPairs(b, p) })
		}
	}
	pairs("attributes", r.attributes)
	pairs("resource", r.resource)
	if r.scopeName != "" || r.scopeVersion != "" || len(r.scope) > 0 {
		scope := append([]pair{{"name", value{kind: 's', text: r.scopeName}}, {"version", value{kind: 's', text: r.scopeVersion}}}, r.scope...)
		pairs("scope", scope)
	}
	text("trace_id", hex.EncodeToString(r.traceID))
	text("span_id", hex.EncodeToString(r.spanID))
	text("event_name", r.event)
	text("severity_text", r.severityText)
	if r.observed != 0 && r.time != 0 {
		text("observed_at", nanos(r.observed).Format(time.RFC3339Nano))
	}
	out = append(out, '}')
	if strings.Contains(string(out), `\u0000`) && holdsNUL(r) {
		c.Field("attributes", "nul", "must not hold the character U+0000")
	}
	return out
}

// holdsNUL looks at the texts themselves: \u0000 in the JSON may also be a
// backslash followed by u0000.
func holdsNUL(r *record) bool {
	var in func(v *value) bool
	nul := func(s string) bool { return strings.IndexByte(s, 0) >= 0 }
	all := func(p []pair) bool {
		for i := range p {
			if nul(p[i].key) || in(&p[i].value) {
				return true
			}
		}
		return false
	}
	in = func(v *value) bool {
		for i := range v.list {
			if in(&v.list[i]) {
				return true
			}
		}
		return nul(v.text) || all(v.pairs)
	}
	return nul(r.severityText) || nul(r.event) || nul(r.scopeName) || nul(r.scopeVersion) || all(r.attributes) || all(r.resource) || all(r.scope)
}

func attribute(pairs []pair, key string) string {
	for i := range pairs {
		if pairs[i].key == key && pairs[i].value.kind == 's' {
			return pairs[i].value.text
		}
	}
	return ""
}

func appendText(b []byte, s string) []byte {
	raw, err := json.Marshal(s)
	if err != nil { // a string
		return append(b, `""`...)
	}
	return append(b, raw...)
}

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
