package backup

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/postgres/pgtest"
)

// A view in the place of a table, as a renamed schema allows, is not read, and
// what it calls not run.
func TestAViewInATablesPlaceIsNotRead(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		dsn := s.New(t)
		pgtest.Exec(t, dsn, `create schema app; create table app.t (a int); create schema trap; create table trap.called (a int);
			create function trap.f() returns int language plpgsql as $$ begin raise 'called'; end $$; create view trap.t as select trap.f() as a`)
		conn := pgtest.Connect(t, dsn)
		if !canRefuseViews(serverSetting(conn, "server_version")) {
			t.Skipf("version %s cannot refuse views", serverSetting(conn, "server_version"))
		}
		if err := begin(t.Context(), conn, time.Second, ""); err != nil {
			t.Fatal(err)
		}
		if err := lockTables(t.Context(), conn, []string{"app.t"}); err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, dsn, "alter schema app rename to old; alter schema trap rename to app")
		var pg *pgconn.PgError
		err := pgsession.Exec(t.Context(), conn, "copy (select a from only app.t) to stdout")
		if !errors.As(err, &pg) || pg.Code != "55000" {
			t.Errorf("%v", err)
		}
	})
}

func TestWhichServersCanRefuseViews(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"13.15": false, "13.16": true, "14.12 (Debian 14.12-1)": false, "14.13": true, "15.7": false, "15.8": true, "16.3": false, "16.4": true, "17.0": true, "18beta1": true, "19devel": true} {
		if canRefuseViews(version) != want {
			t.Errorf("%s: %t", version, !want)
		}
	}
}
