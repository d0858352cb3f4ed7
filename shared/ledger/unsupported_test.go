package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func everything(c *pgcatalog.Catalog) ledger.Coverage {
	return ledger.Coverage{Full: c, Kept: c, Chosen: c}
}

// TestAKindThatTheDumperDoesNotKnowIsNamed takes each kind away from the
// dumper in turn: the ledger must show what is missing then.
func TestAKindThatTheDumperDoesNotKnowIsNamed(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `
		create table t (id int primary key, b int default 1 + 1, constraint positive check (b > 0));
		create table u (id int references t); create index on u (id); create view v as select 1 as one; create sequence s;
		create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before insert on t for each row execute function f();
		create policy p on t using (true); create publication pub for table t; create statistics st on id, b from t; create type mood as enum ('a');
		create materialized view mv as select 2 as two; create rule r as on insert to u do also nothing; comment on table u is 'c'; grant select on t to public;
		alter default privileges grant select on tables to public; select lo_create(99)`)
	for entry, want := range map[string][]string{
		"INDEX": {"index public.u_id_idx"}, "VIEW": {"view public.v"}, "FUNCTION": {"function public.f()"}, "TRIGGER": {"trigger tr on public.t"},
		"POLICY": {"policy p on public.t"}, "PUBLICATION": {"publication pub"}, "PUBLICATION TABLE": {"publication table public.t in publication pub"},
		"STATISTICS": {"extended statistics public.st"}, "TYPE": {"enum type public.mood"}, "RULE": {"rule r on public.u"},
		"FK CONSTRAINT": {"foreign key u_id_fkey on public.u"}, "CONSTRAINT": {"primary key t_pkey on public.t"}, "SEQUENCE": {"sequence public.s"},
		"SEQUENCE SET": {"sequence value public.s"}, "MATERIALIZED VIEW": {"materialized view public.mv"}, "MATERIALIZED VIEW DATA": {"materialized view rows public.mv"},
		"COMMENT": {"comment public.u"}, "ACL": {"grants public.t"}, "DEFAULT ACL": {"default privileges"}, "BLOB": {"large object 99"},
	} {
		t.Run(entry, func(t *testing.T) {
			t.Parallel()
			l := accountOf(t, url, func(c *pgcatalog.Catalog) ledger.Coverage {
				c.Entries = slices.DeleteFunc(c.Entries, func(e pgcatalog.Entry) bool { return e.Kind == entry })
				return everything(c)
			})
			missing := items(l, ledger.Unsupported)
			for _, w := range want {
				if !slices.ContainsFunc(missing, func(i ledger.Item) bool { return strings.HasPrefix(i.Kind+" "+i.Name, w) && i.Rule == ledger.NotDumped }) {
					t.Errorf("%s is not named: %+v", w, missing)
				}
			}
			if len(items(l, ledger.Excluded))+len(items(l, ledger.Managed))+len(items(l, ledger.Unreadable)) > 0 {
				t.Errorf("%+v", l.Items)
			}
		})
	}
	t.Run("rows", func(t *testing.T) {
		t.Parallel()
		l := accountOf(t, url, func(c *pgcatalog.Catalog) ledger.Coverage {
			c.Tables = slices.DeleteFunc(c.Tables, func(t pgcatalog.Table) bool { return t.Name == "u" })
			c.LargeObjects = nil
			return everything(c)
		})
		if missing := items(l, ledger.Unsupported); len(missing) != 2 || missing[0].Name != "99" || missing[0].Kind != "large object data" || missing[1].Kind != "table rows" || missing[1].Name != "public.u" {
			t.Errorf("%+v", missing)
		}
	})
}

