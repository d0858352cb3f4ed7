package fidelity_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/export"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// kept is a backup in a store of its own.
type kept struct {
	store blob.Store
	at    manifest.Listed
	m     *manifest.Manifest
}

func connector(dsn string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }
}

// backUp makes a backup as the role in the URL.
func (d database) backUp(t testing.TB) kept {
	t.Helper()
	ctx := context.Background()
	store := memory.New()
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(d.url), Store: store}, backup.Run{ID: uuid.NewString(), Source: "db"})
	if err != nil {
		t.Fatalf("back up: %v (%s)", err, fault.HintOf(err))
	}
	for _, w := range r.Warnings {
		if w.Code == "unsupported" {
			t.Errorf("warning of the backup: %s %s", w.Object, w.Message)
		}
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Open(ctx, store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	return kept{store: store, at: l, m: m}
}

// into restores the backup as the role in the URL.
func (k kept) into(t testing.TB, d database, o restore.Options) {
	t.Helper()
	r, err := restore.Run(context.Background(), restore.Deps{Connect: connector(d.url), Store: k.store}, o, k.at)
	if err != nil {
		t.Fatalf("restore: %v (%s)\n%s", err, fault.HintOf(err), k.context(err))
	}
	if len(k.m.Tables) > 0 && r.Rows != k.at.Header.Rows {
		t.Errorf("restored %d rows of %d", r.Rows, k.at.Header.Rows)
	}
}

// exported is the backup as a script for psql.
func (k kept) exported(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := export.Plain(context.Background(), export.Deps{Store: k.store}, export.Options{}, k.at, &out); err != nil {
		t.Fatalf("export: %v (%s)", err, fault.HintOf(err))
	}
	return out.Bytes()
}

// context shows the statements of the object that an error of the restore names.
func (k kept) context(err error) string {
	var b strings.Builder
	for _, e := range k.m.Entries {
		if e.Name != "" && strings.Contains(err.Error(), e.Name) && b.Len() < 3000 {
			fmt.Fprintf(&b, "-- %s %s.%s (%s)\n%s%s", e.Kind, e.Schema, e.Name, e.Owner, e.SQL, e.OwnerSQL)
		}
	}
	return b.String()
}

// notKept are random tokens, and the lines that name the versions of the server
// and of pg_dump.
var notKept = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- Dumped (from|by) .*)\n`)

// database is an empty or filled database on one of the servers.
type database struct {
	server pgtest.Server
	url    string
}

func newDatabase(t testing.TB, s pgtest.Server) database {
	t.Helper()
	return database{server: s, url: s.New(t)}
}

// as is the database seen by another role.
func (d database) as(t testing.TB, role string) database {
	t.Helper()
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return database{server: d.server, url: u.String()}
}

// dump is what pg_dump writes about the database, rows included.
func (d database) dump(t testing.TB, args ...string) string {
	t.Helper()
	return inNameOrder(notKept.ReplaceAllString(string(d.rawDump(t, d.server.Major, args...)), ""))
}

var copyBlock = regexp.MustCompile(`(?m)^COPY ((?:"(?:[^"]|"")*"|[^ "])+) \(((?:"(?:[^"]|"")*"|[^")])*)\) FROM stdin;\n((?:.*\n)*?)\\\.\n`)

// inNameOrder puts the columns of a dump's rows into the order of their names:
// no dump keeps the place of a column that a parent was given after its child.
func inNameOrder(dump string) string {
	return copyBlock.ReplaceAllStringFunc(dump, func(block string) string {
		m := copyBlock.FindStringSubmatch(block)
		columns := columnName.FindAllString(m[2], -1)
		order := make([]int, len(columns))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(columns[a], columns[b]) })
		ordered := func(fields []string, separator string) string {
			out := make([]string, len(fields))
			for to, from := range order {
				out[to] = fields[from]
			}
			return strings.Join(out, separator)
		}
		var rows strings.Builder
		for row := range strings.Lines(m[3]) {
			if len(columns) > 0 {
				row = ordered(strings.Split(strings.TrimSuffix(row, "\n"), "\t"), "\t") + "\n"
			}
			rows.WriteString(row)
		}
		return "COPY " + m[1] + " (" + ordered(columns, ", ") + ") FROM stdin;\n" + rows.String() + "\\.\n"
	})
}

var columnName = regexp.MustCompile(`"(?:[^"]|"")*"|[^ ,"]+`)

// rawDump is pg_dump's output, by a program that is new enough for a version.
func (d database) rawDump(t testing.TB, major int, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(pgtest.Client(t, "pg_dump", major), append(args, "-d", d.url)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.String())
	}
	return out
}

// script is what pg_dump writes for psql to run on a server.
func (d database) script(t testing.TB, to pgtest.Server, args ...string) []byte {
	t.Helper()
	return notKnown.ReplaceAll(d.rawDump(t, max(d.server.Major, to.Major), args...), nil)
}

// notKnown is a setting that newer programs make and older servers refuse.
var notKnown = regexp.MustCompile(`(?m)^SET transaction_timeout = 0;\n`)

// psql runs a script and returns what it complained about. It stops at the
// first error if asked to, else it goes on.
func (d database) psql(t testing.TB, script []byte, stop bool) string {
	t.Helper()
	cmd := exec.Command(pgtest.Client(t, "psql", d.server.Major), "-X", "-q", "-v", "ON_ERROR_STOP="+map[bool]string{true: "1", false: "0"}[stop], "-d", d.url)
	cmd.Stdin = bytes.NewReader(script)
	cmd.Env = append(os.Environ(), "PGCLIENTENCODING=UTF8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql: %v\n%s", err, stderr.String())
	}
	return stderr.String()
}

// same compares two texts and shows the difference.
func same(t testing.TB, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "source"), filepath.Join(dir, "restored")
	_ = os.WriteFile(a, []byte(want), 0o600)
	_ = os.WriteFile(b, []byte(got), 0o600)
	diff, _ := exec.Command("diff", "-u", a, b).CombinedOutput()
	if len(diff) > 8000 {
		diff = append(diff[:8000], "…"...)
	}
	t.Errorf("%s of the restored database differs from the source's:\n%s", what, diff)
}

// sameRows compares the content hash of each table with the backup's.
func (k kept) sameRows(t testing.TB, d database) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, "set extra_float_digits = 3; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set search_path = ''; set client_encoding = 'UTF8'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	for _, table := range k.m.Tables {
		var columns []string
		for _, c := range table.Columns {
			columns = append(columns, pgx.Identifier{c}.Sanitize())
		}
		list := ""
		if len(columns) > 0 {
			list = " (" + strings.Join(columns, ",") + ")"
		}
		var lines contenthash.Lines
		if _, err := conn.PgConn().CopyTo(ctx, &lines, "copy "+pgx.Identifier{table.Schema, table.Name}.Sanitize()+list+" to stdout"); err != nil {
			t.Fatalf("%s: %v", table.FullName(), err)
		}
		sum, err := lines.Sum()
		if err != nil {
			t.Fatal(err)
		}
		if sum.String() != table.ContentHash || sum.Rows != table.Rows {
			t.Errorf("%s: %d rows with the content %s, the backup has %d with %s", table.FullName(), sum.Rows, sum, table.Rows, table.ContentHash)
		}
	}
}
