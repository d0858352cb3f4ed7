package restore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/seal"
	"guarda/shared/verify"
)

// run restores into a database and may make others.
func run(t *testing.T, dsn string, store blob.Store, o restore.Options, l manifest.Listed) (*restore.Result, error) {
	t.Helper()
	return restore.Run(context.Background(), restore.Deps{Connect: connector(dsn), ConnectTo: beside(t, dsn), Store: store}, o, l)
}

func beside(t *testing.T, dsn string) func(context.Context, string) (*pgx.Conn, error) {
	t.Helper()
	return func(ctx context.Context, name string) (*pgx.Conn, error) {
		return pgx.Connect(ctx, pgtest.WithDatabase(t, dsn, name))
	}
}

func database(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func text(t *testing.T, dsn, sql string) (s string) {
	t.Helper()
	if err := pgtest.Connect(t, dsn).QueryRow(context.Background(), sql).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// TestLargeObjectsComeBack: empty, small by the thousand, larger than a chunk's
// piece, with a hole, with the same numbers, owner, grants and comment.
func TestLargeObjectsComeBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	role := "reader_" + uuid.NewString()[:8]
	source := pgtest.New(t)
	pgtest.Exec(t, source, `create role `+role+`;
		select lo_create(100);
		select lo_from_bytea(101, '\x0001ff5c0a09'::bytea);
		select lo_from_bytea(n, convert_to('object ' || n, 'UTF8')) from generate_series(1000, 3499) n;
		select lo_from_bytea(200, (select string_agg(sha256(n::text::bytea), '') from generate_series(1, 40000) n));
		select lo_put(201, 700000, 'end') from lo_create(201);
		select lo_from_bytea(4294967295, 'the last number');
		alter large object 101 owner to `+role+`; grant select on large object 200 to `+role+`; comment on large object 201 is 'has a hole'`)
	keys, err := seal.KeyFromBytes(bytes.Repeat([]byte{7}, seal.KeySize), "")
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	l := backUp(t, source, store, keys)
	m, _, err := manifest.Open(ctx, store, l, keys)
	if err != nil {
		t.Fatal(err)
	}
	if m.LargeObjects == nil || m.LargeObjects.Count != 2505 || len(m.Warnings) != 0 {
		t.Fatalf("%+v, warnings %v", m.LargeObjects, m.Warnings)
	}
	r, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, l)
	if err != nil || r.Status != verify.OK || r.ChunksChecked != len(m.LargeObjects.Chunks) {
		t.Errorf("%+v, %v", r, err)
	}
	target := pgtest.New(t)
	done, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store, Keys: keys}, restore.Options{}, l)
	if err != nil || done.LargeObjects != 2505 || done.Bytes != m.LargeObjects.RawBytes {
		t.Fatalf("%+v, %v (%s)", done, err, fault.HintOf(err))
	}
	const all = "select string_agg(oid || ':' || md5(lo_get(oid)), ' ' order by oid) from pg_largeobject_metadata"
	if a, b := text(t, source, all), text(t, target, all); a != b {
		t.Error("the large objects differ")
	}
	sameDump(t, source, target)
	t.Cleanup(func() {
		for _, dsn := range []string{source, target} {
			pgtest.Exec(t, dsn, "drop owned by "+role)
		}
		pgtest.Exec(t, source, "drop role "+role)
	})

	damaged := m.LargeObjects.Chunks[0].Object
	if err := store.Delete(ctx, damaged); err != nil {
		t.Fatal(err)
	}
	if r, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, l); err != nil || r.Status != verify.Failed || r.Mismatches[0].Object != damaged {
		t.Errorf("verify says of a missing object: %+v, %v", r, err)
	}
}

// TestAPlainRoleCopiesItsLargeObjects: without the right to read pg_largeobject.
func TestAPlainRoleCopiesItsLargeObjects(t *testing.T) {
	t.Parallel()
	role := "plain_" + uuid.NewString()[:8]
	admin := pgtest.New(t)
	pgtest.Exec(t, admin, "create role "+role+" login; alter database "+pgx.Identifier{database(t, admin)}.Sanitize()+" owner to "+role)
	t.Cleanup(func() { pgtest.Exec(t, admin, "reassign owned by "+role+" to current_user; drop role "+role) })
	u, _ := url.Parse(admin)
	u.User = url.User(role)
	source := u.String()
	pgtest.Exec(t, source, "select lo_from_bytea(7, 'mine')")
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	if _, err := run(t, target, store, restore.Options{NoOwner: true}, l); err != nil {
		t.Fatal(err)
	}
	if got := text(t, target, "select convert_from(lo_get(7), 'UTF8')"); got != "mine" {
		t.Error(got)
	}
}

