package backup_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob/memory"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/postgres/pgtest"
)

// TestAnotherHistoryIsNotTakenForThisOne restores a server to an earlier
// moment, from a base backup and its archived log, and lets it go on
// differently: the same transaction ids write the same places with other rows.
// By ctid and xmin alone nothing changed, which the test proves first.
func TestAnotherHistoryIsNotTakenForThisOne(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(pgtest.Program(t, "postgres"))
	dir := serverFolder(t)
	archive := filepath.Join(dir, "archive")
	if err := os.Mkdir(archive, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(archive, 0o777); err != nil { // the server's user writes there
		t.Fatal(err)
	}
	settings := map[string]string{"wal_level": "replica", "archive_mode": "on", "archive_command": "cp %p " + archive + "/%f", "autovacuum": "off"}
	first := startServer(t, bin, filepath.Join(dir, "first"), settings)
	s := &series{dsn: first.URL("postgres"), store: memory.New()}
	pgtest.Exec(t, s.dsn, `create table t (id int, s text); insert into t select n, 'before' from generate_series(1, 500) n`)
	copyRunning(t, s.dsn, filepath.Join(dir, "first", "data"), filepath.Join(dir, "second", "data"))
	pgtest.Exec(t, s.dsn, `insert into t values (501, 'before the moment')`)
	pgtest.Exec(t, s.dsn, `select pg_create_restore_point('moment')`)

	write(t, s.dsn, "in history one")
	base := s.take(t, backup.Full)
	before := s.manifest(t, base.BackupID)
	pgtest.Exec(t, s.dsn, `select pg_switch_wal()`)
	if err := first.Stop(); err != nil { // archives the rest
		t.Fatal(err)
	}

	settings["restore_command"], settings["recovery_target_name"], settings["recovery_target_action"] = "cp "+archive+"/%f %p", "moment", "promote"
	second := startServer(t, bin, filepath.Join(dir, "second"), settings)
	s.dsn = second.URL("postgres")
	awaitPromotion(t, s.dsn)
	write(t, s.dsn, "in history two")
	pgtest.Exec(t, s.dsn, `create table filler as select repeat('x', 1000) from generate_series(1, 20000) n; select pg_switch_wal()`) // ahead of the first in every count

	again := s.manifest(t, s.take(t, backup.Full).BackupID)
	if a, b := before.Tables[0].Chunks[0], again.Tables[0].Chunks[0]; a.Fingerprint != b.Fingerprint || a.ContentHash == b.ContentHash {
		t.Errorf("the histories do not collide, so the test proves nothing: %+v, %+v", a, b)
	}
	if before.Server.SystemIdentifier != again.Server.SystemIdentifier || before.Server.NextXID >= again.Server.NextXID || before.Server.Timeline == again.Server.Timeline {
		t.Errorf("then %+v, now %+v", before.Server, again.Server)
	}
	// Only the backup of the first history is there to be compared with.
	forget(t, s, again)
	for _, kind := range []backup.Type{backup.Incremental, backup.Differential} {
		r := s.take(t, kind)
		if r.Type != backup.Full || r.ChunksReused != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "timeline") {
			t.Errorf("%s: %s, %d chunks reused, %v", kind, r.Type, r.ChunksReused, r.Warnings)
		}
		s.same(t, r)
		forget(t, s, s.manifest(t, r.BackupID))
	}
}

// write makes the same transactions in the same places, with a word of its own.
func write(t *testing.T, dsn, word string) {
	t.Helper()
	for i := range 10 {
		pgtest.Exec(t, dsn, fmt.Sprintf("update t set s = '%s' where id %% 50 = %d; insert into t values (%d, '%[1]s')", word, i, 1000+i))
	}
}

func forget(t *testing.T, s *series, m *manifest.Manifest) {
	t.Helper()
	for _, key := range objects(t, s.store) {
		if strings.HasPrefix(key, m.Folder) {
			if err := s.store.Delete(context.Background(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func serverFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "guarda-pitr-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startServer(t *testing.T, bin, dir string, settings map[string]string) *pgserver.Server {
	t.Helper()
	server, err := pgserver.Start(context.Background(), pgserver.Config{Dir: dir, BinDir: bin, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	return server
}

// copyRunning makes a base backup by the low-level interface.
func copyRunning(t *testing.T, dsn, from, to string) {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(t, dsn)
	var version int
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	start, stop := "select pg_backup_start('test', true)", "select labelfile from pg_backup_stop()"
	if version < 150000 {
		start, stop = "select pg_start_backup('test', true, false)", "select labelfile from pg_stop_backup(false)"
	}
	if _, err := conn.Exec(ctx, start); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var label string
	if err := conn.QueryRow(ctx, stop).Scan(&label); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(to, "postmaster.pid"))
	for name, text := range map[string]string{"backup_label": label, "recovery.signal": ""} {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(to, name), 0o666); err != nil { // the server's user renames it
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("rm", "-rf", filepath.Join(to, "pg_wal", "archive_status")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func awaitPromotion(t *testing.T, dsn string) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	for range 600 {
		var recovering bool
		if err := conn.QueryRow(context.Background(), "select pg_is_in_recovery()").Scan(&recovering); err != nil {
			t.Fatal(err)
		}
		if !recovering {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the server does not end its recovery")
}
