package logs

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A JSON scanner (RFC 8259) that finds where values end without building them:
// an entry's metadata is passed on as it came, and that is most of a request.
// What it accepts encoding/json accepts, and the other way round; a fuzz test
// holds it to that.

// ScanJSON returns the one JSON value that raw holds, without the space around
// it; false if raw is anything else.
func ScanJSON(raw []byte) ([]byte, bool) {
	s := scanner{b: raw}
	start := s.space(0)
	end, ok := s.value(start, 0)
	if !ok || s.space(end) != len(raw) {
		return nil, false
	}
	return raw[start:end], true
}

// Members calls each for the members of an object that ScanJSON passed: the
// key, with its quotes, and the value.
func Members(object []byte, each func(key, value []byte)) {
	s := scanner{b: object}
	s.object(0, 0, each)
}

// Elements calls each for the values of an array that ScanJSON passed.
func Elements(array []byte, each func(value []byte)) {
	s := scanner{b: array}
	s.array(0, 0, each)
}

// Unquote returns the text of a string in JSON that ScanJSON passed. Half a
// surrogate pair becomes U+FFFD.
func Unquote(raw []byte) string { return unquote(raw) }

// scanner walks over a document. Its methods take and return positions.
type scanner struct {
	b []byte
	// What a value had that Postgres's jsonb may not take as it is.
	escapes bool // \u escapes, which may be U+0000 or half a surrogate pair
	numbers bool // numbers beyond what numeric holds
	depth   int  // the deepest nesting
}

func (s *scanner) space(i int) int {
	for i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\r' || s.b[i] == '\t') {
		i++
	}
	return i
}

// value scans the value that starts at i. At a syntax error ok is false, and
// end where it is.
func (s *scanner) value(i, depth int) (end int, ok bool) {
	if i >= len(s.b) {
		return i, false
	}
	s.depth = max(s.depth, depth)
	if depth > 1000 {
		return i, false
	}
	switch c := s.b[i]; {
	case c == '{':
		return s.object(i, depth, nil)
	case c == '[':
		return s.array(i, depth, nil)
	case c == '"':
		return s.text(i)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	case c == 't':
		return s.word(i, "true")
	case c == 'f':
		return s.word(i, "false")
	case c == 'n':
		return s.word(i, "null")
	}
	return i, false
}

func (s *scanner) word(i int, w string) (int, bool) {
	if len(s.b)-i < len(w) || string(s.b[i:i+len(w)]) != w {
		return i, false
	}
	return i + len(w), true
}

// object scans an object; each member, when given, is told the key (with its
// quotes) and value of each member.
func (s *scanner) object(i, depth int, each func(key, value []byte)) (int, bool) {
	i = s.space(i + 1)
	if i < len(s.b) && s.b[i] == '}' {
		return i + 1, true
	}
	for {
		if i >= len(s.b) || s.b[i] != '"' {
			return i, false
		}
		key := i
		keyEnd, ok := s.text(i)
		if !ok {
			return keyEnd, false
		}
		i = s.space(keyEnd)
		if i >= len(s.b) || s.b[i] != ':' {
			return i, false
		}
		start := s.space(i + 1)
		if i, ok = s.value(start, depth+1); !ok {
			return i, false
		}
		if each != nil {
			each(s.b[key:keyEnd], s.b[start:i])
		}
		i = s.space(i)
		switch {
		case i < len(s.b) && s.b[i] == '}':
			return i + 1, true
		case i < len(s.b) && s.b[i] == ',':
			i = s.space(i + 1)
		default:
			return i, false
		}
	}
}

func (s *scanner) array(i, depth int, each func(value []byte)) (int, bool) {
	i = s.space(i + 1)
	if i < len(s.b) && s.b[i] == ']' {
		return i + 1, true
	}
	for {
		start := i
		var ok bool
		if i, ok = s.value(i, depth+1); !ok {
			return i, false
		}
		if each != nil {
			each(s.b[start:i])
		}
		i = s.space(i)
		switch {
		case i < len(s.b) && s.b[i] == ']':
			return i + 1, true
		case i < len(s.b) && s.b[i] == ',':
			i = s.space(i + 1)
		default:
			return i, false
		}
	}
}

func (s *scanner) text(i int) (int, bool) {
	b := s.b
	for i++; i < len(b); i++ {
		c := b[i]
		if c >= 0x20 && c != '"' && c != '\\' { // most of a request
			continue
		}
		switch {
		case c == '"':
			return i + 1, true
		case c < 0x20:
			return i, false
		default:
			i++
			if i >= len(b) {
				return i, false
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(b, i+1); !ok {
					return i, false
				}
				s.escapes = true
				i += 4
			default:
				return i, false
			}
		}
	}
	return i, false
}

// maxDigits and maxExponent bound the numbers that are passed on; numeric
// holds 131,072 digits before the point and 16,383 after it.
const (
	maxDigits   = 5000
	maxExponent = 5000
)

func (s *scanner) number(i int) (int, bool) {
	start := i
	if s.b[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(s.b) && s.b[i] >= '0' && s.b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s.b) && s.b[i] == '0' {
		i++
	} else if !digits() {
		return i, false
	}
	if i < len(s.b) && s.b[i] == '.' {
		i++
		if !digits() {
			return i, false
		}
	}
	if i < len(s.b) && (s.b[i] == 'e' || s.b[i] == 'E') {
		i++
		if i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		from := i
		if !digits() {
			return i, false
		}
		if n, err := strconv.Atoi(string(s.b[from:min(i, from+20)])); err != nil || n > maxExponent {
			s.numbers = true
		}
	}
	if i-start > maxDigits {
		s.numbers = true
	}
	return i, true
}

func hex4(b []byte, i int) (r rune, ok bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unquote returns the text of a scanned JSON string, quotes included. Half a
// surrogate pair becomes U+FFFD.
func unquote(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, size := escaped(raw, i-1)
			out = utf8.AppendRune(out, r)
			i += size - 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// escaped reads the \u escape at i, and its second half where it has one.
func escaped(b []byte, i int) (r rune, size int) {
	r, _ = hex4(b, i+2)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if i+12 <= len(b) && b[i+6] == '\\' && b[i+7] == 'u' {
		if low, ok := hex4(b, i+8); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return utf8.RuneError, 6
}

// clean makes a scanned value fit for jsonb: halves of surrogate pairs become
// U+FFFD. It is false for a value that holds U+0000, which Postgres cannot.
func clean(raw []byte) ([]byte, bool) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		if raw[i+1] != 'u' {
			out = append(out, raw[i], raw[i+1])
			i++
			continue
		}
		r, size := escaped(raw, i)
		switch r {
		case 0:
			return nil, false
		case utf8.RuneError:
			out = append(out, `\ufffd`...)
		default:
			out = append(out, raw[i:i+size]...)
		}
		i += size - 1
	}
	return out, true
}
