package ledger_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// account makes the ledger of a database, of which options take a part.
func account(t testing.TB, url string, opt pgcatalog.Options) *ledger.Ledger {
	t.Helper()
	return accountOf(t, url, func(c *pgcatalog.Catalog) ledger.Coverage {
		chosen, err := c.Select(opt)
		if err != nil {
			t.Fatal(err)
		}
		return ledger.Coverage{Full: c, Kept: c, Chosen: chosen, Tables: len(opt.Tables) > 0}
	})
}

// accountOf compares a database with what cover makes of the dumper's catalog.
func accountOf(t testing.TB, url string, cover func(*pgcatalog.Catalog) ledger.Coverage) *ledger.Ledger {
	t.Helper()
	ctx := context.Background()
	tx, err := pgtest.Connect(t, url).BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	c, err := pgcatalog.Read(ctx, tx, pgcatalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := ledger.Enumerate(ctx, tx)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.Compare(inv, cover(c))
	if err := l.Name(ctx, tx, inv); err != nil {
		t.Fatal(err)
	}
	addsUp(t, l, inv.Objects())
	return l
}

// addsUp checks that nothing is counted twice and nothing is forgotten.
func addsUp(t testing.TB, l *ledger.Ledger, objects int) {
	t.Helper()
	if l.Objects != int64(objects) || l.Total() != l.Objects {
		t.Errorf("%d objects, %d in the ledger, %d by status", objects, l.Objects, l.Total())
	}
	var groups, items ledger.Counts
	for _, g := range l.Groups {
		groups.Dumped += g.Dumped
		groups.Excluded += g.Excluded
		groups.Unreadable += g.Unreadable
		groups.Unsupported += g.Unsupported
		groups.Managed += g.Managed
	}
	byStatus := map[ledger.Status]int64{}
	for _, it := range l.Items {
		byStatus[it.Status] += it.Objects
		if it.Name == "" || it.Kind == "" || it.Objects < 1 || it.Rule == "" {
			t.Errorf("an item says too little: %+v", it)
		}
	}
	items = ledger.Counts{Dumped: l.Dumped, Excluded: byStatus[ledger.Excluded], Unreadable: byStatus[ledger.Unreadable],
		Unsupported: byStatus[ledger.Unsupported], Managed: byStatus[ledger.Managed]}
	if groups != l.Counts || items != l.Counts {
		t.Errorf("the ledger counts %+v, its groups %+v, its items %+v", l.Counts, groups, items)
	}
}

func count(l *ledger.Ledger, kind string) (c ledger.Counts) {
	for _, g := range l.Groups {
		if g.Kind == kind {
			c.Dumped += g.Dumped
			c.Excluded += g.Excluded
			c.Unreadable += g.Unreadable
			c.Unsupported += g.Unsupported
			c.Managed += g.Managed
		}
	}
	return c
}

func items(l *ledger.Ledger, s ledger.Status) (found []ledger.Item) {
	for _, it := range l.Items {
		if it.Status == s {
			found = append(found, it)
		}
	}
	return found
}

var sinceMark = regexp.MustCompile(`(?m)^(.*)-- (since|before) (\d+)$`)

func TestEverythingInTheMuseumIsDumpedOnEveryVersion(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../pgcatalog/testdata/*.sql")
	if len(files) == 0 {
		t.Fatal("no museum")
	}
	createRole := regexp.MustCompile(`(?m)^create role .*$`)
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		for _, role := range []string{"museum_reader", `museum Rôle "q"`, "museum_owner"} {
			s.Role(t, role)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := sinceMark.ReplaceAllStringFunc(createRole.ReplaceAllString(string(raw), ""), func(line string) string {
				m := sinceMark.FindStringSubmatch(line)
				if limit, _ := strconv.Atoi(m[3]); (m[2] == "since") != (s.Major >= limit) {
					return ""
				}
				return line
			})
			url := s.New(t)
			pgtest.Exec(t, url, text)
			l := account(t, url, pgcatalog.Options{})
			for _, it := range l.Items {
				if it.Rule != ledger.ExtensionRows {
					t.Errorf("%s: %+v", filepath.Base(file), it)
				}
			}
			for _, g := range l.Groups {
				if strings.HasPrefix(g.Kind, "unknown") || strings.HasPrefix(g.Kind, "pg_") {
					t.Errorf("%s: an unknown kind %+v", filepath.Base(file), g)
				}
			}
			t.Logf("%s: %s in %d groups", filepath.Base(file), l.Summary(), len(l.Groups))
		}
	})
}

// TestAPlainRoleSeesAllCatalogs: what PostgreSQL hides of its catalogs from
// plain roles must not look like something that is missing.
func TestAPlainRoleSeesAllCatalogs(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		s.Role(t, "museum_owner")
		url := s.New(t)
		pgtest.Exec(t, url, `
			create extension citext; alter default privileges grant select on tables to public;
			create foreign data wrapper w; create server s foreign data wrapper w; create user mapping for public server s;
			create schema mine authorization museum_owner; create table mine.t (id serial, c citext); alter table mine.t owner to museum_owner; select lo_create(7);
			grant select on large object 7 to public; alter role museum_owner in database `+pgx.Identifier{databaseOf(t, url)}.Sanitize()+` set work_mem = '8MB'`)
		l := account(t, pgtest.WithUser(t, url, "museum_owner", ""), pgcatalog.Options{})
		for _, it := range l.Items {
			// Secrets are for superusers; the mapping itself is in the backup.
			if it.Kind != "user mapping" || !it.Carried || it.Privilege != "SELECT ON pg_catalog.pg_user_mapping" {
				t.Errorf("%+v", it)
			}
		}
		for _, it := range l.Items {
			for _, g := range it.Grants {
				pgtest.Exec(t, url, g)
			}
		}
		if again := account(t, pgtest.WithUser(t, url, "museum_owner", ""), pgcatalog.Options{}); len(again.Items) > 0 {
			t.Errorf("after the grants: %+v", again.Items)
		}
		if count(l, "database setting").Dumped != 1 {
			t.Errorf("%+v", count(l, "database setting"))
		}
	})
}

func databaseOf(t testing.TB, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return config.Database
}
