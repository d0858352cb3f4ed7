package pgcatalog_test

import (
	"os"
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
// postgres), separated like PATH. There is no pg_dump for them here, so a
// second read of the restored database is the measure.
const serversVariable = "GUARDA_TEST_SERVERS"

func TestOtherVersionsReadBackWhatTheyRestored(t *testing.T) {
	t.Parallel()
	dirs := filepath.SplitList(os.Getenv(serversVariable))
	if len(dirs) == 0 {
		t.Skip(serversVariable + " names no servers of other versions")
	}
	files, _ := filepath.Glob("testdata/*.sql")
	for _, bin := range dirs {
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
		for _, role := range []string{"museum_reader", `museum Rôle "q"`} {
			pgtest.Exec(t, s.URL("postgres"), "create role "+pgx.Identifier{role}.Sanitize())
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
			})
		}
	}
}
