package pgcatalog_test

import (
	"strings"
	"testing"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func TestWhatUsersAddToAnExtensionsTableComesBack(t *testing.T) {
	t.Parallel()
	makeRoles(t)
	// The extension's own: a table with an index and a trigger.
	extension := `
		create extension pg_trgm;
		create table jobs (id int, "Note" text default '$do$');
		create index own on jobs (id);
		create function tell() returns trigger language plpgsql as $$ begin return new; end $$;
		create trigger own after insert on jobs for each row execute function tell();
		alter extension pg_trgm add table jobs; alter extension pg_trgm add function tell();`
	source := pgtest.New(t)
	pgtest.Exec(t, source, extension+`
		create function mine() returns trigger language plpgsql as $$ begin return new; end $$;
		create unique index added on jobs (("Note" || '$do$')) where id > 0;
		create trigger "Added" after update on jobs for each row when (new.id > 1) execute function mine('$do$');
		alter table jobs disable trigger "Added";
		alter table jobs enable row level security;
		create policy p on jobs using (id > 0);
		create statistics st on id, "Note" from jobs;
		grant select ("Note") on jobs to museum_reader; grant insert on jobs to museum_reader;
		comment on index added is 'i'; comment on trigger "Added" on jobs is 't';
		set allow_system_table_mods = on;
		insert into pg_seclabel (classoid, objoid, objsubid, provider, label) values (1259, 'jobs'::regclass::oid, 1, 'dummy', 'x')`)
	c := read(t, source, pgcatalog.Options{})
	label := 0
	for i, e := range c.Entries {
		if e.Kind == "SECURITY LABEL" && strings.Contains(e.SQL, "COLUMN public.jobs.id") {
			c.Entries[i].SQL = "" // there is no provider
			label++
		}
	}
	if label != 1 {
		t.Error("the label of a column is lost")
	}
	target := pgtest.New(t)
	pgtest.Exec(t, target, extension)
	apply(t, target, c)
	c.Entries = withoutKind(c.Entries, "SECURITY LABEL")
	sameEntries(t, c, read(t, target, pgcatalog.Options{}))
	same(t, inventory(t, source), inventory(t, target))
}

func withoutKind(entries []pgcatalog.Entry, kind string) []pgcatalog.Entry {
	var out []pgcatalog.Entry
	for _, e := range entries {
		if e.Kind != kind {
			out = append(out, e)
		}
	}
	return out
}
