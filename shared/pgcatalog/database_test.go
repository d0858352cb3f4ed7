package pgcatalog_test

import (
	"context"
	"testing"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func TestWhatBelongsToTheDatabaseCanBeGivenToAnother(t *testing.T) {
	t.Parallel()
	makeRoles(t)
	source, target := pgtest.New(t), pgtest.New(t)
	name := databaseName(source)
	pgtest.Exec(t, source, `
		alter database `+name+` set search_path = "$user", public, "Odd, name";
		alter database `+name+` set work_mem = '7MB';
		alter role museum_reader in database `+name+` set "my.own" = 'it''s \ ok';
		alter database `+name+` connection limit 7;
		comment on database `+name+` is 'it''s';
		grant create on database `+name+` to museum_reader; revoke connect on database `+name+` from public;
		alter database `+name+` owner to museum_owner`)
	of := func(url string) pgcatalog.Database {
		d := read(t, url, pgcatalog.Options{}).Database
		return d
	}
	want := of(source)
	conn := pgtest.Connect(t, target)
	var unquoted string
	if err := conn.QueryRow(context.Background(), "select current_database()").Scan(&unquoted); err != nil {
		t.Fatal(err)
	}
	properties, owner := want.PropertiesSQL(unquoted)
	pgtest.Exec(t, target, owner+properties)
	got := of(target)
	again, _ := got.PropertiesSQL("x")
	before, _ := want.PropertiesSQL("x")
	same(t, before, again)
	if got.Owner != "museum_owner" || len(got.Settings) != 3 || got.ConnectionLimit != 7 || got.Comment != "it's" {
		t.Errorf("%+v", got)
	}
}
