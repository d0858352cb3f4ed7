package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"guarda/shared/fault"
	"guarda/shared/seal"
)

var compressions = []seal.Compression{seal.Auto, seal.Zstd, seal.Gzip, seal.Brotli, seal.None}

// rows makes n bytes of COPY text as a shop's tables have it: ids, names,
// amounts, times, json, nulls and random tokens.
func rows(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("água café pedido enviado cancelado notebook teclado garantia entrega rápida São Paulo rua das flores cliente novo usado promoção")
	var b bytes.Buffer
	for id := 1; b.Len() < n; id++ {
		fmt.Fprintf(&b, "%d\t%s %s\t%d.%02d\t2026-%02d-%02d %02d:%02d:%02d.%06d+00\t", id, words[r.IntN(len(words))], words[r.IntN(len(words))],
			r.IntN(5000), r.IntN(100), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6))
		if r.IntN(5) == 0 {
			b.WriteString(`\N`)
		} else {
			fmt.Fprintf(&b, `{"sku": "%06d", "qty": %d, "note": "%s"}`, r.IntN(1e6), r.IntN(9), words[r.IntN(len(words))])
		}
		fmt.Fprintf(&b, "\t\\\\x%016x\n", r.Uint64())
	}
	return b.Bytes()[:n]
}

func noise(seed uint64, n int) []byte {
	var s [32]byte
	s[0] = byte(seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(s).Read(b)
	return b
}

func write(t testing.TB, o seal.Options, plain []byte) (stored []byte, encoding seal.Compression) {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), seal.Compression(w.Encoding())
}

func read(stored []byte, o seal.Options) ([]byte, error) {
	r, err := seal.NewReader(bytes.NewReader(stored), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestEveryStreamComesBack(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	sizes := []int{0, 1, 100, mib - 57, mib - 56, mib - 55, mib - 1, mib, mib + 1, 2*mib - 72, 2*mib - 71, 3*mib + 17}
	for _, c := range compressions {
		for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
			t.Run(fmt.Sprintf("%s encrypted=%t", c, key != nil), func(t *testing.T) {
				t.Parallel()
				for _, n := range sizes {
					for name, plain := range map[string][]byte{"rows": rows(1, n), "noise": noise(1, n)} {
						o := seal.Options{Compression: c, Key: key, AssociatedData: []byte("a/b/" + name)}
						var out bytes.Buffer
						w, err := seal.NewWriter(&out, o)
						if err != nil {
							t.Fatal(err)
						}
						// in pieces of uneven size, as rows come
						if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bytes.NewReader(plain)}, make([]byte, 7001)); err != nil {
							t.Fatal(err)
						}
						if err := w.Close(); err != nil {
							t.Fatal(err)
						}
						o.Compression = seal.Compression(w.Encoding())
						r, err := seal.NewReader(iotest.DataErrReader(bytes.NewReader(out.Bytes())), o)
						if err != nil {
							t.Fatal(err)
						}
						got, err := io.ReadAll(r)
						if err != nil || !bytes.Equal(got, plain) {
							t.Fatalf("%s, %d bytes: read %d bytes, equal=%t, error %v", name, n, len(got), bytes.Equal(got, plain), err)
						}
						if err := r.Close(); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func TestAutoCompressesRowsAndLeavesNoiseAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plain []byte
		want  seal.Compression
	}{
		"rows":              {rows(1, 2<<20), seal.Zstd},
		"few rows":          {rows(1, 3000), seal.Zstd},
		"noise":             {noise(1, 2<<20), seal.None},
		"noise after rows":  {append(rows(1, 1<<20), noise(1, 1<<20)...), seal.Zstd},
		"nothing":           {nil, seal.Zstd},
		"a single row":      {[]byte("1\tx\n"), seal.None},
		"noise, then zeros": {append(noise(1, 1<<20), make([]byte, 1<<20)...), seal.None},
	} {
		if _, got := write(t, seal.Options{}, c.plain); got != c.want {
			t.Errorf("%s: auto chose %s, want %s", name, got, c.want)
		}
	}
}

func TestOtherKeyOrNameDoesNotRead(t *testing.T) {
	t.Parallel()
	o := seal.Options{Compression: seal.Zstd, Key: seal.NewDataKey(), AssociatedData: []byte("data/1")}
	stored, _ := write(t, o, rows(1, 5000))
	for name, other := range map[string]seal.Options{
		"other key":  {Compression: seal.Zstd, Key: seal.NewDataKey(), AssociatedData: o.AssociatedData},
		"other name": {Compression: seal.Zstd, Key: o.Key, AssociatedData: []byte("data/2")},
		"no name":    {Compression: seal.Zstd, Key: o.Key},
		"no key":     {Compression: seal.Zstd},
	} {
		got, err := read(stored, other)
		if fault.CodeOf(err) != fault.Corrupt || fault.HintOf(err) == "" || len(got) > 0 {
			t.Errorf("%s: %d bytes and %v", name, len(got), err)
		}
	}
}

func TestTheSourcesErrorIsNotTakenForDamage(t *testing.T) {
	t.Parallel()
	plain := rows(1, 3<<20)
	broken := fault.New(fault.Unavailable, "connection reset")
	for _, c := range []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli, seal.None} {
		for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
			o := seal.Options{Compression: c, Key: key}
			stored, _ := write(t, o, plain)
			for _, cause := range []error{broken, io.ErrUnexpectedEOF} {
				for _, n := range []int{0, 10, 60, len(stored) / 2, len(stored) - 1, len(stored)} {
					src := io.MultiReader(bytes.NewReader(stored[:n]), iotest.ErrReader(cause))
					r, err := seal.NewReader(src, o)
					if err == nil {
						_, err = io.ReadAll(r)
					}
					if !errors.Is(err, cause) {
						t.Errorf("%s encrypted=%t, %v after %d of %d bytes: got %v", c, key != nil, cause, n, len(stored), err)
					}
				}
			}
		}
	}
}

type failingWriter struct{ left int }

var errDiskFull = errors.New("disk full")

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errDiskFull
	}
	return len(p), nil
}

func TestTheDestinationsErrorIsReported(t *testing.T) {
	t.Parallel()
	for _, c := range compressions {
		for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
			for _, room := range []int{0, 10, 100, 1 << 20} {
				w, err := seal.NewWriter(&failingWriter{room}, seal.Options{Compression: c, Key: key})
				if err == nil {
					_, err = w.Write(noise(1, 3<<20))
				}
				if err == nil {
					err = w.Close()
				}
				if !errors.Is(err, errDiskFull) {
					t.Errorf("%s encrypted=%t with room for %d: %v", c, key != nil, room, err)
				}
				if w != nil {
					if _, again := w.Write([]byte("x")); again == nil {
						t.Errorf("%s: a write after the failure succeeded", c)
					}
					if w.Close() == nil {
						t.Errorf("%s: closing after the failure succeeded", c)
					}
				}
			}
		}
	}
}

func TestKeysComeBackFromEveryProvider(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/k"
	if err := seal.GenerateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	file, err := seal.KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bytes32, err := seal.KeyFromBytes(noise(1, 32), "")
	if err != nil {
		t.Fatal(err)
	}
	phrase, err := seal.Passphrase([]byte("correct horse battery staple"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, p := range []seal.KeyProvider{file, bytes32, phrase} {
		key := seal.NewDataKey()
		wrapped, err := p.Wrap(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Unwrap(ctx, wrapped)
		if err != nil || *got != *key {
			t.Errorf("%s: unwrapped key differs, error %v", p, err)
		}
	}
}
