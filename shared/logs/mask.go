package logs

import (
	"regexp"
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

// A rule finds candidates with an expression and looks at each more closely:
// numbers of documents and cards prove themselves with check digits, so that
// an order number of the same length stays readable.
type rule struct {
	find    *regexp.Regexp
	is      func(s string) bool
	instead string
	hint    func(s string) bool // false: no candidate can be in s
}

// maskers compiles the rules when the first entry is masked: most processes
// never do.
var maskers = sync.OnceValue(func() map[string]rule {
	digits := func(s string) bool { return strings.ContainsAny(s, "0123456789") }
	return map[string]rule{
		MaskEmail: {regexp.MustCompile(`[\p{L}\p{N}._%+\-]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.\-]{0,250}[\p{L}\p{N}])?\.[\p{L}]{2,24}`), nil, "[email]", func(s string) bool { return strings.Contains(s, "@") }},
		MaskCPF:   {regexp.MustCompile(`\d{3}\.?\d{3}\.?\d{3}-?\d{2}`), isCPF, "[cpf]", digits},
		// From July 2026 a CNPJ's first twelve places may be letters too.
		MaskCNPJ: {regexp.MustCompile(`[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}`), isCNPJ, "[cnpj]", digits},
		MaskCard: {regexp.MustCompile(`\d(?:[ \-]?\d){12,18}`), isCard, "[card]", digits},
		MaskToken: {regexp.MustCompile(`(?i)\beyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|\b(?:bearer|basic)\s+[\w\-.~+/]{8,}=*|\b(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{16}\b|\bgk_[0-9a-f]{16}_[0-9a-f]{64}\b` +
			`|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\b[sr]k_(?:live|test)_\w{10,}|\bxox[abprs]-[\w\-]{10,}|\bsbp_[0-9a-f]{20,}|\bAIza[\w\-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?` +
			`|://[^/\s:@]{1,64}:[^/\s@]{1,200}@|\b(?:password|passwd|senha|secret|api[_-]?key|access[_-]?token|token)\b["']?\s*[=:]\s*["']?[^\s"',;&}]{4,}`), nil, "[token]", func(string) bool { return true }},
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
	found := m.find.FindAllStringIndex(s, -1)
	if found == nil {
		return s
	}
	var b strings.Builder
	last := 0
	for _, f := range found {
		if m.is != nil && (!alone(s, f[0], f[1]) || !m.is(s[f[0]:f[1]])) {
			continue
		}
		b.WriteString(s[last:f[0]])
		b.WriteString(m.instead)
		last = f[1]
	}
	return b.String() + s[last:]
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

// isCard checks the last digit by Luhn's rule (ISO/IEC 7812-1).
func isCard(s string) bool {
	d := only(s, isDigit)
	if len(d) < 13 || len(d) > 19 || same(d) {
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

// maskJSON masks the texts in a JSON value, keys left alone.
func maskJSON(raw []byte, rules []string) []byte {
	s := scanner{b: raw}
	out := make([]byte, 0, len(raw))
	i := 0
	for i < len(raw) {
		if raw[i] != '"' {
			out = append(out, raw[i])
			i++
			continue
		}
		end, ok := s.text(i)
		if !ok { // it was scanned before
			return []byte("{}")
		}
		if next := s.space(end); next < len(raw) && raw[next] == ':' {
			out = append(out, raw[i:end]...)
		} else {
			text := unquote(raw[i:end])
			if masked := Mask(text, rules); masked != text {
				out = appendQuoted(out, masked)
			} else {
				out = append(out, raw[i:end]...)
			}
		}
		i = end
	}
	return out
}

func appendQuoted(b []byte, s string) []byte {
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
