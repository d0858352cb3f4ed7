package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/httpapi"
)

// Whatever the body is, decoding gives a value or a coded error that is the
// caller's, and what it accepts encoding/json accepts too.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"name":"a","many":[{"deep":1}]}`, `{"at":"2026-01-01T00:00:00Z","map":{"a":1}}`, `[[[`, `{"name":1}{}`, "\xff", `{"Raw":{"x":[1e400]}}`, `{"ratio":1e999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		v, err := httpapi.Decode[body](r)
		switch {
		case err == nil:
			var again body
			if json.Unmarshal([]byte(text), &again) != nil {
				t.Errorf("%q was accepted as %+v", text, v)
			}
		case fault.CodeOf(err).HTTPStatus() >= 500:
			t.Errorf("%q: %v", text, err)
		}
	})
}

// A cursor is read back as it was, or refused.
func FuzzCursor(f *testing.F) {
	f.Add(httpapi.EncodeCursor("list", map[string]any{"n": 1, "s": "x"}))
	f.Add("eyJ2IjoxfQ")
	f.Add("====")
	f.Fuzz(func(t *testing.T, s string) {
		var v map[string]any
		if err := httpapi.DecodeCursor("list", s, &v); err != nil {
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		var again map[string]any
		if err := httpapi.DecodeCursor("list", httpapi.EncodeCursor("list", v), &again); err != nil && len(s) < 700 {
			t.Errorf("%q does not survive: %v", s, err)
		}
	})
}
