package seal_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"guarda/shared/seal"
)

// The figures of docs/design/sealed-stream.md:
//
//	go test -run '^$' -bench . -cpu 1 ./shared/seal
var benchmarks = []seal.Options{
	{Compression: seal.None},
	{Compression: seal.Auto},
	{Compression: seal.Zstd, Level: 1},
	{Compression: seal.Zstd, Level: 3},
	{Compression: seal.Zstd, Level: 7},
	{Compression: seal.Gzip, Level: 1},
	{Compression: seal.Gzip, Level: 6},
	{Compression: seal.Brotli, Level: 2},
	{Compression: seal.Brotli, Level: 4},
	{Compression: seal.Brotli, Level: 6},
}

func BenchmarkWrite(b *testing.B) {
	for name, plain := range map[string][]byte{"rows": rows(1, 16<<20), "noise": noise(1, 16<<20)} {
		for _, o := range benchmarks {
			for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
				o.Key = key
				if name == "noise" && o.Compression != seal.Auto {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s-%d/encrypted=%t", name, o.Compression, o.Level, key != nil), func(b *testing.B) {
					b.SetBytes(int64(len(plain)))
					b.ReportAllocs()
					var stored counter
					for range b.N {
						stored = 0
						w, err := seal.NewWriter(&stored, o)
						if err != nil {
							b.Fatal(err)
						}
						for p := plain; len(p) > 0; { // as rows come
							n := min(len(p), 150)
							if _, err := w.Write(p[:n]); err != nil {
								b.Fatal(err)
							}
							p = p[n:]
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
}

func BenchmarkRead(b *testing.B) {
	plain := rows(1, 16<<20)
	for _, c := range []seal.Compression{seal.None, seal.Zstd, seal.Gzip, seal.Brotli} {
		for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
			o := seal.Options{Compression: c, Key: key}
			stored, _ := write(b, o, plain)
			b.Run(fmt.Sprintf("%s/encrypted=%t", c, key != nil), func(b *testing.B) {
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				for range b.N {
					r, err := seal.NewReader(bytes.NewReader(stored), o)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, r); err != nil {
						b.Fatal(err)
					}
					r.Close()
				}
			})
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
