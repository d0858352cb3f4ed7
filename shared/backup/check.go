package backup

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

const namesShown = 10 // in a message

// checkReadable makes sure, before anything is copied, that every table and
// sequence of the catalog can be read whole.
func checkReadable(ctx context.Context, conn *pgx.Conn, c *pgcatalog.Catalog) error {
	oids := make([]uint32, len(c.Tables))
	for i, t := range c.Tables {
		oids[i] = t.OID
	}
	denied, err := names(ctx, conn, `
select distinct case when s.usage then 'grant select on table ' || pg_catalog.format('%I.%I', n.nspname, r.relname)
            else 'grant usage on schema ' || pg_catalog.quote_ident(n.nspname) end,
       case when s.usage then pg_catalog.format('%I.%I', n.nspname, r.relname)
            else 'schema ' || pg_catalog.quote_ident(n.nspname) end
from unnest($1::oid[]) as o (oid)
join pg_catalog.pg_class r on r.oid = o.oid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
cross join lateral (select pg_catalog.has_schema_privilege(n.oid, 'usage') as usage) s
where not s.usage or not pg_catalog.has_table_privilege(r.oid, 'select')
order by 1`, oids)
	if err != nil {
		return pgsession.Explain(err, "check privileges")
	}
	var schemas, sequences []string
	for _, e := range c.Entries {
		if e.Kind == "SEQUENCE" {
			schemas, sequences = append(schemas, e.Schema), append(sequences, e.Name)
		}
	}
	more, err := names(ctx, conn, `
select 'grant select on sequence ' || pg_catalog.format('%I.%I', n.nspname, r.relname), pg_catalog.format('%I.%I', n.nspname, r.relname)
from unnest($1::text[], $2::text[]) as s (schema, name)
join pg_catalog.pg_namespace n on n.nspname = s.schema
join pg_catalog.pg_class r on r.relnamespace = n.oid and r.relname = s.name
where case when r.relkind = 'S' then not pg_catalog.has_sequence_privilege(r.oid, 'select') else false end
order by 1`, schemas, sequences)
	if err != nil {
		return pgsession.Explain(err, "check privileges")
	}
	denied = append(denied, more...)
	user := pgx.Identifier{conn.Config().User}.Sanitize()
	if len(denied) > 0 {
		var grants []string
		for _, d := range denied[:min(len(denied), namesShown)] {
			grants = append(grants, fmt.Sprintf("%s to %s;", d[0], user))
		}
		return fault.New(fault.Forbidden, "the user %s may not read %s", user, shown(denied)).
			Hint("run as the owner: %s or leave them out with --exclude", strings.Join(grants, " "))
	}
	hidden, err := names(ctx, conn, `
select '', pg_catalog.format('%I.%I', n.nspname, r.relname)
from unnest($1::oid[]) as o (oid)
join pg_catalog.pg_class r on r.oid = o.oid
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where pg_catalog.row_security_active(r.oid)
order by 2`, oids)
	if err != nil {
		return pgsession.Explain(err, "check row security")
	}
	if len(hidden) > 0 {
		return fault.New(fault.Forbidden, "row security would hide rows of %s from the user %s", shown(hidden), user).
			Hint("connect as the tables' owner (without FORCE ROW LEVEL SECURITY) or as a role that bypasses it: alter role %s bypassrls", user)
	}
	return nil
}

// names runs a query of two text columns.
func names(ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([][2]string, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (n [2]string, err error) {
		return n, row.Scan(&n[0], &n[1])
	})
}

func shown(names [][2]string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i == namesShown:
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(n[1])
	}
	return b.String()
}
