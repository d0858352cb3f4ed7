package fidelity_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestOtherEncodingsComeBack is about names and rows that the server keeps in
// an encoding other than UTF-8.
func TestOtherEncodingsComeBack(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	for _, c := range []struct{ encoding, sql string }{
		{"LATIN1", `create table "größe" (a text default 'ü', "ñ" int); insert into "größe" values ('äöü ÿ'), ('é');
			comment on table "größe" is 'ÿ'; create type "tÿp" as enum ('ä'); create view v as select 'ß'::text as "ö"`},
		{"WIN1252", `create table t (a text); insert into t values ('€ “quoted”')`},
		// Bytes that are no text in any encoding.
		{"SQL_ASCII", `create table t (a text); insert into t values (convert_from('\x61ff62c328', 'SQL_ASCII')), (convert_from('\xe4f6fc', 'SQL_ASCII'))`},
	} {
		t.Run(c.encoding, func(t *testing.T) {
			t.Parallel()
			source, target := inEncoding(t, s, c.encoding), inEncoding(t, s, c.encoding)
			pgtest.Exec(t, source.url+"&client_encoding=UTF8", c.sql)
			k := source.backUp(t)
			k.into(t, target, restore.Options{})
			same(t, "pg_dump", source.dump(t), target.dump(t))
		})
	}
}

func inEncoding(t testing.TB, s pgtest.Server, encoding string) database {
	t.Helper()
	d := newDatabase(t, s)
	name := pgx.Identifier{databaseName(t, d.url)}.Sanitize()
	pgtest.Exec(t, s.URL(), "drop database "+name)
	pgtest.Exec(t, s.URL(), "create database "+name+" template template0 encoding '"+encoding+"' lc_collate 'C' lc_ctype 'C'")
	return d
}
