package cold

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"guarda/shared/logs"
)

// Rows are handed on in batches, small ones first: a page is full soon.
const (
	firstBatch = 256
	lastBatch  = 4096
	batchBytes = 4 << 20
)

// readAhead is how many row groups are read before they are needed.
const readAhead = 2

// Walk hands the rows of segments that are asked for to f, in the order of the
// query, in batches. Each batch is followed by how far the walk got: every row
// between there and where the batch before it got is in the batch; the last one
// reaches the end of the range. f says whether to go on. Of the row groups,
// only those are read whose index says that they can have such rows, one at a
// time where segments do not overlap.
func (r *Reader) Walk(ctx context.Context, segs []*logs.Segment, w *logs.Wanted, f func(rows []logs.Archived, to time.Time) (bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list, err := r.picks(ctx, segs, w)
	if err != nil {
		return err
	}
	m := &merge{w: w, picks: list, loads: make([]*loading, len(list)), reader: r}
	slices.SortFunc(m.picks, func(a, b pick) int {
		if w.OldestTop {
			return cmp.Compare(a.group.Low, b.group.Low)
		}
		return cmp.Compare(b.group.High, a.group.High)
	})
	var batch []logs.Archived
	size, most := 0, firstBatch
	flush := func(to time.Time) (bool, error) {
		if to.Before(w.Low) { // a row group may begin before the range
			to = w.Low
		} else if to.After(w.High) {
			to = w.High
		}
		more, err := f(batch, to)
		batch, size, most = nil, 0, min(4*most, lastBatch)
		return more, err
	}
	opened := 0 // row groups, when the last batch was handed on
	for {
		if err := m.open(ctx); err != nil {
			return err
		}
		at, left := m.head()
		if !left {
			break
		}
		last := len(batch) - 1
		full := last+1 >= most || size >= batchBytes || m.next-opened > readAhead
		if full && (last < 0 || batch[last].At != at) { // equal times stay together
			opened = m.next
			if !w.OldestTop {
				at++ // what is older than this is still to come
			}
			if more, err := flush(time.UnixMicro(at).UTC()); !more || err != nil {
				return err
			}
		}
		if len(m.cursors) > 0 {
			next := m.cursors[0].rows[0]
			batch = append(batch, next)
			size += next.Bytes()
			m.advance()
		}
	}
	end := w.Low
	if w.OldestTop {
		end = w.High
	}
	_, err = flush(end)
	return err
}

// merge takes row groups together, which may overlap.
type merge struct {
	w       *logs.Wanted
	reader  *Reader
	picks   []pick // by where they begin, in the order of the walk
	loads   []*loading
	next    int // of picks that is opened next
	cursors []*cursor
}

type cursor struct{ rows []logs.Archived }

type loading struct {
	rows []logs.Archived
	err  error
	done chan struct{}
}

// before orders rows as the walk does.
func (m *merge) before(a, b *logs.Archived) bool {
	c := a.Compare(b)
	return m.w.OldestTop && c < 0 || !m.w.OldestTop && c > 0
}

// head returns the time of the next row, or the time at which the next row group
// begins, when none is open; false when nothing is left.
func (m *merge) head() (at int64, left bool) {
	switch {
	case len(m.cursors) > 0:
		return m.cursors[0].rows[0].At, true
	case m.next == len(m.picks):
		return 0, false
	}
	return m.edge(m.next), true
}

// edge is where a row group begins, in the order of the walk.
func (m *merge) edge(n int) int64 {
	if m.w.OldestTop {
		return m.picks[n].group.Low
	}
	return m.picks[n].group.High
}

// open opens every row group that can have the next row; only one that turned
// out to have none may be the last, so that a walk that finds little still says
// how far it got.
func (m *merge) open(ctx context.Context) error {
	for m.next < len(m.picks) {
		edge := m.edge(m.next)
		if len(m.cursors) > 0 {
			if head := m.cursors[0].rows[0].At; m.w.OldestTop && edge > head || !m.w.OldestTop && edge < head {
				return nil
			}
		}
		rows, err := m.rows(ctx, m.next)
		if err != nil {
			return err
		}
		m.next++
		if len(rows) > 0 {
			heap.Push(m, &cursor{rows})
		} else if len(m.cursors) == 0 {
			return nil
		}
	}
	return nil
}

// rows returns the rows of a row group that are asked for, in the order of the
// walk, and begins to read the next ones once the first were not enough.
func (m *merge) rows(ctx context.Context, n int) ([]logs.Archived, error) {
	ahead := 0
	if n > 0 {
		ahead = readAhead
	}
	for i := n; i < min(n+1+ahead, len(m.picks)); i++ {
		if m.loads[i] == nil {
			m.loads[i] = m.load(ctx, m.picks[i])
		}
	}
	l := m.loads[n]
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.loads[n] = &loading{} // the rows are the cursor's now
	return l.rows, l.err
}

func (m *merge) load(ctx context.Context, p pick) *loading {
	l := &loading{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		rows, err := m.reader.load(ctx, p.seg, p.group, p.n)
		if err != nil {
			l.err = err
			return
		}
		l.rows = slices.DeleteFunc(rows, func(a logs.Archived) bool { return !m.w.Takes(&a) })
		if !m.w.OldestTop {
			slices.Reverse(l.rows)
		}
	}()
	return l
}

func (m *merge) advance() {
	c := m.cursors[0]
	if c.rows = c.rows[1:]; len(c.rows) == 0 {
		heap.Pop(m)
		return
	}
	heap.Fix(m, 0)
}

// heap.Interface

func (m *merge) Len() int           { return len(m.cursors) }
func (m *merge) Less(i, j int) bool { return m.before(&m.cursors[i].rows[0], &m.cursors[j].rows[0]) }
func (m *merge) Swap(i, j int)      { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }
func (m *merge) Push(x any)         { m.cursors = append(m.cursors, x.(*cursor)) }
func (m *merge) Pop() any {
	c := m.cursors[len(m.cursors)-1]
	m.cursors = m.cursors[:len(m.cursors)-1]
	return c
}
