package backup

import (
	"context"
	"testing"
	"time"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// TestATableMadeWhileTheSnapshotIsTakenIsLockedToo, and refused when it was
// emptied before that: COPY would read the file that there is now, whatever
// the snapshot shows.
func TestATableMadeWhileTheSnapshotIsTakenIsLockedToo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile string
		refused   bool
	}{
		"made":               {`select 1`, false},
		"made and emptied":   {`truncate late`, true},
		"made and rewritten": {`vacuum full late`, true},
		"made and renamed":   {`alter table late rename to later; create table late (id int)`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			dsn := pgtest.New(t)
			pgtest.Exec(t, dsn, `create table early (id int)`)
			p := &picture{conn: pgtest.Connect(t, dsn)}
			if err := p.lockAll(ctx, pgtest.Connect(t, dsn), time.Second); err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, dsn, `create table late as select 1 as id`)
			if err := p.snapshot(ctx); err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, dsn, c.meanwhile)
			catalog, err := pgcatalog.Read(ctx, p.conn, pgcatalog.Options{})
			if err != nil || len(catalog.Tables) != 2 {
				t.Fatalf("%+v, %v", catalog, err)
			}
			err = p.lockRest(ctx, catalog.Tables)
			if c.refused != (fault.CodeOf(err) == fault.Unavailable && fault.HintOf(err) != "") || !c.refused && err != nil {
				t.Fatalf("%v", err)
			}
			for _, table := range []string{"early", "late"} {
				if _, err := pgtest.Connect(t, dsn).Exec(ctx, `set lock_timeout = '20ms'; truncate `+table); err == nil && !c.refused {
					t.Errorf("the table %s is not locked", table)
				}
			}
		})
	}
}
