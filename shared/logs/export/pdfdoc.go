package export

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
)

// A4, lying, in points.
const (
	pageWidth  = 842.0
	pageHeight = 595.0
)

// pdfDoc writes a document's objects (ISO 32000-1, 7.5) as they are known. Its
// methods keep the first error for close.
type pdfDoc struct {
	w       *bufio.Writer
	at      int64
	offsets []int64 // of object n+1
	err     error
}

func newDoc(w io.Writer) *pdfDoc {
	d := &pdfDoc{w: bufio.NewWriterSize(w, writeBuffer)}
	d.print("%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n")
	return d
}

func (d *pdfDoc) print(format string, args ...any) {
	n, err := fmt.Fprintf(d.w, format, args...)
	d.at += int64(n)
	if d.err == nil {
		d.err = err
	}
}

// reserve takes a number for an object that is written later, with put.
func (d *pdfDoc) reserve() int {
	d.offsets = append(d.offsets, 0)
	return len(d.offsets)
}

func (d *pdfDoc) put(number int, body string) {
	d.offsets[number-1] = d.at
	d.print("%d 0 obj\n%s\nendobj\n", number, body)
}

func (d *pdfDoc) object(body string) int {
	n := d.reserve()
	d.put(n, body)
	return n
}

// stream writes a compressed stream with further entries of its dictionary.
func (d *pdfDoc) stream(entries string, content []byte) int {
	var z bytes.Buffer
	c := zlib.NewWriter(&z)
	_, _ = c.Write(content) // into memory
	_ = c.Close()
	n := d.reserve()
	d.offsets[n-1] = d.at
	d.print("%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n", n, entries, z.Len(), z.Bytes())
	return n
}

// close writes the tables at the end.
func (d *pdfDoc) close(catalog, info int) error {
	start := d.at
	d.print("xref\n0 %d\n0000000000 65535 f \n", len(d.offsets)+1)
	for _, at := range d.offsets {
		d.print("%010d 00000 n \n", at)
	}
	d.print("trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(d.offsets)+1, catalog, info, start)
	if d.err != nil {
		return d.err
	}
	return d.w.Flush()
}

// pdfText is a text string of a dictionary: UTF-16 with a mark, in hex.
func pdfText(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	b.WriteByte('>')
	return b.String()
}

func pdfDate(t time.Time) string { return t.UTC().Format("(D:20060102150405Z)") }

// canvas is the content of a page.
type canvas struct {
	bytes.Buffer
	sans, mono *pdfFont
	emoji      *pictures
	han        *eastAsian
}

// face is what draws a character.
type face interface {
	width(r rune) int
	show(r rune) (resource, code string)
}

type color struct{ r, g, b float64 }

var (
	ink    = color{0.10, 0.13, 0.16}
	pale   = color{0.42, 0.45, 0.48}
	line   = color{0.85, 0.87, 0.88}
	accent = color{0.02, 0.35, 0.45}
)

// text draws a line of text from its baseline's left end; what the font lacks
// is drawn with the other one.
func (c *canvas) text(f *pdfFont, size, x, y float64, col color, s string) {
	fmt.Fprintf(c, "BT %.3f %.3f %.3f rg %.2f %.2f Td", col.r, col.g, col.b, x, y)
	now := ""
	for _, r := range visual(s, func(r rune) bool { return c.find(f, r) != nil }) {
		use, code := c.choose(f, r).show(r)
		if use != now {
			if now != "" {
				c.WriteString("> Tj")
			}
			fmt.Fprintf(c, " /%s %.2f Tf <", use, size)
			now = use
		}
		c.WriteString(code)
	}
	if now != "" {
		c.WriteString("> Tj")
	}
	c.WriteString(" ET\n")
}

// choose returns what draws a character: the font that is asked for, the other
// one, pictures for emoji, eastAsian for Chinese, Japanese and Korean; and the box of the first
// for what none of them has.
func (c *canvas) choose(f *pdfFont, r rune) face {
	if found := c.find(f, r); found != nil {
		return found
	}
	return f
}

// lacks reports whether a text has a character that is drawn as a box.
func (c *canvas) lacks(f *pdfFont, s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= ' ' && c.find(f, r) == nil })
}

// find is choose that returns nil for what none of them has.
func (c *canvas) find(f *pdfFont, r rune) face {
	other := c.sans
	if f == c.sans {
		other = c.mono
	}
	switch {
	case invisible(r):
		return f
	case r >= firstEmoji && c.emoji.has(r):
		return c.emoji
	case f.has(r):
		return f
	case other.has(r):
		return other
	case c.emoji.has(r):
		return c.emoji
	case c.han.has(r):
		return c.han
	}
	return nil
}

// firstEmoji begins the blocks where emoji are; those before are signs that
// the fonts of text may have, and have then.
const firstEmoji = 0x1F000

// width returns the width of a text in points.
func (c *canvas) width(f *pdfFont, size float64, s string) float64 {
	sum := 0
	for _, r := range s {
		sum += c.choose(f, r).width(r)
	}
	return float64(sum) * size / 1000
}

func (c *canvas) box(x, y, w, h float64, col color) {
	fmt.Fprintf(c, "%.3f %.3f %.3f rg %.2f %.2f %.2f %.2f re f\n", col.r, col.g, col.b, x, y, w, h)
}

// lineEnds are all that ends a line, or a paragraph of text from right to left.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ")

// wrap breaks a text into lines that are at most width points wide: at line
// ends, else after a space, else anywhere.
func (c *canvas) wrap(f *pdfFont, size, width float64, s string) []string {
	var lines []string
	most := width * 1000 / size
	for part := range strings.SplitSeq(lineEnds.Replace(s), "\n") {
		start, space, sum, sinceSpace := 0, -1, 0, 0
		for i, r := range part {
			w := c.choose(f, r).width(r)
			if float64(sum+w) > most && i > start {
				end := i
				if space > start {
					end, sum = space, sinceSpace
				} else {
					sum = 0
				}
				lines = append(lines, part[start:end])
				start, space, sinceSpace = end, -1, sum
			}
			sum += w
			sinceSpace += w
			if r == ' ' {
				space, sinceSpace = i+1, 0
			}
		}
		lines = append(lines, part[start:])
	}
	return lines
}
