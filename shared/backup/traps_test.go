package backup_test

import (
	"fmt"
	"strings"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/postgres/pgtest"
)

// trap is a change that could fool the comparison of one table's rows. In its
// statements, # is a prefix that no other trap has; table is what it is about.
type trap struct {
	before, change, table string
	copies, refers        bool
}

const filled = `create table #t (id int primary key, s text); insert into #t select n, repeat(md5(n::text), 20) from generate_series(1, 600) n`

// traps are made, and sprung, in one database: each is about tables and types
// of its own.
var traps = map[string]trap{
	"rows locked": {filled + `; create table #ref (id int references #t); insert into #ref values (7)`,
		`begin; select * from #t where id < 100 for update; select * from #t for share; insert into #ref values (8); commit`, "t", false, true},
	"subtransactions released and rolled back": {filled,
		`begin; savepoint a; update #t set s = 'kept' where id = 5; release a; savepoint b; update #t set s = 'undone' where id = 500; rollback to b; commit`, "t", true, true},
	"only undone":                     {filled, `begin; update #t set s = 'x'; delete from #t where id < 50; savepoint a; insert into #t values (9000, 'x'); rollback`, "t", false, true},
	"frozen":                          {filled, `vacuum (freeze) #t`, "t", false, true},
	"pruned, and the places taken":    {filled, `update #t set s = 'short' where id = 3; update #t set s = 'shorter' where id = 3; vacuum #t; update #t set s = 'again' where id = 3`, "t", true, true},
	"the same row again in its place": {filled, `delete from #t where id = 30; vacuum #t; insert into #t select 30, repeat(md5('30'), 20)`, "t", true, true},
	"undone, and the places taken":    {filled, `begin; insert into #t select n, 'undone' from generate_series(1000, 1010) n; rollback; vacuum #t; insert into #t select n, 'done' from generate_series(1000, 1010) n`, "t", true, true},
	"cut off at the end":              {filled, `delete from #t where id > 450; vacuum #t`, "t", true, true},
	"emptied by deletes":              {filled, `delete from #t; vacuum #t`, "t", false, false},
	"storage parameters":              {filled, `alter table #t set (fillfactor = 50, autovacuum_enabled = off); alter table #t alter s set storage external; alter table #t alter s set statistics 7; alter table #t replica identity full`, "t", false, true},
	"only TOAST": {`create table #t (id int, s text); alter table #t alter s set storage external; insert into #t select n, repeat(md5(n::text), 200) from generate_series(1, 300) n`,
		`update #t set s = repeat(md5('x'), 200) where id = 7`, "t", true, false},
	"a column dropped and added again": {filled, `alter table #t drop s; alter table #t add s text`, "t", true, false},
	"a column's expression dropped": {`create table #t (id int, g int generated always as (id * 2) stored); insert into #t select n from generate_series(1, 99) n`,
		`alter table #t alter g drop expression`, "t", true, false},
	"another expression": {`create table #t (id int, g int generated always as (id * 2) stored); insert into #t (id) select n from generate_series(1, 99) n`,
		`alter table #t drop g; alter table #t add g int generated always as (id * 3) stored`, "t", true, false},
	"another collation":        {filled, `alter table #t alter s type text collate "C"`, "t", true, false},
	"a type without a rewrite": {`create table #t (v varchar(10)); insert into #t select n from generate_series(1, 99) n`, `alter table #t alter v type text`, "t", true, false},
	"a time that gets a zone":  {`create table #t (at timestamp); insert into #t select timestamp '2026-01-01' + n * interval '1 hour' from generate_series(1, 99) n`, `set timezone = 'UTC'; alter table #t alter at type timestamptz; reset timezone`, "t", true, false},
	"a child written":          {filled + `; create table #child (more int) inherits (#t)`, `insert into #child values (1, 'child', 2); update #t set s = 'x' where id = 1 and false`, "t", false, true},
	"names exchanged":          {filled + `; create table #u as select id, 'another' as s from #t`, `alter table #t rename to #x; alter table #u rename to #t; alter table #x rename to #u`, "u", false, true},
	"partitions exchanged": {`create table #p (id int, s text) partition by list (id); create table #t partition of #p for values in (1); create table #u (id int, s text); insert into #t select 1, n from generate_series(1, 99) n; insert into #u select 1, -n from generate_series(1, 99) n`,
		`alter table #p detach partition #t; alter table #p attach partition #u for values in (1)`, "t", false, true},
	"a materialized view refreshed": {filled + `; create materialized view #m as select count(*) from #t`, `refresh materialized view #m`, "t", false, true},
	"labels exchanged": {`create type #mood as enum ('good', 'bad'); create table #t as select 'good'::#mood as m from generate_series(1, 9)`,
		`alter type #mood rename value 'good' to 'x'; alter type #mood rename value 'bad' to 'good'; alter type #mood rename value 'x' to 'bad'`, "t", true, false},
	"a label in a range": {`create type #mood as enum ('bad', 'good'); create type #span as range (subtype = #mood); create table #t as select #span('bad', 'good') as r from generate_series(1, 9)`,
		`alter type #mood rename value 'good' to 'better'`, "t", true, false},
	"a row's type got a column": {`create table #inner (a int); create table #t as select row(n)::#inner as v from generate_series(1, 9) n`,
		`alter table #inner add b int`, "t", true, false},
	"an attribute dropped": {`create type #pair as (a int, b int); create table #t as select row(n, 2)::#pair as p from generate_series(1, 9) n`,
		`alter type #pair drop attribute b`, "t", true, false},
	"a domain got a condition": {`create domain #d as int; create table #t as select n::#d as v from generate_series(1, 9) n`,
		`alter domain #d add check (value > 0)`, "t", true, false},
	"a name in a range": {`create type #span as range (subtype = regtype); create type #shown as enum (); create table #t as select #span('#shown'::regtype, null) as r from generate_series(1, 9)`,
		`alter type #shown rename to #hidden`, "t", true, false},
}

