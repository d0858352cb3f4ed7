package cold

import (
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// The columns of a segment's Parquet object, in the order in which they have
// their numbers: that of their names.
const (
	colCreatedAt = iota
	colID
	colLevel
	colMessage
	colMetadata
	colPatternID
	colSessionID
	colSource
	colUserID
	columns
)

// schema is a segment's: every column of advanced_logs under its name.
func schema() *parquet.Schema {
	dictionary := func(n parquet.Node) parquet.Node { return parquet.Encoded(n, &parquet.RLEDictionary) }
	return parquet.NewSchema("advanced_logs", parquet.Group{
		"created_at": parquet.Timestamp(parquet.Microsecond),
		"id":         parquet.UUID(),
		"level":      dictionary(parquet.String()),
		"source":     dictionary(parquet.String()),
		"message":    parquet.String(),
		"metadata":   parquet.Optional(parquet.JSON()),
		"user_id":    parquet.Optional(parquet.UUID()),
		"session_id": parquet.Optional(parquet.String()),
		"pattern_id": parquet.Optional(dictionary(parquet.UUID())),
	})
}

func newParquetWriter(w io.Writer) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](w, schema(), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("guarda", "", ""),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("created_at"), parquet.Ascending("id"))))
}

// rowOf makes a Parquet row, which shares memory with a.
func rowOf(row parquet.Row, a *logs.Archived) parquet.Row {
	optional := func(column int, there bool, value []byte) parquet.Value {
		if !there {
			return parquet.NullValue().Level(0, 0, column)
		}
		return parquet.ByteArrayValue(value).Level(0, 1, column)
	}
	fixed := func(column int, id *uuid.NullUUID) parquet.Value {
		if !id.Valid {
			return parquet.NullValue().Level(0, 0, column)
		}
		return parquet.FixedLenByteArrayValue(id.UUID[:]).Level(0, 1, column)
	}
	var session []byte
	if a.Session != nil {
		session = []byte(*a.Session)
	}
	return append(row[:0],
		parquet.Int64Value(a.At).Level(0, 0, colCreatedAt),
		parquet.FixedLenByteArrayValue(a.ID[:]).Level(0, 0, colID),
		parquet.ByteArrayValue([]byte(a.Level)).Level(0, 0, colLevel),
		parquet.ByteArrayValue([]byte(a.Message)).Level(0, 0, colMessage),
		optional(colMetadata, a.Metadata != nil, a.Metadata),
		fixed(colPatternID, &a.Pattern),
		optional(colSessionID, a.Session != nil, session),
		parquet.ByteArrayValue([]byte(a.Source)).Level(0, 0, colSource),
		fixed(colUserID, &a.User),
	)
}

// archivedOf reads a Parquet row, whose memory is not kept.
func archivedOf(row parquet.Row) (a logs.Archived, err error) {
	if len(row) != columns {
		return a, errors.New("a row has another number of columns")
	}
	id := func(v parquet.Value) (out uuid.NullUUID, err error) {
		if v.IsNull() {
			return out, nil
		}
		out.Valid = true
		out.UUID, err = uuid.FromBytes(v.ByteArray())
		return out, err
	}
	a.At = row[colCreatedAt].Int64()
	a.Level, a.Message, a.Source = logs.Level(row[colLevel].ByteArray()), string(row[colMessage].ByteArray()), string(row[colSource].ByteArray())
	if v := row[colMetadata]; !v.IsNull() {
		a.Metadata = append([]byte{}, v.ByteArray()...)
	}
	if v := row[colSessionID]; !v.IsNull() {
		s := string(v.ByteArray())
		a.Session = &s
	}
	if a.ID, err = uuid.FromBytes(row[colID].ByteArray()); err == nil {
		a.User, err = id(row[colUserID])
	}
	if err == nil {
		a.Pattern, err = id(row[colPatternID])
	}
	return a, err
}

// stretches is a file of which some stretches are in memory. Others are not
// asked for: a row group lies within its stretch, the metadata in the last one.
type stretches []stretch

type stretch struct {
	at int64
	b  []byte
}

func (s stretches) ReadAt(p []byte, off int64) (int, error) {
	for _, one := range s {
		if off >= one.at && off < one.at+int64(len(one.b)) {
			n := copy(p, one.b[off-one.at:])
			if n < len(p) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("byte %d of the object was not read", off)
}

// decodeGroup reads the rows of row group i. Damaged bytes are fault.Corrupt:
// pages have checksums, and what the library panics at counts as damage too.
func decodeGroup(file stretches, size int64, i int) (rows []logs.Archived, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			rows, err = nil, fault.New(fault.Corrupt, "a Parquet object of archived log entries is damaged").Because(err)
		}
	}()
	f, err := parquet.OpenFile(file, size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	if i >= len(f.RowGroups()) || f.Schema().String() != schema().String() {
		return nil, errors.New("it has another schema or fewer row groups")
	}
	reader := f.RowGroups()[i].Rows()
	defer reader.Close()
	rows = make([]logs.Archived, 0, f.RowGroups()[i].NumRows())
	buffer := make([]parquet.Row, 200)
	for {
		n, err := reader.ReadRows(buffer)
		for _, row := range buffer[:n] {
			a, err := archivedOf(row)
			if err != nil {
				return nil, err
			}
			rows = append(rows, a)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
