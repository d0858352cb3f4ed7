package fidelity_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestTheMuseumIsReplaced: --clean drops all of it in an order that the server
// allows, and nothing is left of what was changed meanwhile.
func TestTheMuseumIsReplaced(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, ownAndNewest(t), func(t *testing.T, s pgtest.Server, text string) {
		d := newDatabase(t, s)
		pgtest.Exec(t, d.url, text)
		k := d.backUp(t)
		want := d.dump(t)
		k.into(t, d, restore.Options{Jobs: 3, Clean: true, Confirm: databaseName(t, d.url)})
		same(t, "pg_dump", want, d.dump(t))
		k.sameRows(t, d)
	})
}

// TestEachTableComesAlone with what it needs: types, functions of its defaults,
// sequences, and what concerns it.
func TestEachTableComesAlone(t *testing.T) {
	t.Parallel()
	const every = 9 // a table of so many is tried
	onEachMuseum(t, ownAndNewest(t)[:1], func(t *testing.T, s pgtest.Server, text string) {
		source := newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		k := source.backUp(t)
		for i := 0; i < len(k.m.Tables); i += every {
			table := k.m.Tables[i]
			t.Run(fmt.Sprintf("%s.%s", table.Schema, table.Name), func(t *testing.T) {
				pattern := pgx.Identifier{table.Schema, table.Name}.Sanitize()
				d := newDatabase(t, s)
				r, err := restore.Run(t.Context(), restore.Deps{Connect: connector(d.url), Store: k.store}, restore.Options{Tables: []string{pattern}}, k.at)
				if err != nil {
					t.Fatal(err)
				}
				if r.Rows < table.Rows || d.query(t, "select count(*) from only "+pattern) != fmt.Sprint(table.Rows) {
					t.Errorf("%d rows came of %d", r.Rows, table.Rows)
				}
			})
		}
	})
}