// TestACatalogOfANewerVersionIsNamed makes what a future major could bring: a
// system catalog that nobody here has heard of, with and without OIDs.
func TestACatalogOfANewerVersionIsNamed(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `
		set allow_system_table_mods = on;
		create table pg_catalog.pg_gizmo (oid oid primary key, gizname name, giznamespace oid, gizowner oid);
		insert into pg_catalog.pg_gizmo values (12000, 'built in', 11, 10), (70000, 'Mine', 'public'::regnamespace, 10), (70001, 'other', 'public'::regnamespace, 10);
		create table pg_catalog.pg_gadget (gadname name);
		insert into pg_catalog.pg_gadget values ('a')`)
	l := account(t, url, pgcatalog.Options{})
	var unknown []string
	for _, it := range items(l, ledger.Unsupported) {
		if it.Rule == ledger.UnknownKind {
			unknown = append(unknown, it.Kind+" "+it.Schema+" "+it.Name)
		} else if it.Rule != ledger.InSystemSchema { // the two tables themselves
			t.Errorf("%+v", it)
		}
	}
	slices.Sort(unknown)
	if want := []string{"pg_gadget  pg_gadget 1", `pg_gizmo public "Mine"`, "pg_gizmo public other"}; !slices.Equal(unknown, want) {
		t.Errorf("%q, want %q", unknown, want)
	}
	if c := count(l, "pg_gizmo"); c.Unsupported != 2 || c.Total() != 2 {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsInASystemSchemaIsNamed(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `create function pg_catalog.mine() returns int language sql as 'select 1'`)
	if found := items(account(t, url, pgcatalog.Options{}), ledger.Unsupported); len(found) != 1 || found[0].Name != "pg_catalog.mine()" || found[0].Rule != ledger.InSystemSchema {
		t.Errorf("%+v", found)
	}
}

// TestTemporaryTablesAndShellsAreNoLoss: neither is anything that a dump could keep.
func TestTemporaryTablesAndShellsAreNoLoss(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	session := pgtest.Connect(t, url)
	if _, err := session.Exec(t.Context(), `
		create temporary table passing (id serial primary key, note text default 'x'); comment on table passing is 'c'; grant select on passing to public;
		create function same(text, text) returns bool language sql immutable as 'select $1 = $2';
		create operator ## (function = same, leftarg = text, rightarg = text, negator = operator(<!>))`); err != nil {
		t.Fatal(err)
	}
	l := account(t, url, pgcatalog.Options{})
	if len(l.Items) > 0 || count(l, "table").Total() != 0 || count(l, "shell operator").Dumped != 1 {
		t.Errorf("%+v", l)
	}
}

// TestRowsOfAnExtensionsTablesCount: those that the extension marks as the
// user's are dumped, others are named.
func TestRowsOfAnExtensionsTablesCount(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `
		create table own (id int); create table marked (id int); create table unused (id int); create sequence ids;
		insert into own values (1); insert into marked values (1); select nextval('ids');
		insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion, extconfig, extcondition)
			select 60000, 'made_up', 10, 'public'::regnamespace, false, '1', array['marked'::regclass::oid], array[''];
		insert into pg_depend select 'pg_class'::regclass, c, 0, 'pg_extension'::regclass, 60000, 0, 'e'
			from unnest(array['own', 'marked', 'unused', 'ids']::regclass[]) c`)
	l := account(t, url, pgcatalog.Options{})
	var names []string
	for _, it := range l.Items {
		if it.Rule != ledger.ExtensionRows || it.Status != ledger.Excluded {
			t.Errorf("%+v", it)
		}
		names = append(names, it.Kind+" "+it.Name)
	}
	if want := []string{"sequence value public.ids", "table rows public.own"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestAnInvalidIndexIsLeftOutByItsRule(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `create table dup (id int); insert into dup values (1), (1)`)
	if _, err := pgtest.Connect(t, url).Exec(t.Context(), "create unique index concurrently dup_bad on dup (id)"); err == nil {
		t.Fatal("the index is good")
	}
	if l := account(t, url, pgcatalog.Options{}); len(l.Items) != 1 || l.Items[0].Status != ledger.Excluded || l.Items[0].Rule != ledger.Incomplete || l.Items[0].Name != "public.dup_bad" {
		t.Errorf("%+v", l.Items)
	}
}

func TestPartitionsCountByThemselves(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pgtest.Exec(t, url, `
		create table p (id int, at date) partition by range (at);
		create table p1 partition of p for values from ('2025-01-01') to ('2026-01-01');
		create table p2 partition of p for values from ('2026-01-01') to ('2027-01-01') partition by list (id);
		create table p2a partition of p2 for values in (1)`)
	l := account(t, url, pgcatalog.Options{})
	if count(l, "table rows").Dumped != 2 || count(l, "table").Dumped != 2 || count(l, "partitioned table").Dumped != 2 || len(l.Items) > 0 {
		t.Errorf("%+v", l)
	}
}
