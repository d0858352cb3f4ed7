package pgcatalog_test

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

const shop = `
	create schema shop;
	create type shop.state as enum ('new', 'paid');
	create function shop.next_code() returns text language sql as 'select ''x''';
	create table shop.customers (id serial primary key, name text);
	create table shop.orders (
		id bigint generated always as identity primary key, code text default shop.next_code(), state shop.state,
		customer int references shop.customers, parent bigint references shop.orders);
	create index orders_code on shop.orders (code);
	comment on column shop.orders.code is 'c';
	create view shop.paid as select * from shop.orders where state = 'paid';
	create table shop.events (id int, at date) partition by range (at);
	create table shop.events_1 partition of shop.events for values from ('2020-01-01') to ('2021-01-01');
	create table shop."Odd.Name" (id int);
	create table other (id int);
	create table linked (id int references shop.customers);`

func names(c *pgcatalog.Catalog) []string {
	var out []string
	for _, e := range c.Entries {
		out = append(out, e.Kind+" "+e.Name)
	}
	return out
}

func tables(c *pgcatalog.Catalog) string {
	var out []string
	for _, t := range c.Tables {
		out = append(out, t.Schema+"."+t.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestChosenTablesBringWhatTheyNeedAndNameWhatTheyLack(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, shop)
	c := read(t, source, pgcatalog.Options{Tables: []string{"shop.orders"}})
	got := names(c)
	for _, want := range []string{
		"SCHEMA shop", "TYPE state", "FUNCTION next_code()", "TABLE orders", "SEQUENCE orders_id_seq", "SEQUENCE SET orders_id_seq",
		"INDEX orders_code", "CONSTRAINT orders orders_pkey", "FK CONSTRAINT orders orders_parent_fkey", "COMMENT COLUMN orders.code",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing from %q", want, got)
		}
	}
	for _, unwanted := range []string{"FK CONSTRAINT orders orders_customer_fkey", "TABLE customers", "VIEW paid", "TABLE events"} {
		if slices.Contains(got, unwanted) {
			t.Errorf("%s came along", unwanted)
		}
	}
	if len(c.LeftOut) != 1 || c.LeftOut[0].Name != "orders orders_customer_fkey" || c.LeftOut[0].Reason != pgcatalog.NotSelected {
		t.Errorf("left out: %+v", c.LeftOut)
	}
	if tables(c) != "shop.orders" {
		t.Errorf("rows of %s", tables(c))
	}
	target := pgtest.New(t)
	apply(t, target, c)

	whole := read(t, source, pgcatalog.Options{})
	narrowed, err := whole.Select(pgcatalog.Options{Tables: []string{"shop.orders"}})
	if err != nil {
		t.Fatal(err)
	}
	sameEntries(t, c, narrowed)
}

func TestPatternsChooseAsPgDumpsDo(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, shop)
	whole := read(t, source, pgcatalog.Options{})
	for _, tc := range []struct {
		take, drop []string
		want       string
	}{
		{[]string{"OTHER"}, nil, "public.other"},
		{[]string{"orders", "other"}, nil, "public.other shop.orders"},
		{[]string{"shop.*"}, nil, "shop.Odd.Name shop.customers shop.events_1 shop.orders"},
		{[]string{"shop.*"}, []string{"customers", "events*"}, "shop.Odd.Name shop.orders"},
		{[]string{`shop."Odd.Name"`}, nil, "shop.Odd.Name"},
		{[]string{"o?her"}, nil, "public.other"},
		{[]string{"shop.events"}, nil, "shop.events_1"},
		{[]string{"shop.paid"}, nil, ""},
		{nil, []string{"shop.*"}, "public.linked public.other"},
		{nil, []string{"nothing"}, "public.linked public.other shop.Odd.Name shop.customers shop.events_1 shop.orders"},
	} {
		c, err := whole.Select(pgcatalog.Options{Tables: tc.take, Exclude: tc.drop})
		if err != nil {
			t.Errorf("%q without %q: %v", tc.take, tc.drop, err)
			continue
		}
		if got := tables(c); got != tc.want {
			t.Errorf("%q without %q: rows of %q, want %q", tc.take, tc.drop, got, tc.want)
		}
		target := pgtest.New(t)
		apply(t, target, c)
	}
}

