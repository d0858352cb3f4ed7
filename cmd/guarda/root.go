package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"guarda/shared/fault"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// app is one call of the program.
type app struct {
	out, err io.Writer
	json     bool
	verbose  bool
	started  bool // the command's own work has begun: errors are not of usage
}

// run is the program: arguments in, exit code out.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	a := &app{out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var usage usageError
	wrongUsage := !a.started || errors.As(err, &usage)
	a.fail(err)
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case wrongUsage:
		return exitUsage
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "guarda",
		Short:         "Back up PostgreSQL databases, prove the backups, restore them",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log what is done to standard error")
	root.AddCommand(a.backupCommand(), a.listCommand(), a.showCommand(), a.verifyCommand(), a.diffCommand(), a.gcCommand(), a.restoreCommand(), a.exportCommand(), a.keygenCommand(), a.logsCommand())
	return root
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(development)"
	}
	return info.Main.Version
}

// work wraps a command's own work, from where on errors are not of usage.
func (a *app) work(f func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		a.started = true
		return f(c.Context())
	}
}

// usageError is the error of a flag's value.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// fail tells the error: for people, and with --json also for machines.
func (a *app) fail(err error) {
	message, hint := err.Error(), fault.HintOf(err)
	fmt.Fprintf(a.err, "guarda: %s\n", message)
	if hint != "" {
		fmt.Fprintf(a.err, "hint: %s\n", hint)
	}
	if !a.started {
		fmt.Fprintln(a.err, "hint: \"guarda --help\" lists the commands, \"guarda <command> --help\" its flags")
	}
	var told reportedError
	if a.json && !errors.As(err, &told) {
		type failure struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Hint    string `json:"hint,omitempty"`
		}
		_ = a.printJSON(struct {
			Status string  `json:"status"`
			Error  failure `json:"error"`
		}{"failed", failure{string(fault.CodeOf(err)), message, hint}})
	}
}

// reportedError is an error whose JSON object was printed already.
type reportedError struct{ error }

func (r reportedError) Unwrap() error { return r.error }

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// terminal reports whether a person watches standard error.
func (a *app) terminal() bool {
	f, ok := a.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
