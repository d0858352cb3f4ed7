package pattern

// finish gives each token its context and its hash.
func (s *scanner) finish() {
	headless, puncts := true, 0
	for i := range s.tokens {
		if s.tokens[i].kind == punct {
			puncts++
		}
	}
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.kind == soft && s.words == 0 && puncts < 2 {
			t.kind = word // no message is made of values only
		}
		switch t.kind {
		case punct:
			t.hash = hashBytes(s.line[t.from : t.from+1])
		case value, soft:
			t.hash = hashValue
		case word:
			t.hash = hashBytes(s.line[t.from:t.to])
			t.head, headless = headless, false
			t.label = s.isLabel(i)
			t.place = s.placeOf(i)
		}
	}
}

// isLabel: what is before "=", ":" or an opening bracket that touches it names
// something; so does a quoted word before ":" (JSON).
func (s *scanner) isLabel(i int) bool {
	rest := s.tokens[i+1:]
	if len(rest) > 1 && s.is(rest[0], '"') && s.is(rest[1], ':') {
		return true
	}
	if len(rest) == 0 || rest[0].kind != punct {
		return false
	}
	switch s.line[rest[0].from] {
	case '=', ':':
		return true
	case '(', '[', '{', '<':
		return rest[0].glued
	}
	return false
}

func (s *scanner) is(t token, c byte) bool { return t.kind == punct && s.line[t.from] == c }

func (s *scanner) placeOf(i int) place {
	if i == 0 {
		return inProse
	}
	before := s.tokens[i-1]
	switch {
	case s.is(before, '='), s.tokens[i].glued && (s.is(before, ':') || s.is(before, '"') || s.is(before, '\'')):
		if s.tellsWhat(i - 1) {
			return afterWhat
		}
		return afterKey
	case before.kind == word && isNoun(s.line[before.from:before.to]):
		return afterNoun
	}
	return inProse
}

// tellsWhat reports whether the key before the punctuation that ends at i is
// one whose value says what happened, as the message of a structured log does.
func (s *scanner) tellsWhat(i int) bool {
	for i >= 0 && s.tokens[i].kind == punct {
		i--
	}
	if i < 0 || s.tokens[i].kind != word {
		return false
	}
	switch string(s.line[s.tokens[i].from:s.tokens[i].to]) {
	case "level", "lvl", "severity", "msg", "message", "event", "type", "kind", "action", "op", "operation", "method",
		"status", "state", "result", "outcome", "reason", "cmd", "command", "error", "err":
		return true
	}
	return false
}

// isNoun: a word that the name of something follows.
func isNoun(b []byte) bool {
	switch string(b) {
	case "user", "User", "username", "host", "Host", "hostname", "named", "usuário", "usuario":
		return true
	}
	return false
}

// isDate reports whether line[p:end] is part of a date: the name of a month or
// a day of the week beside a number or another such name, or what follows a
// time of day.
func (s *scanner) isDate(p, end int) bool {
	if end-p > 4 || end-p < 2 {
		return false
	}
	name := s.line[p:end]
	afterValue := len(s.tokens) > 0 && s.tokens[len(s.tokens)-1].kind == value
	next := end
	for next < len(s.line) && (s.line[next] == ' ' || s.line[next] == ',') {
		next++
	}
	beforeDigit := next < len(s.line) && classes[s.line[next]] == digit && next > end
	switch string(name) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return afterValue || beforeDigit
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return beforeDigit || afterValue || next+3 <= len(s.line) && isMonth(s.line[next:next+3])
	case "AM", "PM", "am", "pm", "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CET", "CEST", "BRT":
		return afterValue
	}
	return false
}

func isMonth(b []byte) bool {
	switch string(b) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}
