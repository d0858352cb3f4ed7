package export

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"guarda/shared/logs"
)

// What a PDF takes: it is read by people, page by page.
const (
	MaxPDFRows  = 5_000
	maxPDFLines = 40 // of a message
)

const (
	margin     = 36.0
	textSize   = 7.5
	lineHeight = 10.0
	footer     = 24.0
)

// pdfWriter lays out a report: title, filters, histogram, table, page numbers.
// Pages are kept, compressed by nothing yet, until their number is known.
type pdfWriter struct {
	doc        *pdfDoc
	o          Options
	t          words
	sans, mono *pdfFont
	emoji      *pictures
	han        *eastAsian
	pages      []*canvas
	page       *canvas
	y          float64 // the next line's top
	rows       int
	cut        int // messages that were shortened
	boxed      int // cells with characters that no font here has
	columns    []pdfColumn
}

type pdfColumn struct {
	name  Column
	x, w  float64
	title string
}

func newPDF(w io.Writer, o Options) (*pdfWriter, error) {
	p := &pdfWriter{doc: newDoc(w), o: o, t: wordsOf(o.Language), han: &eastAsian{}}
	var err error
	if p.sans, err = newSans(); err != nil {
		return nil, err
	}
	if p.mono, err = newMono(); err != nil {
		return nil, err
	}
	if p.emoji, err = newPictures(); err != nil {
		return nil, err
	}
	p.layOut()
	p.begin()
	p.head()
	return p, nil
}

// layOut gives each column its place; the message gets what is left.
func (p *pdfWriter) layOut() {
	widths := map[Column]float64{CreatedAt: 112, Level: 50, Source: 92, Metadata: 150, UserID: 100, SessionID: 80, PatternID: 100, ID: 100}
	chosen := p.o.Columns
	if len(chosen) == len(Columns()) { // nobody chose: what fits a page
		chosen = []Column{CreatedAt, Level, Source, Message, Metadata}
	}
	rest, messages := pageWidth-2*margin, 0
	for _, c := range chosen {
		rest -= widths[c]
		if c == Message {
			messages++
		}
	}
	scale := 1.0
	switch {
	case messages > 0 && rest < 160: // many columns: all become narrower
		scale, rest = (pageWidth-2*margin-160)/(pageWidth-2*margin-rest), 160
	case messages == 0 && rest < 0:
		scale = (pageWidth - 2*margin) / (pageWidth - 2*margin - rest)
	}
	x := margin
	for _, c := range chosen {
		w := widths[c] * scale
		if c == Message {
			w = rest
		}
		p.columns = append(p.columns, pdfColumn{c, x, w, p.t.columns[c]})
		x += w
	}
}

// begin begins a page.
func (p *pdfWriter) begin() {
	p.page = &canvas{sans: p.sans, mono: p.mono, emoji: p.emoji, han: p.han}
	p.pages = append(p.pages, p.page)
	p.y = pageHeight - margin
}

// head draws what stands above the table on the first page.
func (p *pdfWriter) head() {
	p.page.box(margin, p.y-18, 3, 18, accent)
	p.page.text(p.sans, 16, margin+10, p.y-15, ink, p.t.title)
	made := p.t.made + " " + p.time(p.o.Made)
	p.page.text(p.sans, textSize, pageWidth-margin-p.page.width(p.sans, textSize, made), p.y-13, pale, made)
	p.y -= 34
	lines := []string{p.t.from + " " + p.time(p.o.Start) + " " + p.t.to + " " + p.time(p.o.End) + " (" + p.o.Zone.String() + ")"}
	lines = append(lines, p.o.Filters...)
	count := p.t.number(p.o.Total.N)
	if p.o.Total.AtLeast {
		count = p.t.atLeast + " " + count
	}
	lines = append(lines, count+" "+p.t.entries)
	if p.o.Total.N > MaxPDFRows {
		lines = append(lines, fmt.Sprintf(p.t.limited, p.t.number(MaxPDFRows)))
	}
	for _, text := range lines {
		for _, l := range p.page.wrap(p.sans, 8.5, pageWidth-2*margin, text) {
			p.page.text(p.sans, 8.5, margin, p.y-8.5, ink, l)
			p.y -= 12
		}
	}
	p.histogram()
	p.titles()
}

