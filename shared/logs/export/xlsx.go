package export

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"guarda/shared/fault"
)

// What Excel takes ("Excel specifications and limits").
const (
	sheetRows = 1_048_576
	cellUnits = 32_767 // UTF-16 code units
)

// xlsxWriter writes sheets of texts. A text cell is never a formula, so none
// needs an apostrophe. Rows beyond 16 MB wait in a temporary file.
type xlsxWriter struct {
	w       io.Writer
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []Column
	sheets  int
	row     int
	cells   []any
}

func newXLSX(w io.Writer, columns []Column) (*xlsxWriter, error) {
	x := &xlsxWriter{w: w, file: excelize.NewFile(), columns: columns, cells: make([]any, len(columns))}
	return x, x.sheet()
}

// sheet begins the next sheet.
func (x *xlsxWriter) sheet() error {
	if x.stream != nil {
		if err := x.stream.Flush(); err != nil {
			return fmt.Errorf("write a sheet: %w", err)
		}
	}
	x.sheets++
	name := fmt.Sprintf("Logs %d", x.sheets)
	var err error
	if x.sheets == 1 {
		err = x.file.SetSheetName("Sheet1", name)
	} else {
		_, err = x.file.NewSheet(name)
	}
	if err != nil {
		return fmt.Errorf("name a sheet: %w", err)
	}
	if x.stream, err = x.file.NewStreamWriter(name); err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	for i, c := range x.columns {
		if err := x.stream.SetColWidth(i+1, i+1, width(c)); err != nil {
			return fmt.Errorf("begin a sheet: %w", err)
		}
	}
	if err := x.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	bold, err := x.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	for i, c := range x.columns {
		x.cells[i] = excelize.Cell{StyleID: bold, Value: string(c)}
	}
	x.row = 1
	return x.stream.SetRow("A1", x.cells)
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
	if x.row == sheetRows {
		if err := x.sheet(); err != nil {
			return err
		}
	}
	x.row++
	for i, c := range x.columns {
		if value := field(r, c); value == nil {
			x.cells[i] = nil
		} else {
			x.cells[i] = cellText(string(value))
		}
	}
	if err := x.stream.SetRow(fmt.Sprintf("A%d", x.row), x.cells); err != nil {
		return fault.New(fault.Exhausted, "the rows of the XLSX file cannot be put aside").
			Hint("give the function more ephemeral storage, or export as CSV or Parquet").Because(err)
	}
	return nil
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
	defer func() { _ = x.file.Close() }()
	if err := x.stream.Flush(); err != nil {
		return fmt.Errorf("write a sheet: %w", err)
	}
	if _, err := x.file.WriteTo(x.w); err != nil {
		return fmt.Errorf("write the XLSX file: %w", err)
	}
	return nil
}