// multirangeTraps are for servers that have them.
var multirangeTraps = map[string]trap{
	"a label in a multirange": {`create type #mood as enum ('bad', 'good'); create type #span as range (subtype = #mood, multirange_type_name = #spans); create table #t as select #spans(#span('bad', 'good')) as r from generate_series(1, 9)`,
		`alter type #mood rename value 'good' to 'better'`, "t", true, false},
	"a name in a multirange": {`create type #span as range (subtype = regtype, multirange_type_name = #spans); create type #shown as enum (); create table #t as select #spans(#span('#shown'::regtype, null)) as r from generate_series(1, 9)`,
		`alter type #shown rename to #hidden`, "t", true, false},
}

// TestTrapsForAComparison: after all of them, one incremental backup restores
// to the database as it is, and each table was copied, or referred to, as its
// change asks for.
func TestTrapsForAComparison(t *testing.T) {
	t.Parallel()
	all := map[string]trap{}
	for name, c := range traps {
		all[name] = c
	}
	if ranges(t) {
		for name, c := range multirangeTraps {
			all[name] = c
		}
	}
	s := newSeries(t, "")
	prefixes := map[string]string{}
	for name, c := range all {
		prefixes[name] = fmt.Sprintf("x%d_", len(prefixes))
		pgtest.Exec(t, s.dsn, strings.ReplaceAll(c.before, "#", prefixes[name]))
	}
	s.take(t, backup.Full)
	for name, c := range all {
		execEach(t, s.dsn, strings.ReplaceAll(c.change, "#", prefixes[name]))
	}
	r := s.take(t, backup.Incremental)
	if r.Type != backup.Incremental {
		t.Fatalf("%+v", r.Warnings)
	}
	for name, c := range all {
		refers := c.refers && (!c.copies || ranges(t))
		if copied, reused := s.copied(t, r.BackupID, prefixes[name]+c.table); (copied > 0) != c.copies || (reused > 0) != refers {
			t.Errorf("%s: %d chunks of the table were copied and %d referred to", name, copied, reused)
		}
	}
	s.same(t, r)
}
