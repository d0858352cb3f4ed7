package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"guarda/shared/logs"
)

// jsonWriter writes objects with the columns as members: an array, or a line
// each.
type jsonWriter struct {
	w       *bufio.Writer
	columns []Column
	array   bool
	rows    int64
	buffer  []byte
}

func newJSON(w io.Writer, columns []Column, array bool) (*jsonWriter, error) {
	j := &jsonWriter{w: bufio.NewWriterSize(w, writeBuffer), columns: columns, array: array}
	var err error
	if array {
		err = j.w.WriteByte('[')
	}
	return j, err
}

// Write implements Writer.
func (j *jsonWriter) Write(r *Row) error {
	b := j.buffer[:0]
	if j.array && j.rows > 0 {
		b = append(b, ',')
	}
	if j.array {
		b = append(b, '\n')
	}
	for i, name := range j.columns {
		b = append(b, '{')
		if i > 0 {
			b[len(b)-1] = ','
		}
		b = appendText(b, []byte(name))
		b = append(b, ':')
		switch value := field(r, name); {
		case value == nil:
			b = append(b, "null"...)
		case name == Metadata:
			b = append(b, value...)
		default:
			b = appendText(b, value)
		}
	}
	b = append(b, '}')
	if !j.array {
		b = append(b, '\n')
	}
	j.buffer = b
	j.rows++
	_, err := j.w.Write(b)
	return err
}

// Close implements Writer.
func (j *jsonWriter) Close() error {
	if j.array {
		_, _ = j.w.WriteString("\n]\n")
	}
	return j.w.Flush()
}

// appendText appends a JSON string (RFC 8259, 7). The text is valid UTF-8, as
// Postgres keeps it.
func appendText(b, text []byte) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i, c := range text {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	b = append(b, text[from:]...)
	return append(b, '"')
}

// maskJSON masks the texts of a JSON value and leaves its shape; what has
// nothing to mask keeps its bytes.
func maskJSON(raw []byte, rules []string) []byte {
	if len(raw) == 0 {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return maskText(raw, rules)
	}
	changed := false
	v = maskValue(v, rules, &changed)
	if !changed {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil { // a decoded value always encodes
		return maskText(raw, rules)
	}
	return slices.Clip(out)
}

func maskValue(v any, rules []string, changed *bool) any {
	switch v := v.(type) {
	case string:
		masked := logs.Mask(v, rules)
		*changed = *changed || masked != v
		return masked
	case []any:
		for i := range v {
			v[i] = maskValue(v[i], rules, changed)
		}
	case map[string]any:
		for k := range v {
			v[k] = maskValue(v[k], rules, changed)
		}
	}
	return v
}
