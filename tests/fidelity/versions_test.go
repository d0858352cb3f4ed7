package fidelity_test

import (
	"fmt"
	"strings"
	"testing"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// notForNewer takes away what the older server cannot say in full: what a
// subscription does by default changed with 16 and 18, and 17 brought a right
// (MAINTAIN) that one who revoked everything before did not mean.
const notForNewer = `; do $$ declare s name; begin
	for s in select subname from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) loop
		execute format('alter subscription %I set (slot_name = none)', s);
		execute format('drop subscription %I', s);
	end loop;
	if to_regclass('app.nolog') is not null then
		grant all on app.nolog to current_user;
	end if;
	end $$`

// TestTheMuseumMovesToANewerVersion restores what an older server held, and
// compares with what pg_dump and psql make of it there.
func TestTheMuseumMovesToANewerVersion(t *testing.T) {
	t.Parallel()
	servers := pgtest.Servers(t)
	if len(servers) == 1 {
		t.Skip("there is only one major version here")
	}
	newest := servers[len(servers)-1]
	museumOn(t, newest) // its roles
	for i, from := range []pgtest.Server{servers[0], servers[len(servers)/2]} {
		to := newest
		if i == 1 {
			to = servers[len(servers)-2]
		}
		if from.Major >= to.Major {
			continue
		}
		museumOn(t, to)
		for name, text := range museumOn(t, from) {
			t.Run(fmt.Sprintf("%s from %d to %d", name, from.Major, to.Major), func(t *testing.T) {
				t.Parallel()
				source := newDatabase(t, from)
				pgtest.Exec(t, source.url, text)
				pgtest.Exec(t, source.url, notForPgDump+notForNewer)
				target, oracle := newDatabase(t, to), newDatabase(t, to)
				k := source.backUp(t)
				k.into(t, target, restore.Options{Jobs: 4})
				if complaint := oracle.psql(t, source.script(t, to), false); strings.Contains(complaint, "ERROR") {
					t.Fatalf("psql cannot run pg_dump's script: %s", complaint)
				}
				same(t, "pg_dump", oracle.dump(t), target.dump(t))
				k.sameRows(t, target)
			})
		}
	}
}
