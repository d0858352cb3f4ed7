package pgcatalog_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func TestAPlainOwnerReadsAndRestoresWhatIsHis(t *testing.T) {
	t.Parallel()
	makeRoles(t)
	source := pgtest.New(t)
	pgtest.Exec(t, source, `grant create on database `+databaseName(source)+` to museum_owner; grant create, usage on schema public to museum_owner`)
	mine := withUser(t, source, "museum_owner")
	pgtest.Exec(t, mine, shop+`
		grant select on shop.orders to museum_reader with grant option;
		grant update (code) on shop.orders to public;
		revoke all on shop.customers from museum_owner;
		alter default privileges in schema shop grant select on tables to museum_reader;
		create procedure shop.p() language sql as '';
		alter table shop.orders enable row level security;
		create policy p on shop.orders using (true);
		comment on schema shop is 's';`)
	c := read(t, mine, pgcatalog.Options{})
	target := pgtest.New(t)
	pgtest.Exec(t, target, `grant create on database `+databaseName(target)+` to museum_owner; grant create, usage on schema public to museum_owner`)
	c.Entries = withoutForeignGrants(c.Entries)
	apply(t, withUser(t, target, "museum_owner"), c)
	same(t, dump(t, source), dump(t, target))
	for _, l := range c.LeftOut {
		if l.Reason != pgcatalog.Unreadable || !strings.HasPrefix(l.Name, "customers") {
			t.Errorf("left out: %+v", l)
		}
	}
}

// withoutForeignGrants drops what only the database's owner may restore.
func withoutForeignGrants(entries []pgcatalog.Entry) []pgcatalog.Entry {
	var out []pgcatalog.Entry
	for _, e := range entries {
		if e.Kind == "ACL" && e.Owner != "museum_owner" {
			continue
		}
		out = append(out, e)
	}
	return out
}

func databaseName(dsn string) string {
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	return pgx.Identifier{name}.Sanitize()
}

func TestAnUnreadableSequenceIsNamedWithItsGrant(t *testing.T) {
	t.Parallel()
	makeRoles(t)
	source := pgtest.New(t)
	pgtest.Exec(t, source, `create sequence hidden; create sequence seen; grant select on seen to museum_owner`)
	c := read(t, withUser(t, source, "museum_owner"), pgcatalog.Options{})
	if len(c.LeftOut) != 1 || c.LeftOut[0].Name != "hidden" || c.LeftOut[0].Reason != pgcatalog.Unreadable ||
		!strings.Contains(c.LeftOut[0].Grant, "GRANT SELECT ON SEQUENCE public.hidden") {
		t.Errorf("left out: %+v", c.LeftOut)
	}
	set := 0
	for _, e := range c.Entries {
		if e.Kind == "SEQUENCE SET" {
			set++
		}
	}
	if set != 1 {
		t.Errorf("%d positions are read, want that of the readable one", set)
	}
}

func TestADefinitionChangesWithWhateverChangesTheRowsText(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `
		create type mood as enum ('a', 'b');
		create type pair as (x int, m mood);
		create domain dom as pair[];
		create table t (d dom, r int4range, gone int);
		create table untouched (a int);
		insert into t values (null)`)
	of := func() map[string]string {
		out := map[string]string{}
		for _, tb := range read(t, source, pgcatalog.Options{}).Tables {
			out[tb.Name] = tb.Definition
		}
		return out
	}
	before := of()
	for _, change := range []string{
		`alter type mood rename value 'b' to 'c'`,
		`alter type mood add value 'd'`,
		`alter type pair rename attribute x to y`,
		`alter table t add column fast text default 'x'`,
		`alter table t drop column gone`,
		`alter table t rename column r to s`,
		// A base type's text is what its output function makes of it.
		`create type own; create function own_in(cstring) returns own language internal immutable strict as 'textin';
		 create function own_out(own) returns cstring language internal immutable strict as 'textout';
		 create type own (input = own_in, output = own_out, like = text); alter table t add column o own`,
		`create or replace function own_out(own) returns cstring language internal immutable strict as 'byteaout'`,
		`create type lent as enum ('x'); alter extension plpgsql add type lent; alter table t add column l lent`,
		`update pg_extension set extversion = 'another' where extname = 'plpgsql'`,
		// What rows show that are older than the column.
		`update pg_attribute set atthasmissing = false, attmissingval = null where attrelid = 't'::regclass and attname = 'fast'`,
	} {
		pgtest.Exec(t, source, change)
		after := of()
		if after["t"] == before["t"] {
			t.Errorf("%s: the definition stays the same", change)
		}
		if after["untouched"] != before["untouched"] {
			t.Errorf("%s: the definition of another table changes", change)
		}
		before = after
	}
	pgtest.Exec(t, source, `insert into t select from generate_series(1, 9); analyze t; create index on t (s)`)
	if of()["t"] != before["t"] {
		t.Error("rows, statistics and indexes change the definition")
	}
}

