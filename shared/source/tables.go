package source

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Table is a table of a source.
type Table struct {
	Schema      string `json:"schema"`
	Name        string `json:"name"`
	Kind        string `json:"kind"`       // "table", "partition" or "partitioned table"
	SizeBytes   int64  `json:"size_bytes"` // with indexes and TOAST
	RowEstimate *int64 `json:"row_estimate"`
}

// TablePosition is the last table of a page.
type TablePosition struct {
	SizeBytes int64  `json:"s"`
	Schema    string `json:"n"`
	Name      string `json:"t"`
}

// Tables lists the tables of the database that conn leads to, largest first,
// up to limit after a position (nil: from the start) whose name, with its
// schema, has search in it. Sizes change between pages, so a table may then
// show twice or not at all.
func Tables(ctx context.Context, conn *pgx.Conn, search string, after *TablePosition, limit int) (found []Table, err error) {
	var p TablePosition
	if after != nil {
		p = *after
	}
	err = alone(ctx, conn, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
		select schema, name, kind, size_bytes, row_estimate from (
			select n.nspname::text as schema, c.relname::text as name,
				case when c.relkind = 'p' then 'partitioned table' when c.relispartition then 'partition' else 'table' end as kind,
				coalesce(pg_catalog.pg_total_relation_size(c.oid), 0) as size_bytes,
				case when c.reltuples >= 0 and c.relkind = 'r' then c.reltuples::int8 end as row_estimate
			from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where c.relkind in ('r', 'p') and c.relpersistence <> 't'
				and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
				and ($1 = '' or pg_catalog.strpos(lower(n.nspname || '.' || c.relname), lower($1)) > 0)
		) t
		where not $2::bool or size_bytes < $3::int8 or (size_bytes = $3::int8 and (schema, name) > ($4, $5))
		order by size_bytes desc, schema, name
		limit $6::int8`, search, after != nil, p.SizeBytes, p.Schema, p.Name, limit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Table])
		return err
	})
	return found, err
}
