package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/shared/clock"
)

// built is a folder with the test function's program.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "guarda-echo-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "./testdata/echo").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "be-a-stack" {
		beAStack(os.Args[2])
		return
	}
	code := m.Run()
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

type lines struct {
	mu  sync.Mutex
	all []runtimeapi.Line
}

func (l *lines) add(line runtimeapi.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, x := range l.all {
		fmt.Fprintf(&b, "%s: %s\n", x.Function, x.Text)
	}
	return b.String()
}

func newRuntime(t testing.TB, change func(*runtimeapi.Config)) (*runtimeapi.Runtime, *lines) {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &lines{}
	one := 1
	cfg := runtimeapi.Config{Base: l.Addr().String() + "/secret", Region: "sa-east-1", Clock: clock.System{}, Log: out.add, InitTimeout: time.Minute, Functions: []runtimeapi.Function{
		{Name: "echo", ARN: "arn:aws:lambda:sa-east-1:0:function:echo", Dir: dir, Timeout: time.Minute, MemoryMB: 128, Environment: map[string]string{"MINE": "yes"}},
		{Name: "single", Dir: dir, Timeout: time.Minute, Reserved: &one},
		{Name: "hasty", Dir: dir, Timeout: 2 * time.Second, Reserved: &one},
		{Name: "broken", Dir: dir, Timeout: time.Second, Environment: map[string]string{"BREAK_AT_START": "1"}},
		{Name: "missing", Dir: filepath.Join(dir, "nowhere"), Timeout: time.Second},
	}}
	if change != nil {
		change(&cfg)
	}
	r, err := runtimeapi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.StripPrefix("/secret", r.Handler())}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // a call that a test left behind is cut off
		defer cancel()
		r.Close(ctx)
		_ = srv.Close()
	})
	return r, out
}

func call(t testing.TB, r *runtimeapi.Runtime, name, event string) *runtimeapi.Result {
	t.Helper()
	res, err := r.Invoke(t.Context(), name, runtimeapi.Request{Payload: []byte(event)})
	if err != nil {
		t.Fatalf("%s %s: %v", name, event, err)
	}
	return res
}

func TestAProcessIsStartedOnceAndUsedAgain(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, nil)
	first := string(call(t, r, "single", `{}`).Payload)
	for range 50 { // with a reserved concurrency of one, a place that is not free in time shows as an error
		if got := string(call(t, r, "single", `{}`).Payload); got != first {
			t.Fatalf("process %s answered after %s", got, first)
		}
	}
}

func TestThePoolGrowsWithConcurrencyAndIdleProcessesEnd(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, func(c *runtimeapi.Config) { c.IdleAfter = 200 * time.Millisecond })
	file, release := holding(t)
	pids := make(chan string, 4)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			res, err := r.Invoke(context.Background(), "echo", runtimeapi.Request{Payload: []byte(`{"Do":"wait","Name":"` + file + `"}`)})
			if err != nil {
				t.Error(err)
				return
			}
			pids <- string(res.Payload)
		})
	}
	within(t, "each call has a process", func() bool { return r.Processes("echo") == 4 })
	release()
	wg.Wait()
	close(pids)
	seen := map[string]bool{}
	for p := range pids {
		seen[p] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d processes answered four calls at the same time", len(seen))
	}
	within(t, "idle processes end", func() bool { return r.Processes("echo") == 0 })
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, nil)
	file, release := holding(t)
	slow := make(chan error, 1)
	go func() {
		_, err := r.Invoke(context.Background(), "single", runtimeapi.Request{Payload: []byte(`{"Do":"wait","Name":"` + file + `"}`)})
		slow <- err
	}()
	within(t, "the first call is under way", func() bool { return r.Processes("single") == 1 })
	if _, err := r.Invoke(t.Context(), "single", runtimeapi.Request{Payload: []byte(`{}`)}); !errors.Is(err, runtimeapi.ErrThrottled) {
		t.Errorf("the second call gave %v", err)
	}
	release()
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

func TestFailuresBecomeFunctionErrorsAndTheNextCallWorks(t *testing.T) {
	t.Parallel()
	r, out := newRuntime(t, nil)
	for _, c := range []struct{ function, event, kind, message string }{
		{"echo", `{"Do":"fail"}`, "errorString", "it failed as asked"},
		{"echo", `{"Do":"panic"}`, "string", "it panics as asked"},
		{"single", `{"Do":"exit"}`, "Runtime.ExitError", "exit status 7"},
		{"hasty", `{"Do":"sleep","Millis":600000}`, "Sandbox.Timedout", "Task timed out after 2.00 seconds"},
		{"broken", `{}`, "Runtime.ExitError", "exit status 3"},
		{"missing", `{}`, "Runtime.InvalidEntrypoint", "bootstrap"},
		{"echo", `{"Do":"large","Size":7000000}`, "Function.ResponseSizeTooLarge", "exceeded maximum"},
		{"echo", `not json`, "", "invalid character"},
	} {
		res := call(t, r, c.function, c.event)
		var failed runtimeapi.FunctionFailure
		if res.FunctionError != "Unhandled" || json.Unmarshal(res.Payload, &failed) != nil || c.kind != "" && failed.Type != c.kind || !strings.Contains(failed.Message, c.message) {
			t.Errorf("%s %s: %q %s", c.function, c.event, res.FunctionError, res.Payload)
		}
		if c.function == "broken" || c.function == "missing" {
			continue
		}
		if again := call(t, r, c.function, `{}`); again.FunctionError != "" {
			t.Errorf("%s after %s: %s", c.function, c.event, again.Payload)
		}
	}
	if _, err := r.Invoke(t.Context(), "nobody", runtimeapi.Request{}); !errors.Is(err, runtimeapi.ErrNotFound) {
		t.Errorf("an unknown function gave %v", err)
	}
	if !strings.Contains(out.text(), "hasty: request") || !strings.Contains(out.text(), "broken: no configuration") {
		t.Errorf("the log is\n%s", out.text())
	}
}