var levelColors = map[logs.Level]color{
	logs.Critical: {0.55, 0.05, 0.22}, logs.Error: {0.80, 0.17, 0.15}, logs.Warn: {0.85, 0.58, 0.10},
	logs.Info: {0.24, 0.47, 0.80}, logs.Debug: {0.65, 0.68, 0.70},
}

func (p *pdfWriter) histogram() {
	if len(p.o.Buckets) == 0 {
		return
	}
	const tall = 54.0
	var most int64 = 1
	for _, b := range p.o.Buckets {
		var sum int64
		for _, n := range b.Levels {
			sum += n
		}
		most = max(most, sum)
	}
	p.y -= 8
	bottom := p.y - tall
	width := (pageWidth - 2*margin) / float64(len(p.o.Buckets))
	for i, b := range p.o.Buckets {
		y := bottom
		for _, level := range []logs.Level{logs.Critical, logs.Error, logs.Warn, logs.Info, logs.Debug} {
			if n := b.Levels[level]; n > 0 {
				h := max(0.8, float64(n)/float64(most)*tall)
				p.page.box(margin+float64(i)*width, y, max(0.5, width-0.6), h, levelColors[level])
				y += h
			}
		}
	}
	p.page.box(margin, bottom-0.5, pageWidth-2*margin, 0.5, pale)
	p.page.text(p.sans, 6.5, margin, bottom-8, pale, p.time(p.o.Start))
	end := p.time(p.o.End)
	p.page.text(p.sans, 6.5, pageWidth-margin-p.page.width(p.sans, 6.5, end), bottom-8, pale, end)
	x := margin + 150.0
	for _, level := range []logs.Level{logs.Critical, logs.Error, logs.Warn, logs.Info, logs.Debug} {
		p.page.box(x, bottom-8, 5, 5, levelColors[level])
		p.page.text(p.sans, 6.5, x+8, bottom-8, pale, p.t.levels[level])
		x += 62
	}
	p.y = bottom - 20
}

func (p *pdfWriter) titles() {
	for _, c := range p.columns {
		p.page.text(p.sans, textSize, c.x, p.y-8, pale, c.title)
	}
	p.page.box(margin, p.y-12, pageWidth-2*margin, 0.7, pale)
	p.y -= 15
}

// Write implements Writer.
func (p *pdfWriter) Write(r *Row) error {
	if p.rows == MaxPDFRows {
		return ErrFull
	}
	p.rows++
	cells := make([][]string, len(p.columns))
	most := 1
	for i, c := range p.columns {
		cells[i] = p.page.wrap(p.font(c.name), textSize, c.w-6, p.show(c.name, field(r, c.name)))
		if len(cells[i]) > maxPDFLines {
			cells[i] = append(cells[i][:maxPDFLines:maxPDFLines], p.t.shortened)
			p.cut++
		}
		if slices.ContainsFunc(cells[i], func(line string) bool { return p.page.lacks(p.font(c.name), line) }) {
			p.boxed++
		}
		most = max(most, len(cells[i]))
	}
	if p.y-lineHeight*float64(min(most, 6)) < margin+footer { // no entry begins with its last lines
		p.begin()
		p.titles()
	}
	for n := range most {
		if p.y-lineHeight < margin+footer {
			p.begin()
			p.titles()
		}
		for i, c := range p.columns {
			if n < len(cells[i]) {
				col := ink
				if c.name == Level {
					col = levelColors[logs.Level(r.Level)]
				} else if c.name != Message {
					col = pale
				}
				p.page.text(p.font(c.name), textSize, c.x, p.y-8, col, cells[i][n])
			}
		}
		p.y -= lineHeight
	}
	p.page.box(margin, p.y-1, pageWidth-2*margin, 0.4, line)
	p.y -= 3
	return nil
}

