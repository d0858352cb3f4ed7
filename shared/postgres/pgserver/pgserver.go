// Package pgserver runs a private PostgreSQL server for the local stack and
// for tests: it finds or fetches the server's programs, makes a cluster, runs
// it as an unprivileged user when we are root (Postgres refuses root), binds
// to 127.0.0.1 only, and makes sure that the server ends when we do, however
// we end.
package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

// Config describes a server. Only Dir is required.
type Config struct {
	// Dir holds the cluster (Dir/data), its log (Dir/postgres.log) and its
	// socket. It is made if it does not exist. When we are root, the
	// unprivileged user must be able to reach it: see ReachableDir.
	Dir string
	// BinDir holds the programs "postgres" and "initdb"; "" means Find.
	BinDir string
	// Port is the TCP port; 0 takes a free one.
	Port int
	// Password is the password of the role "postgres"; "" turns passwords off.
	Password string
	// Settings are added to the command line (-c name=value).
	Settings map[string]string
	// Throwaway makes a cluster that need not survive a crash (no fsync) and
	// removes Dir when the server ends.
	Throwaway bool
	// StartTimeout bounds the wait for the first connection; 0 is 60 s.
	StartTimeout time.Duration
}

// Server is a running server.
type Server struct {
	cfg      Config
	port     int
	watch    *exec.Cmd      // the watcher: it ends the server when we end
	lifeline io.WriteCloser // our end of the watcher's standard input
	done     chan struct{}  // closed when the watcher has ended
}

// Start makes the cluster if needed and starts the server. The server runs
// until Stop, or until this process ends in whatever way: a watcher holds a
// pipe from us and stops the server when the pipe closes.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.BinDir == "" {
		dir, err := Find(ctx)
		if err != nil {
			return nil, err
		}
		cfg.BinDir = dir
	}
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = time.Minute
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("server directory %s: %w", cfg.Dir, err)
	}
	cfg.Dir = dir
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make server directory: %w", err)
	}
	if who != nil {
		if !reachable(dir) {
			return nil, fault.New(fault.Invalid, "the directory %s cannot be reached by the unprivileged user that runs Postgres", dir).
				Hint("choose a directory whose parents everybody may enter")
		}
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return nil, fmt.Errorf("hand server directory to its user: %w", err)
		}
	}
	s := &Server{cfg: cfg}
	data := filepath.Join(dir, "data")
	if err := s.endLeftover(data); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := s.initCluster(ctx, data, who); err != nil {
			return nil, err
		}
	}
	s.port = cfg.Port
	if s.port == 0 {
		if s.port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	if err := s.launch(data, who); err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

// initCluster runs initdb into a temporary folder and moves it into place, so
// that an interrupted run leaves nothing that looks like a cluster.
func (s *Server) initCluster(ctx context.Context, data string, who *syscall.Credential) error {
	tmp := data + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("clear unfinished cluster: %w", err)
	}
	args := []string{"-D", tmp, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust"}
	if s.cfg.Throwaway {
		args = append(args, "--no-sync")
	}
	if s.cfg.Password != "" {
		file := filepath.Join(s.cfg.Dir, "initdb-password")
		if err := os.WriteFile(file, []byte(s.cfg.Password+"\n"), 0o600); err != nil {
			return fmt.Errorf("write password for initdb: %w", err)
		}
		defer os.Remove(file)
		if who != nil {
			if err := os.Chown(file, int(who.Uid), int(who.Gid)); err != nil {
				return fmt.Errorf("hand password file to the server's user: %w", err)
			}
		}
		args = append(args, "--pwfile="+file, "--auth=scram-sha-256")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.cfg.BinDir, "initdb"), args...)
	cmd.Dir = "/"
	cmd.Env = serverEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fault.New(fault.Unavailable, "initdb could not make a database cluster in %s", data).
			Because(fmt.Errorf("%w: %s", err, bytes.TrimSpace(out)))
	}
	if err := os.Rename(tmp, data); err != nil {
		return fmt.Errorf("move new cluster into place: %w", err)
	}
	return nil
}

// watcherScript starts the server as its child and waits until its own
// standard input ends (we have ended) or the server does. It then asks the
// server for a fast shutdown (a throw-away one for an immediate one), after
// 10 s for an immediate one, and removes what is asked.
const watcherScript = `
log=$1; remove=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
pid=$!
exec >/dev/null 2>&1
cat <&3 &
cat=$!
( exec 3<&-; while kill -0 $pid && kill -0 $cat; do sleep 0.1; done; kill $cat ) &
wait $cat
if [ -n "$remove" ]; then kill -QUIT $pid; else kill -INT $pid; fi
( sleep 10; kill -QUIT $pid ) &
killer=$!
wait $pid
kill $killer
[ -n "$remove" ] && rm -rf "$remove"
exit 0
`

