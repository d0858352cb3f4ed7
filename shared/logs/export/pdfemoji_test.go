package export_test

import (
	"bytes"
	"testing"

	"guarda/shared/logs/export"
)

// Emoji are drawn: each that is used has its picture in the file, once, and
// characters that no font of text has are not taken for emoji.
func TestPDFHoldsThePicturesOfItsEmoji(t *testing.T) {
	t.Parallel()
	pictures := func(message string) (images, fonts int) {
		r := rows()[0]
		r.Message, r.SessionID = []byte(message), nil
		file := write(t, export.PDF, export.Options{}, []export.Row{r, r})
		return bytes.Count(file, []byte("/SMask")), bytes.Count(file, []byte("/Subtype/Type3"))
	}
	var many []rune
	for r := range rune(240) { // more than one font takes
		many = append(many, 0x1F400+r)
	}
	for r := range rune(20) {
		many = append(many, 0x1F600+r)
	}
	for _, c := range []struct {
		message       string
		images, fonts int
	}{
		{"plain, compressão, 1 # *", 0, 0},
		{"🚀 ✅ 🚀 👩‍💻", 4, 1},
		{"漢字 العربية", 0, 1}, // Han characters are outlines of a font of that kind
		{string(many), 260, 2},
	} {
		if images, fonts := pictures(c.message); images != c.images || fonts != c.fonts {
			t.Errorf("%.20s: %d pictures in %d fonts, want %d in %d", c.message, images, fonts, c.images, c.fonts)
		}
	}
}
