// Package pgtest gives tests a real PostgreSQL server: one throw-away server
// per test run, an empty database per test.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/postgres/pgserver"
)

// URLVariable names the environment variable that points tests at a server
// that is running already (a superuser's URL). "make test" sets it, so that
// all packages share one server; without it each test program starts its own.
const URLVariable = "GUARDA_TEST_DATABASE_URL"

var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv(URLVariable); u != "" {
		return u, nil
	}
	dir, err := os.MkdirTemp("/tmp", "guarda-pgtest-")
	if err != nil {
		return "", err
	}
	// Never stopped here: it ends with this process, and its folder with it.
	s, err := pgserver.Start(context.Background(), pgserver.Config{Dir: dir, Throwaway: true, Settings: Settings()})
	if err != nil {
		return "", err
	}
	keep = s
	return s.URL("postgres"), nil
})

// keep holds the server (and the pipe that keeps it alive) against the
// garbage collector.
var keep *pgserver.Server //nolint:unused // it is there to be held, not to be read

// Settings are the server settings that the tests rely on.
func Settings() map[string]string {
	return map[string]string{
		"max_connections":           "500", // as many tests at once as a machine has processors
		"max_prepared_transactions": "50",
		"wal_level":                 "logical",
		"autovacuum":                "off", // tests decide when rows are vacuumed and analyzed
	}
}

// ServerURL returns the URL of the test server's maintenance database, as superuser.
func ServerURL(t testing.TB) string {
	t.Helper()
	u, err := server()
	if err != nil {
		t.Fatalf("start a PostgreSQL server for the tests: %v", err)
	}
	return u
}

// New makes an empty database (UTF-8, template0) and returns its URL. The
// database is dropped when the test ends, connections to it cut.
func New(t testing.TB) string {
	t.Helper()
	return NewNamed(t, "")
}

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

// NewNamed is New with a database name of the test's choice; "" makes one up
// from the test's name.
func NewNamed(t testing.TB, name string) string {
	t.Helper()
	return newOn(t, ServerURL(t), name, LikeNew)
}

// NewFrom is New with all that a database of the run's own server has, to which
// nobody is connected.
func NewFrom(t testing.TB, template string) string {
	t.Helper()
	return newOn(t, ServerURL(t), "", " template "+pgx.Identifier{template}.Sanitize())
}

// LikeNew is what New says of a database after its name.
const LikeNew = " template template0 encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'"

func newOn(t testing.TB, admin, name, how string) string {
	t.Helper()
	if name == "" {
		b := make([]byte, 4)
		_, _ = rand.Read(b)
		base := strings.Trim(notWord.ReplaceAllString(strings.ToLower(t.Name()), "_"), "_")
		if len(base) > 45 {
			base = base[:45]
		}
		name = base + "_" + hex.EncodeToString(b)
	}
	execSQL(t, admin, "create database "+pgx.Identifier{name}.Sanitize()+how)
	u := WithDatabase(t, admin, name)
	t.Cleanup(func() { drop(t, admin, u, name) })
	return u
}

// drop removes a database, and first the subscriptions that a test left in it:
// they forbid that. PostgreSQL gives sessions five seconds to end, which a busy
// machine may not do.
func drop(t testing.TB, admin, url, name string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer conn.Close(ctx)
	statement := "drop database if exists " + pgx.Identifier{name}.Sanitize() + " with (force)"
	for try := 1; ; try++ {
		_, err = conn.Exec(ctx, statement)
		var pg *pgconn.PgError
		if try == 10 || !errors.As(err, &pg) || pg.Code != "55006" {
			break
		}
		execSQL(t, url, `do $$ declare s name; begin
			for s in select subname from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) loop
				execute format('alter subscription %I disable', s);
				execute format('alter subscription %I set (slot_name = none)', s);
				execute format('drop subscription %I', s);
			end loop; end $$`)
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// WithDatabase returns the URL with another database in it.
func WithDatabase(t testing.TB, dsn, database string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("parse test database URL: %v", err)
	}
	u.Path = "/" + database
	return u.String()
}

// WithUser returns the URL with another role and password in it.
func WithUser(t testing.TB, dsn, user, password string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("parse test database URL: %v", err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// Connect opens a connection that is closed when the test ends.
func Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatalf("connect to the test database: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Exec runs SQL (several statements are fine) on a connection of its own.
func Exec(t testing.TB, dsn, sql string) {
	t.Helper()
	execSQL(t, dsn, sql)
}

func execSQL(t testing.TB, dsn, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect to the test database: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		if len(sql) > 300 {
			sql = sql[:300] + "…"
		}
		t.Fatalf("%s: %v", sql, err)
	}
}

// Program returns the path of a client program (pg_dump, psql, pg_restore…).
// Those are oracles in our tests, never a dependency: where the machine has
// none the test is skipped, unless GUARDA_TEST_STRICT is set (as in CI), where
// that is a failure.
func Program(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range pgserver.Installed() {
		if p := filepath.Join(dir, name); isFile(p) {
			return p
		}
	}
	missing(t, name)
	return ""
}

func isFile(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular()
}
