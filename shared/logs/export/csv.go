package export

import (
	"bufio"
	"bytes"
	"io"
)

const writeBuffer = 64 << 10

// csvWriter writes RFC 4180: a header, CRLF, quotes where they are needed.
type csvWriter struct {
	w       *bufio.Writer
	columns []Column
}

func newCSV(w io.Writer, columns []Column) (*csvWriter, error) {
	c := &csvWriter{bufio.NewWriterSize(w, writeBuffer), columns}
	for i, name := range columns {
		if i > 0 {
			_ = c.w.WriteByte(',')
		}
		_, _ = c.w.WriteString(string(name))
	}
	_, err := c.w.WriteString("\r\n")
	return c, err
}

// Write implements Writer.
func (c *csvWriter) Write(r *Row) error {
	for i, name := range c.columns {
		if i > 0 {
			_ = c.w.WriteByte(',')
		}
		c.cell(field(r, name))
	}
	_, err := c.w.WriteString("\r\n")
	return err
}

// cell writes one field; the buffer keeps an error until the row's end.
//
// A spreadsheet takes a cell that begins with one of =+-@, a tab or a carriage
// return for a formula (OWASP, "CSV injection"), so such a cell gets an
// apostrophe in front, which spreadsheets hide and other readers can take off:
// nothing that begins with an apostrophe is changed otherwise.
func (c *csvWriter) cell(b []byte) {
	formula := len(b) > 0 && bytes.IndexByte([]byte("=+-@\t\r"), b[0]) >= 0
	if !formula && !bytes.ContainsAny(b, ",\"\r\n") {
		_, _ = c.w.Write(b)
		return
	}
	_ = c.w.WriteByte('"')
	if formula {
		_ = c.w.WriteByte('\'')
	}
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			break
		}
		_, _ = c.w.Write(b[:i+1])
		_ = c.w.WriteByte('"')
		b = b[i+1:]
	}
	_, _ = c.w.Write(b)
	_ = c.w.WriteByte('"')
}

// Close implements Writer.
func (c *csvWriter) Close() error { return c.w.Flush() }
