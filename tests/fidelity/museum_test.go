package fidelity_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// onEachMuseum runs a test with each file of the museum on each version.
func onEachMuseum(t *testing.T, servers []pgtest.Server, test func(t *testing.T, s pgtest.Server, text string)) {
	t.Helper()
	for _, s := range servers {
		for name, text := range museumOn(t, s) {
			t.Run(fmt.Sprintf("%s on %d", name, s.Major), func(t *testing.T) {
				t.Parallel()
				test(t, s, text)
			})
		}
	}
}

// allVariable runs on every version what is else run on two of them.
const allVariable = "GUARDA_FIDELITY_ALL"

// ownAndNewest are the run's own server and the newest one.
func ownAndNewest(t testing.TB) []pgtest.Server {
	t.Helper()
	all := pgtest.Servers(t)
	if os.Getenv(allVariable) != "" {
		return all
	}
	own, newest := pgtest.Own(t), all[len(all)-1]
	if own.Major == newest.Major {
		return []pgtest.Server{own}
	}
	return []pgtest.Server{own, newest}
}

// museumOn makes the roles that the museum names, and returns its files as the
// server can take them.
func museumOn(t testing.TB, s pgtest.Server) map[string]string {
	t.Helper()
	for _, role := range []string{"museum_reader", `museum Rôle "q"`, "museum_owner"} {
		s.Role(t, role)
	}
	files, err := filepath.Glob("../../shared/pgcatalog/testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no museum: %v", err)
	}
	texts := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(file), ".sql")] = museum(string(raw), s.Major)
	}
	return texts
}

// TestTheMuseumComesBack is the whole way on each version: a backup by the
// superuser, restored by several jobs, and exported for psql, which stops at
// the first error.
func TestTheMuseumComesBack(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, pgtest.Servers(t), func(t *testing.T, s pgtest.Server, text string) {
		source, restored, run := newDatabase(t, s), newDatabase(t, s), newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		k := source.backUp(t)
		want := source.dump(t)
		k.into(t, restored, restore.Options{Jobs: 4})
		same(t, "pg_dump", want, restored.dump(t))
		k.sameRows(t, restored)
		run.psql(t, k.exported(t), true)
		same(t, "pg_dump after psql", want, run.dump(t))
		k.sameRows(t, run)
	})
}

// notForPgDump are the things of the museum that pg_dump itself does not bring
// back, or not as they were: a language whose handler is another's, and, of a
// server older than the program, an unlogged table's identity and a child's
// own NOT NULL; the order of columns in a table that became a child later,
// children of parents whose defaults differ, and a child's own storage and
// compression; exclusion constraints of partitioned tables.
const notForPgDump = `do $$ begin
	drop language if exists r_lang cascade;
	drop language if exists v_lang cascade;
	drop language if exists "O lang" cascade;
	if to_regclass('app.nolog') is not null then
		alter table app.nolog set logged;
		alter table app.kid2 alter c drop not null;
		drop table app.adopted;
		drop table if exists app.inh_12, app.inh_3 cascade;
	end if;
	if to_regclass('o.ic1') is not null then
		alter table o.ic1 alter b drop not null;
		alter table o.unlogged_ident set logged;
		drop table if exists o.ic_store, o.ic_comp;
	end if;
	if to_regclass('x.dup') is not null then
		drop table if exists x.ex_p, x.rooms_p, x.rooms_r;
	end if;
	end $$`

// TestTheMuseumComesBackWithoutOwners compares everything but the grants with
// the source, and the grants, which change with the owners, with those that
// pg_dump's own script makes.
func TestTheMuseumComesBackWithoutOwners(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, ownAndNewest(t), func(t *testing.T, s pgtest.Server, text string) {
		source := newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		// pg_dump groups large objects by their owners, even without owners.
		pgtest.Exec(t, source.url, notForPgDump+"; do $$ begin perform from pg_largeobject_metadata where oid = 90002; if found then alter large object 90002 owner to current_user; end if; end $$")
		target, oracle := newDatabase(t, s), newDatabase(t, s)
		source.backUp(t).into(t, target, restore.Options{NoOwner: true})
		plain := func(d database) string { return publicSchema.ReplaceAllString(d.dump(t, "--no-owner", "--no-acl"), "") }
		same(t, "pg_dump --no-owner --no-acl", plain(source), plain(target))
		owner := pgtest.Connect(t, target.url).Config().User
		for _, m := range ownerLine.FindAllStringSubmatch(target.dump(t, "-s"), -1) {
			if m[1] != owner {
				t.Errorf("owned by %s: %s", m[1], m[0])
			}
		}
		if complaint := oracle.psql(t, source.script(t, s, "-s", "--no-owner"), false); strings.Contains(complaint, "ERROR") {
			t.Fatalf("psql cannot run pg_dump's script: %s", complaint)
		}
		owners := map[string]string{}
		for _, m := range aclHeader.FindAllStringSubmatch(source.dump(t, "-s"), -1) {
			owners[m[1]] = m[2]
		}
		same(t, "the grants", grants(oracle.dump(t, "-s"), owners), grants(target.dump(t, "-s"), owners))
	})
}

