package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob/dir"
	"guarda/shared/postgres/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"guarda": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts runs testdata/script/*.txtar: the program as people call it,
// with a real Postgres and a folder as store.
//
// $DB and $TARGET are the URLs of two new databases, $READER that of the first
// for a role that a script may make, $SERVER that of the server's own, $STORE the URL of a folder. Commands: "sql URL statements",
// "exit CODE command…" (runs a command and compares its exit code),
// "samedump URL URL", "empty FOLDER" (no file in it), "replace FILE old new",
// "interrupt command…" and "killed command…" (Ctrl-C, or kill -9, when its first
// chunk is stored), "firstbackup NAME" (sets a variable to the oldest backup's id).
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			env.Values["t"] = tb
			env.Setenv("DB", pgtest.New(tb))
			env.Setenv("TARGET", pgtest.New(tb))
			env.Setenv("READER", pgtest.WithUser(tb, env.Getenv("DB"), "guarda_ledger_reader", "x"))
			env.Setenv("SERVER", pgtest.ServerURL(tb))
			env.Setenv("STORE", "file://"+env.WorkDir+"/store")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sql": func(ts *testscript.TestScript, _ bool, args []string) {
				text := strings.Join(args[1:], " ")
				if len(args) == 2 && strings.HasSuffix(args[1], ".sql") {
					text = ts.ReadFile(args[1])
				}
				pgtest.Exec(ts.Value("t").(testing.TB), args[0], text)
			},
			"exit":        exit,
			"samedump":    sameDump,
			"empty":       empty,
			"replace":     replace,
			"interrupt":   interrupt,
			"killed":      killed,
			"firstbackup": firstBackup,
		},
	})
}

func exit(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = "?"
		if m := regexp.MustCompile(`exit status (\d+)`).FindStringSubmatch(err.Error()); m != nil {
			code = m[1]
		}
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

var restricted = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`)

func sameDump(ts *testscript.TestScript, _ bool, args []string) {
	program := pgtest.Program(ts.Value("t").(testing.TB), "pg_dump")
	var dumps []string
	for _, dsn := range args {
		out, err := exec.Command(program, dsn).Output()
		ts.Check(err)
		dumps = append(dumps, restricted.ReplaceAllString(string(out), ""))
	}
	if dumps[0] != dumps[1] {
		ts.Fatalf("the dumps differ")
	}
}

func empty(ts *testscript.TestScript, _ bool, args []string) {
	out, _ := exec.Command("find", ts.MkAbs(args[0]), "-type", "f").Output()
	if files := strings.TrimSpace(string(out)); files != "" {
		ts.Fatalf("there are files:\n%s", files)
	}
}

func replace(ts *testscript.TestScript, _ bool, args []string) {
	raw := ts.ReadFile(args[0])
	if !strings.Contains(raw, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(raw, args[1], args[2], 1)), 0o600))
}

func firstBackup(ts *testscript.TestScript, _ bool, args []string) {
	store, err := dir.Open(strings.TrimPrefix(ts.Getenv("STORE"), "file://"), dir.Options{MustExist: true})
	ts.Check(err)
	all, err := manifest.List(context.Background(), store, "")
	ts.Check(err)
	ts.Setenv(args[0], all[0].Header.BackupID)
}

func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	begun(ts, args, os.Interrupt, 130)
}

func killed(ts *testscript.TestScript, _ bool, args []string) {
	begun(ts, args, os.Kill, -1)
}

// begun sends a signal to a command whose first chunk is stored.
func begun(ts *testscript.TestScript, args []string, signal os.Signal, want int) {
	bin, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator)) // where testscript put us
	cmd := exec.Command(bin+"/"+args[0], args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	store := strings.TrimPrefix(args[slices.Index(args, "--store")+1], "file://")
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if out, _ := exec.Command("find", store, "-path", "*/data/*").Output(); len(out) > 0 {
			break
		}
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			ts.Fatalf("nothing was stored in five minutes\n%s", stderr.String())
		}
	}
	ts.Check(cmd.Process.Signal(signal))
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != want {
		ts.Fatalf("exit code %d (%v), want %d\n%s", code, err, want, stderr.String())
	}
	fmt.Fprint(ts.Stderr(), stderr.String())
}
