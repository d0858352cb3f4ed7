package pattern

import "bytes"

// classify adds the chunk line[p:end], which holds at least one letter or
// digit, as a word, a name or a value, or cuts it at its colons. It returns
// where to go on.
func (s *scanner) classify(p, end int, seen class, colonAt int) int {
	b := s.line[p:end]
	switch {
	case seen&digit == 0 && seen&(dot|colon|other) == 0:
		s.plain(p, end)
	case seen&(hexa|alpha) == 0:
		s.value(p, end)
		return s.unit(end)
	case isPath(b), isHex(b):
		s.value(p, end)
	case colonAt >= 0 && isHostPort(b):
		s.add(soft, p, end)
	case colonAt >= 0 && !s.afterEquals(p):
		return s.cut(p, end, colonAt)
	case startsNumber(b):
		s.value(p, end)
	case colonAt >= 0, seen&digit != 0 && hasDigit(b), bytes.IndexByte(b, '@') >= 0:
		s.name(p, end)
	case seen&dot != 0 && bytes.IndexByte(b, '.') >= 0:
		s.dotted(p, end)
	case bytes.ContainsAny(b, `/\+$%`):
		s.add(soft, p, end)
	case b[len(b)-1] == '-' && len(b) <= 3:
		s.add(soft, p, end)
	default:
		s.plain(p, end)
	}
	s.prev = end
	return end
}

// cut takes the part of a chunk before its first colon and leaves the rest.
func (s *scanner) cut(p, end, colonAt int) int {
	if colonAt == p {
		return s.symbols(p)
	}
	var seen class
	for _, c := range s.line[p:colonAt] {
		seen |= classes[c]
	}
	if seen&(digit|hexa|alpha) == 0 {
		return s.symbols(p)
	}
	return s.classify(p, colonAt, seen, -1)
}

// dotted takes a qualified name, unless it names who speaks or what is called
// ("Name.part: …", "a.b(…)"): that is as much the pattern as any word.
func (s *scanner) dotted(p, end int) {
	if end < len(s.line) && (s.line[end] == '(' || s.line[end] == ':' && s.words < 2 && (end+1 == len(s.line) || classes[s.line[end+1]] == space)) {
		s.plain(p, end)
		return
	}
	s.add(soft, p, end)
}

func (s *scanner) plain(p, end int) {
	if s.isDate(p, end) {
		s.add(value, p, p)
		s.prev = end
		return
	}
	s.add(word, p, end)
}

// value adds what is a value as a whole.
func (s *scanner) value(p, end int) {
	s.add(value, p, p)
	s.prev = end
}

// name adds a name, unless it is a numbered key ("x12=…"): there the letters
// tell keys apart.
func (s *scanner) name(p, end int) {
	if end < len(s.line) && s.line[end] == '=' {
		q := p
		for q < end && isLetter(s.line[q]) {
			q++
		}
		if q > p && q < end && classes[s.line[q]] == digit {
			s.add(word, p, q)
			s.add(value, q, q)
			s.prev = end
			return
		}
	}
	s.add(soft, p, end)
}

// unit takes the unit that follows a number: its size may change it ("4 KB",
// "1 MB"; "1 second", "2 seconds").
func (s *scanner) unit(p int) int {
	q := p
	if q < len(s.line) && s.line[q] == ' ' {
		q++
	}
	from := q
	for q < len(s.line) && isLetter(s.line[q]) {
		q++
	}
	if q == from || q < len(s.line) && classes[s.line[q]]&(digit|dot|colon|other) != 0 && !(s.line[q] == '.' || s.line[q] == ':') || !isUnit(s.line[from:q]) {
		return p
	}
	t := &s.tokens[len(s.tokens)-1]
	t.from, t.to = int32(from), int32(q)
	s.prev = q
	return q
}

// isUnit reports whether a word is a unit of size or time.
func isUnit(b []byte) bool {
	switch string(b) {
	case "B", "b", "KB", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "K", "M", "G", "byte", "bytes", "Bytes",
		"ns", "us", "µs", "ms", "msec", "msecs", "s", "sec", "secs", "min", "mins", "h", "hr", "hrs",
		"millis", "milliseconds", "millisecond", "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days":
		return true
	}
	return false
}

// isPath: an absolute path, of Unix or Windows, or one from "." or "~".
func isPath(b []byte) bool {
	switch {
	case b[0] == '/':
		return len(b) > 1
	case len(b) > 2 && b[0] == '.' && b[1] == '/', len(b) > 2 && b[0] == '.' && b[1] == '.' && b[2] == '/', len(b) > 1 && b[0] == '~' && b[1] == '/':
		return true
	case len(b) > 2 && isLetter(b[0]) && b[1] == ':' && b[2] == '\\':
		return true
	}
	return len(b) > 2 && b[0] == '\\' && b[1] == '\\'
}

// isHex: 0x…, and runs of hexadecimal digits that no word is: with a digit
// from six characters on (also in groups: UUIDs, hardware addresses), without
// one from eight.
func isHex(b []byte) bool {
	if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
		return true
	}
	digits, letters := 0, 0
	for _, c := range b {
		switch classes[c] {
		case digit:
			digits++
		case hexa:
			letters++
		default:
			if c != '-' && c != ':' && c != '.' {
				return false
			}
		}
	}
	return digits > 0 && len(b) >= 6 || digits == 0 && letters == len(b) && letters >= 8
}

// isHostPort: a name that is no plain word, a colon, a number.
func isHostPort(b []byte) bool {
	i := bytes.LastIndexByte(b, ':')
	if i <= 0 || i == len(b)-1 || bytes.IndexByte(b[:i], ':') >= 0 {
		return false
	}
	for _, c := range b[i+1:] {
		if classes[c] != digit {
			return false
		}
	}
	var seen class
	for _, c := range b[:i] {
		seen |= classes[c]
		if c == '-' {
			seen |= dot
		}
	}
	return seen&(digit|dot) != 0
}

func startsNumber(b []byte) bool {
	if classes[b[0]] == digit {
		return true
	}
	return len(b) > 1 && (b[0] == '-' || b[0] == '+') && classes[b[1]] == digit
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if classes[c] == digit {
			return true
		}
	}
	return false
}

func (s *scanner) afterEquals(p int) bool { return s.prev == p && s.lastIs('=') }