func TestAPatternWithoutAMatchNamesItsNeighbours(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, shop)
	whole := read(t, source, pgcatalog.Options{})
	for pattern, want := range map[string]string{"shop.ordres": "shop.orders", "odd.name": "", "custom": "shop.customers"} {
		_, err := whole.Select(pgcatalog.Options{Tables: []string{pattern}})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), pattern) || !strings.Contains(fault.HintOf(err), want) {
			t.Errorf("%s: %v, hint %q", pattern, err, fault.HintOf(err))
		}
	}
	for _, pattern := range []string{"", `"open`, "a.b.c", "."} {
		if _, err := whole.Select(pgcatalog.Options{Tables: []string{pattern}}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestWhatDependsOnAnExcludedTableIsLeftOutByName(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, shop)
	c := read(t, source, pgcatalog.Options{Exclude: []string{"shop.customers"}})
	var left []string
	for _, l := range c.LeftOut {
		left = append(left, l.Kind+" "+l.Name)
	}
	for _, want := range []string{"TABLE customers", "FK CONSTRAINT linked linked_id_fkey", "FK CONSTRAINT orders orders_customer_fkey"} {
		if !slices.Contains(left, want) {
			t.Errorf("%s is not in %q", want, left)
		}
	}
	apply(t, pgtest.New(t), c)
}

func TestAPartOfADatabaseStandsOnItsOwn(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `
		create schema lib;
		create type lib.kind as enum ('a'); create domain lib.amount as int check (value > 0);
		create sequence lib.numbers; select nextval('lib.numbers');
		create function lib.code(lib.kind) returns text language sql immutable as 'select ''c''';
		create function lib.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
		create table lib.allowed (name text);
		create table main (
			id int default nextval('lib.numbers'), k lib.kind, a lib.amount, c text generated always as (lib.code(k)) stored,
			check (lib.code(k) <> 'x'), unique (id));
		create index on main (lib.code(k));
		create trigger t before insert on main for each row execute function lib.stamp();
		create policy p on main using (exists (select from lib.allowed where name = c)); alter table main enable row level security;
		create statistics st on id, k from main;
		create rule r as on delete to main do also insert into lib.allowed values ('x');
		create publication pub for table main;
		create table days (d date, v int, unique (d)) partition by list (d);
		create table day1 partition of days for values in ('2020-01-01');
		create trigger dt after insert on days for each row execute function lib.stamp(); alter table day1 disable trigger dt;
		create view uses as select id from main;
		select lo_create(5)`)
	whole := read(t, source, pgcatalog.Options{})
	for _, tc := range []struct {
		take          string
		with, without []string
		leftOut       []string
	}{
		{"main", []string{
			"TYPE kind", "DOMAIN amount", "SEQUENCE numbers", "SEQUENCE SET numbers", "FUNCTION code(lib.kind)", "TRIGGER main t", "FUNCTION stamp()",
			"POLICY main p", "ROW SECURITY main", "TABLE allowed", "STATISTICS st", "RULE main r", "CONSTRAINT main main_id_key", "INDEX main_code_idx",
		}, []string{"PUBLICATION pub", "VIEW uses", "TABLE days", "BLOB 5"}, []string{"PUBLICATION TABLE pub main", "TABLE DATA allowed"}},
		{"day1", []string{"TABLE day1", "CONSTRAINT day1 day1_d_key"}, []string{"TABLE days", "TRIGGER days dt"}, []string{"TABLE ATTACH day1", "TRIGGER day1 dt"}},
		{"days", []string{"TABLE day1", "TABLE ATTACH day1", "TRIGGER days dt", "TRIGGER day1 dt", "INDEX ATTACH day1_d_key"}, []string{"TABLE main"}, nil},
		{"uses", []string{"VIEW uses", "TABLE main"}, []string{"TRIGGER main t"}, []string{"TABLE DATA main"}},
	} {
		c, err := whole.Select(pgcatalog.Options{Tables: []string{tc.take}})
		if err != nil {
			t.Fatal(err)
		}
		got := names(c)
		for _, want := range tc.with {
			if !slices.Contains(got, want) {
				t.Errorf("%s comes without %s: %q", tc.take, want, got)
			}
		}
		for _, unwanted := range tc.without {
			if slices.Contains(got, unwanted) {
				t.Errorf("%s comes with %s", tc.take, unwanted)
			}
		}
		var left []string
		for _, l := range c.LeftOut {
			left = append(left, l.Kind+" "+l.Name)
		}
		slices.Sort(left)
		if !slices.Equal(left, tc.leftOut) {
			t.Errorf("%s leaves out %q, want %q", tc.take, left, tc.leftOut)
		}
		if len(c.LargeObjects) != 0 {
			t.Errorf("%s comes with large objects", tc.take)
		}
		target := pgtest.New(t)
		apply(t, target, c)
	}
}
