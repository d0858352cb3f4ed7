// Package export writes log entries as files: CSV, JSON, NDJSON, XLSX, Parquet
// and PDF. Entries come one at a time and leave as they come, so memory does
// not grow with their number; PDF alone keeps its pages, and therefore has a
// limit that it states.
package export

import (
	"io"
	"time"

	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"     // RFC 4180, UTF-8
	JSON    Format = "json"    // one array
	NDJSON  Format = "ndjson"  // one object a line
	PDF     Format = "pdf"     // for people, at most MaxPDFRows entries
	XLSX    Format = "xlsx"    // Office Open XML, 1,048,575 entries a sheet
	Parquet Format = "parquet" // zstd
)

// Formats returns all formats.
func Formats() []string {
	return []string{string(CSV), string(JSON), string(NDJSON), string(PDF), string(XLSX), string(Parquet)}
}

// ContentType is the media type of a format (gzip aside).
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8"
	case JSON:
		return "application/json"
	case NDJSON:
		return "application/x-ndjson"
	case PDF:
		return "application/pdf"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "application/vnd.apache.parquet"
}

// Compressed reports whether files of the format are compressed by themselves,
// so that gzip would only cost time.
func (f Format) Compressed() bool { return f == PDF || f == XLSX || f == Parquet }

// Column names a field of an entry.
type Column string

// The columns, in the order in which they are written.
const (
	CreatedAt Column = "created_at"
	Level     Column = "level"
	Source    Column = "source"
	Message   Column = "message"
	Metadata  Column = "metadata"
	UserID    Column = "user_id"
	SessionID Column = "session_id"
	PatternID Column = "pattern_id"
	ID        Column = "id"
)

// Columns returns all columns.
func Columns() []Column {
	return []Column{CreatedAt, Level, Source, Message, Metadata, UserID, SessionID, PatternID, ID}
}

// Row is an entry.
type Row = logs.Row

func field(r *Row, c Column) []byte {
	switch c {
	case CreatedAt:
		return r.CreatedAt
	case Level:
		return r.Level
	case Source:
		return r.Source
	case Message:
		return r.Message
	case Metadata:
		return r.Metadata
	case UserID:
		return r.UserID
	case SessionID:
		return r.SessionID
	case PatternID:
		return r.PatternID
	}
	return r.ID
}

// Options shape a file.
type Options struct {
	Columns []Column // nil: all
	Mask    []string // masking rules, applied to message and metadata
	// What only PDF shows.
	Language string         // "pt-BR" or "en"
	Zone     *time.Location // of its times; nil is UTC
	Made     time.Time
	Filters  []string // what was searched for, in words
	Start    time.Time
	End      time.Time
	Total    logs.Total // entries that match
	Buckets  []Bucket   // over Start to End, evenly
}

// Bucket is a bar of PDF's histogram.
type Bucket struct {
	Start  time.Time
	Levels map[logs.Level]int64
}

// Writer takes entries in their order. Write returns ErrFull when the format
// takes no more; Close completes the file. It is for one goroutine.
type Writer interface {
	Write(r *Row) error
	Close() error
}

// ErrFull says that a format takes no more entries: not a failure.
var ErrFull = fault.New(fault.TooLarge, "the file takes no more entries")

// NewWriter begins a file.
func NewWriter(w io.Writer, f Format, o Options) (Writer, error) {
	if len(o.Columns) == 0 {
		o.Columns = Columns()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	var out Writer
	var err error
	switch f {
	case CSV:
		out, err = newCSV(w, o.Columns)
	case JSON, NDJSON:
		out, err = newJSON(w, o.Columns, f == JSON)
	case XLSX:
		out, err = newXLSX(w, o.Columns)
	case Parquet:
		out = newParquet(w, o.Columns)
	case PDF:
		out, err = newPDF(w, o)
	default:
		err = fault.New(fault.Invalid, "unknown export format %q", string(f)).Hint("choose csv, json, ndjson, pdf, xlsx or parquet")
	}
	if err == nil && len(o.Mask) > 0 {
		out = &masker{Writer: out, rules: o.Mask}
	}
	return out, err
}

// masker takes out what the rules find before it is written.
type masker struct {
	Writer
	rules []string
}

func (m *masker) Write(r *Row) error {
	masked := *r
	masked.Message = []byte(logs.Mask(string(r.Message), m.rules))
	masked.Metadata = maskJSON(r.Metadata, m.rules)
	masked.SessionID = maskText(r.SessionID, m.rules)
	return m.Writer.Write(&masked)
}

func maskText(b []byte, rules []string) []byte {
	if b == nil {
		return nil
	}
	return []byte(logs.Mask(string(b), rules))
}
