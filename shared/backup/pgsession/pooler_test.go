package pgsession_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

func refuse(t *testing.T, dsn string) error {
	t.Helper()
	return pgsession.RefusePooler(context.Background(), pgtest.Connect(t, dsn), pgtest.Connect(t, dsn))
}

func TestADirectConnectionPasses(t *testing.T) {
	t.Parallel()
	if err := refuse(t, pgtest.New(t)); err != nil {
		t.Error(err)
	}
}

// TestPgBouncer: transaction mode is refused, whatever the pool's size, in use
// or idle; session mode passes.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	for name, c := range map[string]struct {
		mode   string
		size   int
		busy   int // other clients with an open transaction
		refuse bool
	}{
		"transaction mode":                 {"transaction", 20, 0, true},
		"transaction mode, a tight pool":   {"transaction", 2, 0, true},
		"transaction mode, others at work": {"transaction", 20, 4, true},
		"statement mode":                   {"statement", 20, 0, true},
		"session mode":                     {"session", 20, 0, false},
		"session mode, others at work":     {"session", 20, 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := startBouncer(t, server, c.mode, c.size)
			for range c.busy {
				conn := pgtest.Connect(t, dsn)
				if err := pgsession.Exec(context.Background(), conn, "begin; select 1"); err != nil {
					t.Fatal(err)
				}
			}
			for range c.busy { // and servers that wait in the pool
				conn := pgtest.Connect(t, dsn)
				if err := pgsession.Exec(context.Background(), conn, "select 1"); err != nil {
					t.Fatal(err)
				}
			}
			err := refuse(t, dsn)
			if c.mode == "statement" && err != nil && fault.As(err) == nil {
				return // the pooler refuses BEGIN by itself
			}
			if (err != nil) != c.refuse {
				t.Fatalf("%v", err)
			}
			if c.refuse && (fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "5432")) {
				t.Errorf("%v, hint: %s", err, fault.HintOf(err))
			}
		})
	}
}

// startBouncer runs a PgBouncer in front of a server and returns its URL.
func startBouncer(t *testing.T, server, mode string, size int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if os.Getenv("GUARDA_TEST_STRICT") != "" {
			t.Fatal("pgbouncer is not installed, and GUARDA_TEST_STRICT is set")
		}
		t.Skip("pgbouncer is not installed here")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	dir, err := os.MkdirTemp("/tmp", "guarda-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = %d
ignore_startup_parameters = extra_float_digits
`, u.Hostname(), u.Port(), port, mode, size)
	config = strings.Replace(config, "* = host", "* = user="+u.User.Username()+" host", 1)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file)
	if os.Getuid() == 0 { // it refuses to run as root
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u.Host = fmt.Sprintf("127.0.0.1:%d", port)
	for range 100 {
		conn, err := pgx.Connect(context.Background(), u.String())
		if err == nil {
			conn.Close(context.Background())
			return u.String()
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("pgbouncer does not answer:\n%s", log.String())
	return ""
}
