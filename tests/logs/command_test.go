package logs_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/postgres"
	"guarda/shared/postgres/userstore"
)

// testCommandLine: what "guarda logs ingest" sends with an API key, "guarda logs
// tail" prints as it comes in and "guarda logs search" finds, in its order.
func (w *world) testCommandLine(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "guarda")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/guarda")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0") // as the functions are built
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(w.newKey(ctx, t)), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, program, append([]string{"logs", args[0], "--api", w.stack.URL(), "--api-key-file", key}, args[1:]...)...)
	}
	tail := command("tail", "--source", "cli")
	printed, err := tail.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = tail.Process.Kill()
		_ = tail.Wait()
	}()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(printed); in.Scan(); {
			lines <- in.Text()
		}
	}()
	// A tail tells what comes in after it began, and says nothing before that.
	for n, began := 0, false; !began; n++ {
		probe := command("ingest", "-", "--source", "cli")
		probe.Stdin = strings.NewReader(fmt.Sprintf("probe %d\n", n)) // the same again would be the same batch
		if out, err := probe.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		select {
		case <-lines:
			began = true
		case <-time.After(time.Second):
		case <-ctx.Done():
			t.Fatal("the tail printed nothing")
		}
	}
	var input bytes.Buffer
	var want []string
	for n := range 200 {
		want = append(want, fmt.Sprintf("linha %03d", n))
		fmt.Fprintln(&input, want[n])
	}
	file := filepath.Join(dir, "app.log")
	if err := os.WriteFile(file, input.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, expected := range []string{"200 entries stored, 0 stored before, 0 rejected\n", "200 entries stored, 0 stored before, 0 rejected\n"} { // the second time: the first answer again
		if out, err := command("ingest", file, "--source", "cli", "--level", "warn").CombinedOutput(); err != nil || string(out) != expected {
			t.Fatalf("%v %s", err, out)
		}
	}
	var got []string
	for line := range lines {
		if i := strings.Index(line, "linha"); i >= 0 {
			got = append(got, line[i:])
		}
		if len(got) == len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the tail printed %q", got)
	}
	out, err := command("search", "linha", "--source", "cli", "--level", "warn", "--oldest-first", "--limit", "0").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, line := range found {
		if !strings.HasSuffix(line, want[min(i, len(want)-1)]) {
			t.Errorf("line %d of the search is %q", i, line)
		}
	}
	if len(found) != len(want) {
		t.Errorf("%d lines were found", len(found))
	}
}

// newKey makes an API key of the administrator's.
func (w *world) newKey(ctx context.Context, t *testing.T) string {
	pool, err := postgres.Open(ctx, w.url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var user string
	if err := pool.QueryRow(ctx, `select id::text from guarda.users where role = 'admin'`).Scan(&user); err != nil {
		t.Fatal(err)
	}
	key, id, hash := auth.NewAPIKey()
	if _, err := userstore.New(pool).AddAPIKey(ctx, userstore.NewKey{UserID: user, Name: "cli", PublicID: id, Hash: hash, Role: auth.Operator}); err != nil {
		t.Fatal(err)
	}
	return key
}
