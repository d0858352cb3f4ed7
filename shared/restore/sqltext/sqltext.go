// Package sqltext cuts SQL text into tokens as PostgreSQL's scanner does
// (src/backend/parser/scan.l, with standard_conforming_strings on), so that
// statements can be looked at and changed without touching what stands in
// strings and comments. It does not parse.
package sqltext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"guarda/shared/fault"
)

// Kind is what a token is.
type Kind int

// The kinds. White space and comments are tokens too: the texts of all tokens
// joined are the text that was cut.
const (
	Space   Kind = iota // white space
	Comment             // -- to the end of the line, or /* … */, which nests
	Word                // a keyword or an identifier without quotes
	Quoted              // an identifier in double quotes
	String              // a constant in quotes of any kind, dollar quotes included
	Number
	Param // $1
	Punct // one character of anything else
)

// Token is a piece of SQL text.
type Token struct {
	Kind Kind
	Text string
}

// Tokens cuts text. It fails on a string, quoted identifier or comment that
// does not end.
func Tokens(text string) ([]Token, error) {
	var tokens []Token
	for at := 0; at < len(text); {
		kind, n := scan(text[at:])
		if n == 0 {
			return nil, fault.New(fault.Corrupt, "a statement cannot be read: what begins with %s does not end", excerpt(text[at:])).
				Hint("restore from another copy of this backup")
		}
		tokens = append(tokens, Token{kind, text[at : at+n]})
		at += n
	}
	return tokens, nil
}

func excerpt(s string) string {
	if len(s) > 30 {
		s = strings.ToValidUTF8(s[:30], "") + "…"
	}
	return s
}

// scan returns the first token's kind and length in bytes, 0 if it does not end.
func scan(s string) (Kind, int) {
	switch c := s[0]; {
	case isSpace(c):
		n := 1
		for n < len(s) && isSpace(s[n]) {
			n++
		}
		return Space, n
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexAny(s, "\n\r"); n >= 0 {
			return Comment, n
		}
		return Comment, len(s)
	case strings.HasPrefix(s, "/*"):
		return Comment, blockComment(s)
	case c == '\'':
		return String, quoted(s, 0, '\'', false)
	case c == '"':
		return Quoted, quoted(s, 0, '"', false)
	case c == '$':
		return dollar(s)
	case isDigit(c), c == '.' && len(s) > 1 && isDigit(s[1]):
		return Number, number(s)
	case isLetter(c):
		return word(s)
	}
	_, n := utf8.DecodeRuneInString(s)
	return Punct, n
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func blockComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// quoted returns the length of what begins at s[from] with a quote. A quote
// inside is doubled, or, where escapes are allowed, has a backslash before it.
func quoted(s string, from int, quote byte, escapes bool) int {
	for i := from + 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] != quote:
		case i+1 < len(s) && s[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return 0
}

func dollar(s string) (Kind, int) {
	n := 1
	for n < len(s) && (isLetter(s[n]) || n > 1 && isDigit(s[n])) {
		n++
	}
	if n < len(s) && s[n] == '$' {
		tag := s[:n+1]
		end := strings.Index(s[n+1:], tag)
		if end < 0 {
			return String, 0
		}
		return String, n + 1 + end + len(tag)
	}
	n = 1
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n > 1 {
		return Param, n
	}
	return Punct, 1
}

func number(s string) int {
	n := 0
	for n < len(s) {
		c := s[n]
		switch {
		case isDigit(c), isLetter(c) && c < 0x80:
			n++
		case c == '.' && (n+1 >= len(s) || s[n+1] != '.'): // "1..10" is a range of PL/pgSQL
			n++
		case (c == '+' || c == '-') && (s[n-1] == 'e' || s[n-1] == 'E'):
			n++
		default:
			return n
		}
	}
	return n
}

func word(s string) (Kind, int) {
	if len(s) > 1 && s[1] == '\'' {
		switch s[0] {
		case 'e', 'E':
			return String, quoted(s, 1, '\'', true)
		case 'b', 'B', 'x', 'X', 'n', 'N':
			return String, quoted(s, 1, '\'', false)
		}
	}
	if len(s) > 2 && (s[0] == 'u' || s[0] == 'U') && s[1] == '&' {
		switch s[2] {
		case '\'':
			return String, quoted(s, 2, '\'', false)
		case '"':
			return Quoted, quoted(s, 2, '"', false)
		}
	}
	n := 1
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '$') {
		n++
	}
	return Word, n
}

// Name returns the identifier that a Word or Quoted stands for; ok is false for
// other tokens and for identifiers in Unicode escapes.
func (t Token) Name() (name string, ok bool) {
	switch {
	case t.Kind == Word:
		return lower(t.Text), true
	case t.Kind == Quoted && t.Text[0] == '"':
		return strings.ReplaceAll(t.Text[1:len(t.Text)-1], `""`, `"`), true
	}
	return "", false
}

// Is reports whether the token is a keyword, given in lower case.
func (t Token) Is(keyword string) bool { return t.Kind == Word && lower(t.Text) == keyword }

// lower folds case as the server does for identifiers in UTF-8: ASCII only.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// Constant returns the value of a plain string constant ('…' or E'…' whose
// escapes are doubled backslashes); ok is false for all others.
func (t Token) Constant() (value string, ok bool) {
	if t.Kind != String {
		return "", false
	}
	switch t.Text[0] {
	case '\'':
		return strings.ReplaceAll(t.Text[1:len(t.Text)-1], "''", "'"), true
	case 'E', 'e':
		text := t.Text[2 : len(t.Text)-1]
		if strings.Contains(strings.ReplaceAll(text, `\\`, ""), `\`) {
			return "", false
		}
		return strings.ReplaceAll(strings.ReplaceAll(text, "''", "'"), `\\`, `\`), true
	}
	return "", false
}

// Join puts tokens together.
func Join(tokens []Token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.Text)
	}
	return b.String()
}

// Blank reports whether the token is white space or a comment.
func (t Token) Blank() bool { return t.Kind == Space || t.Kind == Comment }

// Statements cuts tokens at the semicolons that end statements: not those in
// parentheses (rules) or in the body of a SQL function between BEGIN ATOMIC and
// its END. Each statement keeps its semicolon and what stands before it, the last
// one what stands after it: joined they are the text.
func Statements(tokens []Token) [][]Token {
	var out [][]Token
	start, depth := 0, 0
	var blocks int // BEGIN ATOMIC and the CASE inside it, each ended by END
	before := Token{}
	for i, t := range tokens {
		switch {
		case t.Blank():
			continue
		case t.Text == "(":
			depth++
		case t.Text == ")":
			depth--
		case t.Is("atomic") && before.Is("begin"), blocks > 0 && t.Is("case"):
			blocks++
		case blocks > 0 && t.Is("end"):
			blocks--
		case t.Text == ";" && t.Kind == Punct && depth == 0 && blocks == 0:
			out = append(out, tokens[start:i+1])
			start = i + 1
		}
		before = t
	}
	if start == len(tokens) {
		return out
	}
	if n := len(out); n > 0 && !slices.ContainsFunc(tokens[start:], func(t Token) bool { return !t.Blank() }) {
		out[n-1] = tokens[start-len(out[n-1]):]
		return out
	}
	return append(out, tokens[start:])
}
