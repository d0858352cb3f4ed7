package logs

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Masking rules.
const (
	MaskEmail = "email"
	MaskCPF   = "cpf"
	MaskCNPJ  = "cnpj"
	MaskCard  = "card"
	MaskToken = "token"
)

// MaskRules returns all masking rules.
func MaskRules() []string { return []string{MaskEmail, MaskCPF, MaskCNPJ, MaskCard, MaskToken} }

// A rule finds candidates and looks at each more closely: numbers of documents
// and cards prove themselves with check digits, so that an order number of the
// same length stays readable.
type rule struct {
	find    func(s string) [][]int // from, to
	instead string
	hint    func(s string) bool // false: no candidate can be in s
}

// maskers compiles the rules when the first entry is masked: most processes
// never do.
var maskers = sync.OnceValue(func() map[string]rule {
	digits := func(s string) bool { return strings.ContainsAny(s, "0123456789") }
	all := func(expression string) func(string) [][]int {
		find := regexp.MustCompile(expression)
		return func(s string) [][]int { return find.FindAllStringIndex(s, -1) }
	}
	proved := func(expression string, is func(string) bool) func(string) [][]int {
		find := all(expression)
		return func(s string) [][]int {
			return slices.DeleteFunc(find(s), func(f []int) bool { return !alone(s, f[0], f[1]) || !is(s[f[0]:f[1]]) })
		}
	}
	return map[string]rule{
		MaskEmail: {all(`[\p{L}\p{N}._%+\-]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.\-]{0,250}[\p{L}\p{N}])?\.[\p{L}]{2,24}`), "[email]", func(s string) bool { return strings.Contains(s, "@") }},
		MaskCPF:   {proved(`\d{3}\.?\d{3}\.?\d{3}-?\d{2}`, isCPF), "[cpf]", digits},
		// From July 2026 a CNPJ's first twelve places may be letters too.
		MaskCNPJ: {proved(`[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}`, isCNPJ), "[cnpj]", digits},
		MaskCard: {cards, "[card]", digits},
		MaskToken: {all(`(?i)\beyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|\b(?:bearer|basic)\s+[\w\-.~+/]{8,}=*|\b(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{16}\b|\bgk_[0-9a-f]{16}_[0-9a-f]{64}\b` +
			`|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\b[sr]k_(?:live|test)_\w{10,}|\bxox[abprs]-[\w\-]{10,}|\bsbp_[0-9a-f]{20,}|\bAIza[\w\-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?` +
			`|://[^/\s:@]{1,64}:[^/\s@]{1,200}@|\b(?:password|passwd|senha|secret|api[_-]?key|access[_-]?token|token)\b["']?\s*[=:]\s*["']?[^\s"',;&}]{4,}`), "[token]", func(string) bool { return true }},
	}
})

// Mask replaces what the rules find in a text.
func Mask(s string, rules []string) string {
	for _, name := range rules {
		m, ok := maskers()[name]
		if !ok || !m.hint(s) {
			continue
		}
		s = m.replace(s)
	}
	return s
}

func (m *rule) replace(s string) string {
	found := m.find(s)
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	last := 0
	for _, f := range found {
		b.WriteString(s[last:f[0]])
		b.WriteString(m.instead)
		last = f[1]
	}
	return b.String() + s[last:]
}

// cards finds card numbers: digits in one piece, or in groups as they are
// written on cards (four, then from three to eight), a space or a hyphen
// between them. Each group may be a number's first, so that one which follows
// a date or another number is found too.
func cards(s string) (found [][]int) {
	var groups [][]int // of one run
	take := func() {
		for i := 0; i < len(groups); i++ {
			n, end := 0, -1
			for j := i; j < len(groups); j++ {
				size := groups[j][1] - groups[j][0]
				if n += size; n > 19 || j > i && (size < 3 || size > 8 || groups[i][1]-groups[i][0] != 4) {
					break
				}
				if n >= 13 && alone(s, groups[i][0], groups[j][1]) && isCard(s[groups[i][0]:groups[j][1]]) {
					end = j
				}
			}
			if end >= 0 {
				found = append(found, []int{groups[i][0], groups[end][1]})
				i = end
			}
		}
		groups = groups[:0]
	}
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			continue
		}
		start := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if n := len(groups); n > 0 && (start != groups[n-1][1]+1 || s[start-1] != ' ' && s[start-1] != '-') {
			take()
		}
		groups = append(groups, []int{start, i})
	}
	take()
	return found
}

