package seal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"guarda/shared/seal"
)

// tables makes COPY text of kinds of tables that compress differently.
func tables(n int) map[string][]byte {
	r := rand.New(rand.NewPCG(3, 1))
	fill := func(row func(b *bytes.Buffer, id int)) []byte {
		var b bytes.Buffer
		for id := 1; b.Len() < n; id++ {
			row(&b, id)
		}
		return b.Bytes()[:n]
	}
	levels, services := []string{"info", "info", "info", "warn", "error", "debug"}, []string{"api", "worker", "billing", "auth"}
	return map[string][]byte{
		"shop": rows(1, n),
		"log": fill(func(b *bytes.Buffer, id int) {
			fmt.Fprintf(b, "%d\t2026-11-24 10:%02d:%02d.%06d+00\t{\"level\": \"%s\", \"service\": \"%s\", \"message\": \"request handled\", \"status\": 200, \"duration_ms\": %d, \"path\": \"/api/v1/orders/%d\"}\n",
				id, id/6000%60, id/100%60, id*10%1_000_000, levels[r.IntN(6)], services[r.IntN(4)], r.IntN(500), r.IntN(100_000))
		}),
		"flags": fill(func(b *bytes.Buffer, id int) { fmt.Fprintf(b, "%d\tt\tf\t%d\tBR\t2026-11-24\t\\N\tactive\n", id, id%7) }),
		"uuid": fill(func(b *bytes.Buffer, _ int) {
			fmt.Fprintf(b, "%08x-%04x-4%03x-%04x-%012x\t%d\n", r.Uint32(), r.Uint32()>>16, r.Uint32()>>20, r.Uint32()>>16, r.Uint64()>>16, r.IntN(100))
		}),
		"numbers": fill(func(b *bytes.Buffer, _ int) {
			fmt.Fprintf(b, "%d\t%d\t%.6f\n", r.IntN(1e9), r.IntN(1e6), r.NormFloat64())
		}),
	}
}

// BenchmarkTables is why Auto does not choose a higher level.
func BenchmarkTables(b *testing.B) {
	for name, plain := range tables(8 << 20) {
		for _, level := range []int{1, 3} {
			b.Run(fmt.Sprintf("%s/zstd-%d", name, level), func(b *testing.B) {
				b.SetBytes(int64(len(plain)))
				var stored counter
				for range b.N {
					stored = 0
					w, err := seal.NewWriter(&stored, seal.Options{Compression: seal.Zstd, Level: level})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := w.Write(plain); err != nil {
						b.Fatal(err)
					}
					if err := w.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(plain))/float64(stored), "ratio")
			})
		}
	}
}

// TestAutoCompressesEveryKindOfTable: also those in which nothing repeats.
func TestAutoCompressesEveryKindOfTable(t *testing.T) {
	t.Parallel()
	for name, plain := range tables(2 << 20) {
		stored, encoding := write(t, seal.Options{}, plain)
		if encoding != seal.Zstd || len(stored) > len(plain)*6/10 {
			t.Errorf("%s: %s, %d of %d bytes", name, encoding, len(stored), len(plain))
		}
	}
}
