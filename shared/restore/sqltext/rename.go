package sqltext

import (
	"fmt"
	"slices"
	"strings"
)

// Renamed is a text in which schemas got other names.
type Renamed struct {
	Text string
	// Ambiguous is a name that the text uses both as a schema that is to be
	// renamed and as something else that can stand before a dot, such as a
	// table; "" if there is none. Text is not to be used then.
	Ambiguous string
	// Left are the strings that name a renamed schema and were not changed,
	// because nobody can say what they mean: the bodies of functions.
	Left bool
}

// RenameSchemas gives schemas other names in SQL text whose names are all
// qualified, as pgcatalog writes it: in qualified names, after the keyword
// SCHEMA, in the constants that stand for an object ('a.b'::regclass), and in
// the statements of DO.
// quote writes an identifier.
func RenameSchemas(text string, to map[string]string, quote func(string) string) (Renamed, error) {
	tokens, err := Tokens(text)
	if err != nil {
		return Renamed{}, err
	}
	r := renaming{tokens: tokens, to: to, quote: quote}
	for i, t := range tokens {
		if !t.Blank() {
			r.at = append(r.at, i)
		}
	}
	return r.run(), nil
}

// renaming is the work of one RenameSchemas. at lists the tokens that are not blank.
type renaming struct {
	tokens []Token
	at     []int
	to     map[string]string
	quote  func(string) string
	out    Renamed
}

// token returns the n-th token that is not blank; an empty one outside.
func (r *renaming) token(n int) Token {
	if n < 0 || n >= len(r.at) {
		return Token{Kind: Space}
	}
	return r.tokens[r.at[n]]
}

func (r *renaming) run() Renamed {
	changed := map[int]string{}
	schemas, others := map[string]bool{}, map[string]bool{}
	for n := range r.at {
		t := r.token(n)
		if t.Kind == String {
			if text, ok := r.constant(n); ok {
				changed[r.at[n]] = text
			}
			continue
		}
		name, ok := t.Name()
		to, wanted := r.to[name]
		if !ok || !wanted {
			continue
		}
		switch {
		case r.afterSchema(n):
			changed[r.at[n]] = r.quote(to)
		case r.token(n-1).Text == ".":
			others[name] = true // the name of something in a schema: also its alias
		case r.token(n+1).Text == ".":
			schemas[name] = true
			changed[r.at[n]] = r.quote(to)
		case r.token(n - 1).Is("as"):
			others[name] = true
		}
	}
	for name := range schemas {
		if others[name] && r.hasQuery() {
			r.out.Ambiguous = name
		}
	}
	for i, text := range changed {
		r.tokens[i].Text = text
	}
	r.out.Text = Join(r.tokens)
	return r.out
}

// hasQuery reports whether the text has a query, in which a table's name may
// stand before a column's.
func (r *renaming) hasQuery() bool {
	if r.token(0).Is("grant") || r.token(0).Is("revoke") {
		return false
	}
	return slices.ContainsFunc(r.tokens, func(t Token) bool { return t.Is("from") || t.Is("rule") })
}

// afterSchema reports whether the n-th token is the name of a schema as such:
// after SCHEMA, or further on in a list of them.
func (r *renaming) afterSchema(n int) bool {
	for r.token(n-1).Text == "," {
		n -= 2
	}
	for _, word := range []string{"exists", "not", "if"} {
		if r.token(n - 1).Is(word) {
			n--
		}
	}
	return r.token(n-1).Is("schema") && r.token(n-2).Text != "."
}

// objectTypes are the types whose constants name an object.
var objectTypes = []string{"regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regconfig", "regdictionary", "regcollation", "regnamespace"}

// constant returns what a string constant is to become; ok is false if it
// stays what it is.
func (r *renaming) constant(n int) (text string, ok bool) {
	t := r.token(n)
	value, plain := t.Constant()
	switch {
	case !plain && n == 1 && r.token(0).Is("do") && strings.HasPrefix(t.Text, "$"):
		tag := t.Text[:strings.Index(t.Text[1:], "$")+2]
		inner, err := RenameSchemas(strings.TrimSuffix(strings.TrimPrefix(t.Text, tag), tag), r.to, r.quote)
		if err != nil || inner.Ambiguous != "" {
			break
		}
		r.out.Left = r.out.Left || inner.Left
		return tag + inner.Text + tag, true
	case plain && r.isObject(n):
		inner, err := RenameSchemas(value, r.to, r.quote)
		if err != nil || inner.Ambiguous != "" {
			r.note(t)
			return "", false
		}
		return literal(inner.Text), inner.Text != value
	case plain && (r.castTo(n, "regnamespace") || r.inSearchPath(n)):
		if to, wanted := r.to[value]; wanted {
			return literal(to), true
		}
		return "", false
	}
	r.note(t)
	return "", false
}

// isObject reports whether a constant names an object: cast to one of the
// types that do, or the first argument of setval, nextval, to_regclass or to_regtype.
func (r *renaming) isObject(n int) bool {
	if r.token(n-1).Text == "(" && slices.ContainsFunc([]string{"setval", "nextval", "currval", "to_regclass", "to_regtype"}, r.token(n-2).Is) {
		return true
	}
	for _, name := range objectTypes {
		if name != "regnamespace" && r.castTo(n, name) {
			return true
		}
	}
	return false
}

func (r *renaming) castTo(n int, name string) bool {
	if r.token(n+1).Text != ":" || r.token(n+2).Text != ":" {
		return false
	}
	if r.token(n + 3).Is("pg_catalog") {
		return r.token(n + 5).Is(name)
	}
	return r.token(n + 3).Is(name)
}

// inSearchPath reports whether the constant is an element of SET search_path TO ….
func (r *renaming) inSearchPath(n int) bool {
	for r.token(n-1).Text == "," {
		n -= 2
	}
	before := r.token(n - 1)
	return (before.Is("to") || before.Text == "=") && r.token(n-2).Is("search_path")
}

// note remembers that a string which was left names a schema as a word, in
// letters of any case, its quotes doubled or not.
func (r *renaming) note(t Token) {
	text := strings.ReplaceAll(strings.ToLower(t.Text), `""`, `"`)
	for name := range r.to {
		name = strings.ToLower(name)
		for rest := text; ; {
			i := strings.Index(rest, name)
			if i < 0 {
				break
			}
			end := i + len(name)
			dotted := strings.HasPrefix(strings.TrimLeft(rest[end:], `" `), ".")
			whole := (i == 0 || !isLetter(rest[i-1]) && !isDigit(rest[i-1]))
			if dotted && whole {
				r.out.Left = true
				return
			}
			rest = rest[end:]
		}
	}
}

func literal(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return fmt.Sprintf("E%s", strings.ReplaceAll(q, `\`, `\\`))
	}
	return q
}
