package runtimeapi

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// process is one running program: one invocation at a time.
type process struct {
	r      *Runtime
	pool   *pool
	secret string // in the path of its Runtime API
	serial int
	cmd    *exec.Cmd
	give   chan *invocation // what it is to do next; room for one
	exited chan struct{}

	// Runtime.mu guards these.
	current   *invocation
	doomed    bool // takes no more events
	idleSince time.Time

	mu        sync.Mutex
	pid       int    // 0 until the program runs
	killed    bool   // perhaps before it ran
	verdict   []byte // the error of an invocation that the end of the process cuts short
	wantsTerm bool   // registered an extension: SIGTERM comes before SIGKILL
}

func newProcess(r *Runtime, f *pool, serial int) *process {
	return &process{r: r, pool: f, secret: rand.Text(), serial: serial, give: make(chan *invocation, 1), exited: make(chan struct{})}
}

func (p *process) say(format string, args ...any) {
	p.r.cfg.Log(Line{p.pool.Name, p.serial, fmt.Sprintf(format, args...), true})
}

// start starts the program and waits for its end in the background.
func (p *process) start() {
	out := &lineWriter{max: 256 << 10, emit: func(s string) { p.r.cfg.Log(Line{p.pool.Name, p.serial, s, false}) }}
	p.cmd = exec.Command(filepath.Join(p.pool.Dir, "bootstrap"))
	p.cmd.Dir = p.pool.Dir
	p.cmd.Env = p.environment()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// A group of its own, so that what it starts ends with it, and Ctrl-C in
	// the terminal does not reach it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		p.say("cannot start %s: %v", p.cmd.Path, err)
		p.sentence(failure("Runtime.InvalidEntrypoint", "Error: cannot start %s: %v", p.cmd.Path, err))
		go p.bury()
		return
	}
	p.r.guard.add(p.cmd.Process.Pid)
	p.mu.Lock()
	p.pid = p.cmd.Process.Pid
	if p.killed {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
	p.mu.Unlock()
	go func() {
		err := p.cmd.Wait()
		out.flush()
		// What the program started must not outlive it.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		p.r.guard.remove(p.cmd.Process.Pid)
		how := "exit status 0"
		if err != nil {
			how = err.Error()
		}
		p.r.mu.Lock()
		inv, doomed := p.current, p.doomed
		p.r.mu.Unlock()
		if inv != nil {
			p.sentence(failure("Runtime.ExitError", "RequestId: %s Error: Runtime exited with error: %s", inv.id, how))
		}
		if !doomed {
			p.say("the process ended: %s", how)
		}
		p.bury()
	}()
}

// sentence sets the error of the invocation under way for when the process has
// ended; the first one counts.
func (p *process) sentence(verdict []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verdict == nil {
		p.verdict = verdict
	}
}

// bury notes the end of the process. The caller of the invocation under way
// gets its answer after the place of the process is free again.
func (p *process) bury() {
	p.r.mu.Lock()
	inv := p.current
	p.r.mu.Unlock()
	close(p.exited)
	p.r.forget(p)
	if inv != nil {
		p.mu.Lock()
		verdict := p.verdict
		p.mu.Unlock()
		inv.fail(verdict)
	}
}

// attend sees to the time limits of an invocation.
func (p *process) attend(inv *invocation) {
	limit := time.NewTimer(p.r.cfg.InitTimeout)
	defer limit.Stop()
	select {
	case <-inv.taken:
	case <-inv.done:
		return
	case <-limit.C:
		p.say("the program did not ask for an event within %s", p.r.cfg.InitTimeout)
		p.sentence(failure("Sandbox.Timedout", "RequestId: %s Error: Init timed out after %.2f seconds", inv.id, p.r.cfg.InitTimeout.Seconds()))
		p.kill()
		return
	}
	limit.Reset(p.pool.Timeout)
	select {
	case <-inv.done:
	case <-limit.C:
		p.say("request %s: timed out after %s, killed", inv.id, p.pool.Timeout)
		p.sentence(failure("Sandbox.Timedout", "%s %s Task timed out after %.2f seconds", p.r.cfg.Clock.Now().Format("2006-01-02T15:04:05.000Z"), inv.id, p.pool.Timeout.Seconds()))
		p.kill()
	}
}

// kill ends the whole process group at once.
func (p *process) kill() {
	p.r.retire(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.pid != 0 {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}

// end ends the process as Lambda does: those that asked for it are told before.
func (p *process) end() {
	p.mu.Lock()
	pid, term := p.pid, p.wantsTerm
	p.mu.Unlock()
	if term && pid != 0 {
		_ = syscall.Kill(-pid, syscall.SIGTERM)
		select {
		case <-p.exited:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
	p.kill()
	<-p.exited
}

// environment is what Lambda sets, with the function's own variables over it.
func (p *process) environment() []string {
	f := p.pool
	env := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", "HOME": os.TempDir(), "TMPDIR": os.TempDir(),
		"AWS_LAMBDA_RUNTIME_API":      p.r.cfg.Base + "/" + p.secret,
		"AWS_LAMBDA_FUNCTION_NAME":    f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":      "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":     fmt.Sprintf("local/[$LATEST]%08d", p.serial),
		"AWS_EXECUTION_ENV":              "AWS_Lambda_provided.al2023",
		"AWS_REGION":                     p.r.cfg.Region, "AWS_DEFAULT_REGION": p.r.cfg.Region,
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"LAMBDA_TASK_ROOT": f.Dir, "LAMBDA_RUNTIME_DIR": f.Dir, "_HANDLER": "bootstrap",
	}
	maps.Copy(env, f.Environment)
	out := make([]string, 0, len(env))
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	return out
}

// lineWriter cuts what is written into lines.
type lineWriter struct {
	mu   sync.Mutex
	max  int // a longer line is cut
	buf  []byte
	emit func(string)
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			w.buf = append(w.buf, b...)
			b = nil
		} else {
			w.buf = append(w.buf, b[:i]...)
			b = b[i+1:]
		}
		if i >= 0 || len(w.buf) > w.max {
			w.emit(string(w.buf))
			w.buf = w.buf[:0]
		}
	}
	return n, nil
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) > 0 {
		w.emit(string(w.buf))
		w.buf = w.buf[:0]
	}
}