func (p *pdfWriter) font(c Column) *pdfFont {
	if c == Level || c == Source {
		return p.sans
	}
	return p.mono
}

// show is a field as people read it.
func (p *pdfWriter) show(c Column, b []byte) string {
	switch {
	case b == nil:
		return ""
	case c == Metadata && string(b) == "{}":
		return ""
	case c == Level:
		return p.t.levels[logs.Level(b)]
	case c == CreatedAt:
		if t, err := time.Parse(time.RFC3339Nano, string(b)); err == nil {
			return t.In(p.o.Zone).Format(p.t.clock)
		}
	}
	// Control characters have no glyph, and no meaning on paper.
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			return '\u2423'
		}
		return r
	}, string(b))
}

func (p *pdfWriter) time(t time.Time) string {
	if t.IsZero() {
		return "…"
	}
	return t.In(p.o.Zone).Format(p.t.moment)
}

// Close implements Writer: now the number of pages is known.
func (p *pdfWriter) Close() error {
	if p.rows == 0 {
		p.page.text(p.sans, 9, margin, p.y-14, pale, p.t.nothing)
	}
	if left := p.o.Total.N - int64(p.rows); left > 0 && p.rows == MaxPDFRows {
		p.note(fmt.Sprintf(p.t.leftOut, p.t.number(left)))
	}
	if p.cut > 0 {
		p.note(fmt.Sprintf(p.t.cut, p.t.number(int64(p.cut)), maxPDFLines))
	}
	if p.boxed > 0 {
		p.note(fmt.Sprintf(p.t.boxed, p.t.number(int64(p.boxed))))
	}
	d := p.doc
	tree := d.reserve()
	resources := d.reserve()
	kids := make([]string, len(p.pages))
	for i, page := range p.pages {
		number := fmt.Sprintf(p.t.page, i+1, len(p.pages))
		page.text(p.sans, textSize, pageWidth-margin-page.width(p.sans, textSize, number), margin-6, pale, number)
		page.text(p.sans, textSize, margin, margin-6, pale, "Guarda · "+p.t.title)
		content := d.stream("", page.Bytes())
		page.Reset()
		kids[i] = strconv.Itoa(d.object(fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 %g %g]/Resources %d 0 R/Contents %d 0 R>>", tree, pageWidth, pageHeight, resources, content))) + " 0 R"
	}
	d.put(tree, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(kids), strings.Join(kids, " ")))
	sans, mono := p.sans.objects(d), p.mono.objects(d)
	emoji, err := p.emoji.objects(d)
	if err != nil {
		return err
	}
	han, err := p.han.objects(d)
	if err != nil {
		return err
	}
	d.put(resources, fmt.Sprintf("<</Font<</S %d 0 R/M %d 0 R%s%s>>>>", sans, mono, emoji, han))
	info := d.object(fmt.Sprintf("<</Title%s/Producer(Guarda)/CreationDate%s>>", pdfText(p.t.title), pdfDate(p.o.Made)))
	catalog := d.object(fmt.Sprintf("<</Type/Catalog/Pages %d 0 R/Lang(%s)/ViewerPreferences<</DisplayDocTitle true>>>>", tree, p.t.language))
	return d.close(catalog, info)
}

// note draws a line below the table.
func (p *pdfWriter) note(s string) {
	for _, l := range p.page.wrap(p.sans, 8.5, pageWidth-2*margin, s) {
		if p.y-14 < margin+footer {
			p.begin()
		}
		p.page.text(p.sans, 8.5, margin, p.y-12, accent, l)
		p.y -= 13
	}
}
