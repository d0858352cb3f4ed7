package runtimeapi

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// guardScript keeps a list of process groups and kills those left in it when
// its standard input ends, which is when we do: in order, or by kill -9. The
// death signal of Linux would not do: it is bound to the thread that starts a
// process, and Go ends threads; other systems have none.
const guardScript = `
trap '' INT TERM HUP
groups=' '
while read -r op group; do
  case $op in
  +) groups="$groups$group " ;;
  -) case $groups in *" $group "*) groups="${groups%% "$group" *} ${groups#* "$group" }" ;; esac ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
`

type guard struct {
	mu  sync.Mutex
	in  io.WriteCloser
	cmd *exec.Cmd
}

func newGuard() (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript, "guarda-functions")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the watcher of functions: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watcher of functions: %w", err)
	}
	return &guard{in: in, cmd: cmd}, nil
}

func (g *guard) tell(op string, pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// If the watcher is gone there is nobody to tell; the processes go on.
	_, _ = fmt.Fprintln(g.in, op, pid)
}

func (g *guard) add(pid int)    { g.tell("+", pid) }
func (g *guard) remove(pid int) { g.tell("-", pid) }

func (g *guard) close() {
	_ = g.in.Close()
	_ = g.cmd.Wait()
}
