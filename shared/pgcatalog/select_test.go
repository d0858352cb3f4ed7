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
