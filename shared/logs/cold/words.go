package cold

import (
	"strconv"
	"strings"
)

// needs says, for a text search query as Postgres writes one ('a' & !'b' <2>
// 'c' | 'd'), whether rows that have only words for which may answers true can
// match it. It errs towards true only: what it cannot read, what must not be
// there, and where words stand to each other, Postgres decides on the rows.
func needs(query string, may func(word string) bool) bool {
	p := &queryParser{rest: query, may: may}
	out := p.or()
	return out || p.failed || strings.TrimSpace(p.rest) != ""
}

// maxQueryDepth bounds nested parentheses.
const maxQueryDepth = 200

type queryParser struct {
	rest   string
	may    func(string) bool
	depth  int
	failed bool
}

func (p *queryParser) take(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if !strings.HasPrefix(p.rest, token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *queryParser) or() bool {
	out := p.and()
	for p.take("|") {
		if p.and() {
			out = true
		}
	}
	return out
}

func (p *queryParser) and() bool {
	out := p.one()
	for p.take("&") || p.distance() {
		if !p.one() {
			out = false
		}
	}
	return out
}

// distance takes <-> and <n>.
func (p *queryParser) distance() bool {
	if p.take("<->") {
		return true
	}
	if !p.take("<") {
		return false
	}
	number, rest, ok := strings.Cut(p.rest, ">")
	if _, err := strconv.ParseUint(number, 10, 16); !ok || err != nil {
		p.failed = true
		return false
	}
	p.rest = rest
	return true
}

func (p *queryParser) one() bool {
	if p.failed {
		return true
	}
	if p.depth++; p.depth > maxQueryDepth {
		p.failed = true
		return true
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("!"):
		p.one()
		return true
	case p.take("("):
		out := p.or()
		if !p.take(")") {
			p.failed = true
		}
		return out
	case p.take("'"):
		word, ok := p.word()
		if !ok || strings.HasPrefix(p.rest, ":") { // weights and prefixes: not by web search
			p.failed = true
			return true
		}
		return p.may(word)
	}
	p.failed = true
	return true
}

// word reads a quoted word, whose quotes and backslashes are doubled.
func (p *queryParser) word() (string, bool) {
	var out strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		if c == '\'' || c == '\\' {
			if i+1 >= len(p.rest) || p.rest[i+1] != c {
				p.rest = p.rest[i+1:]
				return out.String(), c == '\''
			}
			i++
		}
		out.WriteByte(c)
	}
	return "", false
}
