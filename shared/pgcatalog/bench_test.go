package pgcatalog_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

// benchVariable names a database for the benchmarks: one with many tables.
const benchVariable = "GUARDA_BENCH_DATABASE_URL"

func benchDatabase(b *testing.B) string {
	url := os.Getenv(benchVariable)
	if url == "" {
		b.Skip(benchVariable + " names no database")
	}
	return url
}

func BenchmarkRead(b *testing.B) {
	url := benchDatabase(b)
	for b.Loop() {
		conn := pgtest.Connect(b, url)
		if _, err := pgcatalog.Read(context.Background(), conn, pgcatalog.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPgDump(b *testing.B) {
	url := benchDatabase(b)
	for b.Loop() {
		if out, err := exec.Command(pgtest.Program(b, "pg_dump"), "-s", "-f", os.DevNull, "-d", url).CombinedOutput(); err != nil {
			b.Fatalf("pg_dump: %v\n%s", err, out)
		}
	}
}
