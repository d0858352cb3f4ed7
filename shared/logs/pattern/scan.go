package pattern

// Bounds of what is looked at in one message; what is beyond them counts as
// one value at its end.
const (
	maxBytes  = 4096
	maxTokens = 160
)

// A scanner cuts messages into tokens. It keeps its buffer from message to
// message; it is not safe for concurrent use.
type scanner struct {
	line   []byte
	tokens []token
	prev   int  // end of the last thing seen: tells whether a token is glued
	words  int  // words among the tokens
	full   bool // maxTokens was reached
}

// scan cuts a message. The tokens are valid until the next call and refer to
// line, which must not change meanwhile.
func (s *scanner) scan(line []byte) []token {
	cut := len(line) > maxBytes
	if cut {
		line = line[:maxBytes]
	}
	s.line, s.tokens, s.prev, s.words, s.full = line, s.tokens[:0], -1, 0, false
	for p := 0; p < len(line) && !s.full; {
		switch c := line[p]; classes[c] {
		case space:
			if c == 0x1b {
				p = skipEscape(line, p)
			} else {
				p++
			}
		case delim:
			p = s.delimiter(p)
		default:
			p = s.chunk(p)
		}
	}
	if cut || s.full {
		s.add(value, len(line), len(line))
	}
	s.finish()
	return s.tokens
}

// skipEscape passes a terminal's colour code: ESC [ … letter.
func skipEscape(line []byte, p int) int {
	p++
	if p >= len(line) || line[p] != '[' {
		return p
	}
	for p++; p < len(line); p++ {
		if c := line[p]; c >= '@' && c <= '~' {
			return p + 1
		}
	}
	return p
}

// delimiter takes a run of one punctuation character.
func (s *scanner) delimiter(p int) int {
	c, q := s.line[p], p+1
	for q < len(s.line) && s.line[q] == c {
		q++
	}
	if c == '<' && q == p+1 && q < len(s.line) && classes[s.line[q]] == digit && s.lessThan(q) {
		return q // "<1 sec": the number says it all
	}
	switch {
	case q == p+2 && (c == '"' || c == '\'') && s.opens(p):
		s.add(punct, p, p+1)
		s.add(value, p, p)
		s.add(punct, p+1, q)
		return q
	case (c == ')' || c == ']') && s.prev == p && s.emptyBrackets():
		s.add(value, p, p)
	}
	s.add(punct, p, q)
	if c == '=' && q == p+1 && s.tokens[len(s.tokens)-1].glued && (q == len(s.line) || s.line[q] == ' ' || s.line[q] == ',') && len(s.tokens) > 1 && s.tokens[len(s.tokens)-2].kind == word {
		s.add(value, q, q) // "user= host=…"
	}
	return q
}

// opens reports whether something that stands for a value may start at p:
// after a space, or after "=" or ":".
func (s *scanner) opens(p int) bool { return s.prev != p || s.lastIs('=') || s.lastIs(':') }

// emptyBrackets reports whether the last token opens brackets that hold a
// value at other times: not those of a call.
func (s *scanner) emptyBrackets() bool {
	i := len(s.tokens) - 1
	if i < 0 || !(s.lastIs('(') || s.lastIs('[')) || s.tokens[i].to-s.tokens[i].from != 1 {
		return false
	}
	return !s.tokens[i].glued || i > 0 && s.tokens[i-1].kind == punct
}

// lessThan reports whether the number at q is followed by anything but ">".
func (s *scanner) lessThan(q int) bool {
	for q < len(s.line) && classes[s.line[q]]&(space|delim) == 0 {
		q++
	}
	return q >= len(s.line) || s.line[q] != '>'
}

// chunk takes what stands between spaces and delimiters.
func (s *scanner) chunk(p int) int {
	line := s.line
	var seen class
	q, colonAt := p, -1
	for q < len(line) {
		c := line[q]
		k := classes[c]
		if k&(space|delim) != 0 {
			if c == '\'' && q > p && q+1 < len(line) && isLetter(line[q-1]) && isLetter(line[q+1]) {
				q++ // an apostrophe
				continue
			}
			break
		}
		if c == ':' {
			if colonAt < 0 {
				colonAt = q
			}
			if q+2 < len(line) && line[q+1] == '/' && line[q+2] == '/' && q > p {
				return s.url(p, q+3)
			}
		}
		if c == '.' && q+1 < len(line) && line[q+1] == '.' && q > p {
			break // dots that lead to something end a chunk
		}
		seen |= k
		q++
	}
	end := q
	for end > p && (line[end-1] == '.' || line[end-1] == ':') {
		end--
	}
	if end == p || seen&(digit|hexa|alpha) == 0 {
		return s.symbols(p)
	}
	if colonAt >= end {
		colonAt = -1
	}
	return s.classify(p, end, seen, colonAt)
}

// symbols takes a run of characters that make no word: "--", "...", "*".
func (s *scanner) symbols(p int) int {
	c, q := s.line[p], p+1
	for q < len(s.line) && s.line[q] == c {
		q++
	}
	if c == '/' && q == p+1 && s.prev == p && s.lastIs('=') {
		s.add(value, p, p)
	} else {
		s.add(punct, p, q)
	}
	s.prev = q
	return q
}

// url takes everything up to what cannot be part of an address in a message.
func (s *scanner) url(p, q int) int {
	for q < len(s.line) {
		switch c := s.line[q]; {
		case classes[c] == space, c == '"', c == '\'', c == '<', c == '>', c == ')', c == ']', c == '}', c == '`':
			s.add(value, p, p)
			s.prev = q
			return q
		}
		q++
	}
	s.add(value, p, p)
	s.prev = q
	return q
}

func (s *scanner) lastIs(c byte) bool {
	if len(s.tokens) == 0 {
		return false
	}
	t := s.tokens[len(s.tokens)-1]
	return t.kind == punct && s.line[t.from] == c
}

// add appends a token. Values that follow one another, with nothing or only
// list punctuation between, become one: "1, 2, 3", "10:20:30", "a 1 2".
func (s *scanner) add(k kind, from, to int) {
	glued := s.prev == from
	s.prev = to
	if len(s.tokens) >= maxTokens {
		s.full = true
		return
	}
	if k == value || k == soft {
		last := len(s.tokens) - 1
		for last >= 0 && s.tokens[last].kind == punct && joins(s.line[s.tokens[last].from]) {
			last--
		}
		if last >= 0 && s.tokens[last].kind >= value {
			beside := last == len(s.tokens)-1 && !glued
			s.tokens = s.tokens[:last+1]
			t := &s.tokens[last]
			if lone := beside && t.kind == value && t.from == t.to; k == soft && !lone {
				from = to // of names only one beside a lone value is shown: "ssh2" in "22 ssh2"
			}
			t.kind, t.from, t.to = value, int32(from), int32(to)
			return
		}
	}
	if k == word {
		s.words++
	}
	s.tokens = append(s.tokens, token{from: int32(from), to: int32(to), kind: k, glued: glued})
}

// joins reports whether punctuation between two values makes them one.
func joins(c byte) bool {
	switch c {
	case ',', ':', '-', '/', '.', '#', '|', '+', '*', '@', '~', '%':
		return true
	}
	return false
}

func isLetter(c byte) bool { return classes[c]&(hexa|alpha) != 0 }
