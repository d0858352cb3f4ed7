package restore_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// makeRole makes a role for a test and returns its name.
func makeRole(t *testing.T, admin, prefix, options string) string {
	t.Helper()
	role := prefix + "_" + uuid.NewString()[:8]
	pgtest.Exec(t, admin, "create role "+role+" login "+options)
	t.Cleanup(func() { pgtest.Exec(t, admin, "drop role if exists "+role) })
	return role
}

func as(t *testing.T, dsn, role string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

// TestAPlainRoleGivesObjectsToOwnersWhoMayCreate: an owner needs CREATE in the
// schema, which he has only when the grants are made, or had when he got it.
func TestAPlainRoleGivesObjectsToOwnersWhoMayCreate(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	plain, owner, lost := makeRole(t, admin, "plain", ""), makeRole(t, admin, "owner", ""), makeRole(t, admin, "lost", "")
	pgtest.Exec(t, admin, "grant "+owner+", "+lost+" to "+plain)
	own := func() string {
		dsn := pgtest.New(t)
		pgtest.Exec(t, dsn, "alter database "+pgx.Identifier{database(t, dsn)}.Sanitize()+" owner to "+plain+"; alter schema public owner to "+plain)
		return as(t, dsn, plain)
	}
	source := own()
	pgtest.Exec(t, source, `create schema app; grant create, usage on schema app, public to `+owner+`; grant create on schema app to `+lost+`;
		create type app.kind as enum ('a'); create table app.t (a int primary key, k app.kind); create table public.p (a int); create table app.l (a int);
		insert into app.t values (1, 'a'); create statistics app.s on a, k from app.t;
		alter type app.kind owner to `+owner+`; alter table app.t owner to `+owner+`; alter table public.p owner to `+owner+`; alter statistics app.s owner to `+owner+`;
		alter table app.l owner to `+lost+`; revoke create on schema app from `+lost)
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := own()
	if _, err := run(t, target, store, restore.Options{Jobs: 2}, l); err != nil {
		t.Fatal(err, fault.HintOf(err))
	}
	sameDump(t, source, target)
}

// TestGrantsAreMadeInTheNameOfWhoGranted, though he may no longer look into the
// schema, and by a role that is not a superuser but a member of his.
func TestGrantsAreMadeInTheNameOfWhoGranted(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	plain, middle, last := makeRole(t, admin, "plain", ""), makeRole(t, admin, "middle", ""), makeRole(t, admin, "last", "")
	source := pgtest.New(t)
	fill := `create schema app; create table app.t (a int); grant usage on schema app to ` + middle + `; grant select on app.t to ` + middle + ` with grant option;
		set role ` + middle + `; grant select on app.t to ` + last + `; reset role; revoke usage on schema app from ` + middle
	pgtest.Exec(t, source, fill)
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	if _, err := run(t, target, store, restore.Options{}, l); err != nil {
		t.Fatal(err, fault.HintOf(err))
	}
	sameDump(t, source, target)

	source, target = pgtest.New(t), pgtest.New(t)
	for _, dsn := range []string{source, target} {
		pgtest.Exec(t, dsn, "alter database "+pgx.Identifier{database(t, dsn)}.Sanitize()+" owner to "+plain)
	}
	pgtest.Exec(t, admin, "grant "+middle+" to "+plain)
	pgtest.Exec(t, as(t, source, plain), fill)
	l = backUp(t, as(t, source, plain), store, nil)
	if _, err := run(t, as(t, target, plain), store, restore.Options{}, l); err != nil {
		t.Fatal(err, fault.HintOf(err))
	}
	sameDump(t, source, target)

	pgtest.Exec(t, admin, "revoke "+middle+" from "+plain)
	target = pgtest.New(t)
	pgtest.Exec(t, target, "alter database "+pgx.Identifier{database(t, target)}.Sanitize()+" owner to "+plain)
	_, err := run(t, as(t, target, plain), store, restore.Options{}, l)
	if fault.CodeOf(err) != fault.Forbidden || !strings.Contains(err.Error(), middle) || count(t, target, "select count(*) from pg_namespace where nspname = 'app'") != 0 {
		t.Errorf("%v", err)
	}
}

// TestRolesThatAreMadeOwnTheirThings, for a role that may make roles only.
func TestRolesThatAreMadeOwnTheirThings(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	plain, owner := makeRole(t, admin, "plain", "createrole"), makeRole(t, admin, "owner", "")
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create table t (a int); alter table t owner to "+owner)
	store := memory.New()
	l := backUp(t, source, store, nil)
	pgtest.Exec(t, source, "drop table t")
	pgtest.Exec(t, admin, "drop role "+owner)
	target := pgtest.New(t)
	pgtest.Exec(t, target, "alter database "+pgx.Identifier{database(t, target)}.Sanitize()+" owner to "+plain+"; alter schema public owner to "+plain)
	r, err := run(t, as(t, target, plain), store, restore.Options{CreateRoles: true}, l)
	if err != nil {
		t.Fatal(err, fault.HintOf(err))
	}
	if got := text(t, target, "select pg_get_userbyid(relowner)::text from pg_class where relname = 't'"); got != owner || !warned(r, "role_created", owner) {
		t.Errorf("%s owns it: %+v", got, r.Warnings)
	}
}

func warned(r *restore.Result, code, object string) bool {
	return slices.ContainsFunc(r.Warnings, func(w fault.Warning) bool { return w.Code == code && w.Object == object })
}

// TestWhatTheTargetCannotHaveIsNamedAndLeftOut: grants on a function that another
// version of an extension has, and labels of a provider that is not there.
func TestWhatTheTargetCannotHaveIsNamedAndLeftOut(t *testing.T) {
	t.Parallel()
	source, target := pgtest.New(t), pgtest.New(t)
	pgtest.Exec(t, source, `create extension pg_trgm; create function gone() returns int language sql as 'select 1'; alter extension pg_trgm add function gone();
		revoke execute on function gone() from public; revoke execute on function show_limit() from public;
		create table t (a int); insert into t values (1); create publication p for table t; set allow_system_table_mods = on;
		insert into pg_seclabel (classoid, objoid, objsubid, provider, label) values (1259, 't'::regclass, 0, 'nobody', 'x'), (6104, (select oid from pg_publication), 0, 'nobody', 'x')`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	r, err := run(t, target, store, restore.Options{Jobs: 2}, l)
	if err != nil {
		t.Fatal(err, fault.HintOf(err))
	}
	left := 0
	for _, w := range r.Warnings {
		if w.Code == "left_out" && (strings.Contains(w.Message, "gone()") || strings.Contains(w.Message, "nobody")) {
			left++
		}
	}
	if left != 3 || count(t, target, "select count(*) from t") != 1 || count(t, target, "select count(*) from pg_proc where proname = 'show_limit' and proacl::text like '%=X%' and not proacl::text like '{=X%'") != 1 {
		t.Errorf("%d left out: %+v", left, r.Warnings)
	}
}
