// Command catalog measures the part of a backup that reads a database's
// catalog against "pg_dump -s", in turns in one run: a schema of many tables,
// and a table of as many columns as there can be. It prints medians, ratios,
// the number of queries and peak memory. It starts a PostgreSQL server of its
// own in a temporary folder and removes everything when it ends.
package main

import (
	"context"
	"encoding/json"
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
	tables  int
	columns int
	runs    int
	dir     string
	profile string
	child   string
}

func main() {
	var o options
	flag.IntVar(&o.tables, "tables", 20000, "tables in the large schema")
	flag.IntVar(&o.columns, "columns", 1600, "columns of the wide table")
	flag.IntVar(&o.runs, "runs", 5, "runs of each; the median counts")
	flag.StringVar(&o.dir, "dir", "/var/tmp", "where the database goes")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the last reading of the large schema into this file")
	flag.StringVar(&o.child, "child", "", "read the catalog of this database once (the program starts itself so, to be measured)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	work := run
	if o.child != "" {
		work = read
	}
	if err := work(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	programs := pgserver.Installed()
	if len(programs) == 0 {
		return errors.New("needs PostgreSQL's server and client programs on this machine")
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
		Settings: map[string]string{"shared_buffers": "1GB", "max_wal_size": "8GB", "autovacuum": "off", "checkpoint_timeout": "1h", "max_locks_per_transaction": "2048"}})
	if err != nil {
		return err
	}
	defer server.Stop()
	for _, c := range []struct {
		name string
		fill []string
		what string
	}{
		{"many", manyTables(o.tables), fmt.Sprintf("%d tables", o.tables)},
		{"wide", wideTable(o.columns), fmt.Sprintf("a table of %d columns", o.columns)},
	} {
		if err := load(ctx, server, c.name, c.fill); err != nil {
			return err
		}
		if c.name != "many" {
			o.profile = ""
		}
		if err := compare(ctx, o, server.URL(c.name), filepath.Join(programs[0], "pg_dump"), c.what); err != nil {
			return err
		}
	}
	return nil
}

// manyTables is a schema such as one gets with a schema or a set of tables for
// each customer: keys, sequences, defaults, checks, indexes, references,
// comments, grants, views.
func manyTables(n int) []string {
	each := func(step int, what string) string {
		return fmt.Sprintf(`do $$ begin for i in 1..%d loop if i %% %d = 0 then %s; end if; if i %% 200 = 0 then commit; end if; end loop; end $$`, n, step, what)
	}
	return []string{
		"do $$ begin if not exists (select from pg_roles where rolname = 'bench_reader') then create role bench_reader; end if; end $$",
		each(1, `execute format('create table public.t%s (id bigserial primary key, parent bigint, name text not null default ''x'', price numeric(10,2) check (price > 0), at timestamptz default now())', i)`),
		each(1, `execute format('create index on public.t%s (name)', i)`),
		each(3, `execute format('alter table public.t%s add foreign key (parent) references public.t%s', i, i - 1)`),
		each(5, `execute format('comment on table public.t%s is %L', i, 'of customer ' || i)`),
		each(10, `execute format('grant select on public.t%s to bench_reader', i)`),
		each(20, `execute format('create view public.v%s as select id, name from public.t%s where price > 1', i, i)`),
	}
}

// wideTable has as many columns as a table can have.
func wideTable(n int) []string {
	var columns []string
	for i := range n {
		columns = append(columns, fmt.Sprintf("c%d %s", i, []string{"integer", "integer default 7", "text", "numeric(8,2) not null default 0", "boolean"}[i%5]))
	}
	return []string{
		"create table public.wide (" + strings.Join(columns, ", ") + ")",
		fmt.Sprintf("do $$ begin for i in 0..%d loop if i %% 10 = 0 then execute format('comment on column public.wide.c%%s is %%L', i, 'column ' || i); execute format('grant select (c%%s) on public.wide to bench_reader', i); end if; end loop; end $$", n-1),
	}
}

func load(ctx context.Context, server *pgserver.Server, name string, statements []string) error {
	admin, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "create database "+name+" template template0"); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, server.URL(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, s := range append(statements, "vacuum analyze", "checkpoint") {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%.60s: %w", s, err)
		}
	}
	return nil
}

type sample struct {
	seconds, peakMB float64
	report          report // of our own runs
}

// compare runs both programs in turns, so that a machine that slows down slows
// both.
func compare(ctx context.Context, o options, dsn, pgDump, what string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	var ours, theirs []sample
	for round := range o.runs {
		args := []string{"-child", dsn}
		if round == o.runs-1 && o.profile != "" {
			args = append(args, "-profile", o.profile)
		}
		out, s, err := measure(ctx, own, args...)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(out, &s.report); err != nil {
			return fmt.Errorf("read the program's report %q: %w", out, err)
		}
		ours = append(ours, s)
		_, s, err = measure(ctx, pgDump, "-s", "-f", os.DevNull, "-d", dsn)
		if err != nil {
			return err
		}
		theirs = append(theirs, s)
	}
	of := func(samples []sample, f func(sample) float64) float64 {
		var v []float64
		for _, s := range samples {
			v = append(v, f(s))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	whole := func(s sample) float64 { return s.seconds }
	peak := func(s sample) float64 { return s.peakMB }
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i].seconds/theirs[i].seconds)
	}
	slices.Sort(ratios)
	fmt.Printf("%s, median of %d runs in turns\n", what, o.runs)
	fmt.Printf("  %-34s %8s %8s\n", "", "seconds", "peak MB")
	fmt.Printf("  %-34s %8.2f %8.0f   ratio in pairs: median %.2f, from %.2f to %.2f\n", "guarda: locks, catalog, ledger", of(ours, whole), of(ours, peak), ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	fmt.Printf("  %-34s %8.2f   %d queries, %d entries\n", "  the locks alone", of(ours, func(s sample) float64 { return s.report.Locks }), ours[0].report.LockQueries, ours[0].report.Entries)
	fmt.Printf("  %-34s %8.2f   %d queries\n", "  the catalog alone", of(ours, func(s sample) float64 { return s.report.Catalog }), ours[0].report.CatalogQueries)
	fmt.Printf("  %-34s %8.2f   %d queries\n", "  the coverage ledger alone", of(ours, func(s sample) float64 { return s.report.Ledger }), ours[0].report.LedgerQueries)
	fmt.Printf("  %-34s %8.2f %8.0f\n\n", "pg_dump -s", of(theirs, whole), of(theirs, peak))
	return nil
}

func measure(ctx context.Context, name string, args ...string) ([]byte, sample, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var messages strings.Builder
	cmd.Stderr = &messages
	began := clock.System{}.Now()
	out, err := cmd.Output()
	took := clock.System{}.Now().Sub(began)
	if err != nil {
		return nil, sample{}, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, messages.String())
	}
	s := sample{seconds: took.Seconds()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peakMB = float64(usage.Maxrss) / 1024
	}
	return out, s, nil
}
