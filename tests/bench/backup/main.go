// Command backup measures "guarda backup" and "guarda restore" against pg_dump
// and pg_restore on the same data, in turns in one run, and prints medians,
// ratios and peak memory. It starts a PostgreSQL server of its own in a
// temporary folder and removes everything when it ends. "make bench" runs it.
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
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/postgres/pgserver"
)

type options struct {
	gigabytes   float64
	runs        int
	guarda      string
	dir         string
	rows        string
	buffers     string
	restore     bool
	incremental bool
}

func main() {
	var o options
	flag.Float64Var(&o.gigabytes, "gb", 3, "size of the test database, GB of heap")
	flag.IntVar(&o.runs, "runs", 3, "runs of each command; the median counts")
	flag.StringVar(&o.guarda, "guarda", "bin/guarda", "the program to measure")
	flag.StringVar(&o.dir, "dir", "/var/tmp", "where the database and the backups go; needs about four times -gb")
	flag.StringVar(&o.rows, "rows", "ordinary", "what the rows are like: "+strings.Join(kindsOfRows(), ", "))
	flag.StringVar(&o.buffers, "buffers", "1GB", "the server's shared_buffers")
	flag.BoolVar(&o.restore, "restore", false, "measure restore too")
	flag.BoolVar(&o.incremental, "incremental", false, "measure incremental backups instead of pg_dump")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	fill, ok := rowKinds[o.rows]
	if !ok {
		return fmt.Errorf("-rows: no rows are called %q: choose one of %s", o.rows, strings.Join(kindsOfRows(), ", "))
	}
	programs := pgserver.Installed()
	if len(programs) == 0 {
		return errors.New("needs PostgreSQL's server and client programs on this machine")
	}
	guarda, err := filepath.Abs(o.guarda)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.dir, "guarda-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	server, err := pgserver.Start(ctx, pgserver.Config{Dir: filepath.Join(work, "server"), Throwaway: true, BinDir: programs[0],
		Settings: map[string]string{"shared_buffers": o.buffers, "max_wal_size": "8GB", "maintenance_work_mem": "256MB", "autovacuum": "off", "checkpoint_timeout": "1h"}})
	if err != nil {
		return err
	}
	defer server.Stop()
	size, rows, err := load(ctx, server.URL("postgres"), fill(o.gigabytes*1e9))
	if err != nil {
		return err
	}
	fmt.Printf("database: %.2f GB of %s rows, %d bytes each with all, shared_buffers %s, PostgreSQL %s\n",
		float64(size)/1e9, o.rows, size/rows, o.buffers, filepath.Base(filepath.Dir(programs[0])))
	key := filepath.Join(work, "key")
	if _, err := measure(ctx, guarda, "keygen", "--out", key); err != nil {
		return err
	}
	dsn := server.URL("postgres")
	out := filepath.Join(work, "out")
	if o.incremental {
		return incrementals(ctx, o, dsn, guarda, key, out)
	}
	pgDump := filepath.Join(programs[0], "pg_dump")
	commands := []command{
		{"guarda backup --jobs 2 (encrypted)", []string{guarda, "backup", "--source", dsn, "--store", "file://" + out, "--key-file", key, "--jobs", "2", "--json"}},
		{"pg_dump -Fd -j2 -Z0", []string{pgDump, "-Fd", "-j2", "-Z0", "-f", out, dsn}},
		{"pg_dump -Fd -j2", []string{pgDump, "-Fd", "-j2", "-f", out, dsn}},
	}
	results, err := inTurns(ctx, commands, o.runs, out, nil)
	if err != nil {
		return err
	}
	report(results)
	if !o.restore {
		return nil
	}
	return restores(ctx, o, server, guarda, key, work, programs[0])
}

func restores(ctx context.Context, o options, server *pgserver.Server, guarda, key, work, bin string) error {
	store, archive := filepath.Join(work, "store"), filepath.Join(work, "archive")
	if _, err := measure(ctx, guarda, "backup", "--source", server.URL("postgres"), "--store", "file://"+store, "--key-file", key, "--jobs", "2", "--json"); err != nil {
		return err
	}
	if _, err := measure(ctx, filepath.Join(bin, "pg_dump"), "-Fd", "-j2", "-f", archive, server.URL("postgres")); err != nil {
		return err
	}
	target := server.URL("target")
	fresh := func() error {
		conn, err := pgx.Connect(ctx, server.URL("postgres"))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "drop database if exists target"); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "create database target template template0")
		return err
	}
	results, err := inTurns(ctx, []command{
		{"guarda restore --jobs 2 (encrypted)", []string{guarda, "restore", "--store", "file://" + store, "--backup", "latest", "--key-file", key, "--target", target, "--jobs", "2", "--json"}},
		{"pg_restore -j2", []string{filepath.Join(bin, "pg_restore"), "-j2", "-d", target, archive}},
	}, o.runs, "", fresh)
	if err != nil {
		return err
	}
	report(results)
	return nil
}

type command struct {
	name string
	args []string
}

type sample struct {
	seconds float64
	cpu     float64
	peakMB  float64
	stored  int64
}

type result struct {
	name    string
	samples []sample
}

// inTurns runs the commands one after the other, runs times round, so that a
// machine that slows down slows all of them.
func inTurns(ctx context.Context, commands []command, runs int, out string, before func() error) ([]result, error) {
	results := make([]result, len(commands))
	for i := range commands {
		results[i].name = commands[i].name
	}
	for round := range runs {
		for i, c := range commands {
			if before != nil {
				if err := before(); err != nil {
					return nil, err
				}
			}
			s, err := measure(ctx, c.args[0], c.args[1:]...)
			if err != nil {
				return nil, err
			}
			if out != "" {
				if s.stored, err = sizeOf(out); err != nil {
					return nil, err
				}
				if err := os.RemoveAll(out); err != nil {
					return nil, err
				}
			}
			fmt.Printf("  round %d  %-36s %7.2f s\n", round+1, c.name, s.seconds)
			results[i].samples = append(results[i].samples, s)
		}
	}
	return results, nil
}

func measure(ctx context.Context, name string, args ...string) (sample, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var messages strings.Builder
	cmd.Stderr = &messages
	began := clock.System{}.Now()
	err := cmd.Run()
	took := clock.System{}.Now().Sub(began)
	if err != nil {
		return sample{}, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, messages.String())
	}
	s := sample{seconds: took.Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peakMB = float64(usage.Maxrss) / 1024
	}
	return s, nil
}

func sizeOf(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

func report(results []result) {
	median := func(r result, f func(sample) float64) float64 {
		var v []float64
		for _, s := range r.samples {
			v = append(v, f(s))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	seconds := func(s sample) float64 { return s.seconds }
	own := median(results[0], seconds)
	fmt.Printf("\n%-36s %9s %9s %9s %9s %14s\n", "median of "+fmt.Sprint(len(results[0].samples)), "seconds", "CPU s", "peak MB", "GB out", "time vs guarda")
	for _, r := range results {
		fmt.Printf("%-36s %9.2f %9.2f %9.0f %9.2f %14.2f\n", r.name, median(r, seconds), median(r, func(s sample) float64 { return s.cpu }),
			median(r, func(s sample) float64 { return s.peakMB }), median(r, func(s sample) float64 { return float64(s.stored) / 1e9 }), median(r, seconds)/own)
	}
	fmt.Println()
}
