package pgcatalog_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/postgres/pgtest"
)

// serversVariable names the folders with other versions' programs (initdb,
// postgres), separated like PATH. One without initdb only lends its pg_dump; without any
// pg_dump a second read of the restored database is the measure.
const serversVariable = "GUARDA_TEST_SERVERS"

func TestOtherVersionsReadBackWhatTheyRestored(t *testing.T) {
	t.Parallel()
	dirs := filepath.SplitList(os.Getenv(serversVariable))
	if len(dirs) == 0 {
		t.Skip(serversVariable + " names no servers of other versions")
	}
	files, _ := filepath.Glob("testdata/*.sql")
	for _, bin := range dirs {
		if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
			continue
		}
		dir, err := os.MkdirTemp("/tmp", "guarda-pgversion-")
		if err != nil {
			t.Fatal(err)
		}
		settings := pgtest.Settings()
		settings["unix_socket_directories"] = ""
		s, err := pgserver.Start(t.Context(), pgserver.Config{Dir: dir, BinDir: bin, Throwaway: true, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		version := serverVersion(t, s.URL("postgres"))
		for _, role := range []string{"museum_reader", `museum Rôle "q"`, "museum_owner", "museum_stranger"} {
			pgtest.Exec(t, s.URL("postgres"), "create role "+pgx.Identifier{role}.Sanitize()+" login")
		}
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".sql")
			t.Run(strconv.Itoa(version)+" "+name, func(t *testing.T) {
				raw, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, db := range []string{name + "_a", name + "_b"} {
					pgtest.Exec(t, s.URL("postgres"), "create database "+db+" template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
				}
				pgtest.Exec(t, s.URL(name+"_a"), museum(string(raw), version))
				c := read(t, s.URL(name+"_a"), pgcatalog.Options{})
				apply(t, s.URL(name+"_b"), c)
				sameEntries(t, c, read(t, s.URL(name+"_b"), pgcatalog.Options{}))
				same(t, inventory(t, s.URL(name+"_a")), inventory(t, s.URL(name+"_b")))
				if program := newestDump(dirs); program != "" {
					same(t, dumpWith(t, program, s.URL(name+"_a")), dumpWith(t, program, s.URL(name+"_b")))
				}
				stranger := read(t, withUser(t, s.URL(name+"_a"), "museum_stranger"), pgcatalog.Options{})
				t.Log(stranger.LeftOut)
			})
		}
	}
}

// inventory describes a database without the code under test: every object
// that depends on another, with the flags of columns, constraints and indexes.
func inventory(t testing.TB, url string) string {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(t, url)
	var out strings.Builder
	for _, sql := range []string{
		`select pg_describe_object(classid, objid, objsubid) || ' > ' || pg_describe_object(refclassid, refobjid, refobjsubid) || ' ' || deptype::text
		 from pg_depend where objid >= 16384 and refobjid >= 16384 and deptype <> 'e'`,
		`select attrelid::regclass::text || ' ' || (case when attisdropped then '' else attname || row(format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attislocal, attinhcount, attstorage, attstattarget, attoptions, attfdwoptions, attcollation::regcollation)::text end)
		 from pg_attribute join pg_class c on c.oid = attrelid where attrelid >= 16384 and not attisdropped and attnum > 0 and relkind <> 't'`,
		`select conrelid::regclass::text || ' ' || conname || row(contype, condeferrable, condeferred, convalidated, conislocal, coninhcount, connoinherit, pg_get_constraintdef(oid))::text from pg_constraint where oid >= 16384 and conparentid = 0`,
		`select oid::regclass::text || row(relkind, relpersistence, relispartition, relrowsecurity, relforcerowsecurity, relreplident, reloptions, relispopulated, relhasindex, pg_get_userbyid(relowner), coalesce(relacl, acldefault(case when relkind = 'S' then 's' else 'r' end::"char", relowner)), pg_get_expr(relpartbound, oid), pg_get_viewdef(oid))::text
		 from pg_class where oid >= 16384 and relkind <> 't' and relname !~ 'pg_toast'`,
		`select indexrelid::regclass::text || row(indisunique, indisprimary, indisexclusion, indisclustered, indisvalid, indisreplident, indimmediate, pg_get_indexdef(indexrelid))::text from pg_index join pg_class c on c.oid = indrelid where indexrelid >= 16384 and relkind <> 't'`,
		`select pg_describe_object(classoid, objoid, objsubid) || ': ' || description from pg_description where objoid >= 16384`,
		`select p.oid::regprocedure::text || coalesce(proacl, acldefault('f', proowner))::text || pg_get_userbyid(proowner) from pg_proc p where p.oid >= 16384`,
		`select t.oid::regtype::text || coalesce(typacl, acldefault('T', typowner))::text || pg_get_userbyid(typowner) || row(typcategory, typdelim, typalign, typstorage, typlen, typbyval, typispreferred, typnotnull, typdefault)::text from pg_type t where t.oid >= 16384 and typrelid = 0`,
	} {
		rows, err := conn.Query(ctx, "select l from ("+sql+") s (l) where l !~ 'pg_toast_[0-9]|ConstraintTrigger_' order by l collate \"C\"")
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l != nil {
				out.WriteString(*l + "\n")
			}
		}
	}
	return out.String()
}

// newestDump returns the newest pg_dump in the folders: it reads every older
// server. "" if there is none.
func newestDump(dirs []string) string {
	best, found := 0, ""
	for _, dir := range dirs {
		program := filepath.Join(dir, "pg_dump")
		out, err := exec.Command(program, "--version").Output()
		if err != nil {
			continue
		}
		fields := strings.Fields(string(out))
		major, _, _ := strings.Cut(fields[len(fields)-1], ".")
		if v, _ := strconv.Atoi(major); v > best {
			best, found = v, program
		}
	}
	return found
}
