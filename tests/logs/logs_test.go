// Package logs_test lets the local stack take log entries in while Postgres
// goes away and comes back and processes are killed, and looks whether what was
// accepted is found; and whether Guarda's own functions are heard.
//
// The short form is part of the tests. With GUARDA_CHAOS=long Postgres is away
// for a minute, twice; GUARDA_CHAOS_SEED repeats a run's choice of victims.
package logs_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"guarda/shared/postgres/pgserver"
	"guarda/tests/localstack"
)

func long() bool { return os.Getenv("GUARDA_CHAOS") == "long" }

// world is a stack and the database that it works with.
type world struct {
	stack  *localstack.Stack
	config pgserver.Config
	server *pgserver.Server
	url    string
}

func TestLogsOfALocalStack(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "guarda-logs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &world{config: pgserver.Config{Dir: dir}}
	if w.server, err = pgserver.Start(t.Context(), w.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.server.Stop() })
	w.config.Port = w.server.Port() // whoever knows it finds the server there again
	w.url = w.server.URL("postgres")
	w.stack = localstack.Start(t, localstack.Options{Root: root, Database: w.url, Functions: []string{"authorizer", "auth", "migrate", "sources", "backup-auto", "backup-execute",
		"scheduled-backup", "backup-coordinator", "backup-worker", "cloudwatch-logs", "logs-ingest", "logs-search", "logs-tail", "logs-keeper"}})
	t.Run("own", w.testOwn)
	t.Run("command line", w.testCommandLine)
	t.Run("outage", w.testOutage)
}

// until calls f until it returns true.
func until(t *testing.T, limit time.Duration, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-ctx.Done():
			t.Fatalf("after %s still not: %s", limit, what)
		case <-tick.C:
		}
	}
}
