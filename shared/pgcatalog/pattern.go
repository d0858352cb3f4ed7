package pgcatalog

import (
	"regexp"
	"slices"
	"strings"

	"guarda/shared/fault"
)

// pattern matches relations as pg_dump's -t does.
type pattern struct {
	text         string
	schema, name *regexp.Regexp // schema is nil for a pattern without one
}

// parsePattern reads name or schema.name. Outside double quotes letters fold
// to lower case, * is any string and ? any character.
func parsePattern(text string) (pattern, error) {
	var parts []string
	var b strings.Builder
	quoted := false
	for i, rest := 0, []rune(text); i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '"' && quoted && i+1 < len(rest) && rest[i+1] == '"':
			b.WriteString(`"`)
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
			b.WriteString(regexp.QuoteMeta(string(c)))
		case c == '.':
			parts = append(parts, b.String())
			b.Reset()
		case c == '*':
			b.WriteString(`.*`)
		case c == '?':
			b.WriteString(`.`)
		default:
			b.WriteString(regexp.QuoteMeta(strings.ToLower(string(c))))
		}
	}
	parts = append(parts, b.String())
	if quoted || len(parts) > 2 || slices.Contains(parts, "") {
		return pattern{}, fault.New(fault.Invalid, "%s is no table pattern", text).
			Hint("write name or schema.name, with * and ? as wildcards, and double quotes around names with capitals, dots or spaces")
	}
	p := pattern{text: text, name: regexp.MustCompile(`(?s)^` + parts[len(parts)-1] + `$`)}
	if len(parts) == 2 {
		p.schema = regexp.MustCompile(`(?s)^` + parts[0] + `$`)
	}
	return p, nil
}

func (p pattern) matches(schema, name string) bool {
	return (p.schema == nil || p.schema.MatchString(schema)) && p.name.MatchString(name)
}

func parsePatterns(texts []string) ([]pattern, error) {
	var out []pattern
	for _, t := range texts {
		p, err := parsePattern(t)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// nearest lists up to three names that resemble what a pattern asked for.
func nearest(asked string, names []string) []string {
	type scored struct {
		name  string
		score int
	}
	fold := func(s string) string {
		if _, name, ok := strings.Cut(s, "."); ok {
			s = name
		}
		return strings.Trim(strings.ToLower(s), `"*?`)
	}
	want := fold(asked)
	var all []scored
	for _, n := range names {
		have := fold(n)
		d := distance(want, have)
		if want != "" && strings.Contains(have, want) {
			d = min(d, 1)
		}
		if d <= 1+len(want)/3 {
			all = append(all, scored{n, d})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.score - b.score })
	var out []string
	for _, s := range all[:min(3, len(all))] {
		out = append(out, s.name)
	}
	return out
}

// distance is Levenshtein's: how many letters to change, add or remove.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
