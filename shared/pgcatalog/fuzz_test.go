package pgcatalog

import (
	"slices"
	"strings"
	"testing"
)

func FuzzPatterns(f *testing.F) {
	for _, s := range []string{"orders", "shop.*", `"Odd.Name"`, `a."b""c".d`, "*", "?x", `"`, ".", "É", "a\nb"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, schema, name string) {
		if p, err := parsePattern(name); err == nil {
			p.matches(schema, name) // whatever the text is, it can be asked
		}
		if schema == "" || name == "" {
			return
		}
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		p, err := parsePattern(quote(schema) + "." + quote(name))
		if err != nil {
			t.Fatalf("%q.%q is refused: %v", schema, name, err)
		}
		if !p.matches(schema, name) {
			t.Errorf("a quoted name does not match itself: %q.%q", schema, name)
		}
		if p.matches(schema, name+"x") || p.matches(schema+"x", name) {
			t.Errorf("%q.%q matches another name", schema, name)
		}
	})
}

func FuzzIdentifiers(f *testing.F) {
	for _, s := range []string{"orders", "select", `a"b`, "Ünïcode", "1st", "a b", "a\nb", `back\slash`, "tab\there", "_x9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := quoteIdent(s)
		if inner, ok := strings.CutPrefix(q, `"`); ok {
			inner, ok = strings.CutSuffix(inner, `"`)
			if !ok || strings.ReplaceAll(inner, `""`, `"`) != s || strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
				t.Errorf("%q becomes %s", s, q)
			}
		} else if q != s || strings.ToLower(s) != s || strings.ContainsAny(s, " .\"'\n;") {
			t.Errorf("%q stays unquoted as %s", s, q)
		}
		l := quoteLiteral(s)
		body, escaped := strings.CutPrefix(l, "E'")
		if !escaped {
			body = strings.TrimPrefix(l, "'")
		}
		body = strings.ReplaceAll(strings.TrimSuffix(body, "'"), "''", "'")
		if escaped {
			body = strings.ReplaceAll(body, `\\`, `\`)
		}
		if body != s || escaped != strings.Contains(s, `\`) {
			t.Errorf("%q becomes the constant %s", s, l)
		}
	})
}

func FuzzACL(f *testing.F) {
	f.Add("reader", "owner", "r*w", "reader=r*w/owner")
	f.Add(`a "quoted" role`, "x=y/z", "arwdDxt", `"a ""q"""=U*/postgres`)
	f.Add("", "o", "X", "=X/o")
	f.Add("é", "1", "", "=")
	f.Fuzz(func(t *testing.T, grantee, grantor, letters, raw string) {
		parseACL([]string{raw}) // whatever the text is
		var plain, grantable, text []byte
		for _, l := range []byte("arwdDxtXUCTcsAm") {
			switch strings.Count(letters, string(l)) {
			case 0:
			case 1:
				plain, text = append(plain, l), append(text, l)
			default:
				grantable, text = append(grantable, l), append(text, l, '*')
			}
		}
		got := parseACL([]string{aclQuote(grantee) + "=" + string(text) + "/" + aclQuote(grantor)})[0]
		if got.grantee != grantee || got.grantor != grantor || !slices.Equal(got.plain, plain) || !slices.Equal(got.grantable, grantable) {
			t.Errorf("%q %q %q read as %+v", grantee, grantor, text, got)
		}
		for _, l := range append(plain, grantable...) {
			if privilegeWord(l) == "" {
				t.Errorf("the privilege %c has no word", l)
			}
		}
	})
}
