package choice

import (
	"slices"
	"strings"

	"guarda/shared/restore/sqltext"
)

// strip takes properties out of a statement that a version does not know, where
// the object can be without them: a storage parameter, a privilege among
// others, that a sequence is not logged.
func strip(e *Entry, name string, tokens []sqltext.Token, major int) ([]sqltext.Token, []Missing) {
	var missing []Missing
	without := func(what string, since int, drop func([]sqltext.Token) []sqltext.Token) {
		if major >= since {
			return
		}
		if rest := drop(tokens); len(rest) != len(tokens) {
			missing = append(missing, Missing{Object: name, What: what, Since: since})
			tokens = rest
		}
	}
	switch e.Kind {
	case "TABLE", "MATERIALIZED VIEW":
		for _, p := range []struct {
			name  string
			since int
		}{{"vacuum_max_eager_freeze_failure_rate", 18}, {"autovacuum_vacuum_max_threshold", 18}} {
			without("the storage parameter "+p.name, p.since, func(t []sqltext.Token) []sqltext.Token { return withoutParameter(t, p.name) })
		}
	case "SEQUENCE":
		without("an unlogged sequence", 15, func(t []sqltext.Token) []sqltext.Token {
			if s := solid(t); len(s) < 3 || !s[1].Is("unlogged") || !s[2].Is("sequence") {
				return t
			}
			at := slices.IndexFunc(t, func(t sqltext.Token) bool { return t.Is("unlogged") })
			return slices.Delete(slices.Clone(t), at, at+2) // with the space behind it
		})
	case "ACL", "DEFAULT ACL":
		without("the MAINTAIN privilege", 17, withoutMaintain)
	}
	return tokens, missing
}

// withoutParameter takes a parameter, and the same of the toast table, out of
// the list after WITH.
func withoutParameter(tokens []sqltext.Token, parameter string) []sqltext.Token {
	for at := 0; at < len(tokens); at++ {
		if !tokens[at].Is("with") {
			continue
		}
		open := at + 1
		for open < len(tokens) && tokens[open].Blank() {
			open++
		}
		if open == len(tokens) || tokens[open].Text != "(" {
			continue
		}
		elements, end := listElements(tokens, open)
		var kept []string
		for _, element := range elements {
			if !slices.ContainsFunc(element, func(t sqltext.Token) bool { return t.Is(parameter) }) {
				kept = append(kept, strings.TrimSpace(sqltext.Join(element)))
			}
		}
		if len(kept) == len(elements) {
			continue
		}
		var rest []sqltext.Token
		if len(kept) == 0 {
			rest = slices.Concat(tokens[:at], tokens[end+1:])
		} else {
			rest = slices.Concat(tokens[:open+1], []sqltext.Token{{Kind: sqltext.Word, Text: strings.Join(kept, ", ")}}, tokens[end:])
		}
		again, err := sqltext.Tokens(sqltext.Join(rest))
		if err != nil {
			return tokens // not with tokens that were cut before
		}
		return again
	}
	return tokens
}

// withoutMaintain takes MAINTAIN out of lists of privileges. Where it is the
// only one, the statement is left for the caller to leave out.
func withoutMaintain(tokens []sqltext.Token) []sqltext.Token {
	out := slices.Clone(tokens)
	for i := 0; i < len(out); i++ {
		if !out[i].Is("maintain") {
			continue
		}
		switch {
		case i > 0 && out[i-1].Text == ",":
			out = slices.Delete(out, i-1, i+1)
			i -= 2
		case i+1 < len(out) && out[i+1].Text == ",":
			out = slices.Delete(out, i, i+2)
			i--
		}
	}
	return out
}
