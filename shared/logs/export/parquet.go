package export

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
)

// groupRows is how many rows a row group has: what a reader skips or reads at
// once, and what is kept in memory.
const groupRows = 50_000

// parquetWriter writes created_at as a timestamp of microseconds in UTC,
// metadata as JSON, and the rest as texts.
type parquetWriter struct {
	w       *parquet.GenericWriter[any]
	columns []Column // in the file's order
	row     parquet.Row
	n       int
}

func newParquet(w io.Writer, columns []Column) *parquetWriter {
	group := parquet.Group{}
	for _, c := range columns {
		var node parquet.Node
		switch c {
		case CreatedAt:
			node = parquet.Timestamp(parquet.Microsecond)
		case Metadata:
			node = parquet.JSON()
		default:
			node = parquet.String()
		}
		if optional(c) {
			node = parquet.Optional(node)
		}
		if c == Level || c == Source {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
		group[string(c)] = node
	}
	sorted := slices.Clone(columns)
	slices.Sort(sorted) // a parquet.Group is ordered by name
	return &parquetWriter{w: parquet.NewGenericWriter[any](w, parquet.NewSchema("log", group), parquet.Compression(&parquet.Zstd)), columns: sorted}
}

func optional(c Column) bool { return c == UserID || c == SessionID || c == PatternID }

// Write implements Writer.
func (p *parquetWriter) Write(r *Row) error {
	p.row = p.row[:0]
	for i, c := range p.columns {
		b := field(r, c)
		var v parquet.Value
		switch {
		case b == nil && optional(c):
			p.row = append(p.row, parquet.NullValue().Level(0, 0, i))
			continue
		case c == CreatedAt:
			at, err := time.Parse(time.RFC3339Nano, string(b))
			if err != nil {
				return fmt.Errorf("read an entry's time: %w", err)
			}
			v = parquet.Int64Value(at.UnixMicro())
		default:
			v = parquet.ByteArrayValue(b)
		}
		defined := 0
		if optional(c) {
			defined = 1
		}
		p.row = append(p.row, v.Level(0, defined, i))
	}
	if _, err := p.w.WriteRows([]parquet.Row{p.row}); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if p.n++; p.n%groupRows == 0 {
		if err := p.w.Flush(); err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
	}
	return nil
}

// Close implements Writer.
func (p *parquetWriter) Close() error {
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("write the Parquet file: %w", err)
	}
	return nil
}
