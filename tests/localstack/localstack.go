// Package localstack gives tests the local stack with some of the template's
// functions, and with limits of the test's choice.
package localstack

import (
	"bytes"
	"context"
	"encoding/json"
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

	"go.yaml.in/yaml/v3"

	"guarda/shared/postgres/pgserver"
)

// startTime is how long the stack may take to be up; a loaded machine is slow.
const startTime = 5 * time.Minute

// Options say what the stack is made of.
type Options struct {
	Root      string         // the project's folder
	Functions []string       // names of folders in functions/; others are left out of the template
	Timeouts  map[string]int // seconds a function may live, instead of the template's
	Database  string         // URL of Guarda's own database, empty
}

// Stack is a local stack that runs. The test's end ends it.
type Stack struct {
	t     testing.TB
	dir   string
	port  int
	cmd   *exec.Cmd
	ended chan struct{}
	out   lockedBuffer
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

// Start builds the functions and the stack, derives a template from the
// project's, and starts them.
func Start(t testing.TB, o Options) *Stack {
	t.Helper()
	s := &Stack{t: t, dir: t.TempDir()}
	o.build(t, s.dir)
	template, err := os.ReadFile(filepath.Join(o.Root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if template, err = o.derive(template); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "template.yaml"), template, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(o.Root, "infra"), filepath.Join(s.dir, "infra")); err != nil {
		t.Fatal(err)
	}
	if s.port, err = pgserver.FreePort(); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(filepath.Join(s.dir, "local"), "-data", filepath.Join(s.dir, "state"))
	s.cmd.Dir = s.dir
	s.cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(s.port), "GUARDA_DATABASE_URL="+o.Database)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.stop)
	late := time.After(startTime)
	for !s.signIn() {
		select {
		case <-s.ended:
			t.Fatal("the stack ended while it started")
		case <-late:
			t.Fatalf("the stack is not up after %s", startTime)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return s
}

// build builds the programs as "make build" does.
func (o Options) build(t testing.TB, dir string) {
	t.Helper()
	packages := make([]string, len(o.Functions))
	for i, f := range o.Functions {
		packages[i] = "./functions/" + f
	}
	bin := filepath.Join(dir, "bin") + "/"
	for _, args := range [][]string{
		append([]string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", bin}, packages...),
		{"build", "-o", filepath.Join(dir, "local"), "./cmd/local"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = o.Root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for _, f := range o.Functions {
		to := filepath.Join(dir, "build", f)
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(bin+f, filepath.Join(to, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
}

// derive leaves out the functions that are not wanted, with what refers to
// them, and sets timeouts.
func (o Options) derive(template []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(template, &doc); err != nil {
		return nil, err
	}
	resources, outputs := member(doc.Content[0], "Resources"), member(doc.Content[0], "Outputs")
	gone := map[string]bool{}
	for i := 0; i+1 < len(resources.Content); i += 2 {
		if r := resources.Content[i+1]; member(r, "Type").Value == "AWS::Serverless::Function" {
			properties := member(r, "Properties")
			name := filepath.Base(member(properties, "CodeUri").Value)
			if !slices.Contains(o.Functions, name) {
				gone[resources.Content[i].Value] = true
			} else if seconds, ok := o.Timeouts[name]; ok {
				set(properties, "Timeout", strconv.Itoa(seconds))
			}
		}
	}
	for more := true; more; {
		more = false
		for _, section := range []*yaml.Node{resources, outputs} {
			var kept []*yaml.Node
			for i := 0; i+1 < len(section.Content); i += 2 {
				name, r := section.Content[i], section.Content[i+1]
				if gone[name.Value] || refers(r, gone) {
					more = more || !gone[name.Value]
					gone[name.Value] = true
					continue
				}
				kept = append(kept, name, r)
			}
			section.Content = kept
		}
	}
	return yaml.Marshal(&doc)
}

// refers says whether a part of the template refers to a resource that is gone.
func refers(n *yaml.Node, gone map[string]bool) bool {
	if n.Kind == yaml.ScalarNode {
		switch name, _, _ := strings.Cut(n.Value, "."); n.Tag {
		case "!Ref", "!GetAtt":
			return gone[name]
		case "!Sub":
			for _, part := range strings.Split(n.Value, "${")[1:] {
				if name, _, _ = strings.Cut(part, "}"); gone[name] || gone[strings.Split(name, ".")[0]] {
					return true
				}
			}
		}
		return false
	}
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return refers(c, gone) })
}

func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return &yaml.Node{}
}

func set(n *yaml.Node, name, value string) {
	if m := member(n, name); m.Kind != 0 {
		m.Value = value
		return
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: value})
}

func (s *Stack) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill() // its watcher ends the functions
		<-s.ended
	}
	if s.t.Failed() {
		s.t.Logf("output of the stack:\n%s", s.out.String())
		if raw, err := os.ReadFile(s.path("logs/functions.log")); err == nil {
			s.t.Logf("log of the functions:\n%s", raw)
		}
	}
}

func (s *Stack) path(name string) string {
	return filepath.Join(s.dir, "state", filepath.FromSlash(name))
}

// URL is where the stack is reached.
func (s *Stack) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// StoreDir is the folder that the backups are in.
func (s *Stack) StoreDir() string { return s.path("store") }

// KeyFile is the key that their data keys are wrapped with.
func (s *Stack) KeyFile() string { return s.path("guarda.key") }

func (s *Stack) signIn() bool {
	password, err := os.ReadFile(s.path("admin-password"))
	if err != nil {
		return false
	}
	var session struct{ Token string }
	status := s.request("POST", "/api/auth/login", map[string]string{"email": "admin@localhost", "password": strings.TrimSpace(string(password))}, &session)
	s.token = session.Token
	return status == http.StatusOK
}

// Call makes a request of the API and decodes its answer. It returns the
// status; 0 means that there was no answer.
func (s *Stack) Call(method, path string, body, answer any) int {
	return s.request(method, path, body, answer)
}

func (s *Stack) request(method, path string, body, answer any) int {
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL()+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if raw, err = io.ReadAll(resp.Body); err != nil || json.Unmarshal(raw, answer) != nil {
		return 0
	}
	return resp.StatusCode
}

// Open makes a GET request whose answer is read while it comes.
func (s *Stack) Open(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+path, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	return http.DefaultClient.Do(req)
}

// Invoke lets a function handle an event, as its schedule would, and returns
// what it answers. The stack's door for that is known to the functions only,
// so a process of like must run.
func (s *Stack) Invoke(ctx context.Context, function, like string, event []byte) ([]byte, error) {
	var door, name string
	for _, pid := range s.Processes(like) {
		raw, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		for _, pair := range strings.Split(string(raw), "\x00") {
			if v, ok := strings.CutPrefix(pair, "AWS_ENDPOINT_URL_LAMBDA="); ok {
				door = v
			}
			if v, ok := strings.CutPrefix(pair, "AWS_LAMBDA_FUNCTION_NAME="); ok {
				name = strings.TrimSuffix(v, like) + function
			}
		}
	}
	if door == "" || name == "" {
		return nil, fmt.Errorf("no process of %s runs", like)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, door+"/2015-03-31/functions/"+name+"/invocations", bytes.NewReader(event))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || resp.Header.Get("X-Amz-Function-Error") != "") {
		err = fmt.Errorf("%s answered %d %s", function, resp.StatusCode, answer)
	}
	return answer, err
}

// Processes returns the ids of the processes of a function that run now.
func (s *Stack) Processes(function string) []int {
	want := filepath.Join(s.dir, "build", function, "bootstrap")
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	var pids []int
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && exe == want {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// Kill is kill -9 of a process of a function.
func (s *Stack) Kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// Freeze lets a process of a function stand still for a while, as Lambda may do
// with a sandbox, and wake where it was.
func (s *Stack) Freeze(pid int, d time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return syscall.Kill(pid, syscall.SIGCONT)
}
