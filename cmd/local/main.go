// Command local is Guarda on one machine: it reads template.yaml and runs the
// very programs that Lambda would run, behind stand-ins for API Gateway,
// EventBridge, Lambda and SNS, with a Postgres and a store of its own. It
// needs nothing but what "make build" made.
//
// See "Local stack" in the architecture, and README.md for how it is used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

func main() { os.Exit(run(os.Args[1:])) }

// settings are what the command line and the environment say.
type settings struct {
	root       string // the project's folder: template.yaml, build/, web/dist/
	data       string // the state's folder
	port       int
	parameters parameters
	region     string
	// From the environment; "" when not given.
	databaseURL, storeURL, adminPassword string
}

func run(args []string) int {
	s := settings{port: 3000, region: "us-east-1", databaseURL: os.Getenv("GUARDA_DATABASE_URL"), storeURL: os.Getenv("GUARDA_STORE_URL"), adminPassword: os.Getenv("GUARDA_ADMIN_PASSWORD")}
	if r := os.Getenv("AWS_REGION"); r != "" {
		s.region = r
	}
	forget := false
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&s.data, "data", ".guarda", "folder of databases, backups, keys and logs")
	flags.BoolVar(&forget, "forget", false, "remove that folder, and end")
	flags.Var(&s.parameters, "parameter", "NAME=VALUE: a parameter of template.yaml (may be repeated)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintln(os.Stderr, "local: unknown argument", flags.Arg(0))
		return 2
	}
	if err := s.complete(os.Getenv("PORT")); err != nil {
		return complain(err)
	}
	if forget {
		return complain(forgetState(s.data))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first Ctrl-C the second one ends us at once; the watchers see
	// to Postgres and the functions.
	context.AfterFunc(ctx, stop)
	st := &stack{settings: s, clock: clock.System{}, say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	err := st.run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 0
	}
	return complain(err)
}

func (s *settings) complete(port string) error {
	var err error
	if s.root, err = os.Getwd(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.root, "template.yaml")); err != nil {
		return fault.New(fault.NotFound, "there is no template.yaml in %s", s.root).Hint("start the local stack in the project's folder (make run does)")
	}
	if s.data, err = filepath.Abs(s.data); err != nil {
		return err
	}
	if port != "" {
		if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
			return fault.New(fault.Invalid, "PORT is %q, and must be a number from 1 to 65535", port)
		}
	}
	return nil
}

// complain prints an error for people and returns the exit status.
func complain(err error) int {
	if err == nil {
		return 0
	}
	var bad *template.Error
	if errors.As(err, &bad) {
		fmt.Fprintf(os.Stderr, "%v\n", bad)
		return 1
	}
	fmt.Fprintf(os.Stderr, "local: %v\n", err)
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(os.Stderr, "local: %s\n", hint)
	}
	return 1
}

// parameters collects -parameter flags.
type parameters map[string]string

func (p *parameters) String() string { return "" }

func (p *parameters) Set(s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return errors.New("must be NAME=VALUE")
	}
	if *p == nil {
		*p = parameters{}
	}
	(*p)[k] = v
	return nil
}
