package s3test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// ProgramVariable names the environment variable with the path of a versitygw
// program to use.
const ProgramVariable = "GUARDA_TEST_VERSITYGW"

// The server is built from source, which takes one to two minutes, once per
// user and version. It is not in go.mod: its dependencies are not ours.
const (
	module  = "github.com/versity/versitygw/cmd/versitygw"
	version = "v1.8.0"
)

// Program returns the path of a versitygw program: the one that
// GUARDA_TEST_VERSITYGW names, else the one in PATH, else one that is built
// and kept in the user's cache.
func Program() (string, error) {
	if p := os.Getenv(ProgramVariable); p != "" {
		return p, nil
	}
	if p, err := exec.LookPath("versitygw"); err == nil {
		return filepath.Abs(p)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "guarda", "versitygw-"+version)
	program := filepath.Join(home, "versitygw")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(home, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil { // another test program built it meanwhile
		return program, nil
	}
	return program, build(home, program)
}

func build(home, program string) error {
	out, err := os.MkdirTemp(home, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	cmd := exec.Command("go", "install", module+"@"+version)
	cmd.Dir = out
	// What is set for our own builds must not reach this one.
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "GOFLAGS", "GOBIN", "GOOS", "GOARCH", "GOWORK", "CGO_ENABLED":
		default:
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GOBIN="+out, "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build versitygw %s: %w: %s", version, err, bytes.TrimSpace(text))
	}
	return os.Rename(filepath.Join(out, "versitygw"), program)
}
