package export

import (
	"bytes"
	"fmt"
	"image"
	"unicode"

	"eliasnaur.com/font/noto/sans/jp/regular"
	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// eastAsian are the characters of Chinese, Japanese and Korean. Each that is used
// becomes a procedure of a Type 3 font that draws its outline: what would be 4
// MB in the file is a few hundred bytes a character. What the font lacks, which
// is a Japanese one, is drawn with the dots of another that has Hangul and
// simplified characters too: the only one of few enough bytes for a function.
// Fonts are read when a character is first asked for.
type eastAsian struct {
	font  *sfnt.Font
	err   error
	buf   sfnt.Buffer
	codes map[rune]int // -1: it has none
	used  []pdfGlyph   // by code; glyph 0 is drawn with dots
}

// emSize makes outlines come in thousandths of the size.
var emSize = fixed.I(1000)

func (o *eastAsian) has(r rune) bool { return o.code(r) >= 0 }

func (o *eastAsian) code(r rune) int {
	if c, ok := o.codes[r]; ok {
		return c
	}
	if o.codes == nil {
		o.codes = map[rune]int{}
		o.font, o.err = sfnt.Parse(regular.TTF)
	}
	u := pdfGlyph{char: r}
	if o.err == nil {
		u.glyph, _ = o.font.GlyphIndex(&o.buf, r)
	}
	if u.glyph == 0 {
		if dots(r) == nil {
			o.codes[r] = -1
			return -1
		}
		u.width = emDots * dotSize
	} else if a, err := o.font.GlyphAdvance(&o.buf, u.glyph, emSize, font.HintingNone); err == nil {
		u.width = a.Round()
	}
	o.codes[r] = len(o.used)
	o.used = append(o.used, u)
	return o.codes[r]
}

func (o *eastAsian) width(r rune) int { return o.used[o.code(r)].width }

// show returns the font and the code, in hex, that draw a character.
func (o *eastAsian) show(r rune) (resource, code string) { return type3Code("H", o.code(r)) }

// objects writes the fonts and returns their entries of the resources.
func (o *eastAsian) objects(d *pdfDoc) (string, error) {
	if o.err != nil {
		return "", fmt.Errorf("read the font of Han characters: %w", o.err)
	}
	return type3Fonts(d, "H", o.used, func(u pdfGlyph, _ string) ([]byte, int, error) {
		if u.glyph == 0 {
			return dotted(dots(u.char), u.width), 0, nil
		}
		shape, err := o.font.LoadGlyph(&o.buf, u.glyph, emSize, nil)
		if err != nil {
			return nil, 0, fmt.Errorf("read the outline of U+%04X: %w", u.char, err)
		}
		return outlined(shape, u.width), 0, nil
	})
}

// outlined draws an outline in the colour of the text (d1).
func outlined(shape sfnt.Segments, width int) []byte {
	var b bytes.Buffer
	box := shape.Bounds()
	fmt.Fprintf(&b, "%d 0 %d %d %d %d d1\n", width, box.Min.X.Floor(), -box.Max.Y.Ceil(), box.Max.X.Ceil(), -box.Min.Y.Floor())
	var at fixed.Point26_6
	point := func(p fixed.Point26_6) { fmt.Fprintf(&b, "%g %g ", float64(p.X)/64, -float64(p.Y)/64) }
	for _, s := range shape {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			at = s.Args[0]
			point(at)
			b.WriteString("m\n")
		case sfnt.SegmentOpLineTo:
			at = s.Args[0]
			point(at)
			b.WriteString("l\n")
		case sfnt.SegmentOpQuadTo: // as a cubic curve, which PDF has only
			middle, end := s.Args[0], s.Args[1]
			point(third(at, middle))
			point(third(end, middle))
			point(end)
			at = end
			b.WriteString("c\n")
		case sfnt.SegmentOpCubeTo:
			for _, p := range s.Args {
				point(p)
			}
			at = s.Args[2]
			b.WriteString("c\n")
		}
	}
	b.WriteString("f")
	return b.Bytes()
}

// third is two thirds of the way from a to b.
func third(a, b fixed.Point26_6) fixed.Point26_6 {
	return fixed.Point26_6{X: a.X + (b.X-a.X)*2/3, Y: a.Y + (b.Y-a.Y)*2/3}
}

// A character of dots is 12 of them wide; its line has as many above the
// letters' feet as dotAscent says.
const (
	emDots    = 12
	dotSize   = 1000 / emDots
	dotAscent = 12
)

// dotScripts are the scripts that dots are used for. The font has others, whose
// characters stand on each other or change with their neighbours.
var dotScripts = []*unicode.RangeTable{unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo}

// dots are where a character has dots: column and row, from the upper left
// corner; nil: it has none.
func dots(r rune) []image.Point {
	if !unicode.In(r, dotScripts...) {
		return nil
	}
	box, mask, at, _, ok := bitmapfont.FaceSC.Glyph(fixed.Point26_6{}, r)
	if !ok {
		return nil
	}
	var out []image.Point
	for y := range box.Dy() {
		for x := range box.Dx() {
			if _, _, _, a := mask.At(at.X+x, at.Y+y).RGBA(); a != 0 {
				out = append(out, image.Pt(x, y))
			}
		}
	}
	return out
}

// dotted draws dots, those side by side as one.
func dotted(list []image.Point, width int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d 0 0 -300 %[1]d 1000 d1\n", width)
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n] == list[i].Add(image.Pt(n, 0)) {
			n++
		}
		fmt.Fprintf(&b, "%d %d %d %d re\n", list[i].X*dotSize, (dotAscent-1-list[i].Y)*dotSize-dotSize/2, n*dotSize, dotSize)
		i += n
	}
	b.WriteString("f")
	return b.Bytes()
}
