package backup_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/blob/memory"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/postgres/pgtest"
)

// TestARecoveredServerHasAnotherHistory: a crash loses what was committed
// without waiting for the disk, though a backup has seen it, and a volume that
// is set back loses what came later. Both go on under the same identifier and
// on the same timeline, and their transactions get the same numbers and write
// to the same places as those that were lost: by ctid and xmin nothing changed,
// which the test proves first. A server that was merely restarted is compared.
func TestARecoveredServerHasAnotherHistory(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(pgtest.Program(t, "postgres"))
	dir := serverFolder(t)
	settings := map[string]string{"synchronous_commit": "off", "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0", "bgwriter_lru_maxpages": "0"}
	server := startServer(t, bin, filepath.Join(dir, "first"), settings)
	s := &series{dsn: server.URL("postgres"), store: memory.New()}
	pgtest.Exec(t, s.dsn, `create table t (id int, s text); insert into t select n, 'before' from generate_series(1, 500) n`)
	s.take(t, backup.Full)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	server = startServer(t, bin, filepath.Join(dir, "first"), settings)
	s.dsn = server.URL("postgres")
	if r := s.take(t, backup.Incremental); r.Type != backup.Incremental || r.ChunksReused != r.Chunks {
		t.Errorf("after a restart: %+v", r)
	}
	pgtest.Exec(t, s.dsn, `checkpoint`)
	if out, err := exec.Command("cp", "-a", filepath.Join(dir, "first"), filepath.Join(dir, "second")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = os.Remove(filepath.Join(dir, "second", "data", "postmaster.pid"))

	writer := walWriter(t, s.dsn)
	if err := syscall.Kill(writer, syscall.SIGSTOP); err != nil { // nothing comes to the disk any more
		t.Fatal(err)
	}
	write(t, s.dsn, "in history one")
	base := s.manifest(t, s.take(t, backup.Full).BackupID)
	crash(t, server, filepath.Join(dir, "first", "data"), writer)

	for _, folder := range []string{"first", "second"} {
		server := startServer(t, bin, filepath.Join(dir, folder), settings)
		s.dsn = server.URL("postgres")
		write(t, s.dsn, "in history two")
		pgtest.Exec(t, s.dsn, `create table filler as select repeat('x', 1000) from generate_series(1, 5000) n; select pg_switch_wal()`) // ahead in every count
		again := s.manifest(t, s.take(t, backup.Full).BackupID)
		forget(t, s, again)
		if a, b := base.Tables[0].Chunks[0], again.Tables[0].Chunks[0]; a.Fingerprint != b.Fingerprint || a.ContentHash == b.ContentHash {
			t.Errorf("%s: the histories do not collide, so the test proves nothing: %+v, %+v", folder, a, b)
		}
		if a, b := base.Server, again.Server; a.SystemIdentifier != b.SystemIdentifier || a.Timeline != b.Timeline || a.NextXID >= b.NextXID || a.LSN >= b.LSN {
			t.Errorf("%s: then %+v, now %+v", folder, a, b)
		}
		r := s.take(t, backup.Incremental)
		if r.Type != backup.Full || r.ChunksReused != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "recovered") {
			t.Errorf("%s: %s, %d chunks reused, %v", folder, r.Type, r.ChunksReused, r.Warnings)
		}
		s.same(t, r)
		forget(t, s, s.manifest(t, r.BackupID))
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func walWriter(t *testing.T, dsn string) (pid int) {
	t.Helper()
	if err := pgtest.Connect(t, dsn).QueryRow(context.Background(), "select pid from pg_stat_activity where backend_type = 'walwriter'").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// crash ends a server without a word, and its process that was stopped.
func crash(t *testing.T, server *pgserver.Server, data string, stopped int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []int{pid, stopped} {
		if err := syscall.Kill(p, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
}
