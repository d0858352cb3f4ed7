package export

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// tally counts what is written to it.
type tally struct{ n int }

func (t *tally) Write(p []byte) (int, error) {
	t.n += len(p)
	return len(p), nil
}

func entryRow(message string) *Row {
	return &Row{ID: []byte("x"), CreatedAt: []byte("2026-11-24T12:00:00.000000Z"), Level: []byte("info"), Source: []byte("s"), Message: []byte(message), Metadata: []byte("{}")}
}

// Rows leave as they come: an export's memory does not grow with its rows, and
// nothing waits on a disk.
func TestRowsOfAnXLSXLeaveAsTheyCome(t *testing.T) {
	t.Parallel()
	var out tally
	x, err := newXLSX(&out, Columns())
	if err != nil {
		t.Fatal(err)
	}
	row, before := entryRow(strings.Repeat("message ", 50)), 0
	for range 20 {
		for range 2_000 {
			if err := x.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		if out.n == before {
			t.Fatal("2,000 rows later nothing more was written")
		}
		before = out.n
	}
	if err := x.Close(); err != nil || out.n-before > 100_000 {
		t.Errorf("%d bytes were left for the end (%v)", out.n-before, err)
	}
}

func TestAFullSheetIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(*xlsxWriter){
		"rows":  func(x *xlsxWriter) { x.row = sheetRows },
		"bytes": func(x *xlsxWriter) { x.most = 1 },
	} {
		var b bytes.Buffer
		x, err := newXLSX(&b, []Column{Level, Message})
		if err != nil {
			t.Fatal(err)
		}
		fill(x)
		if err := errors.Join(x.Write(entryRow("one")), x.Close()); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		sheets := f.GetSheetList()
		got, err := f.GetRows("Logs 2")
		if err != nil || len(sheets) != 2 || len(got) != 2 || strings.Join(got[0], " ") != "level message" || strings.Join(got[1], " ") != "info one" {
			t.Errorf("%s: the sheets %q, the second of them %q (%v)", name, sheets, got, err)
		}
		_ = f.Close()
	}
}

// Every part is well-formed XML, and each relationship leads to a part that the
// list of types names.
func TestThePartsOfAnXLSXBelongTogether(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	x, err := newXLSX(&b, Columns())
	if err == nil {
		err = errors.Join(x.Write(entryRow("a\x00b\uffff & <c>")), x.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(raw)
		for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
	for _, want := range []string{"xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml"} {
		if parts[want] == "" || !strings.Contains(parts["[Content_Types].xml"], `PartName="/`+want+`"`) {
			t.Errorf("%s is not there, or not among the types", want)
		}
		if !strings.Contains(parts["_rels/.rels"]+parts["xl/_rels/workbook.xml.rels"], strings.TrimPrefix(want, "xl/")+`"`) {
			t.Errorf("nothing leads to %s", want)
		}
	}
}
