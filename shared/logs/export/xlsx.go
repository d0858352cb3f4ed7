package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// What Excel takes ("Excel specifications and limits").
const (
	sheetRows = 1_048_576
	cellUnits = 32_767 // UTF-16 code units
)

// sheetBytes is how long a sheet may be as XML before the next one begins:
// readers have trouble with parts of more than 4 GB.
const sheetBytes = 2 << 30

// xlsxWriter writes sheets of texts (ECMA-376, SpreadsheetML), cell by cell as
// they come: texts are in the cells, not in a table of all texts, which would
// have to be kept. A text cell is never a formula, so none needs an apostrophe.
// What names the sheets comes last, when their number is known.
type xlsxWriter struct {
	zip     *zip.Writer
	sheet   *bufio.Writer
	columns []Column
	letters []string // of the columns
	sheets  int
	row     int
	bytes   int64 // of the sheet
	most    int64
}

func newXLSX(w io.Writer, columns []Column) (*xlsxWriter, error) {
	x := &xlsxWriter{zip: zip.NewWriter(w), sheet: bufio.NewWriterSize(nil, writeBuffer), columns: columns, most: sheetBytes}
	for i := range columns {
		x.letters = append(x.letters, string(rune('A'+i)))
	}
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	// First what tells programs that look at the beginning only what this is.
	start := relationships + `<Relationship Id="rId1" Type="` + officeRels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	if err := errors.Join(x.part("_rels/.rels", start), x.part("xl/styles.xml", styles)); err != nil {
		return nil, err
	}
	return x, x.begin()
}

const (
	xmlHead       = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	officeRels    = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	mainSpace     = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	sheetType     = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
	relationships = xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	// Cell style 1 is the header's.
	styles = xmlHead + `<styleSheet ` + mainSpace + `><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
)

// part writes a whole part, with its sizes in front of it, which a sheet cannot
// have.
func (x *xlsxWriter) part(name, content string) error {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(z, content) // into memory
	_ = z.Close()
	w, err := x.zip.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, ReaderVersion: 20, CRC32: crc32.ChecksumIEEE([]byte(content)), CompressedSize64: uint64(b.Len()), UncompressedSize64: uint64(len(content))})
	if err == nil {
		_, err = w.Write(b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("write the XLSX file: %w", err)
	}
	return nil
}

// begin begins the next sheet.
func (x *xlsxWriter) begin() error {
	if err := x.end(); err != nil {
		return err
	}
	x.sheets++
	w, err := x.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", x.sheets))
	if err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	x.sheet.Reset(w)
	x.row, x.bytes = 0, 0
	x.print(xmlHead + `<worksheet ` + mainSpace + `><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`)
	for i, c := range x.columns {
		x.print(fmt.Sprintf(`<col min="%d" max="%[1]d" width="%g" customWidth="1"/>`, i+1, width(c)))
	}
	x.print(`</cols><sheetData>`)
	return x.write(1, func(c Column) []byte { return []byte(c) })
}

// end ends the sheet, if there is one.
func (x *xlsxWriter) end() error {
	if x.sheets == 0 {
		return nil
	}
	x.print(`</sheetData></worksheet>`)
	if err := x.sheet.Flush(); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	return nil
}

// print writes to the sheet, whose buffer keeps an error until it is flushed.
func (x *xlsxWriter) print(s string) {
	n, _ := x.sheet.WriteString(s)
	x.bytes += int64(n)
}

func width(c Column) float64 {
	switch c {
	case Message:
		return 90
	case Metadata:
		return 50
	case Level:
		return 10
	case Source:
		return 20
	}
	return 37
}

// Write implements Writer.
func (x *xlsxWriter) Write(r *Row) error {
	if x.row == sheetRows || x.bytes >= x.most {
		if err := x.begin(); err != nil {
			return err
		}
	}
	return x.write(0, func(c Column) []byte { return field(r, c) })
}

// write writes the next row in a cell style.
func (x *xlsxWriter) write(style int, value func(Column) []byte) error {
	x.row++
	number := strconv.Itoa(x.row)
	x.print(`<row r="` + number + `">`)
	for i, c := range x.columns {
		v := value(c)
		if v == nil {
			continue
		}
		x.print(`<c r="` + x.letters[i] + number + `"`)
		if style > 0 {
			x.print(` s="` + strconv.Itoa(style) + `"`)
		}
		x.print(` t="inlineStr"><is><t xml:space="preserve">`)
		x.text(cellText(string(v)))
		x.print(`</t></is></c>`)
	}
	x.print(`</row>`)
	if _, err := x.sheet.Write(nil); err != nil { // what the buffer kept
		return fmt.Errorf("write a sheet: %w", err)
	}
	return nil
}

// text writes a text so that it is read back as it was. What XML 1.0 has no
// character for, or changes (a carriage return), is written _xHHHH_ (ECMA-376,
// 22.9.2.19), and so is the beginning of what looks like that.
func (x *xlsxWriter) text(s string) {
	from := 0
	for i, r := range s {
		var as string
		switch {
		case r == '&':
			as = "&amp;"
		case r == '<':
			as = "&lt;"
		case r == '>':
			as = "&gt;"
		case r == '_' && escapeAt(s[i:]):
			as = "_x005F_"
		case r < ' ' && r != '\n' && r != '\t', r == 0xfffe, r == 0xffff:
			as = fmt.Sprintf("_x%04X_", r)
		default:
			continue
		}
		x.print(s[from:i])
		x.print(as)
		from = i + utf8.RuneLen(r)
	}
	x.print(s[from:])
}

// escapeAt reports whether a text begins as _xHHHH_.
func escapeAt(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil
}

// cellText cuts a text to what a cell takes, and says so in it.
func cellText(s string) string {
	if len(s) <= cellUnits {
		return s
	}
	const note = " […]"
	units, end := 0, len(s)
	for i, r := range s {
		n := 1
		if r > 0xffff {
			n = 2
		}
		if units+n > cellUnits {
			end = i
			break
		}
		units += n
	}
	if end == len(s) {
		return s
	}
	for units = 0; units < len(note); units++ {
		_, size := utf8.DecodeLastRuneInString(s[:end])
		end -= size
	}
	return s[:end] + note
}

// Close implements Writer.
func (x *xlsxWriter) Close() error {
	if err := x.end(); err != nil {
		return err
	}
	book := xmlHead + `<workbook ` + mainSpace + ` xmlns:r="` + officeRels + `"><sheets>`
	links := relationships + `<Relationship Id="rId1" Type="` + officeRels + `/styles" Target="styles.xml"/>`
	types := xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + sheetType + `sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="` + sheetType + `styles+xml"/>`
	for n := 1; n <= x.sheets; n++ {
		book += fmt.Sprintf(`<sheet name="Logs %d" sheetId="%[1]d" r:id="rId%d"/>`, n, n+1)
		links += fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n+1, officeRels, n)
		types += fmt.Sprintf(`<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, n, sheetType)
	}
	for _, p := range [][2]string{
		{"xl/workbook.xml", book + `</sheets></workbook>`}, {"xl/_rels/workbook.xml.rels", links + `</Relationships>`}, {"[Content_Types].xml", types + `</Types>`},
	} {
		if err := x.part(p[0], p[1]); err != nil {
			return err
		}
	}
	if err := x.zip.Close(); err != nil {
		return fmt.Errorf("write the XLSX file: %w", err)
	}
	return nil
}
