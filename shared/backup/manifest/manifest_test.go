package manifest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

const zero = "00000000000000000000000000000000"

func write(t *testing.T, store blob.Store, source, id string, at time.Time) string {
	t.Helper()
	m := sample(source, id, at)
	h := &manifest.Header{Format: 1, BackupID: id, Source: source, StartedAt: at}
	if _, err := manifest.Write(context.Background(), store, m, h, nil); err != nil {
		t.Fatal(err)
	}
	return m.Folder
}

func sample(source, id string, at time.Time) *manifest.Manifest {
	return &manifest.Manifest{Format: 1, BackupID: id, Source: source, Folder: manifest.Folder(source, at, id), StartedAt: at,
		Entries: []manifest.Entry{{ID: 1, Section: pgcatalog.PreData, Kind: "TABLE", Name: "t"}, {ID: 2, DependsOn: []int{1}}},
		Tables: []manifest.Table{{OID: 5, Schema: "s", Name: "t", ContentHash: zero, Chunks: []manifest.Chunk{
			{ToBlock: 10, ContentHash: zero}, {FromBlock: 10, ToBlock: -1, ContentHash: zero}}}}}
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestBackupsAreFoundByIDPrefixAndLatest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store := memory.New()
	write(t, store, "shop", "aaaa1111-x", noon)
	write(t, store, "shop", "aaaa2222-x", noon.Add(time.Hour))
	unfinished := manifest.Folder("shop", noon.Add(2*time.Hour), "bbbb-x")
	_, _ = store.Put(ctx, unfinished+"header.json", strings.NewReader("{}"), blob.PutOptions{})
	_, _ = store.Put(ctx, unfinished+"data/1/0-end.00.copy", strings.NewReader("x"), blob.PutOptions{})
	_, _ = store.Put(ctx, "something/else/entirely", strings.NewReader("x"), blob.PutOptions{})
	all, err := manifest.List(ctx, store, "")
	if err != nil || len(all) != 2 || all[0].Header.BackupID != "aaaa1111-x" {
		t.Fatalf("%+v, %v", all, err)
	}
	for ref, want := range map[string]string{"latest": "aaaa2222-x", "aaaa1111-x": "aaaa1111-x", "aaaa1": "aaaa1111-x"} {
		if l, err := manifest.Find(ctx, store, "", ref); err != nil || l.Header.BackupID != want {
			t.Errorf("%s: %s, %v", ref, l.Header.BackupID, err)
		}
	}
	for ref, code := range map[string]fault.Code{"cccc": fault.NotFound, "bbbb-x": fault.NotFound, "aaaa": fault.Invalid, "aa": fault.NotFound, "": fault.NotFound} {
		if _, err := manifest.Find(ctx, store, "", ref); fault.CodeOf(err) != code || fault.HintOf(err) == "" {
			t.Errorf("%q: %v", ref, err)
		}
	}
	write(t, store, "other", "dddd-x", noon)
	if _, err := manifest.Find(ctx, store, "", "latest"); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "--name") {
		t.Errorf("latest of two databases: %v", err)
	}
	if l, err := manifest.Find(ctx, store, "other", "latest"); err != nil || l.Header.BackupID != "dddd-x" {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := manifest.Find(ctx, memory.New(), "", "latest"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an empty store: %v", err)
	}
}