var (
	// pg_dump mentions the schema public when its owner is an unusual one.
	publicSchema = regexp.MustCompile(`(?m)^--\n-- Name: public; Type: SCHEMA; .*\n--\n\n-- \*not\* creating schema, since initdb creates it\n\n\n`)
	ownerLine    = regexp.MustCompile(`(?m)^ALTER .* OWNER TO (.*);$`)
	aclHeader    = regexp.MustCompile(`(?m)^-- Name: (.*; Type: (?:DEFAULT )?ACL; Schema: .*); Owner: (.*)$`)
)

// grants lists a dump's grants, without those to the objects' former owners:
// pg_dump gives them rights or not, as the rights were usual or not.
func grants(dump string, owners map[string]string) string {
	var out []string
	object, former := "", ""
	for line := range strings.SplitSeq(dump, "\n") {
		if m := aclHeader.FindStringSubmatch(line); m != nil {
			object, former = m[1], owners[m[1]]
		}
		about := strings.HasPrefix(line, "GRANT ") || strings.HasPrefix(line, "REVOKE ") || strings.HasPrefix(line, "ALTER DEFAULT PRIVILEGES ")
		if about && !strings.HasSuffix(line, " TO "+former+";") && !strings.HasSuffix(line, " FROM "+former+";") {
			out = append(out, object+": "+line)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

// TestAPlainRolesMuseumComesBack is about all of the museum that a role
// without any special right can make in a database of its own.
func TestAPlainRolesMuseumComesBack(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, ownAndNewest(t), func(t *testing.T, s pgtest.Server, text string) {
		const owner = "museum_owner"
		own := func() database {
			d := newDatabase(t, s)
			pgtest.Exec(t, d.url, "alter database "+pgx.Identifier{databaseName(t, d.url)}.Sanitize()+" owner to "+owner+"; alter schema public owner to "+owner)
			return d.as(t, owner)
		}
		source := own()
		source.psql(t, []byte(text), false)
		// Under forced row security nobody without a special right can read it.
		source.psql(t, []byte("alter table if exists app.child_fk no force row level security; alter table if exists v.u no force row level security; alter table if exists x.rls no force row level security"), false)
		source.psql(t, []byte("grant select on large object 91002 to current_user; grant select on sequence v.sq to current_user"), false)
		k := source.backUp(t)
		if made := len(k.m.Entries); made < 10 {
			t.Errorf("the role could make only %d objects: is this still a test?", made)
		}
		for _, noOwner := range []bool{false, true} {
			target := own()
			k.into(t, target, restore.Options{NoOwner: noOwner, Jobs: 4})
			same(t, fmt.Sprintf("pg_dump (no owner: %t)", noOwner), source.dump(t), target.dump(t))
			k.sameRows(t, target)
		}
	})
}

func databaseName(t testing.TB, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return config.Database
}

var (
	createRole = regexp.MustCompile(`(?m)^create role .*$`)
	sinceMark  = regexp.MustCompile(`^(.*)-- (since|before) (\d+)$`)
)

// museum leaves out of a file the lines that a server is too old or too new
// for ("-- since 14" at the end of a line), and roles, which are made once.
func museum(text string, version int) string {
	var out []string
	for line := range strings.SplitSeq(createRole.ReplaceAllString(text, ""), "\n") {
		if m := sinceMark.FindStringSubmatch(line); m != nil {
			limit, _ := strconv.Atoi(m[3])
			if (m[2] == "since") != (version >= limit) {
				continue
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
