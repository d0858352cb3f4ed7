package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob/dir"
	"guarda/shared/seal"
)

// incrementals measures, in turns: a full backup, an incremental one after a
// row was deleted in one of a hundred ranges, and one after nothing. A range is
// what a backup refers to or copies: a chunk.
func incrementals(ctx context.Context, o options, dsn, guarda, key, out string) error {
	results := []result{{name: "full"}, {name: "incremental, 1 % of ranges"}, {name: "incremental, unchanged"}}
	took := func(i int, kind string) error {
		before, err := sizeOf(out)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		s, err := measure(ctx, guarda, "backup", "--source", dsn, "--store", "file://"+out, "--key-file", key, "--jobs", "2", "--type", kind, "--json")
		if err != nil {
			return err
		}
		after, err := sizeOf(out)
		if err != nil {
			return err
		}
		s.stored = after - before
		results[i].samples = append(results[i].samples, s)
		fmt.Printf("  %-36s %7.2f s %12d bytes stored\n", results[i].name, s.seconds, s.stored)
		return nil
	}
	for range o.runs {
		if err := os.RemoveAll(out); err != nil {
			return err
		}
		if err := took(0, "full"); err != nil {
			return err
		}
		touched, ranges, err := touch(ctx, dsn, out, key)
		if err != nil {
			return err
		}
		fmt.Printf("  touched %d of %d ranges\n", touched, ranges)
		if err := took(1, "incremental"); err != nil {
			return err
		}
		if err := took(2, "incremental"); err != nil {
			return err
		}
	}
	report(results)
	for i := 1; i < len(results); i++ {
		var times, bytes []float64
		for n, s := range results[i].samples {
			full := results[0].samples[n]
			times, bytes = append(times, full.seconds/s.seconds), append(bytes, 100*float64(s.stored)/float64(full.stored))
		}
		slices.Sort(times)
		slices.Sort(bytes)
		fmt.Printf("%s: %.1f times as fast as the full backup of its round (%.1f to %.1f), stores %.2f %% of its bytes (at most %.2f)\n",
			results[i].name, times[len(times)/2], times[0], times[len(times)-1], bytes[len(bytes)/2], bytes[len(bytes)-1])
	}
	return nil
}

// touch deletes a row in a hundredth of the large ranges of the newest backup,
// at least in one, chosen at random.
func touch(ctx context.Context, dsn, out, key string) (touched, ranges int, err error) {
	store, err := dir.Open(out, dir.Options{MustExist: true})
	if err != nil {
		return 0, 0, err
	}
	keys, err := seal.KeyFile(key)
	if err != nil {
		return 0, 0, err
	}
	l, err := manifest.Find(ctx, store, "", "latest")
	if err != nil {
		return 0, 0, err
	}
	m, _, err := manifest.Open(ctx, store, l, keys)
	if err != nil {
		return 0, 0, err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx)
	type place struct {
		table string
		block int64
	}
	var all []place
	for _, t := range m.Tables {
		for _, c := range t.Chunks {
			if c.RawBytes < 1<<20 {
				continue // a small table is cheap to copy
			}
			all = append(all, place{pgx.Identifier{t.Schema, t.Name}.Sanitize(), c.FromBlock})
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := max(1, len(all)/100)
	for _, p := range all[:n] {
		_, err := conn.Exec(ctx, fmt.Sprintf("delete from only %s where ctid = (select min(ctid) from only %[1]s where ctid >= '(%d,0)' and ctid < '(%d,0)')", p.table, p.block, p.block+1))
		if err != nil {
			return 0, 0, err
		}
	}
	return n, len(all), nil
}
