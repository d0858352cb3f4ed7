package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"guarda/shared/fault"
)

// Query reads a request's query parameters. Each method asks for one; Err
// then says what was wrong with any of them, and which were given that nobody
// asked for.
type Query struct {
	Check
	values url.Values
	asked  []string
}

// NewQuery reads the query of a request.
func NewQuery(r *http.Request) *Query { return &Query{values: r.URL.Query()} }

func (q *Query) one(name string) (string, bool) {
	q.asked = append(q.asked, name)
	v, ok := q.values[name]
	if !ok || len(v) == 0 || v[0] == "" {
		return "", false
	}
	if len(v) > 1 {
		q.Field(name, "repeated", "is given more than once")
	}
	return v[0], true
}

// Text returns a parameter of at most maxLength bytes, "" when it is not given.
func (q *Query) Text(name string, maxLength int) string {
	v, _ := q.one(name)
	if len(v) > maxLength {
		q.Field(name, "too_long", "has more than %d characters", maxLength)
	}
	return v
}

// OneOf returns a parameter that is one of the allowed values, or "".
func (q *Query) OneOf(name string, allowed ...string) string {
	v, ok := q.one(name)
	if ok {
		q.Check.OneOf(name, v, allowed...)
	}
	return v
}

// Each returns the values of a parameter that may be repeated, all of them
// among the allowed ones.
func (q *Query) Each(name string, allowed ...string) []string {
	q.asked = append(q.asked, name)
	for _, v := range q.values[name] {
		if !slices.Contains(allowed, v) {
			q.Check.OneOf(name, v, allowed...)
		}
	}
	return q.values[name]
}

// Texts returns the values of a parameter that may be repeated: at most
// maxItems, each of at most maxLength bytes. Empty ones are left out.
func (q *Query) Texts(name string, maxItems, maxLength int) []string {
	q.asked = append(q.asked, name)
	values := slices.DeleteFunc(slices.Clone(q.values[name]), func(v string) bool { return v == "" })
	q.Check.Texts(name, values, maxItems, maxLength)
	return values
}

// Prefixed returns the parameters whose names start with prefix, by the rest of
// their names; each at most once, of at most maxLength bytes.
func (q *Query) Prefixed(prefix string, maxLength int) map[string]string {
	out := map[string]string{}
	for _, name := range sortedNames(q.values) {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			out[rest] = q.Text(name, maxLength)
		}
	}
	return out
}

// UUID returns a parameter that is a UUID, or "".
func (q *Query) UUID(name string) string {
	v, ok := q.one(name)
	if ok {
		q.Check.UUID(name, v)
	}
	return v
}

// Bool returns a parameter that is true or false, nil when it is not given.
func (q *Query) Bool(name string) *bool {
	v, ok := q.one(name)
	if !ok {
		return nil
	}
	b := v == "true"
	if !b && v != "false" {
		q.Field(name, "type", "must be true or false")
	}
	return &b
}

// Time returns a parameter in RFC 3339, nil when it is not given.
func (q *Query) Time(name string) *time.Time {
	v, ok := q.one(name)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		q.Field(name, "type", "must be a time such as 2026-11-24T12:00:00Z")
		return nil
	}
	t = t.UTC()
	return &t
}

// Limit returns "limit": 1 to 1,000, byDefault when it is not given.
func (q *Query) Limit(byDefault int) int {
	return q.Int("limit", byDefault, 1, 1000)
}

// Int returns a whole number between two, both included; byDefault when it is
// not given.
func (q *Query) Int(name string, byDefault, low, high int) int {
	v, ok := q.one(name)
	if !ok {
		return byDefault
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		q.Field(name, "type", "must be a whole number")
		return byDefault
	}
	q.Range(name, n, low, high)
	return n
}

// Cursor reads "cursor" into v, which EncodeCursor was given for the same kind
// of list, and reports whether there is one.
func (q *Query) Cursor(kind string, v any) bool {
	s, ok := q.one("cursor")
	if !ok {
		return false
	}
	if err := DecodeCursor(kind, s, v); err != nil {
		_ = q.Add("cursor", err)
		return false
	}
	return true
}

// Err returns what was wrong as one fault.Invalid, or nil. Call it after all
// parameters were asked for.
func (q *Query) Err() error {
	for _, name := range sortedNames(q.values) {
		if !slices.Contains(q.asked, name) {
			q.Field(name, "unknown", "there is no such parameter")
		}
	}
	return q.Check.Err()
}

func sortedNames(v url.Values) []string {
	names := make([]string, 0, len(v))
	for n := range v {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// PathUUID returns a part of the path that must be a UUID.
func PathUUID(r *http.Request, name string) (string, error) {
	v := r.PathValue(name)
	if !IsUUID(v) {
		var c Check
		c.UUID(name, v)
		return "", c.Err()
	}
	return v, nil
}

// maxCursor is the length of the longest cursor.
const maxCursor = 1000

// cursor is what a cursor holds: base64url of this as JSON. It is opaque to
// callers, not secret: a handler trusts it no more than other parameters.
type cursor struct {
	Version int             `json:"v"`
	Kind    string          `json:"k"`
	Last    json.RawMessage `json:"l"`
}

// EncodeCursor makes the cursor that continues after an item. kind names the
// list, so that a cursor of another list is refused.
func EncodeCursor(kind string, last any) string {
	raw, err := json.Marshal(last)
	if err == nil {
		raw, err = json.Marshal(cursor{1, kind, raw})
	}
	if err != nil { // the positions of our lists are structs of plain values
		panic("httpapi: a position that is not JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeCursor reads a cursor of EncodeCursor into v; one that is malformed or
// of another list is fault.Invalid.
func DecodeCursor(kind, s string, v any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	var c cursor
	if len(s) <= maxCursor && err == nil && decode(raw, &c) == nil && c.Version == 1 && c.Kind == kind && decode(c.Last, v) == nil {
		return nil
	}
	return fault.New(fault.Invalid, "this is not a cursor of this list; use the next_cursor of the page before")
}
