package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/verify"
)

// same restores a backup and compares the result with the source as it is:
// the definition by pg_dump, the rows by their content hash. Nobody may write
// meanwhile.
func (s *series) same(t testing.TB, r *backup.Result) {
	t.Helper()
	ctx := context.Background()
	l, err := manifest.Find(ctx, s.store, "", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verify.Stored(ctx, verify.Deps{Store: s.store, Keys: s.keys}, l); err != nil || v.Status != verify.OK {
		t.Errorf("verify: %+v, %v", v, err)
	}
	target := pgtest.New(t)
	if _, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: s.store, Keys: s.keys}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	want, got := definition(t, s.dsn), definition(t, target)
	if want != got {
		t.Errorf("the definition differs:\n%s", firstDifference(want, got))
	}
	source, restored := rowsOf(t, s.dsn), rowsOf(t, target)
	for table, sum := range source {
		if restored[table] != sum {
			t.Errorf("%s has the rows %v, restored %v", table, sum, restored[table])
		}
	}
	if len(source) != len(restored) {
		t.Errorf("%d tables and sequences, restored %d", len(source), len(restored))
	}
}

var restricted = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`)

func definition(t testing.TB, dsn string) string {
	t.Helper()
	out, err := exec.Command(pgtest.Client(t, "pg_dump", pgtest.Own(t).Major), "--schema-only", dsn).Output()
	if err != nil {
		t.Fatal(err)
	}
	return restricted.ReplaceAllString(string(out), "")
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %q, restored %q", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}

// rowsOf returns the content hashes of all tables, and the state of all
// sequences, by name.
func rowsOf(t testing.TB, dsn string) map[string]contenthash.Sum {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `select format('%I.%I', n.nspname, c.relname), c.relkind = 'S',
			(select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '')
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'S') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp'`)
	if err != nil {
		t.Fatal(err)
	}
	type relation struct {
		Name     string
		Sequence bool
		Columns  *string
	}
	relations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]contenthash.Sum{}
	for _, r := range relations {
		columns := ""
		switch {
		case r.Sequence:
			columns = "last_value, is_called"
		case r.Columns != nil:
			columns = *r.Columns
		}
		var text bytes.Buffer
		if _, err := conn.PgConn().CopyTo(ctx, &text, "copy (select "+columns+" from only "+r.Name+") to stdout"); err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		var lines contenthash.Lines
		_, _ = lines.Write(text.Bytes())
		if sums[r.Name], err = lines.Sum(); err != nil {
			t.Fatal(err)
		}
	}
	return sums
}