// counter counts queries.
type counter struct {
	pgx.Tx
	n int
}

func (c *counter) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.n++
	return c.Tx.Query(ctx, sql, args...)
}

func TestTheNumberOfQueriesIsBounded(t *testing.T) {
	t.Parallel()
	count := func(sql string) int {
		source := pgtest.New(t)
		pgtest.Exec(t, source, sql)
		ctx := context.Background()
		tx, err := pgtest.Connect(t, source).Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(ctx)
		q := &counter{Tx: tx}
		if _, err := pgcatalog.Read(ctx, q, pgcatalog.Options{}); err != nil {
			t.Fatal(err)
		}
		return q.n
	}
	one := count(shop)
	many := count(shop + `; do $$ begin for i in 1..90 loop
		execute format('create table t%s (id serial primary key, a text default ''x'' check (a <> '''')); create view v%s as select * from t%s', i, i, i);
	end loop; end $$`)
	unused := count(`do $$ begin for i in 1..2500 loop execute format('create sequence s%s', i); end loop; end $$`)
	if one != many || one > 70 || unused > 80 {
		t.Errorf("%d queries for a small catalog, %d for a larger one, %d for 2500 sequences that were never used", one, many, unused)
	}
}

func TestTablesTellWhatACopyMustKnow(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `
		create table g (a int, "B" int, c int generated always as (a * 2) stored, gone int);
		alter table g drop column gone;
		insert into g select i from generate_series(1, 5000) i; analyze g;
		create unlogged table u (x text); alter table u enable row level security;
		create table p (a int) partition by list (a); create table p1 partition of p for values in (1);
		create view v as select 1; create materialized view m as select 1`)
	c := read(t, source, pgcatalog.Options{})
	if got := tables(c); got != "public.g public.p1 public.u" {
		t.Fatalf("tables %s", got)
	}
	for _, tb := range c.Tables {
		if !tb.Heap || tb.FileNode == 0 || len(tb.Definition) != 64 {
			t.Errorf("%+v", tb)
		}
		switch tb.Name {
		case "g":
			if strings.Join(tb.Columns, " ") != "a B" || tb.Pages < 10 || tb.Rows != 5000 {
				t.Errorf("%+v", tb)
			}
		case "u":
			if !tb.Unlogged || !tb.RowSecurity || tb.Rows != -1 {
				t.Errorf("%+v", tb)
			}
		}
	}
}

func TestAnEmptyDatabaseHasNothing(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		c := read(t, s.New(t), pgcatalog.Options{})
		if s.Major < 15 { // everybody may create in public, which is how a new database of 15 is not
			c.Entries = slices.DeleteFunc(c.Entries, func(e pgcatalog.Entry) bool { return e.Schema == "" && strings.Contains(e.Name, "public") })
		}
		if len(c.Entries) != 0 || len(c.LeftOut) != 0 || len(c.Tables) != 0 {
			t.Errorf("%q, left out %+v", names(c), c.LeftOut)
		}
	})
}

func TestAnyRoleReadsTheCatalogAndLearnsWhatWouldLetItReadTheRest(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		source := load(t, s, "rest.sql")
		pgtest.Exec(t, source, `create schema hidden; create sequence hidden.s; create sequence hidden."S 2"; grant usage on sequence hidden."S 2" to museum_stranger`)
		stranger := withUser(t, source, "museum_stranger")
		left := read(t, stranger, pgcatalog.Options{}).LeftOut
		kinds := map[string]int{}
		for _, l := range left {
			if l.Reason != pgcatalog.Unreadable || l.Grant == "" {
				t.Errorf("%+v", l)
				continue
			}
			kinds[l.Kind]++
			pgtest.Exec(t, source, l.Grant)
		}
		if kinds["SUBSCRIPTION"] != 2 || kinds["USER MAPPING"] != 2 || kinds["SEQUENCE SET"] != 2 {
			t.Errorf("left out: %v", kinds)
		}
		if left := read(t, stranger, pgcatalog.Options{}).LeftOut; len(left) != 0 {
			t.Errorf("still left out after the grants: %+v", left)
		}
	})
}
