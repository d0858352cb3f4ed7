//go:build e2e

// Package e2e walks the main job through the whole local stack: real
// functions, real Postgres, real browser. "make e2e" builds everything first.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"guarda/shared/postgres/pgserver"
)

// stack is one running local stack with a data folder of its own.
type stack struct {
	t     *testing.T
	root  string // the checkout
	data  string
	port  int
	cmd   *exec.Cmd
	out   *lockedBuffer
	token string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newStack(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("/var/tmp", "guarda-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	port, err := pgserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, root: root, data: filepath.Join(data, "guarda"), port: port}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("output of the stack:\n%s", s.out)
		}
		_ = os.RemoveAll(data)
	})
	return s
}

// start starts the stack and signs the administrator in; it returns how long that took.
func (s *stack) start() time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.out = &lockedBuffer{}
	s.cmd = exec.Command(filepath.Join(s.root, "bin", "local"), "-data", s.data)
	s.cmd.Dir = s.root
	s.cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(s.port))
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func(c *exec.Cmd) { ended <- c.Wait() }(s.cmd)
	deadline := time.After(8 * time.Minute)
	for {
		if s.login() {
			return time.Since(begin)
		}
		select {
		case err := <-ended:
			s.t.Fatalf("the stack ended while starting: %v\n%s", err, s.out)
		case <-deadline:
			s.t.Fatalf("the stack was not up in eight minutes:\n%s", s.out)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *stack) password() string {
	b, _ := os.ReadFile(filepath.Join(s.data, "admin-password"))
	return strings.TrimSpace(string(b))
}

func (s *stack) login() bool {
	pw := s.password()
	if pw == "" {
		return false
	}
	body, _ := json.Marshal(map[string]string{"email": "admin@localhost", "password": pw})
	resp, err := http.Post(s.url("/api/auth/login"), "application/json", bytes.NewReader(body))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var session struct{ Token string }
	if resp.StatusCode != 200 || json.NewDecoder(resp.Body).Decode(&session) != nil {
		return false
	}
	s.token = session.Token
	return true
}

func (s *stack) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

// interrupt is Ctrl-C: it waits for an orderly end.
func (s *stack) interrupt() {
	s.t.Helper()
	children := descendants(s.cmd.Process.Pid)
	_ = s.cmd.Process.Signal(os.Interrupt)
	eventually(s.t, 2*time.Minute, "every process of the stack ends after Ctrl-C", func() bool {
		for _, pid := range append(children, s.cmd.Process.Pid) {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}

// kill is kill -9 of the stack and of everything it started. It returns when
// the kernel has ended them all.
func (s *stack) kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	all := append(descendants(s.cmd.Process.Pid), s.cmd.Process.Pid)
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(s.t, 2*time.Minute, "every killed process is gone", func() bool {
		return !slices.ContainsFunc(all, alive)
	})
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func descendants(root int) []int {
	parent := map[int]int{}
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue
		}
		line := string(b)
		i := strings.LastIndexByte(line, ')')
		if i < 0 {
			continue
		}
		fields := strings.Fields(line[i+1:])
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(d)))
		parent[pid], _ = strconv.Atoi(fields[1])
	}
	var found []int
	for pid := range parent {
		for p := pid; p > 1; p = parent[p] {
			if p == root && pid != root {
				found = append(found, pid)
				break
			}
		}
	}
	return found
}

// call makes an API request and decodes the answer.
func (s *stack) call(method, path string, body any, header ...string) (int, map[string]any) {
	s.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url(path), r)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("content-type", "application/json")
	req.Header.Set("authorization", "Bearer "+s.token)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var answer map[string]any
	if len(raw) > 0 && json.Unmarshal(raw, &answer) != nil {
		s.t.Fatalf("%s %s answered %d with no JSON: %s", method, path, resp.StatusCode, raw)
	}
	return resp.StatusCode, answer
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", within, what)
}

func run(t *testing.T, name string, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
