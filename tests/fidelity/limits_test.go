package fidelity_test

import (
	"fmt"
	"strings"
	"testing"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestTheWidestTableComesBack has as many columns as a table can have, and
// views and keys beside it.
func TestTheWidestTableComesBack(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	source, target := newDatabase(t, s), newDatabase(t, s)
	var columns []string
	for i := range 1600 {
		columns = append(columns, fmt.Sprintf("c%d %s", i, []string{"smallint", "text", "boolean", "bit(3)"}[i%4]))
	}
	pgtest.Exec(t, source.url, "create table wide ("+strings.Join(columns, ", ")+"); insert into wide (c0, c1, c1598, c1599) values (1, 'first', true, B'101'), (2, null, null, null); create view narrow as select c0, c1599 from wide; create index on wide (c1597)")
	k := source.backUp(t)
	k.into(t, target, restore.Options{})
	same(t, "pg_dump", source.dump(t), target.dump(t))
	k.sameRows(t, target)
}

// TestViewsOverViewsComeBack has a chain that is longer than a careless
// recursion is deep.
func TestViewsOverViewsComeBack(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	source, target := newDatabase(t, s), newDatabase(t, s)
	pgtest.Exec(t, source.url, `create view link0 as select 1 as a;
		do $$ begin for i in 1..500 loop execute format('create view link%s as select a from link%s', i, i - 1); end loop; end $$`)
	source.backUp(t).into(t, target, restore.Options{Jobs: 4})
	same(t, "pg_dump", source.dump(t), target.dump(t))
}
