package export

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func drawable(rune) bool { return true }

// The cases follow UAX 9 for lines whose direction is from left to right; the
// forms are Unicode's.
func TestLinesAreDrawnInTheOrderOfTheirScripts(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"erro 12: abc":     "erro 12: abc",
		"שלום":             "םולש",
		"log שלום abc":     "log םולש abc",
		"שלום 123 עולם":    "םלוע 123 םולש",
		"שלום (10.0.0.1)":  "(10.0.0.1) םולש",
		"שלום 10 ms":       "10 םולש ms",
		"10 שלום":          "10 םולש",
		"שלום (אבג) ms":    "(גבא) םולש ms",
		"בּ":               "בּ",            // a mark stays on its letter
		"سلام":             "م\uFEFC\uFEB3", // with the ligature of lam and alef
		"دب بب ا":          "ا \uFE90\uFE91 بد",
		"ببب":              "\uFE90\uFE92\uFE91",
		"بَب":              "\uFE90\uFE91\u064E",
		"پچگ":              "\uFB93\uFB7D\uFB58",
		"خطأ 500: نهاية x": "\uFE94\uFEF3\uFE8E\uFEEC\uFEE7 :500 \uFE84\uFEC4\uFEA7 x",
	} {
		if got := visual(line, drawable); got != want {
			t.Errorf("%q is drawn as %+q, want %+q", line, got, want)
		}
	}
}

// Whatever the line, each of its characters is drawn once.
func TestNoCharacterGetsLostOnTheWayToThePage(t *testing.T) {
	t.Parallel()
	letters := []rune("ab 12٣٤.,:()[]<>שלוםبلاسّ\u064E\u200d\u200fپ漢😀é")
	sorted := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if i := strings.IndexRune(")]}", r); i >= 0 { // brackets may be turned round
				return rune("([{"[i])
			}
			return r
		}, norm.NFKD.String(s))
		r := []rune(s)
		slices.Sort(r)
		return string(r)
	}
	rapid.Check(t, func(rt *rapid.T) {
		line := string(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(letters), rapid.RuneFrom(nil, unicode.Arabic, unicode.Hebrew, unicode.Latin)), 0, 30).Draw(rt, "line"))
		if got := visual(line, drawable); sorted(got) != sorted(line) {
			rt.Fatalf("%+q is drawn as %+q", line, got)
		}
	})
}
