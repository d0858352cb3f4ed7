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
func onEachMuseum(t *testing.T, test func(t *testing.T, s pgtest.Server, text string)) {
	t.Helper()
	files, err := filepath.Glob("../../shared/pgcatalog/testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no museum: %v", err)
	}
	pgtest.OnEachServer(t, func(t *testing.T, s pgtest.Server) {
		for _, role := range []string{"museum_reader", `museum Rôle "q"`, "museum_owner"} {
			s.Role(t, role)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
				t.Parallel()
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				test(t, s, museum(string(raw), s.Major))
			})
		}
	})
}

func TestTheMuseumComesBack(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, func(t *testing.T, s pgtest.Server, text string) {
		source := newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		k := source.backUp(t)
		for _, jobs := range []int{1, 4} {
			target := newDatabase(t, s)
			k.into(t, target, restore.Options{Jobs: jobs})
			same(t, fmt.Sprintf("pg_dump (%d jobs)", jobs), source.dump(t), target.dump(t))
			k.sameRows(t, target)
		}
	})
}

// TestTheMuseumComesBackWithoutOwners compares with what pg_dump itself makes
// of the database without owners, as what was granted changes with them.
func TestTheMuseumComesBackWithoutOwners(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, func(t *testing.T, s pgtest.Server, text string) {
		source := newDatabase(t, s)
		pgtest.Exec(t, source.url, text)
		target, oracle := newDatabase(t, s), newDatabase(t, s)
		source.backUp(t).into(t, target, restore.Options{NoOwner: true})
		if out := oracle.psql(t, source.rawDump(t, s.Major, "--no-owner"), false); out != "" {
			t.Logf("psql says of pg_dump's own script: %s", out)
		}
		same(t, "pg_dump", oracle.dump(t), target.dump(t))
	})
}

// TestAPlainRolesMuseumComesBack is about all of the museum that a role
// without any special right can make in a database of its own.
func TestAPlainRolesMuseumComesBack(t *testing.T) {
	t.Parallel()
	onEachMuseum(t, func(t *testing.T, s pgtest.Server, text string) {
		const owner = "museum_owner"
		own := func() database {
			d := newDatabase(t, s)
			pgtest.Exec(t, d.url, "alter database "+pgx.Identifier{databaseName(t, d.url)}.Sanitize()+" owner to "+owner+"; alter schema public owner to "+owner)
			return d.as(t, owner)
		}
		source := own()
		source.psql(t, []byte(text), false)
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
