// Package cold keeps days of log entries as Parquet objects with an index
// beside each: it writes them, finds in them, and rewrites them without what
// has to go. docs/design/cold-logs.md describes the objects and argues why no
// entry is lost or shown twice.
package cold

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Reader reads segments. Headers and filters of indexes, and the metadata of
// Parquet objects, are remembered: objects never change. It is safe for
// concurrent use.
type Reader struct {
	// Open opens the store; the first segment that is read does.
	Open func(ctx context.Context) (blob.Store, error)

	mu     sync.Mutex
	blobs  blob.Store
	memory map[string]any
	held   int64
}

// maxHeld is how many bytes are remembered; when there are more, all are
// forgotten.
const maxHeld = 48 << 20

// readAtOnce is how many objects are read at the same time.
const readAtOnce = 8

func (r *Reader) store(ctx context.Context) (blob.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blobs == nil {
		blobs, err := r.Open(ctx)
		if err != nil {
			return nil, err
		}
		r.blobs = blobs
	}
	return r.blobs, nil
}

// remembered returns what make made for a key before, or makes it.
func remembered[T any](r *Reader, key string, make func() (T, int64, error)) (T, error) {
	r.mu.Lock()
	v, ok := r.memory[key].(T)
	r.mu.Unlock()
	if ok {
		return v, nil
	}
	v, size, err := make()
	if err != nil {
		return v, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory == nil || r.held+size > maxHeld {
		r.memory, r.held = map[string]any{}, 0
	}
	r.memory[key] = v
	r.held += size
	return v, nil
}

func (r *Reader) header(ctx context.Context, seg *logs.Segment) (*indexHeader, error) {
	return remembered(r, seg.Path+" header", func() (*indexHeader, int64, error) {
		blobs, err := r.store(ctx)
		if err != nil {
			return nil, 0, err
		}
		if seg.IndexHeader < int64(indexPrefix) || seg.IndexHeader > maxHeader {
			return nil, 0, corruptIndex("its header has another length")
		}
		raw, err := readRange(ctx, blobs, seg.IndexPath(), 0, seg.IndexHeader)
		if err != nil {
			return nil, 0, err
		}
		h, err := decodeHeader(raw, seg.IndexSize, seg.Size)
		return h, 2 * seg.IndexHeader, err
	})
}

// filters returns one filter a row group: of words, or of keys.
func (r *Reader) filters(ctx context.Context, seg *logs.Segment, h *indexHeader, words bool) ([]filter, error) {
	name := " keys"
	if words {
		name = " words"
	}
	return remembered(r, seg.Path+name, func() ([]filter, int64, error) {
		spans := make([]span, len(h.Groups))
		from, to := seg.IndexSize, int64(0)
		for i, g := range h.Groups {
			spans[i] = g.Key
			if words {
				spans[i] = g.Word
			}
			from, to = min(from, spans[i].Offset), max(to, spans[i].Offset+spans[i].Length)
		}
		if from >= to {
			return make([]filter, len(spans)), 0, nil
		}
		blobs, err := r.store(ctx)
		if err != nil {
			return nil, 0, err
		}
		body, err := readRange(ctx, blobs, seg.IndexPath(), seg.IndexHeader+from, to-from)
		if err != nil {
			return nil, 0, err
		}
		f, err := filtersOf(spans, from, body)
		return f, to - from, err
	})
}

// load reads the rows of a row group.
func (r *Reader) load(ctx context.Context, seg *logs.Segment, g *group, i int) ([]logs.Archived, error) {
	blobs, err := r.store(ctx)
	if err != nil {
		return nil, err
	}
	if seg.Footer < 8 || seg.Footer > seg.Size || seg.Footer > maxHeader || g.Length > maxGroup {
		return nil, fault.New(fault.Corrupt, "a Parquet object of archived log entries is damaged")
	}
	footer, err := remembered(r, seg.Path+" footer", func() ([]byte, int64, error) {
		b, err := readRange(ctx, blobs, seg.Path, seg.Size-seg.Footer, seg.Footer)
		return b, seg.Footer, err
	})
	if err != nil {
		return nil, err
	}
	body, err := readRange(ctx, blobs, seg.Path, g.Offset, g.Length)
	if err != nil {
		return nil, err
	}
	rows, err := decodeGroup(stretches{{g.Offset, body}, {seg.Size - seg.Footer, footer}}, seg.Size, i)
	if err == nil && len(rows) != g.Rows {
		err = fault.New(fault.Corrupt, "a Parquet object of archived log entries is damaged")
	}
	return rows, err
}

// maxGroup bounds a row group's bytes: far more than one can have.
const maxGroup = 256 << 20

// pick is a row group that can have rows which are asked for.
type pick struct {
	seg   *logs.Segment
	group *group
	n     int
}

// picks finds them, in no order.
func (r *Reader) picks(ctx context.Context, segs []*logs.Segment, w *logs.Wanted) ([]pick, error) {
	found := make([][]pick, len(segs))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(readAtOnce)
	for i, seg := range segs {
		if !takesSegment(seg, w) {
			continue
		}
		all.Go(func() (err error) {
			found[i], err = r.picksOf(ctx, seg, w)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var out []pick
	for _, f := range found {
		out = append(out, f...)
	}
	return out, nil
}

// takesSegment is what can be said without reading anything.
func takesSegment(seg *logs.Segment, w *logs.Wanted) bool {
	if !w.Touches(seg.Low, seg.High) {
		return false
	}
	if len(w.Levels) == 0 && len(w.Sources) == 0 {
		return true
	}
	g := group{Low: seg.Low.UnixMicro(), High: seg.High.UnixMicro()}
	for _, k := range seg.Kinds {
		g.Levels, g.Sources = []logs.Level{k.Level}, []string{k.Source}
		if g.takes(w) {
			return true
		}
	}
	return false
}

func (r *Reader) picksOf(ctx context.Context, seg *logs.Segment, w *logs.Wanted) ([]pick, error) {
	h, err := r.header(ctx, seg)
	if err != nil {
		return nil, err
	}
	var out []pick
	for i := range h.Groups {
		if g := &h.Groups[i]; g.takes(w) {
			out = append(out, pick{seg, g, i})
		}
	}
	keep := func(words bool, ok func(filter) bool) error {
		if len(out) == 0 {
			return nil
		}
		filters, err := r.filters(ctx, seg, h, words)
		if err != nil {
			return err
		}
		kept := out[:0]
		for _, p := range out {
			if ok(filters[p.n]) {
				kept = append(kept, p)
			}
		}
		out = kept
		return nil
	}
	if w.Words != "" && h.Words == w.Search { // words of another text search say nothing
		if err := keep(true, func(f filter) bool { return needs(w.Words, f.may) }); err != nil {
			return nil, err
		}
	}
	if byKeys(w) {
		err = keep(false, func(f filter) bool { return takesKeys(f, w) })
	}
	return out, err
}
