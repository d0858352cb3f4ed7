package export

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// pdfFont is an embedded font. Each character that is used gets a code of its
// own (CID), with a glyph to draw and the character to copy: so text that is
// copied or searched is right beyond the Basic Multilingual Plane too, and also
// where the font has no glyph, which is drawn as a box. (The libraries that we
// tried end at U+FFFF, or map what is above it wrongly.)
type pdfFont struct {
	resource string // its name in the pages' resources
	name     string // PostScript name
	data     []byte
	font     *sfnt.Font
	buf      sfnt.Buffer
	codes    map[rune]int
	used     []pdfGlyph // by code
}

type pdfGlyph struct {
	char  rune
	glyph sfnt.GlyphIndex
	width int // thousandths of the size
}

func newFont(resource, name string, data []byte) (*pdfFont, error) {
	f, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the font %s: %w", name, err)
	}
	// Code 0 is never used: some readers take it for "undefined".
	return &pdfFont{resource: resource, name: name, data: data, font: f, codes: map[rune]int{}, used: make([]pdfGlyph, 1)}, nil
}

func newSans() (*pdfFont, error) { return newFont("S", "DejaVuSans", dejavusans.TTF) }
func newMono() (*pdfFont, error) { return newFont("M", "DejaVuSansMono", dejavusansmono.TTF) }

// has reports whether the font can draw a character.
func (f *pdfFont) has(r rune) bool {
	g, err := f.font.GlyphIndex(&f.buf, r)
	return err == nil && g != 0
}

// code returns the code of a character.
func (f *pdfFont) code(r rune) int {
	if c, ok := f.codes[r]; ok {
		return c
	}
	u := pdfGlyph{char: r}
	if !invisible(r) {
		u.glyph, _ = f.font.GlyphIndex(&f.buf, r) // 0, the box, when there is none
		if a, err := f.font.GlyphAdvance(&f.buf, u.glyph, fixed.I(1000), font.HintingNone); err == nil {
			u.width = a.Round()
		}
	} else {
		u.glyph, _ = f.font.GlyphIndex(&f.buf, ' ')
	}
	c := len(f.used)
	f.used = append(f.used, u)
	f.codes[r] = c
	return c
}

// invisible characters only shape their neighbours: joiners, variation
// selectors, directions.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)
}

// width returns the width of a character, in thousandths of the size.
func (f *pdfFont) width(r rune) int { return f.used[f.code(r)].width }

// show returns the font and the code, in hex, that draw a character.
func (f *pdfFont) show(r rune) (resource, code string) {
	return f.resource, fmt.Sprintf("%04X", f.code(r))
}

// objects writes the font and returns the number of its dictionary.
func (f *pdfFont) objects(d *pdfDoc) int {
	file := d.stream(fmt.Sprintf("/Length1 %d", len(f.data)), f.data)
	descriptor := d.object(fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[-1000 -400 1600 1000]/ItalicAngle 0/Ascent 928/Descent -236/CapHeight 729/StemV 80/FontFile2 %d 0 R>>", f.name, file))
	var widths bytes.Buffer
	glyphs := make([]byte, 0, 2*len(f.used))
	for _, u := range f.used {
		fmt.Fprintf(&widths, "%d ", u.width)
		glyphs = append(glyphs, byte(u.glyph>>8), byte(u.glyph))
	}
	toGlyph := d.stream("", glyphs)
	descendant := d.object(fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/W[0[%s]]/CIDToGIDMap %d 0 R>>", f.name, descriptor, widths.String(), toGlyph))
	toUnicode := d.stream("", toUnicode(f.used, 2))
	return d.object(fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>", f.name, descendant, toUnicode))
}

// toUnicode is the map from codes of some bytes to characters (ISO 32000-1,
// 9.10.3): UTF-16, in sections of at most 100.
func toUnicode(used []pdfGlyph, bytesPerCode int) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n")
	digits := 2 * bytesPerCode
	fmt.Fprintf(&b, "1 begincodespacerange\n<%s><%s>\nendcodespacerange\n", strings.Repeat("0", digits), strings.Repeat("F", digits))
	const section = 100
	for from := 1; from < len(used); from += section {
		to := min(len(used), from+section)
		fmt.Fprintf(&b, "%d beginbfchar\n", to-from)
		for code := from; code < to; code++ {
			fmt.Fprintf(&b, "<%0*X><", digits, code)
			for _, unit := range utf16.Encode(copied(used[code].char)) {
				fmt.Fprintf(&b, "%04X", unit)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
