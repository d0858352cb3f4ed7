package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	osexec "os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgserver"
)

// PgBouncer puts a real PgBouncer in front of the server of a database URL
// and returns the URL that leads through it. mode is its pool_mode:
// "transaction", "session" or "statement". It ends with the test. Without the
// program the test is skipped, or fails where GUARDA_TEST_STRICT is set.
func PgBouncer(t testing.TB, dsn, mode string) string {
	t.Helper()
	return PgBouncerOf(t, dsn, mode, 10)
}

// PgBouncerOf is PgBouncer with so many connections to the server.
func PgBouncerOf(t testing.TB, dsn, mode string, size int) string {
	t.Helper()
	program, err := osexec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
	}
	if !isFile(program) {
		if os.Getenv("GUARDA_TEST_STRICT") != "" {
			t.Fatal("pgbouncer is not installed, and GUARDA_TEST_STRICT is set")
		}
		t.Skip("pgbouncer is not installed here")
	}
	behind, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("parse test database URL: %v", err)
	}
	dir, err := os.MkdirTemp("/tmp", "guarda-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port, err := pgserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	login := "user=" + behind.User.Username()
	if password, ok := behind.User.Password(); ok {
		login += " password=" + password
	}
	database := strings.TrimPrefix(behind.Path, "/")
	config := fmt.Sprintf(`[databases]
%s = host=%s port=%s dbname=%s %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = %d
max_client_conn = 200
`, database, behind.Hostname(), behind.Port(), database, login, port, mode, size)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// The shell ends PgBouncer when our end of its input closes, however this
	// process ends.
	cmd := osexec.Command("/bin/sh", "-c", `"$0" "$1" </dev/null >"$2" 2>&1 & pid=$!; cat >/dev/null; kill $pid; wait $pid`, program, file, "/dev/null")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged(t)}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start pgbouncer: %v", err)
	}
	t.Cleanup(func() {
		_ = lifeline.Close()
		_ = cmd.Wait()
	})
	through := *behind
	through.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	await(t, through.String())
	return through.String()
}

func await(t testing.TB, dsn string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("pgbouncer takes no connection: %v", err)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// unprivileged is whom PgBouncer, which refuses root, runs as: nil is ourselves.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("pgbouncer does not run as root, and there is no user nobody")
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
