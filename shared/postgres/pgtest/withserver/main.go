// Command withserver starts one throw-away PostgreSQL server, points the
// tests at it, runs the command it is given, and ends the server. "make test"
// uses it so that all test programs of a run share one server. With -versions
// it also fetches (once) and starts servers of other major versions.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"guarda/shared/postgres/pgserver"
	"guarda/shared/postgres/pgtest"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withserver:", err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	flags := flag.NewFlagSet("withserver", flag.ContinueOnError)
	versions := flags.String("versions", "", "other major versions to start, such as 13,14,16")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return 2, errors.New("usage: withserver [-versions 13,14,16] COMMAND [ARG…]")
	}
	args = flags.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("/tmp", "guarda-pgtest-")
	if err != nil {
		return 1, err
	}
	server, err := pgserver.Start(ctx, pgserver.Config{Dir: dir, Throwaway: true, Settings: pgtest.Settings()})
	if err != nil {
		return 1, err
	}
	defer server.Stop()
	others, err := startOthers(ctx, *versions)
	if err != nil {
		return 1, err
	}
	var urls []string
	for _, s := range others {
		defer s.Stop()
		urls = append(urls, s.URL("postgres"))
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), pgtest.URLVariable+"="+server.URL("postgres"), pgtest.ServerURLsVariable+"="+strings.Join(urls, " "))
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// startOthers starts the servers whose programs the environment names, and
// those of the versions asked for, whose programs are fetched.
func startOthers(ctx context.Context, versions string) ([]*pgserver.Server, error) {
	folders := filepath.SplitList(os.Getenv(pgtest.ServersVariable))
	for v := range strings.SplitSeq(versions, ",") {
		if v == "" {
			continue
		}
		major, err := strconv.Atoi(v)
		if err != nil {
			return nil, fmt.Errorf("-versions %s: %w", versions, err)
		}
		bin, err := pgserver.Fetch(ctx, major)
		if err != nil {
			return nil, err
		}
		folders = append(folders, bin)
	}
	return pgtest.StartOthers(ctx, folders)
}
