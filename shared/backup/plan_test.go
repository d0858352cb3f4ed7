package backup

import (
	"testing"

	"pgregory.net/rapid"

	"guarda/shared/pgcatalog"
)

// TestEveryBlockIsInExactlyOneChunk holds for tables of any size, also for
// blocks that are added after the size was read.
func TestEveryBlockIsInExactlyOneChunk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := pgcatalog.Table{OID: 1, Heap: rapid.Bool().Draw(t, "heap"),
			Pages: rapid.Int64Range(0, 3_000_000).Draw(t, "pages"), ToastPages: rapid.Int64Range(0, 30_000_000).Draw(t, "toast")}
		var base *BaseTable
		if rapid.Bool().Draw(t, "based") {
			base = &BaseTable{Pages: rapid.Int64Range(0, 3_000_000).Draw(t, "base pages"), Edges: []int64{0}}
			for e := int64(0); len(base.Edges) < rapid.IntRange(1, 40).Draw(t, "edges"); {
				e += rapid.Int64Range(1, 20_000).Draw(t, "width")
				base.Edges = append(base.Edges, e)
			}
		}
		chunks := cut(table, rapid.Bool().Draw(t, "ranges"), rapid.Int64Range(minChunkBytes, maxChunkBytes).Draw(t, "chunk"), base)
		next, total := int64(0), int64(0)
		for i, c := range chunks {
			if c.FromBlock != next {
				t.Fatalf("chunk %d starts at block %d, want %d", i, c.FromBlock, next)
			}
			if last := i == len(chunks)-1; last != (c.ToBlock == -1) || !last && c.ToBlock <= c.FromBlock {
				t.Fatalf("chunk %d of %d ends at block %d", i, len(chunks), c.ToBlock)
			}
			next = c.ToBlock
			total += c.Estimate
		}
		if whole := (table.Pages + table.ToastPages) * blockSize; total > whole || total < whole-int64(len(chunks)) {
			t.Fatalf("the chunks' estimates add up to %d of %d", total, whole)
		}
	})
}

func TestChunksAreBoundedWithTheirTOAST(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table  pgcatalog.Table
		ranges bool
		chunks int
	}{
		"an empty table":            {pgcatalog.Table{Heap: true}, true, 1},
		"64 MB":                     {pgcatalog.Table{Heap: true, Pages: 8192}, true, 1},
		"640 MB":                    {pgcatalog.Table{Heap: true, Pages: 81920}, true, 10},
		"most of it TOAST":          {pgcatalog.Table{Heap: true, Pages: 1024, ToastPages: 80896}, true, 11},
		"few pages, enormous TOAST": {pgcatalog.Table{Heap: true, Pages: 20, ToastPages: 10_000_000}, true, 2},
		"a server without ranges":   {pgcatalog.Table{Heap: true, Pages: 81920}, false, 1},
		"not a heap":                {pgcatalog.Table{Pages: 81920}, true, 1},
	} {
		if got := cut(c.table, c.ranges, maxChunkBytes, nil); len(got) != c.chunks {
			t.Errorf("%s: %d chunks, want %d", name, len(got), c.chunks)
		}
	}
}

func TestTheLargestChunksGoFirst(t *testing.T) {
	t.Parallel()
	chunks := plan([]pgcatalog.Table{{OID: 1, Heap: true, Pages: 3}, {OID: 2, Heap: true, Pages: 9000}, {OID: 3, Heap: true, Pages: 500}}, 150000, maxChunkBytes, nil)
	if len(chunks) != 4 {
		t.Fatalf("%d chunks", len(chunks))
	}
	for i, c := range chunks {
		if c.No != i+1 || i > 0 && c.Estimate > chunks[i-1].Estimate {
			t.Errorf("chunk %d: %+v", i, c)
		}
	}
}

func TestTheStatementReadsTheRange(t *testing.T) {
	t.Parallel()
	table := &pgcatalog.Table{Schema: `a "b`, Name: "Order", Columns: []string{"id", `x"y`}}
	for want, c := range map[string]Chunk{
		`copy "a ""b"."Order" ("id", "x""y") to stdout`:                                                                                            {ToBlock: -1},
		`copy (select "id", "x""y" from only "a ""b"."Order" where ctid < '(8,0)'::pg_catalog.tid) to stdout`:                                      {ToBlock: 8},
		`copy (select "id", "x""y" from only "a ""b"."Order" where ctid >= '(8,0)'::pg_catalog.tid) to stdout`:                                     {FromBlock: 8, ToBlock: -1},
		`copy (select "id", "x""y" from only "a ""b"."Order" where ctid >= '(8,0)'::pg_catalog.tid and ctid < '(16,0)'::pg_catalog.tid) to stdout`: {FromBlock: 8, ToBlock: 16},
	} {
		if got := statement(table, &c); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", c, got, want)
		}
	}
	if got := statement(&pgcatalog.Table{Schema: "s", Name: "empty"}, &Chunk{ToBlock: -1}); got != `copy "s"."empty" to stdout` {
		t.Errorf("without columns: %s", got)
	}
	filtered := &pgcatalog.Table{Schema: "s", Name: "t", Columns: []string{"a"}, Filter: "a > 1 or a < 0"}
	if got := statement(filtered, &Chunk{ToBlock: -1}); got != `copy (select "a" from only "s"."t" where (a > 1 or a < 0)) to stdout` {
		t.Errorf("with a filter: %s", got)
	}
}
