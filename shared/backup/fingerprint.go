package backup

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/pgcatalog"
)

// A fingerprint tells whether the rows of a chunk are the ones that an earlier
// backup has: their number, and the sum of a 64-bit hash of each row's
// (ctid, xmin). A row that was written anew has another xmin; one that moved
// another ctid; one that is gone is missing from the number. What ctid and
// xmin cannot tell is guarded elsewhere (see Base).
//
// The sum is exact (numeric), so it adds up over ranges, does not depend on
// the order of rows, and has at least 64 bits. Two different sets of rows have
// the same sum by chance only: hashtidextended mixes all bits of the ctid with
// a seed, here the xmin, so for sets that nobody built to collide the chance is
// about 2^-64 a comparison. Who could build one chooses neither transaction
// ids nor places in a table.
//
// The ctid is hashed too, so ranges need not be the same to be compared: equal
// fingerprints of one table are the same rows, wherever the ranges were cut.

// fingerprintPrefix names the formula. Another formula gets another prefix, so
// that what they give is never equal.
const fingerprintPrefix = "1"

// xminBits is a row's xmin as a number from 0 to 2^32-1. The type xid has no
// cast to a number but by way of text; the difference of two ages has the same
// value in every transaction, and costs less than half. What is the same for
// all rows is asked for once.
const xminBits = "(((select pg_catalog.age('3'::pg_catalog.xid)::bigint) - pg_catalog.age(xmin)) & 4294967295)"

// fingerprinted says whether rows of a table can be told from changed ones by
// their place: not where rows have no place, and not where a condition on
// other tables decides which rows belong to the backup.
func fingerprinted(t *pgcatalog.Table) bool { return t.Heap && t.Filter == "" }

// fingerprintStatement is the query for the fingerprint of a chunk. Before
// PostgreSQL 14 no function hashes a tid.
func fingerprintStatement(t *pgcatalog.Table, c *Chunk, version int) string {
	hash := "pg_catalog.hashtidextended(ctid, " + xminBits + ")"
	if version < tidRangeServer/10000 {
		hash = "pg_catalog.hashtextextended(ctid::pg_catalog.text, " + xminBits + ")"
	}
	sql := "select pg_catalog.count(*), coalesce(pg_catalog.sum(" + hash + "), 0) from only " + pgx.Identifier{t.Schema, t.Name}.Sanitize()
	if where := rangeConditions(c); len(where) > 0 {
		sql += " where " + strings.Join(where, " and ")
	}
	return sql
}

// rangeConditions limit a query to the blocks of a chunk.
func rangeConditions(c *Chunk) []string {
	var where []string
	if c.FromBlock > 0 {
		where = append(where, fmt.Sprintf("ctid >= '(%d,0)'::pg_catalog.tid", c.FromBlock))
	}
	if c.ToBlock >= 0 {
		where = append(where, fmt.Sprintf("ctid < '(%d,0)'::pg_catalog.tid", c.ToBlock))
	}
	return where
}

// fingerprint reads the fingerprint of a chunk; "" where there can be none.
func fingerprint(ctx context.Context, conn *pgx.Conn, t *pgcatalog.Table, c *Chunk) (string, error) {
	if !fingerprinted(t) {
		return "", nil
	}
	row, err := pgsession.One(ctx, conn, fingerprintStatement(t, c, major(serverSetting(conn, "server_version"))))
	if err != nil {
		return "", pgsession.Explain(err, fmt.Sprintf("compare table %s.%s", t.Schema, t.Name))
	}
	return fingerprintPrefix + ":" + row[0] + ":" + row[1], nil
}

// take gets a chunk into the backup: by reference where its rows are those of
// the base, else by copying them. The fingerprint is read before the rows are,
// so the blocks come from the disk once.
func (w *copier) take(ctx context.Context, t *pgcatalog.Table, c *Chunk) (*ChunkResult, error) {
	print, err := fingerprint(ctx, w.conn, t, c)
	if err != nil {
		return nil, err
	}
	if r := w.base.find(t.OID, print); r != nil {
		r.No = c.No
		return r, nil
	}
	r, err := w.copy(ctx, t, c)
	if err != nil {
		return nil, err
	}
	r.Fingerprint = print
	return r, nil
}
