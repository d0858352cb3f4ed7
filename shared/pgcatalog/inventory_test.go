package pgcatalog_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgtest"
)

// inventory describes a database without the code under test: every object
// that depends on another, with the flags of columns, constraints and indexes.
// Clones of foreign keys have names that are made up anew, so they are left out.
func inventory(t testing.TB, url string) string {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(t, url)
	var out strings.Builder
	for _, sql := range []string{
		`select pg_describe_object(classid, objid, objsubid) || ' > ' || pg_describe_object(refclassid, refobjid, refobjsubid) || ' ' || deptype::text
		 from pg_depend d where objid >= 16384 and refobjid >= 16384 and deptype <> 'e'
		   and not exists (select from pg_constraint k where d.classid = 2606 and k.oid = d.objid and k.conparentid <> 0)`,
		`select attrelid::regclass::text || ' ' || (case when attisdropped then '' else attname || row(format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attislocal, attinhcount, attstorage, attstattarget, attoptions, attfdwoptions, attcollation::regcollation)::text end)
		 from pg_attribute join pg_class c on c.oid = attrelid where attrelid >= 16384 and not attisdropped and attnum > 0 and relkind <> 't'`,
		`select conrelid::regclass::text || ' ' || conname || row(contype, condeferrable, condeferred, convalidated, conislocal and contype <> 'n', coninhcount, connoinherit and contype in ('c', 'n'), pg_get_constraintdef(oid))::text from pg_constraint where oid >= 16384 and conparentid = 0`,
		`select oid::regclass::text || row(relkind, relpersistence, relispartition, relrowsecurity, relforcerowsecurity, relreplident, reloptions, relispopulated, pg_get_userbyid(relowner), coalesce(relacl, acldefault(case when relkind = 'S' then 's' else 'r' end::"char", relowner)), pg_get_expr(relpartbound, oid), pg_get_viewdef(oid))::text
		 from pg_class where oid >= 16384 and relkind <> 't' and relname !~ 'pg_toast'`,
		`select indexrelid::regclass::text || row(indisunique, indisprimary, indisexclusion, indisclustered, indisvalid, indisreplident, indimmediate, pg_get_indexdef(indexrelid))::text from pg_index join pg_class c on c.oid = indrelid where indexrelid >= 16384 and relkind <> 't'`,
		`select pg_describe_object(classoid, objoid, objsubid) || ': ' || description from pg_description where objoid >= 16384`,
		`select p.oid::regprocedure::text || coalesce(proacl, acldefault('f', proowner))::text || pg_get_userbyid(proowner) from pg_proc p where p.oid >= 16384`,
		`select t.oid::regtype::text || coalesce(typacl, acldefault('T', typowner))::text || pg_get_userbyid(typowner) || row(typcategory, typdelim, typalign, typstorage, typlen, typbyval, typispreferred, typnotnull, typdefault)::text from pg_type t where t.oid >= 16384 and typrelid = 0`,
	} {
		rows, err := conn.Query(ctx, "select l from ("+sql+") s (l) where l !~ 'pg_toast_[0-9]|ConstraintTrigger_' order by l collate \"C\"")
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l != nil {
				out.WriteString(*l + "\n")
			}
		}
	}
	return out.String()
}
