package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/auth"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/postgres"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgserver"
	"guarda/tests/contract"
)

// Under load the server is stopped and started again, twice, hard; processes of
// the function are killed at any moment, which ends their requests half done.
// Every entry that was answered with 200 or 202 is found afterwards, once, and
// in the order in which its sender sent it.
func TestNoAcceptedEntryIsLostWhilePostgresComesAndGoes(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "guarda-logs-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	config := pgserver.Config{Dir: dir}
	server, err := pgserver.Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	config.Port = server.Port()
	url := server.URL("postgres")
	if _, err := migrations.Up(ctx, url); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	blobs := memory.New()
	opened := func(context.Context) (blob.Store, error) { return blobs, nil }

	const senders, each = 3, 120
	accepted := make([][]string, senders)
	statuses := map[int]int{}
	var mu sync.Mutex
	var over atomic.Bool // the outages
	var running sync.WaitGroup
	for s := range senders {
		running.Go(func() {
			r := rand.New(rand.NewPCG(uint64(s), 1))
			f := newProcess(t, ctx, url, opened)
			for n := 0; n < each || !over.Load(); n++ {
				if r.IntN(20) == 0 { // killed between requests: what it held in memory is gone
					f.pool.Close()
					f = newProcess(t, ctx, url, opened)
				}
				var messages []string
				var entries []map[string]any
				for i := range 1 + r.IntN(4) {
					m := fmt.Sprintf("%d-%04d-%d", s, n, i)
					messages = append(messages, m)
					entries = append(entries, map[string]any{"level": "info", "source": fmt.Sprint("s", s), "message": m})
				}
				killed := r.IntN(15) == 0 // killed in the middle of the request: nobody is answered
				key := fmt.Sprintf("%d-%d", s, n)
				for status := 0; status != 200 && status != 202; {
					reqCtx, stop := context.WithCancel(ctx)
					if killed {
						time.AfterFunc(time.Duration(r.IntN(8))*time.Millisecond, stop)
					}
					status = f.post(reqCtx, entries, key)
					stop()
					killed = false
					mu.Lock()
					statuses[status]++
					mu.Unlock()
					if ctx.Err() != nil {
						t.Error("out of time")
						return
					}
				}
				accepted[s] = append(accepted[s], messages...)
				time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
			}
			f.pool.Close()
		})
	}
	// told waits until some sender is answered so again.
	told := func(status int) {
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return statuses[status]
		}
		for was := count(); count() == was && ctx.Err() == nil; {
			time.Sleep(5 * time.Millisecond)
		}
	}
	for range 2 {
		told(200)
		time.Sleep(700 * time.Millisecond)
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		told(202)
		time.Sleep(1500 * time.Millisecond)
		if server, err = pgserver.Start(ctx, config); err != nil {
			t.Fatal(err)
		}
	}
	told(200)
	over.Store(true)
	running.Wait()
	defer server.Stop()

	pool, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store := logstore.New(pool, clock.System{})
	// A replay that is killed after storing and before forgetting does it again.
	dying, die := context.WithCancel(ctx)
	time.AfterFunc(30*time.Millisecond, die)
	_, _ = logs.Replay(dying, blobs, store, quiet)
	r, err := logs.Replay(ctx, blobs, store, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for object, err := range blobs.List(ctx, "_logs/") {
		t.Errorf("left in the spool: %s, %v", object.Key, err)
	}
	t.Logf("answers %v; %+v replayed at last", statuses, r)
	for s := range senders {
		rows, err := pool.Query(ctx, `select message from guarda.advanced_logs where source = $1::text order by created_at, id`, fmt.Sprint("s", s))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, accepted[s]) {
			t.Errorf("sender %d: %d entries were accepted, %d are found\n%v\n%v", s, len(accepted[s]), len(got), accepted[s], got)
		}
	}
	var wrong int
	if err := pool.QueryRow(ctx, `select abs((select count(*) from guarda.advanced_logs) - (select sum(n) from guarda.log_counts where span = 60))::int`).Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("counts and rows differ by %d, %v", wrong, err)
	}
}

// process is a process of the function, with connections and memory of its own.
type process struct {
	pool interface{ Close() }
	h    http.Handler
}

func newProcess(t *testing.T, ctx context.Context, url string, open func(context.Context) (blob.Store, error)) *process {
	pool, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		t.Error(err)
	}
	return &process{pool, New(slog.New(slog.DiscardHandler), &logs.Ingester{Store: logstore.New(pool, clock.System{}), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Spool: &logs.BlobSpool{Open: open, Clock: clock.System{}}})}
}

func (p *process) post(ctx context.Context, entries any, key string) int {
	raw, err := json.Marshal(entries)
	if err != nil {
		return 0
	}
	r := httptest.NewRequestWithContext(auth.WithIdentity(ctx, contract.Operator), http.MethodPost, "/api/logs", bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	return w.Code
}
