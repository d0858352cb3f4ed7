package fidelity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/postgres"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	sourcepkg "guarda/shared/source"
)

// shadows are functions and operators in public with the names of built-in
// ones. Whoever calls or uses one of them fails.
const shadows = `
create function public.trap() returns void language plpgsql as $$ begin raise 'a function of public was called'; end $$;
do $do$ declare f text; begin
	foreach f in array array['current_setting(text)', 'current_database()', 'set_config(text, text, boolean)', 'pg_backend_pid()', 'quote_ident(text)',
		'format_type(oid, integer)', 'pg_get_userbyid(oid)', 'has_table_privilege(text, text)', 'has_schema_privilege(oid, text)', 'pg_encoding_to_char(integer)',
		'pg_get_expr(pg_node_tree, oid)', 'pg_get_constraintdef(oid)', 'pg_relation_size(regclass)', 'pg_is_in_recovery()', 'version()', 'pg_get_viewdef(oid)',
		'pg_get_indexdef(oid)', 'pg_get_functiondef(oid)', 'hashtidextended(tid, bigint)', 'setval(regclass, bigint, boolean)', 'lo_create(oid)',
		'has_database_privilege(text, text)', 'to_regclass(text)', 'pg_export_snapshot()', 'txid_current()', 'lower(text)', 'length(text)'] loop
		execute format('create function public.%s returns text language plpgsql as $f$ begin perform public.trap(); return null; end $f$', f);
	end loop;
end $do$;
create function public.trap_op(name, name) returns bool language plpgsql as $$ begin perform public.trap(); return false; end $$;
create function public.trap_op(oid, oid) returns bool language plpgsql as $$ begin perform public.trap(); return false; end $$;
create function public.trap_op("char", "char") returns bool language plpgsql as $$ begin perform public.trap(); return false; end $$;
create function public.trap_op(text, text) returns bool language plpgsql as $$ begin perform public.trap(); return false; end $$;
create operator public.= (function = public.trap_op, leftarg = name, rightarg = name);
create operator public.= (function = public.trap_op, leftarg = oid, rightarg = oid);
create operator public.= (function = public.trap_op, leftarg = "char", rightarg = "char");
create operator public.= (function = public.trap_op, leftarg = text, rightarg = text);
create operator public.<> (function = public.trap_op, leftarg = name, rightarg = name);
create table public.pg_class (oid oid, relname text);
create table public.pg_namespace (oid oid, nspname text);
create type public.regclass as (a int);
`

// settings are those of a database that change what the server writes, reads,
// allows or waits for.
var settings = map[string]string{
	"search_path":                         `public, pg_catalog`,
	"default_transaction_read_only":       "on",
	"default_transaction_isolation":       "serializable",
	"default_transaction_deferrable":      "on",
	"standard_conforming_strings":         "off",
	"backslash_quote":                     "off",
	"array_nulls":                         "off",
	"transform_null_equals":               "on",
	"datestyle":                           "German, DMY",
	"intervalstyle":                       "sql_standard",
	"timezone":                            "Asia/Kathmandu",
	"extra_float_digits":                  "-10",
	"bytea_output":                        "escape",
	"xmlbinary":                           "hex",
	"xmloption":                           "document",
	"quote_all_identifiers":               "on",
	"client_encoding":                     "LATIN1",
	"check_function_bodies":               "on",
	"statement_timeout":                   "20000",
	"lock_timeout":                        "1",
	"idle_in_transaction_session_timeout": "1",
	"row_security":                        "off",
	"synchronize_seqscans":                "on",
	"default_toast_compression":           "pglz",  // since 14
	"transaction_timeout":                 "20000", // since 17
	"client_min_messages":                 "debug1",
	"default_text_search_config":          "simple",
	"lo_compat_privileges":                "on",
	"session_replication_role":            "replica",
	"gin_fuzzy_search_limit":              "1",
	"idle_session_timeout":                "20000",               // since 14
	"event_triggers":                      "off",                 // since 17
	"restrict_nonsystem_relation_kind":    "view, foreign-table", // in the latest of each
	"createrole_self_grant":               "",                    // since 16
	"default_with_oids":                   "off",
	"exit_on_error":                       "off",
	"enable_seqscan":                      "off",
	"cursor_tuple_fraction":               "0.01",
}

