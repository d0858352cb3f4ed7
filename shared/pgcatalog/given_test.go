package pgcatalog_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// givenVariable names databases (URLs separated by spaces) whose schemas are
// to come back: for schemas too large to be committed, such as the one that
// PostgreSQL's own regression tests leave. Each is restored into a database
// "<name>_back" of its server, which is replaced.
const givenVariable = "GUARDA_TEST_SCHEMAS"

func TestGivenSchemasComeBack(t *testing.T) {
	t.Parallel()
	urls := strings.Fields(os.Getenv(givenVariable))
	if len(urls) == 0 {
		t.Skip(givenVariable + " names no databases")
	}
	for _, source := range urls {
		name := databaseName(source)
		t.Run(name, func(t *testing.T) {
			c := read(t, source, pgcatalog.Options{})
			for _, l := range c.LeftOut {
				t.Errorf("left out: %+v", l)
			}
			back := strings.Trim(name, `"`) + "_back"
			admin := pgtest.WithDatabase(t, source, "postgres")
			target := pgtest.WithDatabase(t, source, back)
			dropSubscriptions(t, target)
			pgtest.Exec(t, admin, "drop database if exists "+back)
			pgtest.Exec(t, admin, fmt.Sprintf("create database %s template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'", back))
			applyAll(t, target, c)
			program := pgtest.Client(t, "pg_dump", serverVersion(t, source))
			same(t, dumpWith(t, program, source), dumpWith(t, program, target))
			again := read(t, target, pgcatalog.Options{})
			sameEntries(t, c, again)
			same(t, inventory(t, source), inventory(t, target))
		})
	}
}

// applyAll is apply, but goes on after an error.
func applyAll(t testing.TB, url string, c *pgcatalog.Catalog) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, pgcatalog.SessionSQL).ReadAll(); err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Entries {
		for _, sql := range []string{e.SQL, e.OwnerSQL} {
			if sql == "" {
				continue
			}
			if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
				t.Errorf("%s %s.%s: %v\n%s", e.Kind, e.Schema, e.Name, err, sql)
			}
		}
	}
}

// dropSubscriptions removes what keeps a database from being dropped, if the
// database is there.
func dropSubscriptions(t testing.TB, url string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close(ctx)
	rows, _ := conn.Query(ctx, "select quote_ident(subname) from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		pgtest.Exec(t, url, "alter subscription "+name+" set (slot_name = none)")
		pgtest.Exec(t, url, "drop subscription "+name)
	}
}
