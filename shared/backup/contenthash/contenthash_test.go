package contenthash_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"guarda/shared/backup/contenthash"
)

func sumOf(t *testing.T, pieces ...[]byte) contenthash.Sum {
	t.Helper()
	var l contenthash.Lines
	for _, p := range pieces {
		if n, err := l.Write(p); n != len(p) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	s, err := l.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheHashIsTheFormats holds the values that stored backups rely on.
func TestTheHashIsTheFormats(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                 "00000000000000000000000000000000",
		"\n":               "1af525c09495077f370221967dd7b175",
		"1\tone\n":         "0d39e9c9a4f3691e9ec1ea26577ea5b3",
		"1\tone\n2\t\\N\n": "4f5c1590e441a9381e828680e5c3a59b",
		"1\tone\n1\tone\n": "1a73d39349e6d23d3d83d44caefd4b66",
		"2\t\\N\n1\tone\n": "4f5c1590e441a9381e828680e5c3a59b",
	} {
		if got := sumOf(t, []byte(text)).String(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestOrderAndCutsDoNotMatterButEveryByteDoes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var lines [][]byte
	for range 300 {
		line := make([]byte, r.IntN(700))
		for i := range line {
			line[i] = byte('a' + r.IntN(26))
		}
		lines = append(lines, append(line, '\n'))
	}
	want := sumOf(t, lines...)
	if want.Rows != 300 {
		t.Fatalf("%d rows", want.Rows)
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	all := bytes.Join(lines, nil)
	for range 50 {
		var pieces [][]byte
		for rest := all; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(1500))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := sumOf(t, pieces...); got != want {
			t.Fatalf("cut differently: %v, want %v", got, want)
		}
	}
	var parts contenthash.Sum
	parts.Add(sumOf(t, lines[:100]...))
	parts.Add(sumOf(t, lines[100:]...))
	if parts != want {
		t.Errorf("the parts add up to %v, want %v", parts, want)
	}
	for range 100 {
		changed := bytes.Clone(all)
		i := r.IntN(len(changed))
		if changed[i] == '\n' {
			continue
		}
		changed[i] ^= 1 << r.IntN(3)
		if changed[i] != '\n' && sumOf(t, changed).String() == want.String() {
			t.Fatalf("changing byte %d went unnoticed", i)
		}
	}
}

func TestAnUnfinishedLineIsAnError(t *testing.T) {
	t.Parallel()
	var l contenthash.Lines
	_, _ = l.Write([]byte("1\t2\n3"))
	if _, err := l.Sum(); err == nil {
		t.Error("a cut line went unnoticed")
	}
	l.Reset()
	if s, err := l.Sum(); err != nil || s != (contenthash.Sum{}) {
		t.Errorf("after Reset: %v, %v", s, err)
	}
}

func TestParseReadsWhatStringWrote(t *testing.T) {
	t.Parallel()
	want := sumOf(t, []byte("a\nb\n"))
	got, err := contenthash.Parse(want.String(), want.Rows)
	if err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "00", want.String() + "00", "zz" + want.String()[2:]} {
		if _, err := contenthash.Parse(bad, 1); err == nil {
			t.Errorf("%q was taken for a content hash", bad)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nbb\n\n"), uint8(2))
	f.Add([]byte("a\nbb"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, cut uint8) {
		var whole, cuts contenthash.Lines
		_, _ = whole.Write(text)
		for rest := text; len(rest) > 0; {
			n := min(len(rest), 1+int(cut))
			_, _ = cuts.Write(rest[:n])
			rest = rest[n:]
		}
		a, errA := whole.Sum()
		b, errB := cuts.Sum()
		if a != b || (errA == nil) != (errB == nil) {
			t.Fatalf("%v %v, cut: %v %v", a, errA, b, errB)
		}
		if errA == nil && a.Rows != int64(bytes.Count(text, []byte("\n"))) {
			t.Fatalf("%d rows in %q", a.Rows, text)
		}
	})
}

func BenchmarkLines(b *testing.B) {
	line := append(bytes.Repeat([]byte("0123456789\t"), 20), '\n')
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	var l contenthash.Lines
	for b.Loop() {
		_, _ = l.Write(line)
	}
}
