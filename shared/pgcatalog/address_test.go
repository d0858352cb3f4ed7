package pgcatalog_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// TestEveryRowOfTheCatalogBelongsToAnEntry walks pg_depend, which names nearly
// every object, and the catalogs of those that it does not.
func TestEveryRowOfTheCatalogBelongsToAnEntry(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"everyday.sql", "rest.sql", "newer.sql", "options.sql", "rights.sql"} {
		source := load(t, pgtest.Own(t), file)
		c := read(t, source, pgcatalog.Options{})
		covered := map[pgcatalog.Address]bool{}
		for _, e := range c.Entries {
			switch e.Kind {
			case "COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE SET":
				if len(e.Objects) != 1 {
					t.Errorf("%s %s is about %d objects", e.Kind, e.Name, len(e.Objects))
				}
				continue
			}
			for _, o := range e.Objects {
				if covered[o] {
					t.Errorf("%s %s is not the first to make %v", e.Kind, e.Name, o)
				}
				covered[o] = true
			}
		}
		conn := pgtest.Connect(t, source)
		rows, _ := conn.Query(context.Background(), `
			select distinct classid, objid, coalesce((pg_identify_object(classid, objid, 0)).identity, '')
			from pg_depend where objid >= 16384 and not (classid = 2617 and exists (select from pg_operator o where o.oid = objid and o.oprcode = 0)) -- shells come with what names them
			union all select 2615, oid, nspname from pg_namespace where oid >= 16384
			union all select 2613, oid, 'large object' from pg_largeobject_metadata
			order by 1, 2`)
		var class, oid uint32
		var what string
		if _, err := pgx.ForEachRow(rows, []any{&class, &oid, &what}, func() error {
			if !covered[pgcatalog.Address{Class: class, OID: oid}] && !strings.Contains(what, "pg_toast.") {
				t.Errorf("%s: no entry makes %d %d %s", file, class, oid, what)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