// content is what a database with such settings holds.
const content = `
set client_encoding = 'UTF8'; set standard_conforming_strings = on; set search_path = pg_catalog; set default_transaction_read_only = off; set transaction read write; set statement_timeout = 0; set check_function_bodies = off; set transform_null_equals = off; set array_nulls = on; set datestyle = 'ISO'; set intervalstyle = 'postgres';
create schema h;
create function h.slash(a text default 'x\y') returns text language sql immutable as $$ select 'it''s \ ' || a || E'\\' $$;
create table h.values (id int primary key, a text default 'back\slash', f float8, i interval, d timestamptz, b bytea, arr text[], x xml, n int check (n is null or n = 3), m numeric);
insert into h.values values (1, 'a\b''c', 0.1::float8 + 0.2::float8, '1 year -2 days 03:04:05.678', '2020-02-03 04:05:06.789+05:45', '\x00ff5c27', '{NULL,"NULL",a\\b,"",ä}', '<a/>', null, 1.10), (2, E'tab\there ñ €', 'NaN', '-1 mon', 'infinity', '', '{}', 'x<b/>', 3, 'NaN');
create view h.v as select a, d, '2020-01-02'::date as day, '1 day -01:00:00'::interval as span, n = null as never, f * 1.1::float8 as g from h.values where a <> 'it''s \';
create materialized view h.m as select count(*) as c, max(f) as f from h.values;
create index on h.values ((a || '\'), f);
comment on table h.values is 'a \ comment';
create type h.e as enum ('a\b', 'ü');
create table h.parent (k h.e, d date) partition by range (d); create table h.p1 partition of h.parent for values from ('2020-01-31') to ('2020-12-31');
create rule r as on insert to h.p1 do also select E'\\x', '\x';
create sequence h.s; select setval('h.s', 42);
select lo_from_bytea(7001, '\x01');
`

// databaseSettings gives a database settings, as far as its server knows them.
func (d database) set(t testing.TB, values map[string]string) {
	t.Helper()
	name := pgx.Identifier{databaseName(t, d.url)}.Sanitize()
	for setting, value := range values {
		literal := "'" + strings.ReplaceAll(value, "'", "''") + "'"
		if setting == "search_path" {
			literal = value
		}
		pgtest.Exec(t, d.server.URL(), fmt.Sprintf(`do $$ begin alter database %s set %s to %s; exception when undefined_object then end $$`, name, setting, literal))
	}
}

// TestHostileSettingsDoNotBearOnABackup: a database whose settings change what
// text looks like, that is read only, impatient, and whose search path leads
// past pg_catalog to traps, comes back all the same, into a database with the
// same settings and traps.
func TestHostileSettingsDoNotBearOnABackup(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		source, target, run := newDatabase(t, s), newDatabase(t, s), newDatabase(t, s)
		plain := newDatabase(t, s)
		pgtest.Exec(t, source.url, content)
		pgtest.Exec(t, source.url, shadows)
		want := source.dump(t)
		source.set(t, settings)
		tester := sourcepkg.Tester{Connect: pgx.Connect, SessionMode: postgres.SessionMode}
		if r := tester.Test(t.Context(), source.url); !r.OK || len(r.Checks) != 5 {
			t.Errorf("the test of the source: %+v", r.Checks)
		}
		if tables, err := sourcepkg.Tables(t.Context(), pgtest.Connect(t, source.url), "VALUES", nil, 10); err != nil || len(tables) != 1 {
			t.Errorf("the source's tables: %v, %v", tables, err)
		}
		k := source.backUp(t)
		k.into(t, plain, restore.Options{Jobs: 3})
		same(t, "pg_dump", want, plain.dump(t))
		k.sameRows(t, plain)
		target.set(t, settings)
		k.into(t, target, restore.Options{Jobs: 3})
		target.reset(t)
		same(t, "pg_dump of one with such settings", want, target.dump(t))
		run.set(t, settings)
		run.psql(t, k.exported(t), true)
		run.reset(t)
		same(t, "pg_dump after psql", want, run.dump(t))
	})
}