// TestASchemaIsRenamed: in definitions, defaults, views, SQL functions and
// grants; the target's own schema of the old name is not touched.
func TestASchemaIsRenamed(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `create schema app; create schema other;
		create type app.mood as enum ('sad', 'ok'); create domain other.word as text;
		create function app.twice(n int) returns int language sql immutable as 'select 2 * n';
		create table app.t (id serial primary key, m app.mood default 'ok'::app.mood, w other.word, d int generated always as (app.twice(1)) stored, i int generated by default as identity);
		create function app.body() returns bigint language sql as 'select count(*) from app.t';
		create table other.child (id int references app.t (id));
		create index on app.t (app.twice(id));
		create view other.v as select t.id, t.m, t as whole from app.t t where t.m = 'ok'::app.mood and t.id < currval('app.t_id_seq');
		create function app.tr() returns trigger language plpgsql as 'begin return new; end';
		create trigger tr before insert on app.t for each row execute function app.tr();
		alter function app.twice(int) set search_path to app, pg_catalog;
		comment on schema app is 'the app'; comment on table app.t is 'see app.t';
		grant usage on schema app to public; grant select on app.t to public;
		insert into app.t (w) values ('x'), ('y'); insert into other.child values (1)`)
	if text(t, source, "select current_setting('server_version_num')") >= "140000" {
		pgtest.Exec(t, source, "create function app.atomic() returns bigint begin atomic select count(*) from app.t; end")
	}
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	pgtest.Exec(t, target, "create schema app; create table app.t (mine int); create schema other; create domain other.word as text")
	r, err := run(t, target, store, restore.Options{Tables: []string{"app.*"}, ToSchema: map[string]string{"app": "Copy 2"}}, l)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	if n := count(t, target, `select count(*) from "Copy 2".t where m = 'ok'`); n != 2 || r.Rows != 2 {
		t.Errorf("%d rows, %+v", n, r)
	}
	if got := text(t, target, `insert into "Copy 2".t (w) values ('z') returning id::text`); got != "3" {
		t.Errorf("the next number is %s", got)
	}
	if n := count(t, target, "select count(*) from app.t"); n != 0 {
		t.Error("the schema that was there was written to")
	}
	// All of it, in a database of its own, is what renaming the schema makes.
	renamed, copied := pgtest.New(t), pgtest.New(t)
	if _, err := run(t, renamed, store, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, renamed, "alter function app.twice(int) reset search_path; alter schema app rename to \"Copy 2\"; alter function \"Copy 2\".twice(int) set search_path to \"Copy 2\", pg_catalog")
	r, err = run(t, copied, store, restore.Options{ToSchema: map[string]string{"app": "Copy 2"}}, l)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	sameDump(t, renamed, copied)
	var left []string
	for _, w := range r.Warnings {
		if w.Code == "names_left" {
			left = append(left, w.Object)
		}
	}
	if fmt.Sprint(left) != "[function app.body()]" {
		t.Errorf("left as they were: %v", left)
	}
}

// TestRenamingsThatCannotBeMeant are refused before anything is made.
func TestRenamingsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `create schema a; create schema b; create table a.t (id int); create table b.t (id int);
		create schema shadow; create table shadow.shadow (id int); create view b.v as select shadow.id from shadow.shadow`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	for name, c := range map[string]struct {
		to   map[string]string
		says string
	}{
		"onto another":    {map[string]string{"a": "b"}, "of its own"},
		"two onto one":    {map[string]string{"a": "c", "b": "c"}, "both"},
		"nothing there":   {map[string]string{"nope": "c"}, "nope"},
		"a server's name": {map[string]string{"a": "pg_new"}, "pg_new"},
		"ambiguous":       {map[string]string{"shadow": "light"}, "b.v"},
		"not empty":       {map[string]string{"a": "full"}, "not empty"},
	} {
		target := pgtest.New(t)
		pgtest.Exec(t, target, `create schema "full"; create table "full".mine (id int)`)
		_, err := run(t, target, store, restore.Options{ToSchema: c.to}, l)
		if err == nil || !strings.Contains(err.Error(), c.says) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if n := count(t, target, "select count(*) from pg_namespace where nspname in ('a', 'b', 'c', 'light')"); n != 0 {
			t.Errorf("%s: something was made", name)
		}
	}
}

