package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/export"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/tests/shop"
)

func connector(dsn string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }
}

func backUp(t *testing.T, dsn string, store blob.Store) manifest.Listed {
	t.Helper()
	ctx := context.Background()
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store}, backup.Run{ID: uuid.NewString(), Source: "db"})
	if err != nil {
		t.Fatalf("back up: %v", err)
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func plain(t *testing.T, store blob.Store, l manifest.Listed, o export.Options) []byte {
	t.Helper()
	var script bytes.Buffer
	r, err := export.Plain(context.Background(), export.Deps{Store: store}, o, l, &script)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	if r.Bytes != int64(script.Len()) {
		t.Errorf("%d bytes written, %d reported", script.Len(), r.Bytes)
	}
	return script.Bytes()
}

// psql runs a script the way the documentation says and returns its error.
func psql(t *testing.T, dsn string, script []byte) error {
	t.Helper()
	cmd := exec.Command(pgtest.Program(t, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn)
	cmd.Stdin = bytes.NewReader(script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return errors.New(err.Error() + ": " + stderr.String())
	}
	return nil
}

var notKept = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- Dumped (from|by) .*)\n`)

func dump(t *testing.T, dsn string, args ...string) string {
	t.Helper()
	out, err := exec.Command(pgtest.Program(t, "pg_dump"), append(args, dsn)...).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return notKept.ReplaceAllString(string(out), "")
}

func same(t *testing.T, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			t.Errorf("%s differs in line %d:\n%s\n---\n%s", what, i+1, strings.Join(a[max(0, i-5):min(len(a), i+8)], "\n"), strings.Join(b[max(0, min(i, len(b))-5):min(len(b), i+8)], "\n"))
			return
		}
	}
	t.Errorf("%s: %d more lines", what, len(b)-len(a))
}

// sameRows compares dumps whose rows may stand in another order: COPY puts rows
// where there is room.
func sameRows(t *testing.T, what, want, got string) {
	t.Helper()
	sorted := func(s string) string {
		lines := strings.Split(s, "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	same(t, what, sorted(want), sorted(got))
}

func count(t *testing.T, dsn, sql string) (n int) {
	t.Helper()
	if err := pgtest.Connect(t, dsn).QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPsqlMakesTheSameDatabase of the script: the sample shop with large objects.
func TestPsqlMakesTheSameDatabase(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	if err := shop.Load(context.Background(), pgtest.Connect(t, source)); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, source, `select lo_create(100); select lo_from_bytea(20001, '\x00ff5c2e0a'); comment on large object 20001 is 'small';
		select lo_from_bytea(20002, (select string_agg(sha256(n::text::bytea), '') from generate_series(1, 20000) n))`)
	store := memory.New()
	l := backUp(t, source, store)
	script := plain(t, store, l, export.Options{})
	target := pgtest.New(t)
	if err := psql(t, target, script); err != nil {
		t.Fatal(err)
	}
	sameRows(t, "the database", dump(t, source), dump(t, target))
	// In two steps, and over what is there.
	two := pgtest.New(t)
	for _, o := range []export.Options{{SchemaOnly: true}, {DataOnly: true}} {
		part := plain(t, store, l, o)
		if o.SchemaOnly {
			if err := psql(t, two, part); err != nil {
				t.Fatal(err)
			}
			same(t, "the schema", dump(t, source, "-s"), dump(t, two, "-s"))
			if n := count(t, two, "select count(*) from pg_largeobject_metadata"); n != 0 {
				t.Error("the schema alone made large objects")
			}
		} else if bytes.Contains(part, []byte("CREATE TABLE")) {
			t.Error("the rows alone make tables")
		}
	}
	if err := psql(t, target, plain(t, store, l, export.Options{Clean: true})); err != nil {
		t.Fatal(err)
	}
	sameRows(t, "the database after --clean", dump(t, source), dump(t, target))
}

// TestRowsAloneGoIntoTheSchema in an order that foreign keys allow.
func TestRowsAloneGoIntoTheSchema(t *testing.T) {
	t.Parallel()
	const schema = `create table child (id int primary key, parent int); create table parent (id int primary key);
		alter table child add foreign key (parent) references parent (id); create sequence s`
	source, target := pgtest.New(t), pgtest.New(t)
	pgtest.Exec(t, source, schema+"; insert into parent values (1); insert into child values (1, 1); select setval('s', 42); select lo_from_bytea(20001, 'x')")
	pgtest.Exec(t, target, schema)
	store := memory.New()
	if err := psql(t, target, plain(t, store, backUp(t, source, store), export.Options{DataOnly: true})); err != nil {
		t.Fatal(err)
	}
	same(t, "the database", dump(t, source), dump(t, target))
}

// TestOwnersAndGrantsCanBeLeftOut as pg_dump leaves them out.
func TestOwnersAndGrantsCanBeLeftOut(t *testing.T) {
	t.Parallel()
	role := "exporter_" + uuid.NewString()[:8]
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create role "+role+"; create table t (id int); grant select on t to "+role+"; alter table t owner to "+role+"; create table u (id int)")
	t.Cleanup(func() { pgtest.Exec(t, source, "drop owned by "+role+"; drop role "+role) })
	store := memory.New()
	l := backUp(t, source, store)
	script := string(plain(t, store, l, export.Options{NoOwner: true, NoACL: true, Tables: []string{"t"}}))
	if strings.Contains(script, role) || strings.Contains(script, "GRANT") || strings.Contains(script, " u ") {
		t.Errorf("the script has more than was asked for:\n%s", script)
	}
	target := pgtest.New(t)
	if err := psql(t, target, []byte(script)); err != nil {
		t.Fatal(err)
	}
	same(t, "the table", dump(t, source, "-O", "-x", "-t", "t"), dump(t, target, "-O", "-x", "-t", "t"))
}

// TestTheScriptSaysWhatTheServerLacks before it makes anything: all roles at
// once, those too that only a policy, a default privilege or a revoked right
// names, and extensions.
func TestTheScriptSaysWhatTheServerLacks(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	base := "exporter_" + uuid.NewString()[:8]
	for _, suffix := range []string{"_owner", "_policy", "_default", "_revoked"} {
		pgtest.Exec(t, source, "create role "+base+suffix)
	}
	t.Cleanup(func() {
		for _, suffix := range []string{"_owner", "_policy", "_default", "_revoked"} {
			pgtest.Exec(t, source, "drop owned by "+base+suffix+"; drop role if exists "+base+suffix+", "+base+"_gone"+suffix)
		}
	})
	pgtest.Exec(t, source, `create extension pg_trgm; create table t (id int); insert into t values (1); alter table t owner to `+base+`_owner; create policy p on t to `+base+`_policy using (true);
		alter default privileges for role `+base+`_default grant select on tables to public; create table r (id int); alter table r owner to `+base+`_revoked; revoke delete on r from `+base+`_revoked`)
	store := memory.New()
	l := backUp(t, source, store)
	// Another server is one without these roles.
	elsewhere := func(o export.Options) []byte {
		return bytes.ReplaceAll(plain(t, store, l, o), []byte(base), []byte(base+"_gone"))
	}
	for _, c := range []struct {
		o    export.Options
		want []string
	}{
		{export.Options{}, []string{"_owner", "_policy", "_default", "_revoked"}},
		{export.Options{NoOwner: true}, []string{"_policy", "_default", "_revoked"}},
		{export.Options{NoOwner: true, NoACL: true}, []string{"_policy"}},
	} {
		target := pgtest.New(t)
		err := psql(t, target, elsewhere(c.o))
		if err == nil || !strings.Contains(err.Error(), "lacks roles") || !strings.Contains(err.Error(), "--create-roles") {
			t.Errorf("%+v: %v", c.o, err)
			continue
		}
		for _, suffix := range []string{"_owner", "_policy", "_default", "_revoked"} {
			if strings.Contains(err.Error(), base+"_gone"+suffix) != slices.Contains(c.want, suffix) {
				t.Errorf("%+v: missing are %v, the script says %v", c.o, c.want, err)
			}
		}
		if n := count(t, target, "select count(*) from pg_class where oid >= 16384"); n != 0 {
			t.Errorf("%+v: %d relations were made", c.o, n)
		}
	}
	if err := psql(t, pgtest.New(t), elsewhere(export.Options{DataOnly: true})); err == nil || strings.Contains(err.Error(), "roles") {
		t.Errorf("the rows alone ask for roles: %v", err)
	}
	err := psql(t, pgtest.New(t), bytes.ReplaceAll(plain(t, store, l, export.Options{}), []byte("pg_trgm"), []byte("no_such")))
	if err == nil || !strings.Contains(err.Error(), "extensions that the database uses: no_such") {
		t.Errorf("%v", err)
	}
	made := pgtest.New(t)
	if err := psql(t, made, elsewhere(export.Options{CreateRoles: true})); err != nil {
		t.Fatal(err)
	}
	if n := count(t, made, "select count(*) from pg_roles where not rolcanlogin and rolname like '"+base+"\\_gone%'"); n != 4 {
		t.Errorf("%d roles without login were made", n)
	}
	same(t, "the database", strings.ReplaceAll(dump(t, source), base, base+"_gone"), dump(t, made))
	pgtest.Exec(t, made, "drop owned by "+base+"_gone_owner, "+base+"_gone_policy, "+base+"_gone_default, "+base+"_gone_revoked")
}

// TestNothingInABackupIsACommandOfPsql: names and texts that look like one come
// back as they are, and array bounds are not variables.
func TestNothingInABackupIsACommandOfPsql(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	mark := filepath.Join(t.TempDir(), "mark")
	evil := "x\n\\! touch " + mark + "\n"
	name := pgx.Identifier{evil}.Sanitize()
	pgtest.Exec(t, source, `create table `+name+` ("a\b" text, "USER" int, bounds int[]); insert into `+name+` values (E'\\.\n\\! touch `+mark+`', 1, '{1,2}'), (E'\\.', 2, '{}');
		create view v as select bounds[1:"USER"] from `+name+`; comment on table `+name+` is E'\n\\! touch `+mark+`\n';
		create schema `+name+`; create function f() returns text language sql as $$ select E'\\! x' $$`)
	store := memory.New()
	script := plain(t, store, backUp(t, source, store), export.Options{})
	target := pgtest.New(t)
	if err := psql(t, target, script); err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	same(t, "the database", dump(t, source), dump(t, target))
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command was run")
	}
}

// TestABrokenExportIsNotTakenForWhole: psql fails with it, wherever it broke
// off, and a file does not come into being.
func TestABrokenExportIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create table a as select md5(n::text) s from generate_series(1, 20000) n; create table b as select 1 n; create table c (id int primary key)")
	store := memory.New()
	l := backUp(t, source, store)
	m, _, err := manifest.Open(ctx, store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := m.Tables[0].Chunks[0].Object
	r, err := store.Get(ctx, key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(r)
	raw[len(raw)-1] ^= 1
	if _, err := store.Put(ctx, key, bytes.NewReader(raw), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var script bytes.Buffer
	if _, err := export.Plain(ctx, export.Deps{Store: store}, export.Options{}, l, &script); fault.CodeOf(err) != fault.Corrupt {
		t.Fatalf("%v", err)
	}
	target := pgtest.New(t)
	if err := psql(t, target, script.Bytes()); err == nil {
		t.Error("psql took the broken script for whole")
	}
	if n := count(t, target, "select count(*) from a"); n != 0 {
		t.Errorf("%d rows of the damaged table are there", n)
	}
	dir := t.TempDir()
	err = export.ToFile(filepath.Join(dir, "out.sql"), func(w io.Writer) error {
		_, err := export.Plain(ctx, export.Deps{Store: store}, export.Options{}, l, w)
		return err
	})
	left, _ := os.ReadDir(dir)
	if err == nil || len(left) != 0 {
		t.Errorf("%v, left: %v", err, left)
	}
	full := &limited{n: 1000}
	if _, err := export.Plain(ctx, export.Deps{Store: store}, export.Options{SchemaOnly: true}, l, full); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a full disk: %v", err)
	}
}

// limited takes n bytes.
type limited struct{ n int }

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		return 0, errors.New("no space left")
	}
	l.n -= len(p)
	return len(p), nil
}

// TestAFileIsReplacedWhole.
func TestAFileIsReplacedWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.sql")
	for _, text := range []string{"one", "two"} {
		if err := export.ToFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%q", got)
		}
	}
	if err := export.ToFile(filepath.Join(path, "nowhere", "out.sql"), func(io.Writer) error { return nil }); fault.CodeOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}