func TestATimeoutKillsWhatTheFunctionStartedToo(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, nil)
	pid, _ := strconv.Atoi(string(call(t, r, "hasty", `{"Do":"child"}`).Payload))
	if !alive(pid) {
		t.Fatalf("the child %d is not there", pid)
	}
	call(t, r, "hasty", `{"Do":"sleep","Millis":600000}`)
	within(t, "the child ends", func() bool { return !alive(pid) })
}

func TestTheProgramSeesWhatLambdaShows(t *testing.T) {
	t.Parallel()
	r, out := newRuntime(t, nil)
	for name, want := range map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "echo", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_REGION": "sa-east-1", "TZ": ":UTC", "MINE": "yes", "GOCACHE": "",
	} {
		if got := string(call(t, r, "echo", `{"Do":"env","Name":"`+name+`"}`).Payload); got != strconv.Quote(want) {
			t.Errorf("%s is %s, want %q", name, got, want)
		}
	}
	if got := string(call(t, r, "echo", `{"Do":"arn"}`).Payload); got != `"arn:aws:lambda:sa-east-1:0:function:echo"` {
		t.Errorf("ARN %s", got)
	}
	if ms, _ := strconv.Atoi(string(call(t, r, "echo", `{"Do":"deadline"}`).Payload)); ms < 30_000 || ms > 60_000 {
		t.Errorf("%d ms are left of 60000", ms)
	}
	call(t, r, "echo", `{"Do":"log"}`)
	call(t, r, "echo", `{"Do":"exit"}`)
	for _, want := range []string{"echo: to stdout\n", "echo: second line\n", "echo: without an end\n"} {
		if !strings.Contains(out.text(), want) {
			t.Errorf("the log has no %q:\n%s", want, out.text())
		}
	}
}

func TestStreamedResponsesArriveWhileTheyAreMade(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, nil)
	file, release := holding(t)
	res := call(t, r, "echo", `{"Do":"stream","Name":"`+file+`"}`)
	if res.Stream == nil || res.ContentType != runtimeapi.StreamingType {
		t.Fatalf("not streamed: %q %q", res.ContentType, res.Payload)
	}
	buf, got := make([]byte, 4096), ""
	for !strings.Contains(got, "part 0\n") { // the function makes no more before it may
		n, err := res.Stream.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got += string(buf[:n])
	}
	if want := `{"statusCode":201,"headers":{"X-A":"b"}}` + "\x00\x00\x00\x00\x00\x00\x00\x00part 0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	release()
	rest, err := io.ReadAll(res.Stream)
	if err != nil || string(rest) != "part 1\npart 2\n" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	broken := call(t, r, "echo", `{"Do":"stream-fail"}`)
	if err := broken.Read(); err != nil || broken.FunctionError == "" || !strings.Contains(string(broken.Payload), "it broke on the way") {
		t.Errorf("a stream that breaks gave %v %q %s", err, broken.FunctionError, broken.Payload)
	}
	left := call(t, r, "echo", `{"Do":"stream","Millis":300}`)
	if err := left.Stream.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, "the function whose reader has gone is told", func() bool { return r.Processes("echo") <= 1 })
}

func TestCloseWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	r, _ := newRuntime(t, nil)
	answer := make(chan *runtimeapi.Result, 1)
	go func() {
		res, _ := r.Invoke(context.Background(), "echo", runtimeapi.Request{Payload: []byte(`{"Do":"sleep","Millis":400}`)}) // Close comes in the middle
		answer <- res
	}()
	within(t, "the call is under way", func() bool { return r.Processes("echo") == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.Close(ctx)
	if res := <-answer; res == nil || res.FunctionError != "" {
		t.Errorf("the call under way got %+v", res)
	}
	if _, err := r.Invoke(t.Context(), "echo", runtimeapi.Request{}); !errors.Is(err, runtimeapi.ErrClosed) {
		t.Errorf("a call after Close gave %v", err)
	}
}

// beAStack is the other process of the next test: it starts a function that
// is busy for long, says its process id, and waits to be killed.
func beAStack(dir string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	r, err := runtimeapi.New(runtimeapi.Config{Base: l.Addr().String(), Clock: clock.System{}, Functions: []runtimeapi.Function{{Name: "echo", Dir: dir, Timeout: time.Minute}}})
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(l, r.Handler()) }()
	res, err := r.Invoke(context.Background(), "echo", runtimeapi.Request{Payload: []byte(`{}`)})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(res.Payload))
	_, _ = r.Invoke(context.Background(), "echo", runtimeapi.Request{Payload: []byte(`{"Do":"sleep","Millis":60000}`)})
}

func TestFunctionsEndWhenTheStackIsKilled(t *testing.T) {
	t.Parallel()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "be-a-stack", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // now it is busy
	if !alive(pid) {
		t.Fatal("the function is not there")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	within(t, "the busy function ends", func() bool { return !alive(pid) })
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(b), ") Z ")
}

// within waits for what comes soon, on a machine however slow.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// holding returns the name of a file that a function waits for, and what makes
// the file.
func holding(t *testing.T) (name string, release func()) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "go-on")
	return name, func() {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkWarmInvoke(b *testing.B) {
	r, _ := newRuntime(b, nil)
	call(b, r, "echo", `{}`)
	for b.Loop() {
		call(b, r, "echo", `{}`)
	}
}

func BenchmarkColdStart(b *testing.B) {
	r, _ := newRuntime(b, nil)
	for b.Loop() {
		call(b, r, "echo", `{"Do":"exit"}`)
	}
}
