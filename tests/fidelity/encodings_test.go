package fidelity_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
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

// TestADatabaseIsMadeAsItWas, with its provider of locales, settings, comment,
// limit, owner and grants; into one that sorts otherwise with a warning.
func TestADatabaseIsMadeAsItWas(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		for _, c := range []struct {
			name, options string
			since         int
		}{
			{"libc", "lc_collate 'C' lc_ctype 'C.UTF-8'", 13},
			{"icu", "locale_provider icu icu_locale 'de-u-co-phonebk' lc_collate 'C' lc_ctype 'C'", 15},
			{"icu with rules", "locale_provider icu icu_locale 'und' icu_rules '&V << w <<< W' lc_collate 'C' lc_ctype 'C'", 16},
			{"builtin", "locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'", 17},
		} {
			if s.Major < c.since {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s.Role(t, "museum_owner")
				s.Role(t, "museum_reader")
				source := newDatabase(t, s)
				name := databaseName(t, source.url)
				quoted := pgx.Identifier{name}.Sanitize()
				pgtest.Exec(t, s.URL(), "drop database "+quoted)
				pgtest.Exec(t, s.URL(), "create database "+quoted+" template template0 encoding 'UTF8' "+c.options)
				pgtest.Exec(t, s.URL(), "alter database "+quoted+" set search_path to \"$user\", \"A b\", public; alter database "+quoted+" set default_transaction_read_only = on; alter database "+quoted+" set work_mem = '5MB'; alter database "+quoted+" set my.guc = 'it''s \\'; alter role museum_reader in database "+quoted+" set datestyle = 'German'; alter database "+quoted+" connection limit 7; comment on database "+quoted+" is 'mine'; revoke connect on database "+quoted+" from public; grant create on database "+quoted+" to museum_reader with grant option; alter database "+quoted+" owner to museum_owner")
				pgtest.Exec(t, source.url, "set transaction read write; create table t (a text); insert into t values ('ä'), ('a'), ('w'), ('V'); create index on t (a)")
				k := source.backUp(t)
				made := database{server: s, url: pgtest.WithDatabase(t, source.url, name[:min(len(name), 50)]+"_made")}
				d := restore.Deps{Store: k.store, Connect: connector(s.URL()), ConnectTo: func(ctx context.Context, name string) (*pgx.Conn, error) {
					return pgx.Connect(ctx, pgtest.WithDatabase(t, s.URL(), name))
				}}
				t.Cleanup(func() {
					pgtest.Exec(t, s.URL(), "drop database if exists "+pgx.Identifier{databaseName(t, made.url)}.Sanitize()+" with (force)")
				})
				r, err := restore.Run(t.Context(), d, restore.Options{NewDatabase: databaseName(t, made.url)}, k.at)
				if err != nil {
					t.Fatalf("%v (%s)", err, fault.HintOf(err))
				}
				if len(r.Warnings) > 0 {
					t.Errorf("warnings: %+v", r.Warnings)
				}
				whole := func(d database) string {
					return strings.ReplaceAll(d.dump(t, "--create"), databaseName(t, d.url), "DB")
				}
				same(t, "pg_dump --create", whole(source), whole(made))
				if c.name == "libc" {
					return
				}
				other := newDatabase(t, s)
				r, err = restore.Run(t.Context(), restore.Deps{Store: k.store, Connect: connector(other.url)}, restore.Options{}, k.at)
				if err != nil || !slices.ContainsFunc(r.Warnings, func(w fault.Warning) bool { return w.Code == "locale_differs" }) {
					t.Errorf("into a database that sorts otherwise: %+v, %v", r, err)
				}
			})
		}
	})
}

func inEncoding(t testing.TB, s pgtest.Server, encoding string) database {
	t.Helper()
	d := newDatabase(t, s)
	name := pgx.Identifier{databaseName(t, d.url)}.Sanitize()
	pgtest.Exec(t, s.URL(), "drop database "+name)
	pgtest.Exec(t, s.URL(), "create database "+name+" template template0 encoding '"+encoding+"' lc_collate 'C' lc_ctype 'C'")
	return d
}
