package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGCRemovesWhatNoBackupNeeds: a store with two backups, the second of which
// refers to the first, something an old run left and something a young one has.
func TestGCRemovesWhatNoBackupNeeds(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fixture := "../../shared/backup/testdata/format-v2"
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(fixture, "sealed"))); err != nil {
		t.Fatal(err)
	}
	before := pathsIn(t, folder)
	write := func(name string) string {
		path := filepath.Join(folder, "club", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stray := write("20261101T000000Z-11111111-1111-4111-8111-111111111111/data/1/0-end.aaaaaaaa.copy")
	old := time.Now().Add(-8 * 24 * time.Hour)
	for _, path := range pathsIn(t, folder) {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	young := write("20261102T000000Z-22222222-2222-4222-8222-222222222222/data/1/0-end.bbbbbbbb.copy")

	store, key := "file://"+folder, filepath.Join(fixture, "key")
	gc := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"gc", "--store", store}, args...), &out, &errs)
		return out.String(), errs.String(), code
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }

	if out, errs, code := gc("--key-file", key); code != exitOK || !strings.Contains(out, "1 objects, 10 B, are needed by no backup; --delete removes them") || !there(stray) {
		t.Fatalf("%d %q %q", code, out, errs)
	}
	if _, errs, code := gc("--delete"); code != exitFailed || !strings.Contains(errs, "see what backup") || !there(stray) {
		t.Errorf("without the key: %d %q", code, errs)
	}
	if _, errs, code := gc("--key-file", key, "--older-than", "1h", "--delete"); code != exitUsage || !strings.Contains(errs, "shorter than a run may take") || !there(stray) {
		t.Errorf("too young: %d %q", code, errs)
	}
	out, errs, code := gc("--key-file", key, "--delete", "--json")
	var r collected
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK || r.Objects != 1 || r.Bytes != 10 || !r.Removed || len(r.Folders) != 1 {
		t.Errorf("%d %q %q %v", code, out, errs, err)
	}
	if there(stray) || !there(young) {
		t.Error("the wrong one was removed")
	}
	for _, path := range before {
		if !there(path) {
			t.Errorf("%s is gone, and a backup needs it", path)
		}
	}
	if out, _, code := gc("--key-file", key, "--name", "club"); code != exitOK || out != "nothing is left that no backup needs\n" {
		t.Errorf("%d %q", code, out)
	}
}

func pathsIn(t *testing.T, folder string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
