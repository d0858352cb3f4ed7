package chunkqueue_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guarda/shared/backup"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/chunkqueue"
	"guarda/shared/postgres/pgtest/guardadb"
)

func newQueue(t *testing.T, chunks int) (*chunkqueue.Queue, *clock.Manual) {
	t.Helper()
	queues, c := newQueues(t, chunks, chunkqueue.Options{})
	return queues[0], c
}

// newQueues returns queues of one run, each with the chunks planned.
func newQueues(t *testing.T, chunks int, options ...chunkqueue.Options) (queues []*chunkqueue.Queue, _ *clock.Manual) {
	t.Helper()
	dsn := guardadb.New(t)
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
	var list []backup.Chunk
	for i := range chunks {
		list = append(list, backup.Chunk{No: i + 1, TableOID: 4_000_000_000 + uint32(i/2), Schema: "public", Table: fmt.Sprintf("t%d", i/2), FromBlock: int64(i), ToBlock: -1, Estimate: 8192})
	}
	for _, o := range options {
		q := chunkqueue.New(pool, c, id, o)
		if err := q.Add(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		queues = append(queues, q)
	}
	return queues, c
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

func TestAChunkThatOnlyTheTimeEndedIsTriedAgainButNotForEver(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t, 1)
	tries := 0
	for c := claim(t, q, "a"); c != nil; c = claim(t, q, "a") {
		tries++
		if err := q.Release(t.Context(), 1, "b", backup.ErrTimeUp); fault.CodeOf(err) != fault.Conflict {
			t.Fatalf("another worker gave it back: %v", err)
		}
		if err := q.Release(t.Context(), 1, "a", backup.ErrTimeUp); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := q.Counts(t.Context()); tries != 12 || err != nil || n.Failed != 1 || n.Pending != 0 {
		t.Errorf("%d tries, %+v, %v", tries, n, err)
	}
}

// TestPicturesAreNotMixed: what a worker of an earlier picture still copies is
// never counted for the one that took its place.
func TestPicturesAreNotMixed(t *testing.T) {
	t.Parallel()
	queues, _ := newQueues(t, 2, chunkqueue.Options{Picture: 0}, chunkqueue.Options{Picture: 1})
	before, now := queues[0], queues[1]
	old, c := claim(t, before, "old"), claim(t, now, "new")
	if old.No != 1 || c.No != 1 {
		t.Fatalf("%+v %+v", old, c)
	}
	if err := before.Done(t.Context(), result(old, "old")); err != nil {
		t.Fatal(err)
	}
	if n, err := now.Counts(t.Context()); err != nil || n.Done != 0 || n.Claimed != 1 || n.Pending != 1 {
		t.Errorf("%+v %v", n, err)
	}
	if err := now.Done(t.Context(), result(c, "old")); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the old worker's result: %v", err)
	}
	r := result(c, "new")
	r.Reused = true
	if err := now.Done(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if list, err := now.Results(t.Context()); err != nil || len(list) != 1 || list[0] != r {
		t.Errorf("%+v %v", list, err)
	}
	if n, err := now.Counts(t.Context()); err != nil || n.StoredBytes != 0 || n.RawBytes != r.RawBytes {
		t.Errorf("what was there before counts as stored: %+v %v", n, err)
	}
}

func TestOnlySoManyChunksAreCopiedAtOnce(t *testing.T) {
	t.Parallel()
	queues, c := newQueues(t, 20, chunkqueue.Options{Concurrency: 3, Lease: 10 * time.Second})
	q := queues[0]
	var claimed atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			chunk, err := q.Claim(t.Context(), fmt.Sprint("w", i))
			if err != nil {
				t.Error(err)
			}
			if chunk != nil {
				claimed.Add(1)
			}
		})
	}
	wg.Wait()
	if claimed.Load() != 3 {
		t.Fatalf("%d chunks are copied at once", claimed.Load())
	}
	if claim(t, q, "x") != nil {
		t.Error("a fourth one")
	}
	c.Advance(11 * time.Second) // they died: their leases ran out
	if claim(t, q, "x") == nil {
		t.Error("what dead workers held is not given out again")
	}
}
