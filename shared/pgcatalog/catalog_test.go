package pgcatalog_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// roles are those that the files in testdata name; each test database is on
// the same server, so they are made once and never dropped.
func makeRoles(t testing.TB) {
	t.Helper()
	for _, role := range []string{"museum_reader", `museum Rôle "q"`, "museum_owner"} {
		pgtest.Exec(t, pgtest.ServerURL(t), fmt.Sprintf(`
			do $$ begin
				perform pg_advisory_lock(7171);
				if not exists (select from pg_roles where rolname = %s) then create role %s login; end if;
			end $$`, "'"+role+"'", pgx.Identifier{role}.Sanitize()))
	}
}

var createRole = regexp.MustCompile(`(?m)^create role .*$`)

// newDatabase makes an empty database that can be dropped whatever
// subscriptions a test leaves in it.
func newDatabase(t testing.TB) string {
	t.Helper()
	url := pgtest.New(t)
	t.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		rows, _ := conn.Query(ctx, `select quote_ident(subname) from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())`)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			pgtest.Exec(t, url, "alter subscription "+name+" set (slot_name = none)")
			pgtest.Exec(t, url, "drop subscription "+name)
		}
	})
	return url
}

// load runs a file of testdata in a new database.
func load(t testing.TB, name string) string {
	t.Helper()
	makeRoles(t)
	url := newDatabase(t)
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, museum(string(raw), serverVersion(t, url)))
	return url
}

// read reads a catalog in a transaction such as a backup's.
func read(t testing.TB, url string, opt pgcatalog.Options) *pgcatalog.Catalog {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(t, url)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	c, err := pgcatalog.Read(ctx, tx, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// apply runs the entries in order, as a restore does.
func apply(t testing.TB, url string, c *pgcatalog.Catalog) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(what, sql string) {
		if sql == "" {
			return
		}
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, sql)
		}
	}
	run("session", pgcatalog.SessionSQL)
	done := map[int]bool{}
	for _, e := range c.Entries {
		for _, d := range e.DependsOn {
			if !done[d] {
				t.Errorf("%s %s.%s needs entry %d, which comes later", e.Kind, e.Schema, e.Name, d)
			}
		}
		done[e.ID] = true
		what := fmt.Sprintf("%s %s.%s", e.Kind, e.Schema, e.Name)
		run(what, e.SQL)
		run(what+" (owner)", e.OwnerSQL)
	}
}

var restrict = regexp.MustCompile(`(?m)^\\(un)?restrict .*$`)

func dump(t testing.TB, url string) string {
	t.Helper()
	return dumpWith(t, pgtest.Program(t, "pg_dump"), url)
}

func dumpWith(t testing.TB, program, url string) string {
	t.Helper()
	cmd := exec.Command(program, "-s", "-d", url)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.String())
	}
	return restrict.ReplaceAllString(string(out), "")
}

// same compares two dumps line by line.
func same(t testing.TB, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "source.sql"), filepath.Join(dir, "restored.sql")
	_ = os.WriteFile(a, []byte(want), 0o600)
	_ = os.WriteFile(b, []byte(got), 0o600)
	diff, _ := exec.Command("diff", "-u", a, b).CombinedOutput()
	if len(diff) > 12000 {
		diff = diff[:12000]
	}
	t.Errorf("the restored schema differs from the source's:\n%s", diff)
}

func TestASchemaComesBackAsPgDumpSeesIt(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.sql")
	for _, f := range files {
		name := filepath.Base(f)
		t.Run(strings.TrimSuffix(name, ".sql"), func(t *testing.T) {
			t.Parallel()
			source := load(t, name)
			c := read(t, source, pgcatalog.Options{})
			target := newDatabase(t)
			apply(t, target, c)
			same(t, dump(t, source), dump(t, target))
			same(t, inventory(t, source), inventory(t, target))
			again := read(t, target, pgcatalog.Options{})
			sameEntries(t, c, again)
			for _, l := range c.LeftOut {
				t.Errorf("left out: %+v", l)
			}
		})
	}
}

// sameEntries compares what two reads found, sequence positions included.
func sameEntries(t testing.TB, want, got *pgcatalog.Catalog) {
	t.Helper()
	text := func(c *pgcatalog.Catalog) string {
		var b strings.Builder
		for _, e := range c.Entries {
			fmt.Fprintf(&b, "%s %s %s.%s %s\n%s%s%s\n", e.Section, e.Kind, e.Schema, e.Name, e.Owner, e.SQL, e.OwnerSQL, e.DropSQL)
		}
		return b.String()
	}
	same(t, text(want), text(got))
}

func withUser(t testing.TB, dsn, user string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	return u.String()
}

var sinceMark = regexp.MustCompile(`^(.*)-- (since|before) (\d+)$`)

// museum leaves out of a file the lines that a server is too old or too new
// for ("-- since 14" at the end of a line), and roles, which are made once.
func museum(text string, version int) string {
	var out []string
	for _, line := range strings.Split(createRole.ReplaceAllString(text, ""), "\n") {
		if m := sinceMark.FindStringSubmatch(line); m != nil {
			limit, _ := strconv.Atoi(m[3])
			if (m[2] == "since") != (version >= limit) {
				continue
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func serverVersion(t testing.TB, url string) int {
	t.Helper()
	var v int
	if err := pgtest.Connect(t, url).QueryRow(context.Background(), "select current_setting('server_version_num')::int / 10000").Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