// reset takes a database's settings back.
func (d database) reset(t testing.TB) {
	t.Helper()
	pgtest.Exec(t, d.server.URL(), "alter database "+pgx.Identifier{databaseName(t, d.url)}.Sanitize()+" reset all")
}

// TestEventTriggersDoNotStopTheRestoreThatMakesThem, though they refuse every
// command, those that end the restore too.
func TestEventTriggersDoNotStopTheRestoreThatMakesThem(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		source, target, run := newDatabase(t, s), newDatabase(t, s), newDatabase(t, s)
		text := `create table t (a int primary key); insert into t values (1); create materialized view mv as select * from t; grant select on t to public;
			create function forbid() returns event_trigger language plpgsql as $$ begin raise exception 'nobody changes anything here: % %', tg_event, tg_tag; end $$;
			create event trigger a_login on login execute function forbid(); alter event trigger a_login enable replica; -- since 17
			create event trigger b_start on ddl_command_start execute function forbid(); create event trigger c_end on ddl_command_end execute function forbid();
			create event trigger d_drop on sql_drop execute function forbid(); create event trigger e_always on ddl_command_start execute function forbid();
			comment on event trigger d_drop is 'never'; alter event trigger e_always enable always`
		pgtest.Exec(t, source.url, museum(text, s.Major))
		k := source.backUp(t)
		k.into(t, target, restore.Options{Jobs: 2})
		same(t, "pg_dump", source.dump(t), target.dump(t))
		run.psql(t, k.exported(t), true)
		same(t, "pg_dump after psql", source.dump(t), run.dump(t))
	})
}

// TestAKeyToRowsThatTheBackupLacks: the role that makes the backup may not read
// a table that others refer to. All else comes back; the keys to it are not
// said to hold.
func TestAKeyToRowsThatTheBackupLacks(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		const reader = "museum_reader"
		s.Role(t, reader)
		source, target, renamed, run := newDatabase(t, s), newDatabase(t, s), newDatabase(t, s), newDatabase(t, s)
		pgtest.Exec(t, source.url, `create schema app; create table app.secret (id int primary key); insert into app.secret values (1);
			create table app.open (id int primary key, secret int constraint "to $do$" references app.secret on delete cascade, up int references app.open);
			insert into app.open values (1, 1, 1);
			create table app.parts (k int, secret int, constraint parts_fk foreign key (secret) references app.secret) partition by list (k);
			create table app.parts_1 partition of app.parts for values in (1); insert into app.parts values (1, 1);
			create table app.empty (secret int references app.secret);
			comment on constraint "to $do$" on app.open is 'kept'; grant usage on schema app to museum_reader; grant select on app.open, app.parts_1, app.empty to museum_reader`)
		k := source.as(t, reader).backUp(t)
		k.into(t, target, restore.Options{Jobs: 3})
		k.into(t, renamed, restore.Options{ToSchema: map[string]string{"app": "app2"}})
		run.psql(t, k.exported(t), true)
		for schema, d := range map[string]database{"app": target, "app2": renamed, "app ": run} {
			got := d.query(t, "select string_agg(conname || ' ' || convalidated, ', ' order by conname) from pg_constraint where contype = 'f' and connamespace = '"+strings.TrimSpace(schema)+"'::regnamespace")
			if want := "empty_secret_fkey true, open_up_fkey true, to $do$ false"; got != want {
				t.Errorf("%s: the foreign keys are %s, want %s", schema, got, want)
			}
		}
	})
}

