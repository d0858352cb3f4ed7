package main

import (
	"context"
	"encoding/json"
	"os"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
)

// report is what one reading took, in seconds and queries.
type report struct {
	Locks          float64 `json:"locks"`
	LockQueries    int     `json:"lock_queries"`
	Catalog        float64 `json:"catalog"`
	CatalogQueries int     `json:"catalog_queries"`
	Ledger         float64 `json:"ledger"`
	LedgerQueries  int     `json:"ledger_queries"`
	Entries        int     `json:"entries"`
}

// counter counts queries.
type counter struct{ n int }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n++
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// read does what a backup does before it copies rows, once, and prints a
// report: it locks the tables in batches, reads the catalog, and accounts for
// all of it.
func read(ctx context.Context, o options) error {
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	config, err := pgx.ParseConfig(o.child)
	if err != nil {
		return err
	}
	queries := &counter{}
	config.Tracer = queries
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "set local search_path = ''"); err != nil {
		return err
	}
	var r report
	at, from := clock.System{}.Now(), queries.n
	part := func(seconds *float64, count *int) {
		now := clock.System{}.Now()
		*seconds, *count = now.Sub(at).Seconds(), queries.n-from
		at, from = now, queries.n
	}
	if err := lock(ctx, tx); err != nil {
		return err
	}
	part(&r.Locks, &r.LockQueries)
	c, err := pgcatalog.Read(ctx, tx, pgcatalog.Options{})
	if err != nil {
		return err
	}
	part(&r.Catalog, &r.CatalogQueries)
	inventory, err := ledger.Enumerate(ctx, tx)
	if err != nil {
		return err
	}
	ledger.Compare(inventory, ledger.Coverage{Full: c, Kept: c, Chosen: c})
	part(&r.Ledger, &r.LedgerQueries)
	r.Entries = len(c.Entries)
	return json.NewEncoder(os.Stdout).Encode(r)
}

// lock takes the locks that a backup takes.
func lock(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(names, 500) {
		if _, err := tx.Exec(ctx, "lock table only "+strings.Join(batch, ", only ")+" in access share mode", pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}
