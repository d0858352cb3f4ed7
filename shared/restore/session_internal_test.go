package restore

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore/choice"
)

// A session that restores has none of the limits that the target's database
// sets, as far as its version knows them, and makes tables as they were.
func TestASessionHeedsNoSettingOfItsDatabase(t *testing.T) {
	t.Parallel()
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		dsn := s.New(t)
		limits := []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout"}
		for _, name := range limits {
			pgtest.Exec(t, dsn, "do $$ begin execute format('alter database %I set "+name+" = 3600000', current_database()); exception when undefined_object then end $$")
		}
		pgtest.Exec(t, dsn, "create access method other_heap type table handler heap_tableam_handler; do $$ begin execute format('alter database %I set default_table_access_method = other_heap', current_database()); execute format('alter database %I set default_tablespace = pg_default', current_database()); end $$")
		conn, err := sessionOf(dsn, &manifest.Manifest{}).connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer pgsession.Close(t.Context(), conn)
		row, err := pgsession.One(t.Context(), conn, "select coalesce(string_agg(name || ' ' || setting, ', '), '') from pg_settings where setting <> '0' and name in ('"+strings.Join(limits, "', '")+"')")
		if err != nil || row[0] != "" {
			t.Errorf("limits: %v, %v", row, err)
		}
		row, err = pgsession.One(t.Context(), conn, "select current_setting('default_table_access_method') || ' ' || quote_literal(current_setting('default_tablespace'))")
		if err != nil || row[0] != "heap ''" {
			t.Errorf("where tables go: %v, %v", row, err)
		}
	})
}

// Amounts are read under the locale that they were written under, or not at
// all. Nobody else needs that locale.
func TestMoneyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, "do $$ begin execute format('alter database %I set lc_monetary = %L', current_database(), 'C'); end $$")
	for _, c := range []struct {
		table, locale, want string
		refused             bool
	}{
		{"CREATE TABLE t (\n    a money\n);\n", "C.UTF-8", "C.UTF-8", false},
		{"CREATE TABLE t (\n    a money[]\n);\n", "xx_XX", "", true},
		{"CREATE TABLE t (\n    b integer,\n    money integer\n);\n", "xx_XX", "C", false},
		{"CREATE TABLE t (\n    a money\n);\n", "", "C", false}, // of an old backup
	} {
		x := sessionOf(dsn, &manifest.Manifest{Server: manifest.Server{Monetary: c.locale}})
		x.choice.Entries = []pgcatalog.Entry{{Kind: "TABLE", Name: "t", SQL: c.table}}
		conn, err := x.connect(t.Context())
		if c.refused {
			if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), c.locale) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		row, err := pgsession.One(t.Context(), conn, "show lc_monetary")
		if err != nil || row[0] != c.want {
			t.Errorf("%+v: %v, %v", c, row, err)
		}
		pgsession.Close(t.Context(), conn)
	}
}

func sessionOf(dsn string, m *manifest.Manifest) *restoration {
	return &restoration{Deps: Deps{Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }}, m: m, choice: &choice.Choice{}}
}
