package choice

import (
	"slices"
	"strings"

	"guarda/shared/restore/sqltext"
)

// withoutMultirange leaves out the name of a range type's multirange type,
// which is always stated.
func withoutMultirange(tokens []sqltext.Token) []sqltext.Token {
	at := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("multirange_type_name") })
	if at < 0 {
		return tokens
	}
	from := at
	for from > 0 && tokens[from].Text != "," && tokens[from].Text != "(" {
		from--
	}
	to := at
	for to < len(tokens) && tokens[to].Text != "," && tokens[to].Text != ")" && tokens[to].Text != ";" {
		to++
	}
	if tokens[from].Text == "(" {
		from++
	}
	return slices.Delete(slices.Clone(tokens), from, to)
}

// plainNotNull says what NOT NULL constraints of a new table say before version
// 18: that a column has one. There they have no names of their own, are not
// among the table's constraints, and are always inherited. It reports whether
// that changed the statements.
func plainNotNull(e *Entry, tokens []sqltext.Token) ([]sqltext.Token, bool) {
	open := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Text == "(" })
	if e.Kind != "TABLE" && e.Kind != "FOREIGN TABLE" || open < 0 {
		return tokens, false
	}
	elements, end := listElements(tokens, open)
	var kept []string
	var after strings.Builder
	changed := false
	for _, element := range elements {
		if column := tableNotNull(element); column != "" {
			after.WriteString("ALTER TABLE ONLY " + quote(e.Schema) + "." + quote(e.Name) + " ALTER COLUMN " + column + " SET NOT NULL;\n")
			changed = true
			continue
		}
		text, dropped := withoutNoInherit(element)
		changed = changed || dropped
		kept = append(kept, text)
	}
	if !changed {
		return tokens, false
	}
	list := strings.Join(kept, ",")
	if len(kept) == 0 {
		list = "\n"
	}
	sql := sqltext.Join(tokens[:open+1]) + list + sqltext.Join(tokens[end:]) + after.String()
	again, err := sqltext.Tokens(sql)
	if err != nil {
		return tokens, false // not with tokens that were cut before
	}
	return again, true
}

// listElements cuts what stands in the parentheses that open at a token by its
// commas, and returns where they close.
func listElements(tokens []sqltext.Token, open int) (elements [][]sqltext.Token, end int) {
	depth, start := 0, open+1
	for i := open; i < len(tokens); i++ {
		switch tokens[i].Text {
		case "(", "[":
			depth++
		case ")", "]":
			if depth--; depth == 0 {
				return append(elements, tokens[start:i]), i
			}
		case ",":
			if depth == 1 {
				elements = append(elements, tokens[start:i])
				start = i + 1
			}
		}
	}
	return nil, len(tokens)
}

func solid(tokens []sqltext.Token) []sqltext.Token {
	return slices.DeleteFunc(slices.Clone(tokens), sqltext.Token.Blank)
}

// tableNotNull returns the column, as it is written, of an element [CONSTRAINT
// name] NOT NULL column; "" for all others.
func tableNotNull(element []sqltext.Token) string {
	t := solid(element)
	if len(t) > 2 && t[0].Is("constraint") {
		t = t[2:]
	}
	if len(t) >= 3 && t[0].Is("not") && t[1].Is("null") {
		return t[2].Text
	}
	return ""
}

// withoutNoInherit returns an element's text without the NO INHERIT of its NOT NULL.
func withoutNoInherit(element []sqltext.Token) (string, bool) {
	var b strings.Builder
	var last []sqltext.Token // solid ones
	dropped := false
	for i, t := range element {
		if t.Blank() {
			b.WriteString(t.Text)
			continue
		}
		n := len(last)
		if rest := solid(element[i:]); n >= 2 && last[n-2].Is("not") && last[n-1].Is("null") && len(rest) > 1 && t.Is("no") && rest[1].Is("inherit") {
			dropped = true
			last = append(last, t)
			continue
		}
		if dropped && t.Is("inherit") && last[n-1].Is("no") {
			last = append(last, t)
			continue
		}
		last = append(last, t)
		b.WriteString(t.Text)
	}
	return b.String(), dropped
}

// namedNotNull returns the names of the NOT NULL constraints in the statements of
// a table or domain, as they are written.
func namedNotNull(tokens []sqltext.Token) []string {
	var names []string
	t := solid(tokens)
	for i := 0; i+3 < len(t); i++ {
		if t[i].Is("constraint") && t[i+2].Is("not") && t[i+3].Is("null") {
			names = append(names, t[i+1].Text)
		}
	}
	return names
}

// commentedConstraint returns the constraint that a comment is about, as it is
// written, and whether it is a domain's.
func commentedConstraint(e *Entry, tokens []sqltext.Token) (name string, domain bool) {
	t := solid(tokens)
	if e.Kind != "COMMENT" || len(t) < 6 || !t[2].Is("constraint") || !t[4].Is("on") {
		return "", false
	}
	return t[3].Text, t[5].Is("domain")
}
