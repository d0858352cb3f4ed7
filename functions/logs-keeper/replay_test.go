package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logtest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// putAside puts batches of one entry each into a spool.
func putAside(t *testing.T, blobs blob.Store, messages ...string) {
	t.Helper()
	spool := &logs.BlobSpool{Clock: clock.System{}, Open: func(context.Context) (blob.Store, error) { return blobs, nil }}
	var ids logs.Sequence
	for _, m := range messages {
		b := &logs.Batch{ID: uuid.New()}
		for text := range strings.SplitSeq(m, "+") {
			b.Entries = append(b.Entries, logs.Entry{Level: logs.Info, Source: "a", Message: text})
		}
		ids.Identify(b.Entries, time.Now())
		if err := spool.Put(t.Context(), b, true); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, blobs blob.Store, folder string) (out []string) {
	t.Helper()
	for o, err := range blobs.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

// An entry that was accepted and that the database refuses is kept for a person
// to look at; the rest of its batch and the batches behind it are stored.
func TestWhatTheDatabaseRefusesIsKept(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	if _, err := w.Pool.Exec(t.Context(), `alter table guarda.advanced_logs add check (message <> 'poison')`); err != nil {
		t.Fatal(err)
	}
	blobs := memory.New()
	putAside(t, blobs, "one+poison+two", "three")
	r := run(t, w, blobs).Replayed
	if r.Batches != 2 || r.Entries != 3 || r.Refused != 1 || r.Broken != 0 {
		t.Errorf("%+v", r)
	}
	if got := w.Texts(`select message from guarda.advanced_logs order by created_at, id`); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("%q", got)
	}
	kept := names(t, blobs, "_logs/spool-broken/")
	if len(kept) != 1 || len(names(t, blobs, "_logs/spool/")) != 0 {
		t.Fatalf("kept %q", kept)
	}
	// Moved back, once the reason is gone, it is stored.
	if _, err := w.Pool.Exec(t.Context(), `alter table guarda.advanced_logs drop constraint advanced_logs_message_check`); err != nil {
		t.Fatal(err)
	}
	body, err := blobs.Get(t.Context(), kept[0], 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Put(t.Context(), "_logs/spool/0-again.ndjson.zst", body, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if r := run(t, w, blobs).Replayed; r.Entries != 1 {
		t.Errorf("again: %+v", r)
	}
	if got := w.Texts(`select message from guarda.advanced_logs order by created_at, id`); !slices.Equal(got, []string{"one", "poison", "two", "three"}) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
}

// A batch that did not arrive whole is not broken: it stays where it is, and
// those behind it wait.
func TestABatchThatIsCutOffOnTheWayIsReadAgain(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	blobs := memory.New()
	var all []string
	for n := range 20 {
		all = append(all, fmt.Sprintf("m%02d", n))
	}
	putAside(t, blobs, all...)
	third := names(t, blobs, "_logs/spool/")[2]
	r, err := logs.Replay(t.Context(), cut{blobs, third}, w.Store, w.Log)
	if fault.CodeOf(err) != fault.Unavailable || r.Batches != 2 || r.Broken != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := w.Texts(`select message from guarda.advanced_logs order by created_at, id`); !slices.Equal(got, all[:2]) {
		t.Errorf("%q", got)
	}
	if r, err := logs.Replay(t.Context(), blobs, w.Store, w.Log); err != nil || r.Batches != 18 {
		t.Errorf("then %+v, %v", r, err)
	}
	// The feed has them in the order of their arrival.
	got := w.Texts(`select l.message from guarda.log_feed f, unnest(f.ids) i join guarda.advanced_logs l on l.id = i order by f.seq`)
	if !slices.Equal(got, all) || len(names(t, blobs, "_logs/")) != 0 {
		t.Errorf("%q", got)
	}
}

// cut is a store that ends an object early.
type cut struct {
	blob.Store
	key string
}

func (c cut) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	body, err := c.Store.Get(ctx, key, offset, length)
	if err != nil || key != c.key {
		return body, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(body, 20), failing{}), body}, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }
