package pgcatalog_test

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// No label provider comes with PostgreSQL, and without one SECURITY LABEL is
// refused: the labels are put where a provider's would be.
func TestSecurityLabelsAreCarried(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `
		create schema s; create table s.t (a int, "B" int); create view s.v as select 1 as x; create materialized view s.m as select 1 as x;
		create sequence s.q; create type s.mood as enum ('a'); create domain s.d as int; create function s.f(int) returns int language sql as 'select 1';
		create procedure s.p() language sql as ''; create aggregate s.g(int) (sfunc = int4pl, stype = int);
		create publication pub; create extension pg_trgm; select lo_create(4711);
		create function s.evt() returns event_trigger language plpgsql as $$ begin end $$;
		create event trigger ev on ddl_command_end execute function s.evt(); alter event trigger ev disable;
		set allow_system_table_mods = on;
		insert into pg_seclabel (classoid, objoid, objsubid, provider, label) select classoid, objoid, objsubid, 'dummy', 'it''s \ secret' from (values
			(2615, 's'::regnamespace::oid, 0), (1259, 's.t'::regclass::oid, 0), (1259, 's.t'::regclass::oid, 2), (1259, 's.v'::regclass::oid, 0),
			(1259, 's.v'::regclass::oid, 1), (1259, 's.m'::regclass::oid, 0), (1259, 's.q'::regclass::oid, 0), (1247, 's.mood'::regtype::oid, 0),
			(1247, 's.d'::regtype::oid, 0), (1255, 's.f(int)'::regprocedure::oid, 0), (1255, 's.p()'::regprocedure::oid, 0),
			(1255, 's.g(int)'::regprocedure::oid, 0), (6104, (select oid from pg_publication), 0), (2613, 4711, 0),
			(1255, 'show_limit'::regproc::oid, 0), (3466, (select oid from pg_event_trigger), 0)) v (classoid, objoid, objsubid)`)
	var got []string
	for _, e := range read(t, source, pgcatalog.Options{}).Entries {
		if e.Kind == "SECURITY LABEL" {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(e.SQL, "SECURITY LABEL FOR dummy ON "), " IS E'it''s \\\\ secret';\n"))
		}
	}
	want := `AGGREGATE s.g(integer)
COLUMN s.t."B"
COLUMN s.v.x
DOMAIN s.d
EVENT TRIGGER ev
FUNCTION public.show_limit()
FUNCTION s.f(integer)
LARGE OBJECT 4711
MATERIALIZED VIEW s.m
PROCEDURE s.p()
PUBLICATION pub
SCHEMA s
SEQUENCE s.q
TABLE s.t
TYPE s.mood
VIEW s.v
`
	slices.Sort(got)
	same(t, want, strings.Join(got, "\n")+"\n")
}
