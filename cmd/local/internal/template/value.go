package template

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kind tells what a value is.
type kind int

const (
	scalar  kind = iota
	list         // a YAML sequence
	mapping      // a YAML mapping, in the order of the file
	absent       // AWS::NoValue, or a value that could not be resolved
)

// value is a YAML node whose intrinsic functions have been replaced by what
// they stand for. Values are not changed after they were made.
type value struct {
	kind    kind
	line    int
	text    string // scalar: its text
	tag     string // scalar: "!!str", "!!int", "!!float", "!!bool", "!!null"
	items   []*value
	entries []entry
}

type entry struct {
	key  string
	line int
	val  *value
}

func (v *value) get(key string) *value {
	if v == nil {
		return nil
	}
	for _, e := range v.entries {
		if e.key == key {
			return e.val
		}
	}
	return nil
}

func (v *value) isNull() bool { return v.kind == scalar && v.tag == "!!null" }

// plain gives the value as encoding/json likes it.
func (v *value) plain() any {
	switch v.kind {
	case list:
		out := make([]any, 0, len(v.items))
		for _, it := range v.items {
			out = append(out, it.plain())
		}
		return out
	case mapping:
		out := make(map[string]any, len(v.entries))
		for _, e := range v.entries {
			if e.val.kind != absent {
				out[e.key] = e.val.plain()
			}
		}
		return out
	case absent:
		return nil
	}
	switch v.tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(v.text, "true")
	case "!!int", "!!float":
		if json.Valid([]byte(v.text)) {
			return json.Number(v.text)
		}
	}
	return v.text
}

// Problem is one thing that is wrong with a template.
type Problem struct {
	File    string
	Line    int
	Message string
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message) }

// Error lists everything that is wrong with a template, in the order of its
// lines.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong, so that one look shows all of it.
type problems struct {
	file string
	list []Problem
}

func (p *problems) add(line int, format string, args ...any) {
	found := Problem{p.file, line, fmt.Sprintf(format, args...)}
	if !slices.Contains(p.list, found) {
		p.list = append(p.list, found)
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
	return &Error{p.list}
}

// object reads a mapping member by member and, at done, complains about every
// member that nobody asked for.
type object struct {
	p     *problems
	v     *value
	what  string // names the mapping in messages: "function Orders", …
	known []string
}

// object starts to read v, which may be nil (an empty mapping).
func (p *problems) object(v *value, what string) *object {
	o := &object{p: p, v: v, what: what}
	switch {
	case v == nil || v.kind == absent:
		o.v = &value{kind: mapping}
	case v.kind != mapping:
		if !v.isNull() {
			p.add(v.line, "%s must be a mapping", what)
		}
		o.v = &value{kind: mapping, line: v.line}
	}
	return o
}

// raw returns a member, or nil when it is not there or AWS::NoValue.
func (o *object) raw(key string) *value {
	o.known = append(o.known, key)
	v := o.v.get(key)
	if v == nil || v.kind == absent {
		return nil
	}
	return v
}

// ignore names members that are right in a template and mean nothing to the
// local stack.
func (o *object) ignore(keys ...string) { o.known = append(o.known, keys...) }

// refuse complains about a member that SAM knows and we cannot honour.
func (o *object) refuse(key, why string) {
	if v := o.raw(key); v != nil {
		o.p.add(v.line, "%s: the local stack does not support %s: %s", o.what, key, why)
	}
}

func (o *object) require(key string) *value {
	v := o.raw(key)
	if v == nil {
		o.p.add(o.v.line, "%s needs %s", o.what, key)
	}
	return v
}

func (o *object) text(key string) string {
	v := o.raw(key)
	if v == nil {
		return ""
	}
	if v.kind != scalar || v.isNull() {
		o.p.add(v.line, "%s: %s must be a string", o.what, key)
		return ""
	}
	return v.text
}

func (o *object) requiredText(key string) string {
	if o.require(key) == nil {
		return ""
	}
	return o.text(key)
}

// oneOf reads a string that must be one of choices; "" when it is not there.
func (o *object) oneOf(key string, choices ...string) string {
	s := o.text(key)
	if s != "" && !slices.Contains(choices, s) {
		o.p.add(o.v.get(key).line, "%s: %s is %q, and must be one of %s", o.what, key, s, strings.Join(choices, ", "))
		return ""
	}
	return s
}

// integer reads a whole number between low and high; 0, false when not there.
func (o *object) integer(key string, low, high int) (int, bool) {
	v := o.raw(key)
	if v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(v.text)
	if v.kind != scalar || err != nil {
		o.p.add(v.line, "%s: %s must be a whole number", o.what, key)
		return 0, false
	}
	if n < low || n > high {
		o.p.add(v.line, "%s: %s is %d, and must be from %d to %d", o.what, key, n, low, high)
		return 0, false
	}
	return n, true
}

func (o *object) boolean(key string, otherwise bool) bool {
	v := o.raw(key)
	if v == nil {
		return otherwise
	}
	if v.kind == scalar && strings.EqualFold(v.text, "true") {
		return true
	}
	if v.kind != scalar || !strings.EqualFold(v.text, "false") {
		o.p.add(v.line, "%s: %s must be true or false", o.what, key)
	}
	return false
}

// texts reads a list of strings; one string counts as a list of one.
func (o *object) texts(key string) []string {
	v := o.raw(key)
	if v == nil {
		return nil
	}
	items := v.items
	if v.kind == scalar {
		items = []*value{v}
	}
	out := []string{}
	for _, it := range items {
		switch {
		case it.kind == absent:
		case it.kind != scalar:
			o.p.add(it.line, "%s: %s must be a list of strings", o.what, key)
		default:
			out = append(out, it.text)
		}
	}
	if v.kind == mapping {
		o.p.add(v.line, "%s: %s must be a list of strings", o.what, key)
	}
	return out
}

// object reads a mapping below this one; nil when it is not there.
func (o *object) object(key string) *object {
	v := o.raw(key)
	if v == nil {
		return nil
	}
	return o.p.object(v, o.what+": "+key)
}

// done complains about the members that were not asked for.
func (o *object) done() {
	for _, e := range o.v.entries {
		if !slices.Contains(o.known, e.key) {
			known := slices.Clone(o.known)
			slices.Sort(known)
			o.p.add(e.line, "%s has the unknown property %s (known: %s)", o.what, e.key, strings.Join(slices.Compact(known), ", "))
		}
	}
}
