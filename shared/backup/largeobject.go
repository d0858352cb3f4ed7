package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// Large objects are copied as chunks like those of a table, so that workers,
// leases, hashes and retries are the same. A chunk is a range of positions in
// all large objects, ordered by OID and offset (see manifest.LargeObjectPosition);
// it may hold thousands of small ones or a piece of one. Its rows are OID, offset
// and bytes (see manifest.LargeObjects). They are read with lo_get, which asks for
// no more than the right to read the object: pg_largeobject itself is for
// superusers.

const (
	// largeObjectPiece is how many bytes of a large object are one row: few
	// enough for a worker's memory, a multiple of manifest.LargeObjectPage.
	largeObjectPiece = 256 << 10
	// largeObjectsInChunk bounds the length of the statement that reads a chunk.
	largeObjectsInChunk = 10_000
	sizesAtOnce         = 10_000
)

// largeObject is a large object to copy.
type largeObject struct {
	OID  uint32 `json:"oid"`
	Size int64  `json:"size"` // bytes
}

// planLarge adds the large objects of the picture to the plan.
func (s *state) planLarge(ctx context.Context, p *picture, chunkBytes int64) error {
	var err error
	if s.LargeObjects, err = measureLargeObjects(ctx, p.conn, s.Catalog.LargeObjects); err != nil {
		return err
	}
	s.Chunks = append(s.Chunks, planLargeObjects(s.LargeObjects, chunkBytes, len(s.Chunks)+1)...)
	return nil
}

// measureLargeObjects asks for the sizes of large objects, as the picture on
// conn shows them. The result is ordered by OID.
func measureLargeObjects(ctx context.Context, conn *pgx.Conn, objects []pgcatalog.LargeObject) ([]largeObject, error) {
	measured := make([]largeObject, 0, len(objects))
	for batch := range slices.Chunk(objects, sizesAtOnce) {
		oids := make([]string, len(batch))
		for i, o := range batch {
			oids[i] = strconv.FormatUint(uint64(o.OID), 10)
		}
		// There is no function that tells a size: it is the offset of the end.
		// 262144 is INV_READ (libpq-fs.h), 2 is SEEK_END.
		results, err := conn.PgConn().Exec(ctx, `
select oid, pg_catalog.lo_lseek64(fd, 0, 2), pg_catalog.lo_close(fd)
from (select oid, pg_catalog.lo_open(oid, 262144) as fd from pg_catalog.unnest('{`+strings.Join(oids, ",")+`}'::pg_catalog.oid[]) as u (oid) offset 0) as o`).ReadAll()
		if err != nil {
			return nil, pgsession.Explain(err, "measure the large objects")
		}
		for _, row := range results[0].Rows {
			oid, err1 := strconv.ParseUint(string(row[0]), 10, 32)
			size, err2 := strconv.ParseInt(string(row[1]), 10, 64)
			if err := cmp.Or(err1, err2); err != nil {
				return nil, fmt.Errorf("measure the large objects: %w", err)
			}
			measured = append(measured, largeObject{uint32(oid), size})
		}
	}
	slices.SortFunc(measured, func(a, b largeObject) int { return cmp.Compare(a.OID, b.OID) })
	return measured, nil
}

// planLargeObjects cuts large objects into chunks of about chunkBytes, numbered
// from first on. Empty ones are in none: making them is in the schema.
func planLargeObjects(objects []largeObject, chunkBytes int64, first int) []Chunk {
	step := max(largeObjectPiece, chunkBytes/largeObjectPiece*largeObjectPiece)
	var chunks []Chunk
	open, count := false, 0
	for _, o := range objects {
		for at := int64(0); at < o.Size; {
			if !open {
				chunks = append(chunks, Chunk{No: first + len(chunks), TableOID: manifest.LargeObjectClass, Schema: "pg_catalog", Table: "pg_largeobject",
					FromBlock: manifest.LargeObjectPosition(o.OID, at)})
				count = 0
			}
			c := &chunks[len(chunks)-1]
			// Whole pieces: a piece never stands in two chunks.
			take := min(o.Size-at, max(largeObjectPiece, (step-c.Estimate)/largeObjectPiece*largeObjectPiece))
			at += take
			count++
			c.Estimate += take
			c.ToBlock = manifest.LargeObjectPosition(o.OID, at+manifest.LargeObjectPage-1)
			open = c.Estimate < step && count < largeObjectsInChunk
		}
	}
	return chunks
}

