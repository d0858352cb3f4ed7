package backup

import (
	"context"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
)

func readCatalog(ctx context.Context, conn *pgx.Conn, tables, exclude []string) (*pgcatalog.Catalog, error) {
	rows, err := conn.Query(ctx, `select c.oid, n.nspname, c.relname, (select coalesce(array_agg(attname::text order by attnum), '{}') from pg_catalog.pg_attribute where attrelid=c.oid and attnum>0 and not attisdropped and attgenerated=''),
	pg_catalog.pg_relation_size(c.oid)/8192, case when c.reltoastrelid=0 then 0 else pg_catalog.pg_relation_size(c.reltoastrelid)/8192 end, true
	from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid=c.relnamespace where relkind='r' and n.nspname not in ('pg_catalog','information_schema') order by 1`)
	if err != nil {
		return nil, err
	}
	c := &pgcatalog.Catalog{}
	c.Tables, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (t pgcatalog.Table, err error) {
		return t, r.Scan(&t.OID, &t.Schema, &t.Name, &t.Columns, &t.Pages, &t.ToastPages, &t.Heap)
	})
	return c, err
}
