package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// mineFile runs "logs mine --json" on content and returns the objects.
func mineFile(t *testing.T, content []byte) (lines []minedLine, code int, message string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.log")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code = run(context.Background(), []string{"logs", "mine", "--json", file}, &out, &errOut)
	if code != exitOK {
		return nil, code, errOut.String()
	}
	dec := json.NewDecoder(&out)
	for dec.More() {
		var l minedLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines, code, ""
}

func TestEveryInputLineHasItsObject(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 100_000)
	for name, c := range map[string]struct {
		in   string
		want int
	}{
		"no end at the last line": {"a\nb", 2},
		"empty lines":             {"\n\n\n", 3},
		"only CR":                 {"a\rb\n", 1},
		"CRLF":                    {"a\r\n\r\nb\r\n", 3},
		"NUL bytes":               {"a\x00b\n\x00\nc\n", 3},
		"not UTF-8":               {"\xff\xfe\n\xc3\x28 x\n", 2},
		"very long lines":         {long + "\n" + long + "x\nshort\n" + long, 4},
		"exactly the buffer":      {strings.Repeat("x", maxLine) + "\n" + strings.Repeat("y", maxLine-1) + "\n", 2},
	} {
		lines, code, message := mineFile(t, []byte(c.in))
		if code != exitOK || len(lines) != c.want {
			t.Errorf("%s: %d objects (exit code %d %s), want %d", name, len(lines), code, message, c.want)
			continue
		}
		for i, l := range lines {
			if l.Line != i+1 || l.PatternID == "" {
				t.Errorf("%s: object %d is %+v", name, i, l)
			}
		}
	}
}

func TestCompressedLogsAreRead(t *testing.T) {
	t.Parallel()
	var plain, g, z bytes.Buffer
	for i := range 5000 {
		fmt.Fprintf(&plain, "request %d took %d ms\n", i, i%97)
	}
	gw := gzip.NewWriter(&g)
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{gw, zw} {
		if _, err := w.Write(plain.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string][]byte{"plain": plain.Bytes(), "gzip": g.Bytes(), "zstd": z.Bytes()} {
		lines, code, message := mineFile(t, in)
		if code != exitOK || len(lines) != 5000 || lines[4999].Template != "request <*> took <*> ms" {
			t.Errorf("%s: %d lines, exit code %d %s", name, len(lines), code, message)
		}
	}
	for name, in := range map[string][]byte{"gzip": g.Bytes()[:g.Len()/2], "zstd": z.Bytes()[:z.Len()/2]} {
		if _, code, message := mineFile(t, in); code != exitFailed || !strings.Contains(message, "not valid "+name) {
			t.Errorf("a cut %s: exit code %d %s", name, code, message)
		}
	}
}

func TestMiningStopsWhenInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	file := filepath.Join(t.TempDir(), "in.log")
	if err := os.WriteFile(file, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if code := run(ctx, []string{"logs", "mine", file}, &out, &errOut); code != exitInterrupted || out.Len() > 0 {
		t.Errorf("exit code %d, output %q", code, out.String())
	}
}
