package pgserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgserver"
)

func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "guarda-pgserver-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the server's user must get through
		t.Fatal(err)
	}
	return dir
}

func TestDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := pgserver.Config{Dir: testDir(t), Password: "s3cret"}
	query := func(s *pgserver.Server, sql string) string {
		t.Helper()
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		var out string
		if err := conn.QueryRow(ctx, sql).Scan(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	s, err := pgserver.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	query(s, "with x as (select set_config('a.b','c',false)) select 'x' from x")
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "create table kept as select 'here' as v"); err != nil {
		t.Fatal(err)
	}
	conn.Close(ctx)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if s, err = pgserver.Start(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if got := query(s, "select v from kept"); got != "here" {
		t.Fatalf("after the restart the row is %q", got)
	}
}

func TestThrowawayServerLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s, err := pgserver.Start(context.Background(), pgserver.Config{Dir: filepath.Join(dir, "pg"), Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pg", "data")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the cluster is still there: %v", err)
	}
}

func TestStartsAfterItsServerWasKilled(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := pgserver.Config{Dir: testDir(t)}
	s, err := pgserver.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(cfg.Dir, "data", "postmaster.pid")
	b, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(b), "\n", 2)[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	// The lock file of a dead server whose id now belongs to another process.
	if err := os.WriteFile(lock, []byte(strconv.Itoa(os.Getpid())+"\n"+cfg.Dir+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = pgserver.Start(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}
