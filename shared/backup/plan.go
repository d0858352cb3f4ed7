package backup

import (
	"cmp"
	"slices"

	"guarda/shared/pgcatalog"
)

const (
	blockSize     = 8192     // bytes of the blocks that pgcatalog counts in
	maxChunkBytes = 64 << 20 // of heap and TOAST in a chunk
	minBlocks     = 16       // in a chunk, however large the values are
)

// plan cuts the tables into chunks, the largest first so that no long one is
// left to a single connection at the end. chunkBytes bounds a chunk.
func plan(tables []pgcatalog.Table, serverVersion int, chunkBytes int64) []Chunk {
	var chunks []Chunk
	for _, t := range tables {
		chunks = append(chunks, cut(t, serverVersion >= tidRangeServer, chunkBytes)...)
	}
	slices.SortStableFunc(chunks, func(a, b Chunk) int { return cmp.Compare(b.Estimate, a.Estimate) })
	for i := range chunks {
		chunks[i].No = i + 1
	}
	return chunks
}

// cut cuts one table. The ranges leave no gap, and the last one is open, so
// rows in blocks that were added after the size was read are in it too.
func cut(t pgcatalog.Table, ranges bool, chunkBytes int64) []Chunk {
	whole := Chunk{TableOID: t.OID, Schema: t.Schema, Table: t.Name, ToBlock: -1, Estimate: (t.Pages + t.ToastPages) * blockSize}
	if !ranges || !t.Heap || whole.Estimate <= chunkBytes || t.Pages <= minBlocks {
		return []Chunk{whole}
	}
	step := max(minBlocks, t.Pages*chunkBytes/whole.Estimate)
	var chunks []Chunk
	for from := int64(0); from < t.Pages; from += step {
		c := whole
		c.FromBlock, c.ToBlock = from, from+step
		c.Estimate = whole.Estimate * min(step, t.Pages-from) / t.Pages
		chunks = append(chunks, c)
	}
	chunks[len(chunks)-1].ToBlock = -1
	return chunks
}
