package choice_test

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/backup/manifest"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/choice"
)

func table(id int, name, sql string) pgcatalog.Entry {
	return pgcatalog.Entry{ID: id, Section: pgcatalog.PreData, Kind: "TABLE", Schema: "s", Name: name, Table: uint32(id), SQL: sql}
}

// TestWhatAnOlderServerCannotHave: each feature is found from the version on
// that lacks it, and not where its words are only names or text.
func TestWhatAnOlderServerCannotHave(t *testing.T) {
	t.Parallel()
	for sql, c := range map[string]struct {
		kind  string
		since int
		whole bool
	}{
		"CREATE FUNCTION s.f() RETURNS int LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\nEND;\n":                                                   {"FUNCTION", 14, true},
		"CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$ begin atomic; return 1 $$;\n":                                                      {"FUNCTION", 0, false},
		"CREATE UNIQUE INDEX i ON s.t USING btree (a) NULLS NOT DISTINCT;\n":                                                                     {"INDEX", 15, true},
		"CREATE INDEX i ON s.t USING btree (\"nulls not distinct\");\n":                                                                          {"INDEX", 0, false},
		"CREATE VIEW s.v WITH (security_invoker='true') AS SELECT 1;\n":                                                                          {"VIEW", 15, true},
		"ALTER PUBLICATION p ADD TABLES IN SCHEMA s;\n":                                                                                          {"PUBLICATION TABLES IN SCHEMA", 15, true},
		"ALTER PUBLICATION p ADD TABLE ONLY s.t (a, b);\n":                                                                                       {"PUBLICATION TABLE", 15, true},
		"ALTER PUBLICATION p ADD TABLE ONLY s.t WHERE ((a > 1));\n":                                                                              {"PUBLICATION TABLE", 15, true},
		"ALTER PUBLICATION p ADD TABLE ONLY s.t;\n":                                                                                              {"PUBLICATION TABLE", 0, false},
		"CREATE STATISTICS s.st ON a, (b + 1) FROM s.t;\n":                                                                                       {"STATISTICS", 14, true},
		"CREATE STATISTICS s.st (ndistinct) ON a, b FROM s.t;\n":                                                                                 {"STATISTICS", 0, false},
		"GRANT MAINTAIN ON TABLE s.t TO r;\n":                                                                                                    {"ACL", 17, true},
		"GRANT SELECT,MAINTAIN,DELETE ON TABLE s.t TO r;\n":                                                                                      {"ACL", 17, false},
		"CREATE TABLE s.t (\n    a numeric(5,-2)\n);\n":                                                                                          {"TABLE", 15, true},
		"CREATE TABLE s.t (\n    a numeric(3,5)[]\n);\n":                                                                                         {"TABLE", 15, true},
		"CREATE TABLE s.t (\n    a numeric(5,5), b numeric(5)\n);\n":                                                                             {"TABLE", 0, false},
		"CREATE TABLE s.t (\n    a int4multirange\n);\n":                                                                                         {"TABLE", 14, true},
		"CREATE TABLE s.t (\n    a integer\n) WITH (fillfactor='70', toast.autovacuum_vacuum_max_threshold='3');\n":                              {"TABLE", 18, false},
		"CREATE TABLE s.t (\n    autovacuum_vacuum_max_threshold integer\n);\n":                                                                  {"TABLE", 0, false},
		"CREATE UNLOGGED SEQUENCE s.q;\n":                                                                                                        {"SEQUENCE", 15, false},
		"CREATE SEQUENCE s.unlogged;\n":                                                                                                          {"SEQUENCE", 0, false},
		"CREATE VIEW s.v AS\n WITH RECURSIVE w(a) AS (SELECT 1) SEARCH DEPTH FIRST BY a SET o SELECT 1;\n":                                       {"VIEW", 14, true},
		"CREATE VIEW s.v AS\n WITH RECURSIVE w(a) AS (SELECT 1) CYCLE a SET c USING p SELECT 1;\n":                                               {"VIEW", 14, true},
		"CREATE VIEW s.v AS\n SELECT search.depth AS cycle FROM (s.search);\n":                                                                   {"VIEW", 0, false},
		"CREATE FUNCTION s.f() RETURNS void\n BEGIN ATOMIC\n MERGE INTO s.t USING s.u ON (true) WHEN MATCHED THEN DO NOTHING;\nEND;\n":           {"FUNCTION", 15, true},
		"CREATE FUNCTION s.f() RETURNS void\n BEGIN ATOMIC\n MERGE INTO s.t USING s.u ON (true) WHEN NOT MATCHED BY SOURCE THEN DELETE;\nEND;\n": {"FUNCTION", 17, true},
		"CREATE FUNCTION s.f() RETURNS int\n BEGIN ATOMIC\n UPDATE s.t SET a = 1 RETURNING (old.a + new.a);\nEND;\n":                             {"FUNCTION", 18, true},
		"CREATE RULE r AS ON UPDATE TO s.v DO INSTEAD UPDATE s.t SET a = new.a WHERE (old.a = 1) RETURNING new.a;\n":                             {"RULE", 0, false},
		"CREATE VIEW s.v AS\n SELECT JSON_ARRAY(1, 2 RETURNING json) AS a;\n":                                                                    {"VIEW", 16, true},
		"CREATE VIEW s.v AS\n SELECT a IS JSON OBJECT AS a FROM s.t;\n":                                                                          {"VIEW", 16, true},
		"CREATE VIEW s.v AS\n SELECT x FROM JSON_TABLE(j, '$' AS p COLUMNS (x integer PATH '$'));\n":                                             {"VIEW", 17, true},
		"CREATE VIEW s.v AS\n SELECT json_object('{a,b}'::text[]) AS json;\n":                                                                    {"VIEW", 0, false},
		"CREATE INDEX i ON s.t USING brin (a int4_minmax_multi_ops);\n":                                                                          {"INDEX", 14, true},
		"CREATE INDEX i ON s.t USING spgist (a) INCLUDE (b);\n":                                                                                  {"INDEX", 14, true},
		"CREATE TABLE s.t (\n    a integer,\n    b integer GENERATED ALWAYS AS ((a * 2))\n);\n":                                                  {"TABLE", 18, true},
		"CREATE TABLE s.t (\n    a integer,\n    b integer GENERATED ALWAYS AS ((a * 2)) STORED\n);\n":                                           {"TABLE", 0, false},
		"CREATE TABLE s.t (\n    a integer GENERATED ALWAYS AS IDENTITY\n);\n":                                                                   {"TABLE", 0, false},
		"CREATE TABLE s.t (\n    a text\n);\nALTER TABLE ONLY s.t ALTER COLUMN a SET COMPRESSION lz4;\n":                                         {"TABLE", 14, false},
		"CREATE TABLE s.t (\n    a text NOT NULL NO INHERIT\n);\n":                                                                               {"TABLE", 18, false},
		"CREATE TABLE s.t (\n    a text NOT NULL\n);\n":                                                                                          {"TABLE", 0, false},
		"ALTER TABLE ONLY s.t ADD CONSTRAINT k PRIMARY KEY (id, valid WITHOUT OVERLAPS);\n":                                                      {"CONSTRAINT", 18, true},
		"ALTER TABLE s.t ADD CONSTRAINT c CHECK ((a > 0)) NOT ENFORCED;\n":                                                                       {"CHECK CONSTRAINT", 18, true},
		"ALTER TABLE ONLY s.t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES s.u(a, b) ON DELETE SET NULL (b);\n":                                {"FK CONSTRAINT", 15, true},
		"CREATE COLLATION s.c (provider = builtin, locale = 'C.UTF-8');\n":                                                                       {"COLLATION", 17, true},
		"CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION s.f();\n":                                                                              {"EVENT TRIGGER", 17, true},
	} {
		for major := 13; major <= 17; major++ {
			m := &manifest.Manifest{Entries: []pgcatalog.Entry{{ID: 1, Section: pgcatalog.PreData, Kind: c.kind, Schema: "s", Name: "t", SQL: sql}}}
			got, err := choice.Make(m, choice.Options{})
			if err != nil {
				t.Fatal(err)
			}
			missing, err := got.ForVersion(major)
			if err != nil {
				t.Fatal(err)
			}
			if found := len(missing) > 0; found != (major < c.since) {
				t.Errorf("%d: %s\n%v", major, sql, missing)
				continue
			}
			if len(missing) > 0 && (missing[0].Since != c.since || missing[0].Whole != c.whole || len(got.Entries) == 1 == c.whole) {
				t.Errorf("%d: %s\n%+v, %d entries left", major, sql, missing[0], len(got.Entries))
			}
			if len(missing) == 0 && got.Entries[0].SQL != sql {
				t.Errorf("%d: %s\nbecame\n%s", major, sql, got.Entries[0].SQL)
			}
		}
	}
}

