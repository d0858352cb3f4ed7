package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/dir"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/seal"
	"guarda/shared/verify"
)

// TestKilledAtAnyMoment ends backups with kill -9 at random moments.
// GUARDA_TEST_KILLS says how often (50 for a long run), GUARDA_TEST_SEED
// repeats a run.
//
// After each: what claims to be a backup is one, whole. The next run refers to
// what was noted as stored. At the end nothing is in the store that neither a
// manifest names nor garbage collection finds.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	guarda, err := exec.LookPath("guarda") // this test program: see TestMain
	if err != nil {
		t.Fatal(err)
	}
	kills, seed := number(t, "GUARDA_TEST_KILLS", 4), number(t, "GUARDA_TEST_SEED", int(rand.Int32()))
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	t.Logf("GUARDA_TEST_SEED=%d", seed)
	source := pgtest.New(t)
	for i := range 12 {
		pgtest.Exec(t, source, fmt.Sprintf("create table t%d as select n as id, repeat(md5(n::text), 8) as s from generate_series(1, 3000) n", i))
	}
	folder := t.TempDir()
	store, err := dir.Open(folder+"/store", dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := folder + "/key"
	if err := seal.GenerateKeyFile(key); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.KeyFile(key)
	if err != nil {
		t.Fatal(err)
	}
	args := func(kind string) []string {
		return []string{"backup", "--source", source, "--store", "file://" + folder + "/store", "--name", "db", "--key-file", key, "--compression", "brotli", "--type", kind, "--json"}
	}
	types := []string{"full", "full", "incremental", "differential"}
	updater := pgtest.Connect(t, source)
	if out, err := exec.Command(guarda, args("full")...).Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	reused := 0
	for range kills {
		kind, parts := types[random.IntN(4)], 12
		if kind != "full" {
			parts = random.IntN(12)
		}
		for i := range parts {
			if kind == "full" && i != random.IntN(12) {
				continue // every chunk is copied anyhow
			}
			if _, err := updater.Exec(context.Background(), fmt.Sprintf("update t%d set s = s || '.'", i)); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(guarda, args(kind)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = cmd.Wait()
		}()
		// When some number of objects is there, and a little later.
		for objects := len(files(folder)) + random.IntN(parts+1); len(files(folder)) < objects && !over(ended); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		_ = cmd.Process.Kill()
		<-ended
		verifyAll(t, store, keys)
		if random.IntN(3) == 0 {
			continue // another one is killed before any goes on
		}
		noted := notedChunks(t, store)
		out, err := exec.Command(guarda, args(kind)...).Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var r backup.Result
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatal(err)
		}
		if kind == "full" && noted > 0 && r.ChunksReused == 0 {
			t.Errorf("%d batches of chunks were noted as stored, and the next run used none", noted)
		}
		reused += r.ChunksReused
		verifyAll(t, store, keys)
	}
	t.Logf("%d chunks of killed runs were used", reused)
	collect(t, store, keys)
}

func files(folder string) []string {
	found, _ := filepath.Glob(folder + "/store/db/*/data/*/*")
	return found
}

func over(ended chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	if os.Getenv(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func verifyAll(t *testing.T, store blob.Store, keys seal.KeyProvider) {
	t.Helper()
	all, err := manifest.List(context.Background(), store, "db")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if v, err := verify.Stored(context.Background(), verify.Deps{Store: store, Keys: keys}, l); err != nil || v.Status != verify.OK {
			t.Fatalf("backup %s: %+v, %v", l.Header.BackupID, v, err)
		}
	}
}

// notedChunks counts the journal objects of the newest run, if it did not
// finish.
func notedChunks(t *testing.T, store blob.Store) int {
	t.Helper()
	n := 0
	for f, err := range manifest.Newest(context.Background(), store, "db") {
		if err != nil {
			t.Fatal(err)
		}
		if f.Finished {
			break
		}
		for _, err := range store.List(context.Background(), f.Folder+"journal/") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		break
	}
	return n
}

// collect removes the garbage and compares what is left with what the
// manifests name.
func collect(t *testing.T, store blob.Store, keys seal.KeyProvider) {
	t.Helper()
	ctx := context.Background()
	now := time.Now()
	if early, err := backup.Garbage(ctx, store, keys, "db", now, backup.LongestRun); err != nil || len(early) > 0 {
		t.Errorf("%d objects are garbage that a run could still be writing: %v", len(early), err)
	}
	garbage, err := backup.Garbage(ctx, store, keys, "db", now.Add(backup.LongestRun+time.Hour), backup.LongestRun)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range garbage {
		if err := store.Delete(ctx, o.Key); err != nil {
			t.Fatal(err)
		}
	}
	verifyAll(t, store, keys)
	needed := map[string]bool{}
	all, err := manifest.List(ctx, store, "db")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		m, _, err := manifest.Open(ctx, store, l, keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range append(m.Objects(), l.Folder+manifest.HeaderName, l.Header.Manifest.Key) {
			needed[key] = true
		}
	}
	left := 0
	for o, err := range store.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		left++
		if !needed[o.Key] {
			t.Errorf("%s is needed by nothing and was not found", o.Key)
		}
	}
	if left != len(needed) {
		t.Errorf("%d objects are left, %d are needed", left, len(needed))
	}
	t.Logf("%d backups, %d objects, %d were garbage", len(all), left, len(garbage))
	// Files that are no objects are the folder's own half-written ones.
	root := strings.TrimPrefix(store.String(), "file://")
	_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, "/.guarda-tmp/") {
			if rel, _ := filepath.Rel(root, path); !needed[rel] && !strings.HasPrefix(filepath.Base(rel), ".") {
				t.Errorf("the file %s is no object", rel)
			}
		}
		return nil
	})
}
