package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// rowKinds are the databases to choose from, each as the statements that make
// it of about so many bytes. How wide the rows are decides how many there are,
// and every row costs the server something whatever is in it.
var rowKinds = map[string]func(bytes float64) []string{"narrow": narrow, "ordinary": ordinary, "wide": wide}

func kindsOfRows() []string { return slices.Sorted(maps.Keys(rowKinds)) }

// narrow rows are those of a ledger: numbers only.
func narrow(bytes float64) []string {
	return []string{
		fmt.Sprintf(`create table postings as
			select n as id, n %% 100000 as account, (n * 37 %% 100000)::numeric / 100 as amount, timestamptz '2026-01-01' + n * interval '1 second' as at
			from generate_series(1, %d::bigint) n`, int64(bytes/64)),
		`alter table postings add primary key (id)`,
	}
}

// ordinary rows are those of most applications: numbers, times, short and long
// text, JSON, some of it compressible, spread over a large table, several
// middling ones and many small ones.
func ordinary(bytes float64) []string {
	rows := int64(bytes / 2 / 250)
	statements := []string{
		fmt.Sprintf(`create table measurements as
			select n as id, timestamptz '2026-01-01' + n * interval '1 second' as at, n %% 5000 as device, random() as value,
			       md5(n::text) as token, 'status ' || n %% 7 || ' of a device in building ' || n %% 93 as note, (n * 37 %% 100000)::numeric / 100 as price,
			       jsonb_build_object('id', n, 'kind', 'reading', 'ok', n %% 3 = 0) as detail
			from generate_series(1, %d::bigint) n`, rows),
		`alter table measurements add primary key (id)`,
		`create index on measurements (at)`,
	}
	for i := range 4 {
		statements = append(statements, fmt.Sprintf(`create table articles_%d as
			select n as id, repeat(md5(n::text) || ' ', 4) || 'lorem ipsum dolor sit amet ' || n as body, now() as at, array[n, n + 1] as numbers
			from generate_series(1, %d::bigint) n`, i, rows/4))
	}
	for i := range 100 {
		statements = append(statements, fmt.Sprintf("create table small_%d as select n as id, 'row ' || n as name from generate_series(1, 100) n", i))
	}
	return statements
}

// wide rows are documents: orders as JSON, with their lines.
func wide(bytes float64) []string {
	return []string{
		fmt.Sprintf(`create table documents as
			select n as id, timestamptz '2026-01-01' + n * interval '1 second' as at,
			       jsonb_build_object('id', n, 'title', 'Pedido ' || n, 'customer', md5(n::text), 'lines', (select jsonb_agg(jsonb_build_object(
			           'sku', md5((n * 10 + l)::text), 'quantity', l, 'price', n * l %% 1000, 'note', 'item ' || l || ' of order ' || n)) from generate_series(1, 7) l)) as document
			from generate_series(1, %d::bigint) n`, int64(bytes/1170)),
		`alter table documents add primary key (id)`,
	}
}

// load runs the statements and returns how many bytes and rows there are.
func load(ctx context.Context, dsn string, statements []string) (size, rows int64, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx)
	for _, s := range append(statements, "vacuum analyze", "checkpoint") {
		if _, err := conn.Exec(ctx, s); err != nil {
			return 0, 0, fmt.Errorf("%.60s: %w", s, err)
		}
	}
	err = conn.QueryRow(ctx, `select sum(pg_table_size(oid))::bigint, sum(reltuples)::bigint from pg_class
		where relkind = 'r' and relnamespace = 'public'::regnamespace`).Scan(&size, &rows)
	return size, rows, err
}
