package fidelity_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestAPlainOwnersDatabaseComesBack, though the schema public is not his, and
// with a range type whose name is as long as can be, so that the server cut the
// name of its multirange type.
func TestAPlainOwnersDatabaseComesBack(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		const owner = "museum_owner"
		s.Role(t, owner)
		own := func() database {
			d := newDatabase(t, s)
			pgtest.Exec(t, d.url, "alter database "+pgx.Identifier{databaseName(t, d.url)}.Sanitize()+" owner to "+owner)
			return d.as(t, owner)
		}
		source, target := own(), own()
		pgtest.Exec(t, source.url, `create schema mine; create table mine.t (a int); insert into mine.t values (1);
			create type mine."1`+strings.Repeat("é", 31)+`" as range (subtype = numeric)`)
		k := source.backUp(t)
		k.into(t, target, restore.Options{})
		same(t, "pg_dump", source.dump(t), target.dump(t))
		k.sameRows(t, target)
	})
}