// alone reports whether s[i:j] is not part of a longer number or word.
func alone(s string, i, j int) bool {
	word := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
	}
	return (i == 0 || !word(s[i-1])) && (j == len(s) || !word(s[j]))
}

func only(s string, keep func(c byte) bool) []byte {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if keep(s[i]) {
			out = append(out, s[i])
		}
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isCPF checks a CPF's two check digits (Receita Federal): the sum of the
// digits times 10, 9, 8… times 10, modulo 11.
func isCPF(s string) bool {
	d := only(s, isDigit)
	if len(d) != 11 || same(d) {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for i := range n {
			sum += int(d[i]-'0') * (n + 1 - i)
		}
		if sum*10%11%10 != int(d[n]-'0') {
			return false
		}
	}
	return true
}

// isCNPJ checks a CNPJ's two check digits, numeric or with letters (Instrução
// Normativa RFB 2.229/2024): a place counts its ASCII code minus 48, times 2 to
// 9 from the right and again.
func isCNPJ(s string) bool {
	d := only(s, func(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' })
	if len(d) != 14 || same(d) || !isDigit(d[12]) || !isDigit(d[13]) {
		return false
	}
	for n := 12; n <= 13; n++ {
		sum := 0
		for i := range n {
			sum += int(d[n-1-i]-48) * (2 + i%8)
		}
		check := 11 - sum%11
		if check > 9 {
			check = 0
		}
		if check != int(d[n]-'0') {
			return false
		}
	}
	return true
}

// isCard checks the last digit by Luhn's rule, and the first one, which says
// what a card is for (ISO/IEC 7812-1): banks' begin with 2 to 6. Times in
// milliseconds or smaller units do not.
func isCard(s string) bool {
	d := only(s, isDigit)
	if len(d) < 13 || len(d) > 19 || d[0] < '2' || d[0] > '6' || same(d) {
		return false
	}
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func same(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}

// secretName tells members whose value is a secret whatever it looks like.
var secretName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:password|passwd|senha|secret|api[_-]?key|token)"$`)
})

// maskJSON masks the texts and numbers in a JSON value, keys left alone.
func maskJSON(raw []byte, rules []string) []byte {
	s := scanner{b: raw}
	out := make([]byte, 0, len(raw))
	tokens := slices.Contains(rules, MaskToken)
	secret := false // the value that comes is one by its name
	for i := 0; i < len(raw); {
		c, end, text := raw[i], i+1, ""
		switch {
		case c == '"':
			var ok bool
			if end, ok = s.text(i); !ok { // it was scanned before
				return []byte("{}")
			}
			if next := s.space(end); next < len(raw) && raw[next] == ':' {
				secret = tokens && secretName().Match(raw[i:end])
				out = append(out, raw[i:end]...)
				i = end
				continue
			}
			text = unquote(raw[i:end])
		case c == '-' || isDigit(c):
			end, _ = s.number(i)
			text = string(raw[i:end])
		}
		masked := Mask(text, rules)
		if secret && text != "" {
			masked = "[token]"
		}
		if masked != text {
			out = AppendQuoted(out, masked)
		} else {
			out = append(out, raw[i:end]...)
		}
		secret = secret && (c == ':' || c == ' ' || c == '\t' || c == '\n' || c == '\r')
		i = end
	}
	return out
}

// AppendQuoted appends a text, which must be UTF-8, as JSON.
func AppendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// mask masks the entries by their sources' rules.
func (s *Settings) mask(entries []Entry) {
	if len(s.Masking) == 0 {
		return
	}
	for i := range entries {
		e := &entries[i]
		if rules := s.rules(e.Source); len(rules) > 0 {
			e.Message = Mask(e.Message, rules)
			e.SessionID = Mask(e.SessionID, rules)
			if e.Metadata != nil {
				e.Metadata = maskJSON(e.Metadata, rules)
			}
		}
	}
}
