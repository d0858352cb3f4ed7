package cold

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// What a row group has at most: what is read and kept in memory at once, and
// what a filter tells to skip.
const (
	groupRows  = 8192
	groupBytes = 8 << 20
)

// folder holds the segments; no source can be named _logs.
const folder = "_logs/cold/"

// pathOf says where a segment is.
func pathOf(day time.Time, id uuid.UUID) string {
	return folder + day.UTC().Format("2006/01/02/") + id.String() + ".parquet"
}

// lexer finds the words of messages, as a text search has them.
type lexer func(ctx context.Context, words logs.TextSearch, messages []string) ([]string, error)

// writer writes a segment: the Parquet object as rows come, the index at the
// end. Rows come in their order.
type writer struct {
	seg    *logs.Segment
	blobs  blob.Store
	lexer  lexer
	index  index
	pipe   *io.PipeWriter
	counts *countingWriter
	stored chan error
	out    *parquet.GenericWriter[any]

	rows   []logs.Archived // of the row group that is being filled
	bytes  int
	sum    *big.Int
	kinds  map[logs.Kind]int64
	failed error
	raw    []byte // the index, when it is stored
}

// countingWriter knows how many bytes went through.
type countingWriter struct {
	io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// newWriter begins a segment whose ID, Day, Path and Words are set.
func newWriter(ctx context.Context, blobs blob.Store, l lexer, seg *logs.Segment) *writer {
	pr, pw := io.Pipe()
	w := &writer{seg: seg, blobs: blobs, lexer: l, pipe: pw, counts: &countingWriter{Writer: pw}, stored: make(chan error, 1), sum: new(big.Int), kinds: map[logs.Kind]int64{}}
	w.index.Format, w.index.Words = 1, seg.Words
	w.out = newParquetWriter(w.counts)
	go func() {
		_, err := blobs.Put(ctx, seg.Path, pr, blob.PutOptions{ContentType: "application/vnd.apache.parquet"})
		_ = pr.CloseWithError(cmp.Or(err, io.ErrClosedPipe))
		w.stored <- err
	}()
	return w
}

func (w *writer) add(ctx context.Context, rows []logs.Archived) error {
	for _, a := range rows {
		w.rows = append(w.rows, a)
		if w.bytes += a.Bytes(); len(w.rows) == groupRows || w.bytes >= groupBytes {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes a row group.
func (w *writer) flush(ctx context.Context) error {
	if len(w.rows) == 0 {
		return nil
	}
	g := group{Rows: len(w.rows), Low: w.rows[0].At, High: w.rows[len(w.rows)-1].At}
	keys, sources := map[string]struct{}{}, map[string]struct{}{}
	messages := make([]string, len(w.rows))
	var buffer parquet.Row
	for i := range w.rows {
		a := &w.rows[i]
		buffer = rowOf(buffer, a)
		if _, err := w.out.WriteRows([]parquet.Row{buffer}); err != nil {
			return w.why(fmt.Errorf("write archived log entries: %w", err))
		}
		w.sum.Add(w.sum, big.NewInt(a.Fingerprint()))
		w.kinds[logs.Kind{Level: a.Level, Source: a.Source}]++
		messages[i] = a.Message
		sources[a.Source] = struct{}{}
		if !slices.Contains(g.Levels, a.Level) {
			g.Levels = append(g.Levels, a.Level)
		}
		addKeys(keys, a)
	}
	if len(sources) <= maxSources {
		for s := range sources {
			g.Sources = append(g.Sources, s)
		}
		slices.Sort(g.Sources)
	}
	if err := w.out.Flush(); err != nil {
		return w.why(fmt.Errorf("write archived log entries: %w", err))
	}
	list, err := w.lexer(ctx, w.seg.Words, messages)
	if err != nil {
		return err
	}
	words := make(map[string]struct{}, len(list))
	for _, one := range list {
		words[one] = struct{}{}
	}
	if len(w.index.Groups) == 0 {
		w.seg.Low = time.UnixMicro(g.Low).UTC()
	}
	w.seg.High = time.UnixMicro(g.High).UTC()
	w.seg.Rows += int64(g.Rows)
	w.index.add(g, filterOf(words), filterOf(keys))
	w.rows, w.bytes = w.rows[:0], 0
	return nil
}

// addKeys adds what a row is asked for by equality.
func addKeys(keys map[string]struct{}, a *logs.Archived) {
	if a.User.Valid {
		keys[userKey(a.User.UUID)] = struct{}{}
	}
	if a.Session != nil {
		keys[sessionKey(*a.Session)] = struct{}{}
	}
	if a.Pattern.Valid {
		keys[patternKey(a.Pattern.UUID)] = struct{}{}
	}
	for _, name := range logs.MemberNames(a.Metadata) {
		keys[memberKey(name)] = struct{}{}
	}
}

// why returns what the store said, where writing failed because of it.
func (w *writer) why(err error) error {
	_ = w.pipe.CloseWithError(err)
	if w.failed == nil {
		w.failed = err
		if stored := <-w.stored; stored != nil && fault.As(stored) != nil {
			w.failed = stored
		}
	}
	return w.failed
}

// empty reports whether no row was added.
func (w *writer) empty() bool { return w.seg.Rows == 0 && len(w.rows) == 0 }

// abandon ends the writing of a segment that is not wanted any more.
func (w *writer) abandon() {
	_ = w.why(io.ErrClosedPipe)
}

// close stores the rest and the index, and completes the segment's description.
func (w *writer) close(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.out.Close(); err != nil {
		return w.why(fmt.Errorf("write archived log entries: %w", err))
	}
	if err := w.pipe.Close(); err != nil {
		return err
	}
	if err := <-w.stored; err != nil {
		w.failed = err
		return err
	}
	w.failed = io.ErrClosedPipe // there is nothing to wait for any more
	w.seg.Size, w.seg.Content = w.counts.n, w.sum.String()
	for k, n := range w.kinds {
		k.Rows = n
		w.seg.Kinds = append(w.seg.Kinds, k)
	}
	slices.SortFunc(w.seg.Kinds, func(a, b logs.Kind) int {
		return cmp.Or(strings.Compare(string(a.Level), string(b.Level)), strings.Compare(a.Source, b.Source))
	})
	if err := w.locate(ctx); err != nil {
		return err
	}
	raw, header, err := w.index.encode()
	if err != nil {
		return err
	}
	w.raw = raw
	w.seg.IndexSize, w.seg.IndexHeader = int64(len(raw)), int64(header)
	_, err = w.blobs.Put(ctx, w.seg.IndexPath(), bytes.NewReader(raw), blob.PutOptions{ContentType: "application/octet-stream"})
	return err
}

// locate reads the Parquet object's metadata back and takes from it where each
// row group lies.
func (w *writer) locate(ctx context.Context) error {
	tail, err := readRange(ctx, w.blobs, w.seg.Path, w.seg.Size-8, 8)
	if err != nil {
		return err
	}
	w.seg.Footer = int64(binary.LittleEndian.Uint32(tail)) + 8
	if w.seg.Footer > w.seg.Size || string(tail[4:]) != "PAR1" {
		return fault.New(fault.Corrupt, "the object %s was not stored as it was sent", w.seg.Path)
	}
	footer, err := readRange(ctx, w.blobs, w.seg.Path, w.seg.Size-w.seg.Footer, w.seg.Footer)
	if err != nil {
		return err
	}
	f, err := parquet.OpenFile(stretches{{w.seg.Size - w.seg.Footer, footer}}, w.seg.Size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fault.New(fault.Corrupt, "the object %s was not stored as it was sent", w.seg.Path).Because(err)
	}
	meta := f.Metadata()
	if len(meta.RowGroups) != len(w.index.Groups) {
		return fault.New(fault.Corrupt, "the object %s was not stored as it was sent", w.seg.Path)
	}
	for i := range meta.RowGroups {
		low, high := int64(-1), int64(0)
		for _, c := range meta.RowGroups[i].Columns {
			at := c.MetaData.DataPageOffset
			if d := c.MetaData.DictionaryPageOffset; d > 0 && d < at {
				at = d
			}
			if low < 0 || at < low {
				low = at
			}
			high = max(high, at+c.MetaData.TotalCompressedSize)
		}
		w.index.Groups[i].Offset, w.index.Groups[i].Length = low, high-low
	}
	return nil
}

// readRange reads a stretch of an object, all of it or an error.
func readRange(ctx context.Context, blobs blob.Store, key string, offset, length int64) ([]byte, error) {
	body, err := blobs.Get(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b := make([]byte, length)
	if _, err := io.ReadFull(body, b); err != nil {
		if fault.As(err) != nil {
			return nil, err
		}
		return nil, fault.New(fault.Corrupt, "the object %s is shorter than it was", key).Because(err)
	}
	return b, nil
}