// TestWhatNeedsWhatIsLeftOutIsLeftOutToo, its rows as well.
func TestWhatNeedsWhatIsLeftOutIsLeftOutToo(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{
		Entries: []pgcatalog.Entry{
			table(1, "t", "CREATE TABLE s.t (\n    a integer,\n    b integer GENERATED ALWAYS AS ((a))\n);\n"),
			table(2, "u", "CREATE TABLE s.u (\n    a integer\n);\n"),
			{ID: 3, Section: pgcatalog.PreData, Kind: "VIEW", Schema: "s", Name: "v", SQL: "CREATE VIEW s.v AS SELECT 1;\n", DependsOn: []int{1}},
		},
		Tables: []manifest.Table{{OID: 1, Schema: "s", Name: "t"}, {OID: 2, Schema: "s", Name: "u"}},
	}
	c, err := choice.Make(m, choice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	missing, err := c.ForVersion(17)
	if err != nil || len(missing) != 2 || !strings.Contains(missing[1].Text().String(), "needs table s.t") {
		t.Errorf("%v, %v", missing, err)
	}
	if len(c.Entries) != 1 || len(c.Tables) != 1 || c.Tables[0].Name != "u" {
		t.Errorf("%+v", c)
	}
}

// TestNotNullIsSaidTheOldWay.
func TestNotNullIsSaidTheOldWay(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"CREATE TABLE s.t (\n    a integer DEFAULT f(1, 2) NOT NULL NO INHERIT,\n    CONSTRAINT n NOT NULL \"B\",\n    CONSTRAINT k CHECK ((a IS NOT NULL)) NO INHERIT\n)\nINHERITS (s.p);\n": "CREATE TABLE s.t (\n    a integer DEFAULT f(1, 2) NOT NULL,\n    CONSTRAINT k CHECK ((a IS NOT NULL)) NO INHERIT\n)\nINHERITS (s.p);\nALTER TABLE ONLY \"s\".\"t\" ALTER COLUMN \"B\" SET NOT NULL;\n",
		"CREATE TABLE s.t (\n    NOT NULL a\n)\nINHERITS (s.p);\n": "CREATE TABLE s.t (\n)\nINHERITS (s.p);\nALTER TABLE ONLY \"s\".\"t\" ALTER COLUMN a SET NOT NULL;\n",
	} {
		m := &manifest.Manifest{Entries: []pgcatalog.Entry{table(1, "t", sql)}}
		c, err := choice.Make(m, choice.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ForVersion(17); err != nil {
			t.Fatal(err)
		}
		squeeze := func(s string) string { return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), " ,", ",") }
		if got := c.Entries[0].SQL; squeeze(got) != squeeze(want) {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", sql, got, want)
		}
	}
}

