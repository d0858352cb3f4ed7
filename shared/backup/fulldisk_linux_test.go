package backup_test

import (
	"context"
	"os"
	"syscall"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/blob/dir"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/seal"
)

// TestAFullDiskIsNamedAndNothingIsLeft, with a real file system of 1 MB.
func TestAFullDiskIsNamedAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, 0) })
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, "create table t as select n, md5(n::text) s from generate_series(1, 100000) n")
	store, err := dir.Open(folder, dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	run := newRun()
	run.Compression = seal.None
	_, err = backup.Execute(context.Background(), backup.Deps{Connect: connector(dsn), Store: store}, run)
	if fault.CodeOf(err) != fault.Exhausted || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if left := objects(t, store); len(left) > 0 {
		t.Errorf("left in the store: %v", left)
	}
	if free, err := os.ReadDir(folder + "/.guarda-tmp"); err == nil && len(free) > 0 {
		t.Errorf("unfinished files were left: %v", free)
	}
}