// TestCleanReplacesOnlyWhatWasAskedFor, and only where the database's name was typed.
func TestCleanReplacesOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create type mood as enum ('a', 'b');
		create table orders (id serial primary key, m mood); create table other (id int, m mood); create view v as select id from orders;
		insert into orders (m) values ('a'), ('b'); insert into other values (1, 'a')`)
	store := memory.New()
	l := backUp(t, dsn, store, nil)
	before := dump(t, dsn)
	pgtest.Exec(t, dsn, "drop view v; delete from orders; alter table orders add lost int; insert into other values (2, 'b')")
	o := restore.Options{Tables: []string{"orders"}}
	if _, err := run(t, dsn, store, o, l); fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "orders") {
		t.Errorf("without --clean: %v", err)
	}
	o.Clean = true
	for _, typed := range []string{"", "postgres"} {
		o.Confirm = typed
		if _, err := run(t, dsn, store, o, l); fault.CodeOf(err) != fault.Precondition {
			t.Errorf("with the name %q typed: %v", typed, err)
		}
	}
	o.Confirm = database(t, dsn)
	pgtest.Exec(t, dsn, "create view uses as select id from orders")
	if _, err := run(t, dsn, store, o, l); err == nil || !strings.Contains(err.Error()+fault.HintOf(err), "uses") {
		t.Errorf("something else needs the table: %v (%s)", err, fault.HintOf(err))
	}
	pgtest.Exec(t, dsn, "drop view uses")
	if _, err := run(t, dsn, store, o, l); err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	pgtest.Exec(t, dsn, "create view v as select id from orders; delete from other where id = 2")
	if after := dump(t, dsn); after != before {
		t.Errorf("not as before:\n%s", after)
	}
	// All of it over what is there.
	pgtest.Exec(t, dsn, "delete from other; drop table orders cascade; create table mine (id int)")
	if _, err := run(t, dsn, store, restore.Options{Clean: true, Confirm: database(t, dsn)}, l); err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	pgtest.Exec(t, dsn, "drop table mine")
	if after := dump(t, dsn); after != before {
		t.Errorf("not as before:\n%s", after)
	}
}

// TestPartitionsThatTheBackupDoesNotKnowAreNotDropped.
func TestPartitionsThatTheBackupDoesNotKnowAreNotDropped(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, "create table p (id int) partition by list (id); create table p1 partition of p for values in (1)")
	store := memory.New()
	l := backUp(t, dsn, store, nil)
	pgtest.Exec(t, dsn, "create table p2 partition of p for values in (2); insert into p values (2)")
	_, err := run(t, dsn, store, restore.Options{Clean: true, Confirm: database(t, dsn)}, l)
	if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "p2") {
		t.Errorf("%v", err)
	}
	if n := count(t, dsn, "select count(*) from p2"); n != 1 {
		t.Error("the rows are gone")
	}
}

// TestANewDatabase is made like the one that was backed up, can take its name,
// and is gone when the restore fails.
func TestANewDatabase(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	name := database(t, source)
	pgtest.Exec(t, source, `create table t as select 1 as id; alter database `+pgx.Identifier{name}.Sanitize()+` set work_mem = '5MB'`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	before := dump(t, source)
	pgtest.Exec(t, source, "insert into t values (2)")
	fresh := "new_" + uuid.NewString()[:8]
	t.Cleanup(func() {
		for _, row := range strings.Fields(text(t, source, "select coalesce(string_agg(datname, ' '), '') from pg_database where datname ~ '^"+name+"_before' or datname = '"+fresh+"'")) {
			pgtest.Exec(t, source, "drop database "+pgx.Identifier{row}.Sanitize()+" with (force)")
		}
	})
	o := restore.Options{NewDatabase: fresh, Swap: true}
	if _, err := run(t, source, store, o, l); fault.CodeOf(err) != fault.Precondition {
		t.Errorf("swapped without the name: %v", err)
	}
	o.Confirm = name
	r, err := run(t, source, store, o, l)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	if r.Database != name || r.SetAside == "" {
		t.Errorf("%+v", r)
	}
	if after := dump(t, source); after != before {
		t.Errorf("not as before:\n%s", after)
	}
	if got := text(t, source, "show work_mem"); got != "5MB" {
		t.Errorf("work_mem %s", got)
	}
	if n := count(t, pgtest.WithDatabase(t, source, r.SetAside), "select count(*) from t"); n != 2 {
		t.Errorf("the database that was put aside has %d rows", n)
	}
	m, _, err := manifest.Open(context.Background(), store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = store.Delete(context.Background(), m.Tables[0].Chunks[0].Object)
	if _, err := run(t, source, store, restore.Options{NewDatabase: fresh}, l); err == nil {
		t.Error("restored though an object is missing")
	}
	if n := count(t, source, "select count(*) from pg_database where datname = '"+fresh+"'"); n != 0 {
		t.Error("the failed restore left its database")
	}
}

// TestABrokenRestoreGoesOn: from wherever it stopped, and only it.
func TestABrokenRestoreGoesOn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source := loadShop(t)
	pgtest.Exec(t, source, "select lo_from_bytea(5, 'five')")
	store := memory.New()
	l := backUp(t, source, store, nil)
	for _, phase := range []restore.PhaseName{restore.PhaseSchema, restore.PhaseData, restore.PhaseIndexes, restore.PhaseFinish} {
		target := pgtest.New(t)
		stopping, stop := context.WithCancel(ctx)
		_, err := restore.Run(stopping, restore.Deps{Connect: connector(target), Store: store, Report: func(_ context.Context, p restore.Progress) error {
			if p.Phase == phase && (p.Phase != restore.PhaseData || p.RowsDone > 0) {
				stop()
			}
			return nil
		}}, restore.Options{}, l)
		stop()
		if err == nil && phase == restore.PhaseData {
			continue // all rows came at once
		}
		if fault.CodeOf(err) != fault.Canceled || !strings.Contains(fault.HintOf(err), "--resume") {
			t.Fatalf("stopped in %s: %v (%s)", phase, err, fault.HintOf(err))
		}
		if _, err := run(t, target, store, restore.Options{}, l); fault.CodeOf(err) != fault.Conflict || !strings.Contains(fault.HintOf(err), "--resume") {
			t.Errorf("begun again: %v (%s)", err, fault.HintOf(err))
		}
		if _, err := run(t, target, store, restore.Options{Resume: true, NoACL: true}, l); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("resumed with other options: %v", err)
		}
		r, err := run(t, target, store, restore.Options{Resume: true}, l)
		if err != nil || r.Rows != l.Header.Rows {
			t.Fatalf("resumed after %s: %+v, %v (%s)", phase, r, err, fault.HintOf(err))
		}
		sameDump(t, source, target)
		if _, err := run(t, target, store, restore.Options{Resume: true}, l); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("resumed when all was done: %v", err)
		}
	}
}

// TestPiecesOfLargeObjects: the rows of a chunk are the object, piece by piece.
func TestPiecesOfLargeObjects(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, "select lo_from_bytea(9, (select string_agg(sha256(n::text::bytea), '') from generate_series(1, 20000) n))")
	store := memory.New()
	l := backUp(t, source, store, nil)
	m, key, err := manifest.Open(context.Background(), store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := manifest.OpenChunk(context.Background(), store, &m.LargeObjects.Chunks[0], key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h := sha256.New()
	pieces, next := manifest.NewLargeObjectReader(r), int64(0)
	for {
		oid, offset, data, err := pieces.Next()
		if err != nil {
			break
		}
		if oid != 9 || offset != next {
			t.Fatalf("object %d at %d, want 9 at %d", oid, offset, next)
		}
		next += int64(len(data))
		h.Write(data)
	}
	if got := text(t, source, "select encode(sha256(lo_get(9)), 'hex')"); next != 640000 || got != fmt.Sprintf("%x", h.Sum(nil)) {
		t.Errorf("%d bytes", next)
	}
}
