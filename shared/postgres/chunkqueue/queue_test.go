package chunkqueue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"guarda/shared/backup"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/chunkqueue"
	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgtest"
)

func newQueue(t *testing.T, chunks int) (*chunkqueue.Queue, *clock.Manual) {
	t.Helper()
	dsn := pgtest.New(t)
	if _, err := migrations.Up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Open(context.Background(), dsn, postgres.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	var id string
	if err := pool.QueryRow(t.Context(), `insert into guarda.backup_executions default values returning id::text`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	c := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	q := chunkqueue.New(pool, c, id, chunkqueue.Options{})
	var list []backup.Chunk
	for i := range chunks {
		list = append(list, backup.Chunk{No: i + 1, TableOID: 4_000_000_000 + uint32(i/2), Schema: "public", Table: fmt.Sprintf("t%d", i/2), FromBlock: int64(i), ToBlock: -1, Estimate: 8192})
	}
	if err := q.Add(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return q, c
}

func claim(t *testing.T, q *chunkqueue.Queue, worker string) *backup.Chunk {
	t.Helper()
	c, err := q.Claim(t.Context(), worker)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func result(c *backup.Chunk, worker string) backup.ChunkResult {
	return backup.ChunkResult{No: c.No, Worker: worker, ObjectKey: fmt.Sprintf("k/%d", c.No), Rows: 10, RawBytes: 100, StoredBytes: 20, SHA256: "s", ContentHash: "h", Encoding: "zstd"}
}

func TestEachChunkIsClaimedOnce(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t, 60)
	var mu sync.Mutex
	seen := map[int]string{}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			name := fmt.Sprintf("w%d", w)
			for {
				c, err := q.Claim(t.Context(), name)
				if err != nil {
					t.Error(err)
					return
				}
				if c == nil {
					return
				}
				mu.Lock()
				if other := seen[c.No]; other != "" {
					t.Errorf("chunk %d went to %s and %s", c.No, other, name)
				}
				seen[c.No] = name
				mu.Unlock()
				if err := q.Done(t.Context(), result(c, name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n, err := q.Counts(t.Context())
	if err != nil || n != (backup.Counts{Done: 60, Rows: 600, RawBytes: 6000, StoredBytes: 1200, TablesDone: 30}) {
		t.Errorf("%+v %v", n, err)
	}
	results, err := q.Results(t.Context())
	if err != nil || len(results) != 60 || results[0].No != 1 || results[59].ObjectKey != "k/60" || results[0].Fingerprint != "" {
		t.Errorf("%d results: %v", len(results), err)
	}
}

func TestALeaseThatRunsOutHandsTheChunkToAnother(t *testing.T) {
	t.Parallel()
	q, c := newQueue(t, 1)
	first := claim(t, q, "a")
	if first.Attempt != 1 || first.TableOID != 4_000_000_000 || first.ToBlock != -1 {
		t.Errorf("%+v", first)
	}
	if other := claim(t, q, "b"); other != nil {
		t.Fatal("a leased chunk was claimed")
	}
	c.Advance(90 * time.Second)
	if err := q.Renew(t.Context(), 1, "a"); err != nil {
		t.Fatal(err)
	}
	c.Advance(90 * time.Second)
	if other := claim(t, q, "b"); other != nil {
		t.Fatal("a renewed lease ran out")
	}
	c.Advance(time.Minute)
	second := claim(t, q, "b")
	if second == nil || second.Attempt != 2 {
		t.Fatalf("%+v", second)
	}
	if err := q.Done(t.Context(), result(first, "a")); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("who lost the chunk may not finish it: %v", err)
	}
	if err := q.Renew(t.Context(), 1, "a"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("nor renew it: %v", err)
	}
	for range 2 { // the answer of the first may have been lost
		if err := q.Done(t.Context(), result(second, "b")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAChunkIsTriedThreeTimesWhenTheFailureMayPass(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t, 2)
	for range 3 {
		if c := claim(t, q, "a"); c == nil || c.No != 1 {
			t.Fatalf("%+v", c)
		}
		if err := q.Release(t.Context(), 1, "a", fault.New(fault.Unavailable, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if c := claim(t, q, "a"); c.No != 2 {
		t.Fatal("a chunk was tried a fourth time")
	}
	if err := q.Release(t.Context(), 2, "a", fault.New(fault.Corrupt, "x")); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Counts(t.Context()); err != nil || n.Failed != 2 || n.Pending != 0 {
		t.Errorf("%+v %v", n, err)
	}
	if err := q.Release(t.Context(), 2, "a", fault.New(fault.Corrupt, "x")); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("released twice: %v", err)
	}
}