// statement is the COPY that reads a chunk, of a table or of large objects.
func (w *copier) statement(t *pgcatalog.Table, c *Chunk) string {
	if c.TableOID == manifest.LargeObjectClass {
		return largeObjectStatement(w.largeObjects, c)
	}
	return statement(t, c)
}

// largeObjectStatement is the COPY that reads a chunk of large objects.
func largeObjectStatement(objects []largeObject, c *Chunk) string {
	var oids, starts, ends []string
	for _, o := range objects {
		start := max(c.FromBlock, manifest.LargeObjectPosition(o.OID, 0))
		end := min(c.ToBlock, manifest.LargeObjectPosition(o.OID, o.Size+manifest.LargeObjectPage-1))
		if start >= end {
			continue
		}
		from := manifest.LargeObjectOffset(start)
		oids = append(oids, strconv.FormatUint(uint64(o.OID), 10))
		starts = append(starts, strconv.FormatInt(from, 10))
		ends = append(ends, strconv.FormatInt(min(o.Size, from+(end-start)*manifest.LargeObjectPage), 10))
	}
	return fmt.Sprintf(`copy (select o.oid, p.at, pg_catalog.lo_get(o.oid, p.at, least(%d, o.upto - p.at)::pg_catalog.int4)
from unnest('{%s}'::pg_catalog.oid[], '{%s}'::pg_catalog.int8[], '{%s}'::pg_catalog.int8[]) as o (oid, start, upto)
cross join lateral pg_catalog.generate_series(o.start, o.upto - 1, %d) as p (at)) to stdout`,
		largeObjectPiece, strings.Join(oids, ","), strings.Join(starts, ","), strings.Join(ends, ","), largeObjectPiece)
}

// largeObjectTable stands for all large objects among the tables to copy.
func largeObjectTable() *pgcatalog.Table {
	return &pgcatalog.Table{OID: manifest.LargeObjectClass, Schema: "pg_catalog", Name: "pg_largeobject"}
}

// assembleLargeObjects puts the results of their chunks together; nil when
// there are no large objects.
func assembleLargeObjects(s *state, results []ChunkResult) (*manifest.LargeObjects, error) {
	if len(s.LargeObjects) == 0 {
		return nil, nil
	}
	byNo := make(map[int]*ChunkResult, len(results))
	for i := range results {
		byNo[results[i].No] = &results[i]
	}
	m := &manifest.LargeObjects{Count: int64(len(s.LargeObjects)), Chunks: []manifest.Chunk{}}
	for _, o := range s.LargeObjects {
		m.Bytes += o.Size
	}
	var total contenthash.Sum
	for _, c := range s.Chunks {
		if c.TableOID != manifest.LargeObjectClass {
			continue
		}
		r := byNo[c.No]
		if r == nil {
			return nil, fault.New(fault.Internal, "chunk %d of the large objects has no result", c.No)
		}
		chunk := manifest.Chunk{FromBlock: c.FromBlock, ToBlock: c.ToBlock, Object: r.ObjectKey, Rows: r.Rows, RawBytes: r.RawBytes,
			StoredBytes: r.StoredBytes, SHA256: r.SHA256, ContentHash: r.ContentHash, Encoding: r.Encoding}
		sum, err := chunk.Sum()
		if err != nil {
			return nil, err
		}
		total.Add(sum)
		m.RawBytes += r.RawBytes
		m.StoredBytes += r.StoredBytes
		m.Chunks = append(m.Chunks, chunk)
	}
	slices.SortFunc(m.Chunks, func(a, b manifest.Chunk) int { return cmp.Compare(a.FromBlock, b.FromBlock) })
	m.Rows, m.ContentHash = total.Rows, total.String()
	return m, nil
}
