package seal_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"guarda/shared/seal"
)

// writeFixture makes the fixture of a new format version. The files of a
// version that exists are never written again: backups of that version are
// out there.
var writeFixture = flag.Bool("write-fixture", false, "write testdata/v1, which must be empty")

const (
	fixture           = "testdata/v1"
	fixturePassphrase = "guarda conformance passphrase"
	fixtureAD         = "shop/20261124T000000Z-x/data/1/0"
)

var fixtureStreams = []seal.Compression{seal.Zstd, seal.Gzip, seal.Brotli, seal.None}

func TestFormatVersion1StaysReadable(t *testing.T) {
	t.Parallel()
	if *writeFixture {
		makeFixture(t)
	}
	plain := load(t, "plain.txt")
	file, err := seal.KeyFile(filepath.Join(fixture, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	phrase, err := seal.Passphrase([]byte(fixturePassphrase))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]seal.KeyProvider{"wrapped-by-key-file.json": file, "wrapped-by-passphrase.json": phrase} {
		var w seal.WrappedKey
		if err := json.Unmarshal(load(t, name), &w); err != nil {
			t.Fatal(err)
		}
		key, err := p.Unwrap(t.Context(), w)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, c := range fixtureStreams {
			o := seal.Options{Compression: c, Key: key, AssociatedData: []byte(fixtureAD)}
			if got, err := read(load(t, string(c)+".sealed"), o); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s, %s.sealed: %d bytes, %v", name, c, len(got), err)
			}
		}
	}
	for _, c := range fixtureStreams[:3] {
		if got, err := read(load(t, string(c)+".plain"), seal.Options{Compression: c}); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s.plain: %d bytes, %v", c, len(got), err)
		}
	}
}

func load(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixture, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeFixture(t *testing.T) {
	t.Helper()
	save := func(name string, b []byte) {
		f, err := os.OpenFile(filepath.Join(fixture, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.Copy(f, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	master := filepath.Join(fixture, "master.key")
	if err := seal.GenerateKeyFile(master); err != nil {
		t.Fatal(err)
	}
	file, err := seal.KeyFile(master)
	if err != nil {
		t.Fatal(err)
	}
	phrase, err := seal.Passphrase([]byte(fixturePassphrase))
	if err != nil {
		t.Fatal(err)
	}
	key, plain := seal.NewDataKey(), rows(42, 4000)
	save("plain.txt", plain)
	for name, p := range map[string]seal.KeyProvider{"wrapped-by-key-file.json": file, "wrapped-by-passphrase.json": phrase} {
		w, err := p.Wrap(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(w, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		save(name, append(text, '\n'))
	}
	for _, c := range fixtureStreams {
		sealed, _ := write(t, seal.Options{Compression: c, Key: key, AssociatedData: []byte(fixtureAD)}, plain)
		save(string(c)+".sealed", sealed)
		if c != seal.None {
			open, _ := write(t, seal.Options{Compression: c}, plain)
			save(string(c)+".plain", open)
		}
	}
}