// query returns the one value of a query.
func (d database) query(t testing.TB, sql string) string {
	t.Helper()
	row, err := pgsession.One(t.Context(), pgtest.Connect(t, d.url), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return row[0]
}

// TestAPartitionThatIsBeingLetGoComesBack as pg_dump has it: attached.
func TestAPartitionThatIsBeingLetGoComesBack(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		if s.Major < 14 {
			t.Skip("DETACH CONCURRENTLY came with version 14")
		}
		source, target, run := newDatabase(t, s), newDatabase(t, s), newDatabase(t, s)
		pgtest.Exec(t, source.url, `create table p (a int primary key) partition by range (a); create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20); insert into p values (1), (11)`)
		busy := pgtest.Connect(t, source.url)
		if err := pgsession.Exec(t.Context(), busy, "begin isolation level repeatable read; select * from p"); err != nil {
			t.Fatal(err)
		}
		detaching := pgtest.Connect(t, source.url)
		if err := pgsession.Exec(t.Context(), detaching, "set statement_timeout = '500ms'"); err != nil {
			t.Fatal(err)
		}
		if err := pgsession.Exec(t.Context(), detaching, "alter table p detach partition p2 concurrently"); err == nil {
			t.Fatal("the partition was let go though it is in use")
		}
		if err := pgsession.Exec(t.Context(), busy, "rollback"); err != nil {
			t.Fatal(err)
		}
		if n := source.query(t, "select count(*) from pg_inherits where inhdetachpending"); n != "1" {
			t.Fatalf("%s partitions are being let go", n)
		}
		k := source.backUp(t)
		k.into(t, target, restore.Options{Jobs: 2})
		same(t, "pg_dump", source.dump(t), target.dump(t))
		k.sameRows(t, target)
		run.psql(t, k.exported(t), true)
		same(t, "pg_dump after psql", source.dump(t), run.dump(t))
	})
}

// TestChecksThatLookIntoOtherTables find there what they look for, in whatever
// order the rows come, and though the tables are as large as one another.
func TestChecksThatLookIntoOtherTables(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	source := newDatabase(t, s)
	// Larger ones come first: each looks into the next smaller one.
	pgtest.Exec(t, source.url, `create table t0 (a int); insert into t0 values (1);
		create function raises(int) returns int language plpgsql immutable as $$ begin if not exists (select from public.t0 where a = 1) then raise 'not there'; end if; return 1; end $$;
		do $$ begin for i in 1..5 loop
			execute format('create function looks%s(int) returns bool language sql stable as ''select exists (select from public.t%s where a = 1)''', i, i - 1);
			execute format('create table t%s (a int check (public.looks%s(a)), pad text)', i, i);
			execute format('insert into t%s select 1, repeat(''x'', 100) from generate_series(1, %s)', i, i * 50);
		end loop; end $$;
		create table g (a int, b int generated always as (public.raises(a)) stored, pad text); insert into g (a, pad) select 1, repeat('y', 100) from generate_series(1, 1000)`)
	k := source.backUp(t)
	for _, jobs := range []int{1, 4} {
		target := newDatabase(t, s)
		k.into(t, target, restore.Options{Jobs: jobs})
		k.sameRows(t, target)
	}
	// What no other rows make right ends the restore, and names the table.
	pgtest.Exec(t, source.url, "create table wrong (a int check (public.looks1(a))); insert into wrong values (1); delete from t0; alter table g drop column b")
	for i := range 6 {
		pgtest.Exec(t, source.url, fmt.Sprintf("delete from t%d", i))
	}
	k = source.backUp(t)
	_, err := restore.Run(t.Context(), restore.Deps{Connect: connector(newDatabase(t, s).url), Store: k.store}, restore.Options{Jobs: 2}, k.at)
	if err == nil || !strings.Contains(err.Error(), "public.wrong") {
		t.Errorf("%v", err)
	}
}