func TestABackupWithADamagedHeaderIsListedAndNotOpened(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, header := range map[string]string{
		"none": "", "not JSON": "{", "of another backup": `{"format":1,"backup_id":"other","source":"shop","manifest":{"key":"a"}}`,
		"of a newer format": `{"format":3}`, "without a format": `{}`, "an odd key": `{"format":1,"backup_id":"aaaa-x","source":"shop","manifest":{"key":"../x"}}`,
	} {
		store := memory.New()
		folder := write(t, store, "shop", "aaaa-x", noon)
		if header == "" {
			_ = store.Delete(ctx, folder+"header.json")
		} else if _, err := store.Put(ctx, folder+"header.json", strings.NewReader(header), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		l, err := manifest.Find(ctx, store, "", "aaaa-x")
		if err != nil || l.Problem == nil {
			t.Errorf("%s: %+v, %v", name, l, err)
			continue
		}
		if _, _, err := manifest.Open(ctx, store, l, nil); fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAManifestThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(m *manifest.Manifest){
		"a gap":                  func(m *manifest.Manifest) { m.Tables[0].Chunks[1].FromBlock = 11 },
		"an overlap":             func(m *manifest.Manifest) { m.Tables[0].Chunks[1].FromBlock = 9 },
		"no end":                 func(m *manifest.Manifest) { m.Tables[0].Chunks[1].ToBlock = 20 },
		"no chunks":              func(m *manifest.Manifest) { m.Tables[0].Chunks = nil },
		"rows without an object": func(m *manifest.Manifest) { m.Tables[0].Chunks[0].Rows = 1; m.Tables[0].Rows = 1 },
		"a hash that differs":    func(m *manifest.Manifest) { m.Tables[0].ContentHash = "1" + zero[1:] },
		"no hash":                func(m *manifest.Manifest) { m.Tables[0].ContentHash = "" },
		"rows that differ":       func(m *manifest.Manifest) { m.Tables[0].Rows = 1 },
		"a key that leads out": func(m *manifest.Manifest) {
			c := &m.Tables[0].Chunks[0]
			c.Object, c.Rows, m.Tables[0].Rows = "../../x", 1, 1
		},
		"an unknown dependency": func(m *manifest.Manifest) { m.Entries[1].DependsOn = []int{3} },
		"a cycle":               func(m *manifest.Manifest) { m.Entries[0].DependsOn = []int{2} },
		"an id twice":           func(m *manifest.Manifest) { m.Entries[1].ID = 1 },
		"no backup id":          func(m *manifest.Manifest) { m.BackupID = "" },
		"an older format":       func(m *manifest.Manifest) { m.Format = 0 },
		"an odd script":         func(m *manifest.Manifest) { m.Files = []manifest.Object{{Key: "/"}} },
	} {
		m := sample("s", "i", noon)
		spoil(m)
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Parse(raw); fault.CodeOf(err) != fault.Corrupt || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := sample("s", "i", noon)
	m.Format = 3
	raw, _ := json.Marshal(m)
	if _, err := manifest.Parse(raw); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "newer version") {
		t.Errorf("a newer format: %v", err)
	}
}

func TestSourceNamesAreFoldersAndNeverShared(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"shop", "Shop", "my shop", "my-shop", "my/shop", "", "..", ".", "loja é", "loja è", strings.Repeat("x", 200), strings.Repeat("x", 201), "a.b_c-d"} {
		folder := manifest.SourceName(name)
		if err := blob.ValidKey(folder); err != nil || strings.Contains(folder, "/") {
			t.Errorf("%q: %q: %v", name, folder, err)
		}
		if other, twice := seen[folder]; twice {
			t.Errorf("%q and %q share %q", name, other, folder)
		}
		seen[folder] = name
		source, at, id, ok := manifest.ParseFolder(manifest.Folder(folder, noon, "0-1"))
		if !ok || source != folder || !at.Equal(noon) || id != "0-1" {
			t.Errorf("%q: %q %v %q %v", name, source, at, id, ok)
		}
	}
	if manifest.SourceName("shop") != "shop" {
		t.Error("a plain name was changed")
	}
}

func FuzzParse(f *testing.F) {
	raw, err := json.Marshal(sample("s", "i", noon))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"backup_id":"a","source":"b","folder":"c/","tables":[{"chunks":[{"to_block":-1}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := manifest.Parse(raw)
		if err != nil {
			if fault.As(err) == nil {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Parse(again); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte(`{"format":1,"backup_id":"a","source":"b","manifest":{"key":"a/b"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := manifest.ParseHeader(raw); err != nil && fault.As(err) == nil {
			t.Fatalf("an error without a code: %v", err)
		}
	})
}
