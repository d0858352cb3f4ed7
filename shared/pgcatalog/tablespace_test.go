package pgcatalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func TestTablesStayInTheirTablespaceOrGoWhereTheServerHasOne(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	makeTablespace(t, s, `"Museum space"`)
	source := s.New(t)
	pgtest.Exec(t, source, `
		create table here (a int);
		create table away (a int primary key using index tablespace "Museum space", b int unique) tablespace "Museum space";
		create index on here (a) tablespace "Museum space";
		create materialized view mv tablespace "Museum space" as select 1 as x;
		create table part (a int) partition by list (a) tablespace "Museum space";
		create table part1 partition of part for values in (1)`)
	c := read(t, source, pgcatalog.Options{})
	target := s.New(t)
	apply(t, target, c)
	program := pgtest.Client(t, "pg_dump", s.Major)
	same(t, dumpWith(t, program, source), dumpWith(t, program, target))

	moved := 0
	for i, e := range c.Entries {
		c.Entries[i] = e.InDefaultTablespace()
		if e.Tablespace != "" {
			moved++
		}
		if strings.Contains(c.Entries[i].SQL, "Museum") {
			t.Errorf("%s %s still names its tablespace:\n%s", e.Kind, e.Name, c.Entries[i].SQL)
		}
	}
	if moved != 6 {
		t.Errorf("%d entries are in a tablespace, want 6", moved)
	}
	elsewhere := s.New(t)
	apply(t, elsewhere, c)
	if dump(t, elsewhere) == dump(t, source) {
		t.Error("nothing moved")
	}
}

// makeTablespace makes a tablespace inside the server's own folder, unless the
// server has it.
func makeTablespace(t testing.TB, s pgtest.Server, quoted string) {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(t, s.URL())
	if _, err := conn.Exec(ctx, "set allow_in_place_tablespaces = on"); err != nil {
		t.Fatal(err)
	}
	var pg *pgconn.PgError
	const duplicate = "42710"
	if _, err := conn.Exec(ctx, "create tablespace "+quoted+" location ''"); err != nil && !(errors.As(err, &pg) && pg.Code == duplicate) {
		t.Fatal(err)
	}
}
