package backup_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/blob/dir"
	"guarda/shared/postgres/pgtest"
)

// TestMemoryAndConnectionsStayWithinTheSettings with thousands of tables and
// of chunks. GUARDA_TEST_TABLES and GUARDA_TEST_CHUNKS make it as large as the
// long run (5000 and 10000).
func TestMemoryAndConnectionsStayWithinTheSettings(t *testing.T) {
	tables, chunks := setting(t, "GUARDA_TEST_TABLES", 150), setting(t, "GUARDA_TEST_CHUNKS", 300)
	dsn := pgtest.New(t)
	for from := 0; from < tables; from += 500 {
		pgtest.Exec(t, dsn, fmt.Sprintf(`do $$ begin for i in %d..%d loop
			execute format('create table t%%s as select n as id, md5(n::text) as s from generate_series(1, 20) n', i); end loop; end $$`, from, min(from+500, tables)-1))
	}
	// 16 blocks a chunk, 7 rows a block.
	pgtest.Exec(t, dsn, fmt.Sprintf(`create table large (id int, s text);
		insert into large select n, repeat(md5(n::text), 34) from generate_series(1, %d) n`, chunks*16*7))
	var open, most atomic.Int64
	connect := func(ctx context.Context) (*pgx.Conn, error) {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		dial := config.DialFunc
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			n := open.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			return &counted{Conn: conn, open: &open}, nil
		}
		return pgx.ConnectConfig(ctx, config)
	}
	store, err := dir.Open(t.TempDir(), dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []backup.Type{backup.Full, backup.Incremental} {
		peak := watchHeap(t)
		run := newRun()
		run.Type, run.ChunkBytes, run.Keep = kind, 1, true
		began := time.Now()
		r, err := backup.Execute(context.Background(), backup.Deps{Connect: connect, Store: store, Keys: testKey(t)}, run)
		if err != nil {
			t.Fatal(err)
		}
		megabytes := peak() >> 20
		t.Logf("%s: %d tables, %d chunks, %d of them reused, in %.1f s; at most %d MB in use, %d connections", kind, r.Tables, r.Chunks, r.ChunksReused,
			time.Since(began).Seconds(), megabytes, most.Load())
		if r.Tables != tables+1 || r.Chunks < tables+chunks {
			t.Errorf("%d tables, %d chunks", r.Tables, r.Chunks)
		}
		if kind == backup.Incremental && r.ChunksReused != r.Chunks {
			t.Errorf("%d of %d chunks were reused", r.ChunksReused, r.Chunks)
		}
		if n := most.Swap(0); n > 4 { // jobs, the picture, and one more for a moment
			t.Errorf("%d connections were open at a time", n)
		}
		if megabytes > 200 {
			t.Errorf("%d MB were in use", megabytes)
		}
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// watchHeap watches what the heap holds until the returned function is called,
// which returns the most of it.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	runtime.GC()
	stop := make(chan struct{})
	var most uint64
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() uint64 {
		close(stop)
		watching.Wait()
		return most
	}
}

// TestASchemaThatIsNotUTF8IsRefused: it would come back as something else.
func TestASchemaThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	admin := pgtest.ServerURL(t)
	name := fmt.Sprintf("ascii_%d", time.Now().UnixNano())
	pgtest.Exec(t, admin, "create database "+name+" template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'")
	t.Cleanup(func() { pgtest.Exec(t, admin, "drop database "+name+" with (force)") })
	dsn := pgtest.WithDatabase(t, admin, name)
	pgtest.Exec(t, dsn, `create table fine (a text); create table t (a text); do $$ begin execute 'comment on table t is ''' || convert_from('\xe4', 'SQL_ASCII') || ''''; end $$`)
	store, err := dir.Open(t.TempDir(), dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := newRun()
	_, err = backup.Execute(context.Background(), backup.Deps{Connect: connector(dsn), Store: store}, run)
	if err == nil || !strings.Contains(err.Error(), "comment TABLE t has text that is not UTF-8") {
		t.Errorf("%v", err)
	}
	run.Exclude = []string{"t"}
	if _, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(dsn), Store: store}, run); err != nil {
		t.Errorf("without it: %v", err)
	}
}
