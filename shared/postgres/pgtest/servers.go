package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgserver"
)

const (
	// ServersVariable names the folders of other major versions' server
	// programs (initdb, postgres), separated as in PATH.
	ServersVariable = "GUARDA_TEST_SERVERS"
	// ServerURLsVariable names servers that are running already, as
	// superuser's URLs separated by spaces; it goes before ServersVariable.
	ServerURLsVariable = "GUARDA_TEST_SERVER_URLS"
	// ClientsVariable names a folder of client programs (pg_dump, psql,
	// pg_restore) that are newer than the installed ones.
	ClientsVariable = "GUARDA_TEST_CLIENTS"
)

// Server is a PostgreSQL server that tests may make databases and roles on.
type Server struct {
	Major int
	admin string
}

// URL returns the URL of the server's maintenance database, as superuser.
func (s Server) URL() string { return s.admin }

// New is the package's New on this server.
func (s Server) New(t testing.TB) string {
	t.Helper()
	return newOn(t, s.admin, "", LikeNew)
}

// Role makes a role that may log in, unless the server has it. Roles belong to
// the whole server, so tests share those that they name, and none is dropped.
func (s Server) Role(t testing.TB, name string) {
	t.Helper()
	execSQL(t, s.admin, fmt.Sprintf(`do $$ begin
		perform pg_advisory_lock(7171);
		if not exists (select from pg_roles where rolname = %s) then create role %s login; end if;
		end $$`, "'"+strings.ReplaceAll(name, "'", "''")+"'", pgx.Identifier{name}.Sanitize()))
}

// Own returns the run's own server, the one that New makes databases on.
func Own(t testing.TB) Server {
	t.Helper()
	url := ServerURL(t)
	major, err := majorOf(url)
	if err != nil {
		t.Fatalf("ask the test server for its version: %v", err)
	}
	return Server{Major: major, admin: url}
}

// OnEachServer runs a test on every major version at hand, oldest first: the
// run's own server, and those that ServersVariable or ServerURLsVariable name.
// The tests run in parallel.
func OnEachServer(t *testing.T, test func(t *testing.T, s Server)) {
	t.Helper()
	for _, s := range Servers(t) {
		t.Run("postgres "+strconv.Itoa(s.Major), func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// Servers returns one server of each major version at hand, oldest first.
func Servers(t testing.TB) []Server {
	t.Helper()
	all, err := servers()
	if err != nil {
		t.Fatalf("start the PostgreSQL servers of the tests: %v", err)
	}
	return all
}

var servers = sync.OnceValues(func() ([]Server, error) {
	own, err := server()
	if err != nil {
		return nil, err
	}
	urls := append([]string{own}, strings.Fields(os.Getenv(ServerURLsVariable))...)
	if len(urls) == 1 {
		others, err := StartOthers(context.Background(), filepath.SplitList(os.Getenv(ServersVariable)))
		if err != nil {
			return nil, err
		}
		for _, s := range others {
			urls = append(urls, s.URL("postgres"))
		}
		keepOthers = others
	}
	var all []Server
	for _, u := range urls {
		major, err := majorOf(u)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(s Server) bool { return s.Major == major }) {
			all = append(all, Server{Major: major, admin: u})
		}
	}
	slices.SortFunc(all, func(a, b Server) int { return a.Major - b.Major })
	return all, nil
})

// keepOthers is to the other versions' servers what keep is to the run's own.
var keepOthers []*pgserver.Server //nolint:unused // it is there to be held, not to be read

// StartOthers starts a throw-away server of the programs in each folder.
func StartOthers(ctx context.Context, folders []string) ([]*pgserver.Server, error) {
	started := make([]*pgserver.Server, len(folders))
	failed := make([]error, len(folders))
	var group sync.WaitGroup
	for i, bin := range folders {
		group.Go(func() {
			dir, err := os.MkdirTemp("/tmp", "guarda-pgtest-")
			if err != nil {
				failed[i] = err
				return
			}
			if started[i], err = pgserver.Start(ctx, pgserver.Config{Dir: dir, BinDir: bin, Throwaway: true, Settings: Settings()}); err != nil {
				failed[i] = fmt.Errorf("%s: %w", bin, err)
			}
		})
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return started, nil
}

func majorOf(url string) (int, error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var major int
	err = conn.QueryRow(ctx, "select current_setting('server_version_num')::int / 10000").Scan(&major)
	return major, err
}

var versionInBanner = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// Client returns the path of a client program (pg_dump, psql, pg_restore) that
// is new enough for a server's major version: the installed one, else that in
// ClientsVariable's folder. As with Program, a missing one skips the test, or
// fails it where GUARDA_TEST_STRICT is set.
func Client(t testing.TB, name string, major int) string {
	t.Helper()
	for _, dir := range append(pgserver.Installed(), filepath.SplitList(os.Getenv(ClientsVariable))...) {
		program := filepath.Join(dir, name)
		if !isFile(program) {
			continue
		}
		banner, err := exec.Command(program, "--version").Output()
		if err != nil {
			t.Fatalf("%s --version: %v", program, err)
		}
		if m := versionInBanner.FindSubmatch(banner); m != nil {
			if v, _ := strconv.Atoi(string(m[1])); v >= major {
				return program
			}
		}
	}
	missing(t, fmt.Sprintf("%s of PostgreSQL %d", name, major))
	return ""
}

// missing skips a test whose oracle is not there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("GUARDA_TEST_STRICT") != "" {
		t.Fatalf("%s is not installed, and GUARDA_TEST_STRICT is set", what)
	}
	t.Skipf("%s is not installed here; it is the oracle of this test", what)
}