// TestOnlyWhatIsNamedIsAskedFor: what is needed is not, partitions are.
func TestOnlyWhatIsNamedIsAskedFor(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{
		Entries: []pgcatalog.Entry{
			{ID: 10, Section: pgcatalog.PreData, Kind: "TYPE", Schema: "s", Name: "kind", SQL: "x", DropSQL: "DROP TYPE"},
			table(1, "parent", "CREATE TABLE s.parent"), table(2, "part", "CREATE TABLE s.part"), table(3, "other", "CREATE TABLE s.other"),
			{ID: 11, Section: pgcatalog.PreData, Kind: "TABLE ATTACH", Schema: "s", Name: "part", Table: 2, DependsOn: []int{1, 2}},
			{ID: 12, Section: pgcatalog.PreData, Kind: "VIEW", Schema: "s", Name: "v", Table: 12, DependsOn: []int{3}, DropSQL: "DROP VIEW"},
			{ID: 13, Section: pgcatalog.PostData, Kind: "INDEX", Schema: "s", Name: "i", Table: 2, DependsOn: []int{2}, DropSQL: "DROP INDEX"},
		},
		Tables: []manifest.Table{{OID: 2, Schema: "s", Name: "part"}, {OID: 3, Schema: "s", Name: "other"}},
	}
	c, err := choice.Make(m, choice.Options{Tables: []string{"s.parent", "s.v"}})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for i := range c.Entries {
		if e := &c.Entries[i]; c.Asked(e) {
			asked = append(asked, e.Name)
		}
	}
	slices.Sort(asked)
	if got := strings.Join(asked, " "); got != "i parent part part v" {
		t.Errorf("asked for: %s", got)
	}
	for _, e := range c.Drops() {
		if e.Name == "other" || e.Name == "kind" {
			t.Errorf("%s would be dropped", e.Name)
		}
	}
}