func (s *Server) launch(data string, who *syscall.Credential) error {
	remove := ""
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(s.port),
		"unix_socket_directories": "",
		"max_connections":         "100",
		"log_timezone":            "UTC",
		"timezone":                "UTC",
	}
	if s.cfg.Throwaway {
		remove = s.cfg.Dir
		settings["fsync"] = "off"
		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
	}
	for k, v := range s.cfg.Settings {
		settings[k] = v
	}
	args := []string{"-c", watcherScript, "guarda-postgres", filepath.Join(s.cfg.Dir, "postgres.log"), remove,
		filepath.Join(s.cfg.BinDir, "postgres"), "-D", data}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	s.watch = exec.Command("/bin/sh", args...)
	s.watch.Dir = "/"
	s.watch.Env = serverEnv()
	// A group of its own: Ctrl-C in the terminal reaches us, and we end the server in order.
	s.watch.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
	in, err := s.watch.StdinPipe()
	if err != nil {
		return fmt.Errorf("pipe to the server's watcher: %w", err)
	}
	s.lifeline = in
	if err := s.watch.Start(); err != nil {
		return fmt.Errorf("start the server's watcher: %w", err)
	}
	s.done = make(chan struct{})
	go func() {
		_ = s.watch.Wait()
		close(s.done)
	}()
	return nil
}

// await waits until the server takes connections.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StartTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-s.done:
			return fault.New(fault.Unavailable, "the Postgres server in %s ended while starting", s.cfg.Dir).
				Hint("see its log: %s", filepath.Join(s.cfg.Dir, "postgres.log")).Because(errors.New(s.logTail()))
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "the Postgres server in %s took no connection in time", s.cfg.Dir).
				Hint("see its log: %s", filepath.Join(s.cfg.Dir, "postgres.log")).Because(err)
		}
	}
}

func (s *Server) logTail() string {
	b, err := os.ReadFile(filepath.Join(s.cfg.Dir, "postgres.log"))
	if err != nil {
		return ""
	}
	if len(b) > 1500 {
		b = b[len(b)-1500:]
	}
	return strings.TrimSpace(string(b))
}

// endLeftover stops a server that a killed predecessor left on the same
// cluster, and clears the lock file of one that is dead: the server would
// refuse to start when its process id is taken by something else, or by the
// dead one that nobody has collected yet.
func (s *Server) endLeftover(data string) error {
	pid, ok := postmasterPID(data)
	if !ok {
		return nil
	}
	for n := 0; n < 300; n++ { // its watcher may be ending it right now
		switch stateOf(pid) {
		case processGone:
			return nil
		case processOther:
			return os.Remove(filepath.Join(data, "postmaster.pid"))
		case processDead:
			if n >= 100 { // 5 s, for the sessions that it left to end
				return os.Remove(filepath.Join(data, "postmaster.pid"))
			}
		case processPostgres:
			if n == 20 {
				_ = syscall.Kill(pid, syscall.SIGINT)
			}
			if n == 150 {
				_ = syscall.Kill(pid, syscall.SIGQUIT)
			}
		}
		<-time.After(50 * time.Millisecond)
	}
	return fault.New(fault.Conflict, "another Postgres server (process %d) still uses %s", pid, data).
		Hint("stop it and start again")
}

func postmasterPID(data string) (int, bool) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	return pid, err == nil && pid > 1
}

type processState int

const (
	processGone     processState = iota
	processDead                  // ended, not collected by its parent
	processPostgres              // a Postgres server, or, without /proc, perhaps one
	processOther                 // the id was reused by something else
)

func stateOf(pid int) processState {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return processGone
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processPostgres
	}
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && bytes.HasPrefix(stat[i:], []byte(") Z")) {
		return processDead
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return processPostgres
	}
	program, _, _ := strings.Cut(string(cmdline), "\x00")
	if strings.HasPrefix(filepath.Base(program), "postgres") {
		return processPostgres
	}
	return processOther
}

// Port returns the TCP port.
func (s *Server) Port() int { return s.port }

// BinDir returns the folder of the server's programs.
func (s *Server) BinDir() string { return s.cfg.BinDir }

// URL returns the connection URL of a database, as the role "postgres".
func (s *Server) URL(database string) string {
	user := "postgres"
	if s.cfg.Password != "" {
		user += ":" + s.cfg.Password
	}
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", user, s.port, database)
}

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server and waits for its end. It may be called twice.
func (s *Server) Stop() error {
	_ = s.lifeline.Close()
	select {
	case <-s.done:
		return nil
	case <-time.After(30 * time.Second):
		return fault.New(fault.Unavailable, "the Postgres server in %s did not stop in 30 s", s.cfg.Dir)
	}
}

func serverEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"}
}
