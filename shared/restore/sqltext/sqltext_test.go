package sqltext_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore/sqltext"
)

func quote(s string) string { return `"` + s + `"` }

func TestTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`select 'it''s' || E'a\'b' from "a""b".c -- end`: {"select", "'it''s'", "|", "|", `E'a\'b'`, "from", `"a""b"`, ".", "c", "-- end"},
		"/* a /* nested */ b */ x":                       {"/* a /* nested */ b */", "x"},
		"$$ a $x$ b $$ $x$ $$ $x$ $1 a$b":                {"$$ a $x$ b $$", "$x$ $$ $x$", "$1", "a$b"},
		`U&'\0041' u&"x" B'01' x'ff' n'y' e 'z'`:         {`U&'\0041'`, `u&"x"`, "B'01'", "x'ff'", "n'y'", "e", "'z'"},
		"1.5e-3 .5 1..2 a[1:2]::int":                     {"1.5e-3", ".5", "1", ".", ".2", "a", "[", "1", ":", "2", "]", ":", ":", "int"},
		"naïve_é ümlaut":                                 {"naïve_é", "ümlaut"},
		`'\' 'next'`:                                     {`'\'`, "'next'"},
	} {
		tokens, err := sqltext.Tokens(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, token := range tokens {
			if token.Kind != sqltext.Space {
				got = append(got, token.Text)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q\nwant\n%q", text, got, want)
		}
		if sqltext.Join(tokens) != text {
			t.Errorf("%s: joined it is %s", text, sqltext.Join(tokens))
		}
	}
	for _, text := range []string{"'a", `"a`, "$$ a $", "/* a", "E'\\'"} {
		if _, err := sqltext.Tokens(text); fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	const text = "create function f() begin atomic select case when true then 1 end; select 2; end;\n" +
		"create rule r as on insert to t do (delete from a; delete from b);\nselect ';'; -- last\n"
	tokens, err := sqltext.Tokens(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sqltext.Statements(tokens) {
		got = append(got, strings.TrimSpace(sqltext.Join(s)))
	}
	if len(got) != 3 || !strings.HasSuffix(got[0], "end;") || !strings.HasSuffix(got[1], "b);") || got[2] != "select ';'; -- last" {
		t.Errorf("%q", got)
	}
}

func TestSchemasAreRenamedWhereTheyAreMeant(t *testing.T) {
	t.Parallel()
	to := map[string]string{"app": "new", "Old Name": `x"y`, "s": "z", `odd"one`: "w"}
	q := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	for text, want := range map[string]string{
		`CREATE TABLE app.t (app text, t app.kind[] DEFAULT '{}'::app.kind[]);`:          `CREATE TABLE "new".t (app text, t "new".kind[] DEFAULT '{}'::"new".kind[]);`,
		`ALTER TABLE "Old Name".t OWNER TO app;`:                                         `ALTER TABLE "x""y".t OWNER TO app;`,
		`ALTER TABLE ONLY app.t ALTER id SET DEFAULT nextval('app.t_id_seq'::regclass);`: `ALTER TABLE ONLY "new".t ALTER id SET DEFAULT nextval('"new".t_id_seq'::regclass);`,
		`SELECT pg_catalog.setval('"Old Name".q', 3, true);`:                             `SELECT pg_catalog.setval('"x""y".q', 3, true);`,
		`CREATE SCHEMA app;`:                                      `CREATE SCHEMA "new";`,
		`DROP SCHEMA IF EXISTS app;`:                              `DROP SCHEMA IF EXISTS "new";`,
		`GRANT USAGE ON SCHEMA app TO app;`:                       `GRANT USAGE ON SCHEMA "new" TO app;`,
		`ALTER PUBLICATION p ADD TABLES IN SCHEMA other, app;`:    `ALTER PUBLICATION p ADD TABLES IN SCHEMA other, "new";`,
		`ALTER FUNCTION f() SET search_path TO 'app', 'pg_temp';`: `ALTER FUNCTION f() SET search_path TO 'new', 'pg_temp';`,
		`SELECT a OPERATOR(app.+) b, y FROM other.f('app.f') t;`:  `SELECT a OPERATOR("new".+) b, y FROM other.f('app.f') t;`,
		`COMMENT ON TABLE other.app IS 'app.t';`:                  `COMMENT ON TABLE other.app IS 'app.t';`,
		`CREATE VIEW v AS SELECT APP.t.id FROM App.t;`:            `CREATE VIEW v AS SELECT "new".t.id FROM "new".t;`,
		`CREATE VIEW v AS SELECT "App".t.id FROM "App".t;`:        `CREATE VIEW v AS SELECT "App".t.id FROM "App".t;`,
	} {
		got, err := sqltext.RenameSchemas(text, to, q)
		if err != nil || got.Text != want || got.Ambiguous != "" {
			t.Errorf("%s\n%+v, %v\nwant %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		`CREATE VIEW v AS SELECT s.id FROM app.s JOIN s.t ON true;`: "s",
		`CREATE VIEW v AS SELECT app.id FROM other.t AS app, app.t`: "app",
	} {
		if got, err := sqltext.RenameSchemas(text, to, q); err != nil || got.Ambiguous != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]bool{
		`CREATE FUNCTION f() AS $$ select * from app.t $$;`:     true,
		`CREATE FUNCTION f() AS 'select * from "Old Name" . t'`: true,
		`CREATE FUNCTION f() AS $$ select 'happy.end' $$;`:      false,
		`CREATE FUNCTION f() AS $$ select * from APP.t $$;`:     true,
		`CREATE FUNCTION f() AS $$ from "odd""one".t $$;`:       true,
		`CREATE FUNCTION f() AS $$ select app from t $$;`:       false,
	} {
		if got, err := sqltext.RenameSchemas(text, to, q); err != nil || got.Left != want || got.Text != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestPsqlReadsWhatTheServerReads(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`select a[1:"USER"], b[x:y], c::text, d[:n], '\! ls', "a\b", $$ \q $$ -- \! ls`: `select a[1: "USER"], b[x: y], c::text, d[: n], '\! ls', "a\b", $$ \q $$ -- \! ls`,
		`select a[1:2];`: `select a[1:2];`,
		`select 1;`:      `select 1;`,
	} {
		if got, err := sqltext.ForPsql(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"select 1; \\! touch x", "\\connect other", "select 'a' \\g"} {
		if _, err := sqltext.ForPsql(text); fault.CodeOf(err) != fault.Corrupt || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestTheServerCutsConstantsLikeUs: what we take for one constant or name is
// one for the server.
func TestTheServerCutsConstantsLikeUs(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.New(t))
	for _, text := range []string{`'a''b'`, `E'a\'b\\'`, `$$ ' $$`, `$x$ $$ $x$`, `$é$ a $é$`, `U&'\0041'`, `'\'`, `B'01'::text`, `N'x'`, `1.5e3`, `/* a /* b */ c */ 1`} {
		tokens, err := sqltext.Tokens(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var value any
		if err := conn.QueryRow(context.Background(), fmt.Sprintf("select %s as v", text)).Scan(&value); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if plain, ok := tokens[0].Constant(); ok && fmt.Sprint(value) != plain {
			t.Errorf("%s: %q, the server says %v", text, plain, value)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, seed := range []string{"select 'a' from \"b\" -- c\n", "$$x$$ /* y */ E'\\'' U&\"z\"", "create function f() begin atomic select 1; end;", "a.b(c::d)[1:2];"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := sqltext.Tokens(text)
		if err != nil {
			return
		}
		if sqltext.Join(tokens) != text {
			t.Fatalf("%q became %q", text, sqltext.Join(tokens))
		}
		for _, token := range tokens {
			if token.Text == "" {
				t.Fatalf("an empty token in %q", text)
			}
		}
		n := 0
		for _, s := range sqltext.Statements(tokens) {
			n += len(s)
		}
		if n != len(tokens) {
			t.Fatalf("%d tokens in the statements of %d", n, len(tokens))
		}
		// Renaming a schema away and back is where it began, but for quotes.
		there, err := sqltext.RenameSchemas(text, map[string]string{"zzqa": "zzqb"}, quote)
		if err != nil || !strings.Contains(text, "zzq") && there.Text != text {
			t.Fatalf("%q became %q, %v", text, there.Text, err)
		}
		if safe, err := sqltext.ForPsql(text); err == nil {
			again, err := sqltext.ForPsql(safe)
			if err != nil || again != safe {
				t.Fatalf("%q became %q and then %q, %v", text, safe, again, err)
			}
		}
	})
}
