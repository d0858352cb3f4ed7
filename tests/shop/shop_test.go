package shop_test

import (
	"testing"

	"guarda/shared/postgres/pgtest"
	"guarda/tests/shop"
)

func TestLoadMakesTheSameRowsEachTime(t *testing.T) {
	t.Parallel()
	// A parallel plan may finish the branches in any order: each line names its
	// table and the lines are sorted.
	const sums = `select 'events ' || count(*)::text || ' ' || sum(hashtextextended(e::text, 0))::text from shop.events e
		union all select 'customers ' || count(*)::text || ' ' || sum(hashtextextended(c::text, 0))::text from shop.customers c
		union all select 'order_items ' || count(*)::text || ' ' || sum(hashtextextended(i::text, 0))::text from shop.order_items i
		order by 1`
	var seen [2][]string
	for i := range seen {
		conn := pgtest.Connect(t, pgtest.New(t))
		if _, err := conn.Exec(t.Context(), "set timezone = 'UTC'"); err != nil {
			t.Fatal(err)
		}
		if err := shop.Load(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(t.Context(), sums)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			seen[i] = append(seen[i], s)
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
	for i := range seen[0] {
		if seen[0][i] != seen[1][i] {
			t.Errorf("two loads differ: %s and %s", seen[0][i], seen[1][i])
		}
	}
	t.Log(seen[0])
}
