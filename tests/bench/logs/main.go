// Command logs measures the log store at a size: p95 of each kind of search
// through the function's handler against the specification's table and plain
// query, histogram and facets against grouping the rows, export of a day against
// psql's \copy, ingestion through the handler against COPY into the same table,
// and the mining of patterns. It starts a PostgreSQL server
// of its own in a temporary folder and removes everything when it ends. "make
// bench-logs" runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/clock"
	"guarda/shared/postgres"
	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgserver"
)

type options struct {
	rows   int
	days   int
	rounds int
	plain  bool
	dir    string
	ingest int
	keep   bool
}

type bench struct {
	options
	ctx   context.Context
	db    *pgxpool.Pool
	url   string
	work  string
	clock clock.Clock
	first time.Time // the oldest day
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 10_000_000, "entries")
	flag.IntVar(&o.days, "days", 10, "days that they are spread over")
	flag.IntVar(&o.rounds, "rounds", 40, "requests of each kind; 0: only ingestion is measured")
	flag.BoolVar(&o.plain, "plain", true, "build the specification's table too and compare with its plain query")
	flag.IntVar(&o.ingest, "ingest", 100_000, "entries that are ingested to measure that; 0: none")
	flag.StringVar(&o.dir, "dir", "/var/tmp", "where the database goes; 10 million entries with the specification's table need 25 GB")
	flag.BoolVar(&o.keep, "keep", false, "leave the database in -dir/guarda-bench-logs and take it from there when it is there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	work := filepath.Join(o.dir, "guarda-bench-logs")
	if o.keep {
		err = os.MkdirAll(work, 0o755)
	} else if work, err = os.MkdirTemp(o.dir, "guarda-bench-logs-"); err == nil {
		defer os.RemoveAll(work)
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	server, err := pgserver.Start(ctx, pgserver.Config{Dir: work, Settings: map[string]string{
		"shared_buffers": "2GB", "maintenance_work_mem": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "work_mem": "16MB", "effective_cache_size": "12GB",
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	db, err := postgres.Open(ctx, server.URL("postgres"), postgres.Options{MaxConns: 4})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := migrations.Up(ctx, server.URL("postgres")); err != nil {
		return err
	}
	b := &bench{options: o, ctx: ctx, db: db, url: server.URL("postgres"), work: work, clock: clock.System{}}
	b.first = b.clock.Now().Truncate(24*time.Hour).AddDate(0, 0, -o.days)
	for _, step := range []func() error{b.load, b.loadPlain, b.searches, b.exports, b.ingestion, b.mining} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
