// Command withserver starts one throw-away PostgreSQL server, points the
// tests at it, runs the command it is given, and ends the server. "make test"
// uses it so that all test programs of a run share one server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
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
	if len(args) == 0 {
		return 2, errors.New("usage: withserver COMMAND [ARG…]")
	}
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
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), pgtest.URLVariable+"="+server.URL("postgres"))
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
