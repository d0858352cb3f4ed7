package backup

import (
	"cmp"
	"slices"

	"guarda/shared/pgcatalog"
)

const (
	blockSize     = 8192     // bytes of the blocks that pgcatalog counts in
	maxChunkBytes = 64 << 20 // of heap and TOAST in a chunk
	fewChunkBytes = 16 << 20 // in a database that is large enough to have several
	chunkShare    = 256      // a chunk is not more than this part of the database
	minBlocks     = 16       // in a chunk, however large the values are
	wideRange     = 4        // a base's range that is this much too wide is cut again
)

// plan cuts the tables into chunks, the largest first so that no long one is
// left to a single connection at the end. limit bounds a chunk, in bytes.
// Tables of the base are cut where they were.
func plan(tables []pgcatalog.Table, serverVersion int, limit int64, base *Base) []Chunk {
	var chunks []Chunk
	for _, t := range tables {
		chunks = append(chunks, cut(t, serverVersion >= tidRangeServer, limit, base.table(t.OID))...)
	}
	slices.SortStableFunc(chunks, func(a, b Chunk) int { return cmp.Compare(b.Estimate, a.Estimate) })
	for i := range chunks {
		chunks[i].No = i + 1
	}
	return chunks
}

// chunkLimit is how large a chunk may be. A chunk is what a later backup refers
// to or copies, so in a small database they are small: a hundredth of the rows
// changed should not mean a tenth of them copied.
func (x *execution) chunkLimit(tables []pgcatalog.Table) int64 {
	if x.spec.ChunkBytes > 0 {
		return x.spec.ChunkBytes
	}
	var total int64
	for _, t := range tables {
		total += (t.Pages + t.ToastPages) * blockSize
	}
	return min(x.pace.chunkBytes(), max(fewChunkBytes, total/chunkShare))
}

// cut cuts one table. The ranges leave no gap, and the last one is open, so
// rows in blocks that were added after the size was read are in it too. A table
// with a condition is one chunk: where an index answers it, that is fastest.
func cut(t pgcatalog.Table, ranges bool, limit int64, base *BaseTable) []Chunk {
	whole := Chunk{TableOID: t.OID, Schema: t.Schema, Table: t.Name, ToBlock: -1, Estimate: (t.Pages + t.ToastPages) * blockSize}
	if !ranges || !t.Heap || t.Filter != "" || whole.Estimate <= limit && base == nil || t.Pages <= minBlocks {
		return []Chunk{whole}
	}
	step := max(minBlocks, t.Pages*limit/max(1, whole.Estimate))
	var chunks []Chunk
	edges := edgesOf(t.Pages, step, base)
	for i, from := range edges {
		to := t.Pages
		if i+1 < len(edges) {
			to = edges[i+1]
		}
		c := whole
		c.FromBlock, c.ToBlock = from, to
		c.Estimate = whole.Estimate * (to - from) / t.Pages
		chunks = append(chunks, c)
	}
	chunks[len(chunks)-1].ToBlock = -1
	return chunks
}

// edgesOf returns the first blocks of a table's chunks. Those of the base come
// first, because only a range that was cut the same can have the same rows. The
// base's last range was open; its rows were in the blocks that the table had.
func edgesOf(pages, step int64, base *BaseTable) []int64 {
	edges := []int64{0}
	add := func(to int64) { // ranges of a step each, up to an edge
		last := edges[len(edges)-1]
		for wide := to - last; wide > 0; wide = to - last {
			if wide >= wideRange*step {
				last += step
			} else {
				last = to
			}
			if last >= pages {
				return
			}
			edges = append(edges, last)
		}
	}
	if base != nil {
		for _, e := range base.Edges {
			add(e)
		}
		last := edges[len(edges)-1]
		width := step
		if n := len(edges); n > 1 {
			width = last - edges[n-2]
		}
		add(max(base.Pages, last+width))
	}
	for last := edges[len(edges)-1] + step; last < pages; last += step {
		edges = append(edges, last)
	}
	return edges
}
