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

// museumRoles are those that the files in testdata name, and others that tests
// read with.
var museumRoles = []string{"museum_reader", `museum Rôle "q"`, "museum_owner", "museum_stranger"}

func makeRoles(t testing.TB) {
	t.Helper()
	s := pgtest.Own(t)
	for _, role := range museumRoles {
		s.Role(t, role)
	}
}

var createRole = regexp.MustCompile(`(?m)^create role .*$`)

// load runs a file of testdata in a new database of a server.
func load(t testing.TB, s pgtest.Server, name string) string {
	t.Helper()
	for _, role := range museumRoles {
		s.Role(t, role)
	}
	url := s.New(t)
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, museum(string(raw), s.Major))
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
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		for _, f := range files {
			t.Run(filepath.Base(f), func(t *testing.T) {
				source := load(t, s, filepath.Base(f))
				c := read(t, source, pgcatalog.Options{})
				for _, l := range c.LeftOut {
					t.Errorf("left out: %+v", l)
				}
				target := s.New(t)
				apply(t, target, c)
				sameEntries(t, c, read(t, target, pgcatalog.Options{}))
				same(t, inventory(t, source), inventory(t, target))
				program := pgtest.Client(t, "pg_dump", s.Major)
				same(t, dumpWith(t, program, source), dumpWith(t, program, target))
			})
		}
	})
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
