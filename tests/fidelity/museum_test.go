package fidelity_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

func TestTheMuseumComesBack(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/pgcatalog/testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no museum: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			t.Parallel()
			source := pgtest.New(t)
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, source, museum(string(raw), 15))
			k := backUp(t, source)
			target := pgtest.New(t)
			k.into(t, target, restore.Options{Jobs: 4})
			same(t, "pg_dump", dump(t, source), dump(t, target))
			k.sameRows(t, target)
		})
	}
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
