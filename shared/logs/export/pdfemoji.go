package export

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"

	noto "eliasnaur.com/font/noto/emoji/color"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// pictures is a font of coloured emoji, which PDF has no kind of font for: each
// character that is used becomes a procedure of a Type 3 font that draws its
// picture. A sequence (a family, a flag) is drawn as its parts.
type pictures struct {
	data  []byte
	font  *sfnt.Font
	buf   sfnt.Buffer
	where pictureIndex
	codes map[rune]int // -1: it has no picture
	used  []pdfGlyph   // by code
}

func newPictures() (*pictures, error) {
	f, err := sfnt.Parse(noto.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font of emoji: %w", err)
	}
	where, err := indexPictures(noto.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font of emoji: %w", err)
	}
	return &pictures{data: noto.TTF, font: f, where: where, codes: map[rune]int{}}, nil
}

func (e *pictures) has(r rune) bool { return r > 0xff && e.code(r) >= 0 }

func (e *pictures) code(r rune) int {
	if c, ok := e.codes[r]; ok {
		return c
	}
	u := pdfGlyph{char: r}
	var err error
	if u.glyph, err = e.font.GlyphIndex(&e.buf, r); err != nil || u.glyph == 0 || e.where.find(u.glyph) == nil {
		e.codes[r] = -1
		return -1
	}
	if a, err := e.font.GlyphAdvance(&e.buf, u.glyph, fixed.I(1000), font.HintingNone); err == nil {
		u.width = a.Round()
	}
	e.codes[r] = len(e.used)
	e.used = append(e.used, u)
	return e.codes[r]
}

func (e *pictures) width(r rune) int { return e.used[e.code(r)].width }

// show returns the font and the code, in hex, that draw a character.
func (e *pictures) show(r rune) (resource, code string) { return type3Code("E", e.code(r)) }

// objects writes the fonts and returns their entries of the resources.
func (e *pictures) objects(d *pdfDoc) (string, error) {
	return type3Fonts(d, "E", e.used, func(u pdfGlyph, name string) ([]byte, int, error) {
		picture, err := e.picture(d, u)
		if err != nil {
			return nil, 0, err
		}
		// As high as a line's letters and a little lower than their feet.
		return fmt.Appendf(nil, "%d 0 d0 q %d 0 0 %d 0 -210 cm %s Do Q", u.width, u.width, u.width*picture.tall/picture.wide, name), picture.object, nil
	})
}

type pdfPicture struct{ object, wide, tall int }

// picture writes a character's picture: colours, and how much they cover.
func (e *pictures) picture(d *pdfDoc, u pdfGlyph) (p pdfPicture, err error) {
	decoded, err := png.Decode(bytes.NewReader(e.where.find(u.glyph)))
	if err != nil {
		return p, fmt.Errorf("read the picture of U+%04X: %w", u.char, err)
	}
	box := decoded.Bounds()
	p.wide, p.tall = box.Dx(), box.Dy()
	plain := image.NewNRGBA(image.Rect(0, 0, p.wide, p.tall))
	draw.Draw(plain, plain.Bounds(), decoded, box.Min, draw.Src)
	colours, cover := make([]byte, 0, 3*p.wide*p.tall), make([]byte, 0, p.wide*p.tall)
	for i := 0; i < len(plain.Pix); i += 4 {
		colours, cover = append(colours, plain.Pix[i:i+3]...), append(cover, plain.Pix[i+3])
	}
	shape := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8", p.wide, p.tall)
	mask := d.stream(shape+"/ColorSpace/DeviceGray", cover)
	p.object = d.stream(fmt.Sprintf("%s/ColorSpace/DeviceRGB/SMask %d 0 R", shape, mask), colours)
	return p, nil
}

// pictureIndex says where a font's pictures are (OpenType, tables CBLC and
// CBDT).
type pictureIndex struct {
	data   []byte // of CBDT
	ranges []pictureRange
}

type pictureRange struct {
	first, last sfnt.GlyphIndex
	from        uint32 // of the pictures, in data
	offsets     []byte // of each of them, and of the end, from there
}

// indexPictures reads the first strike's index. It knows subtables of format 1
// with pictures of format 17, which is what the font has; others hold no
// picture then. Bounds are checked by slicing, whose panic means a font that is
// not the one that was linked.
func indexPictures(data []byte) (x pictureIndex, err error) {
	places := table(data, "CBLC")
	x.data = table(data, "CBDT")
	if len(places) < 56 || x.data == nil {
		return x, errors.New("it has no pictures")
	}
	u32, u16 := binary.BigEndian.Uint32, binary.BigEndian.Uint16
	array := places[u32(places[8:]):]
	for i := range u32(places[16:]) {
		entry := array[8*i:]
		sub := array[u32(entry[4:]):]
		if u16(sub) != 1 || u16(sub[2:]) != 17 {
			continue
		}
		r := pictureRange{first: sfnt.GlyphIndex(u16(entry)), last: sfnt.GlyphIndex(u16(entry[2:])), from: u32(sub[4:])}
		r.offsets = sub[8 : 8+4*(int(r.last)-int(r.first)+2)]
		x.ranges = append(x.ranges, r)
	}
	return x, nil
}

// table returns a table of a font file.
func table(data []byte, tag string) []byte {
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		entry := data[12+16*i:]
		if string(entry[:4]) == tag {
			from := binary.BigEndian.Uint32(entry[8:])
			return data[from : from+binary.BigEndian.Uint32(entry[12:])]
		}
	}
	return nil
}

// find returns a glyph's picture, a PNG; nil when there is none.
func (x pictureIndex) find(g sfnt.GlyphIndex) []byte {
	for _, r := range x.ranges {
		if g < r.first || g > r.last {
			continue
		}
		at := r.offsets[4*(g-r.first):]
		from, to := binary.BigEndian.Uint32(at), binary.BigEndian.Uint32(at[4:])
		if to-from <= 9 { // five bytes of measures, four of the length
			return nil
		}
		return x.data[r.from+from+9 : r.from+to]
	}
	return nil
}
