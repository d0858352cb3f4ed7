package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logtest"
	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/s3/s3test"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/logs/cold"
	"guarda/shared/postgres/logstore"
)

var (
	day0  = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	alice = uuid.MustParse("a11ce000-0000-4000-8000-000000000001")
)

// entriesOf makes n entries of a day, every fifth of them alice's.
func entriesOf(day time.Time, n int) []logs.Entry {
	out := make([]logs.Entry, n)
	for i := range out {
		out[i] = logs.Entry{CreatedAt: day.Add(time.Duration(i) * 7 * time.Minute), Level: logs.Levels()[i%5], Source: []string{"api", "db"}[i%2], Message: fmt.Sprintf("mensagem %d", i), Metadata: fmt.Appendf(nil, `{"n":%d}`, i)}
		if i%5 == 0 {
			out[i].UserID, out[i].SessionID = alice, fmt.Sprintf("s%d", i%2)
		}
		if i%9 == 0 {
			out[i].ID, out[i].GivenID = uuid.New(), true
		}
	}
	return out
}

func set(t *testing.T, w *logtest.World, sql string) {
	t.Helper()
	if _, err := w.Pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

var errKilled = errors.New("the function was killed")

// killer stands between a keeper and the world, and kills it at a call: before
// the call is carried out, or after, when nobody hears of it any more. A killed
// keeper does nothing more.
type killer struct {
	cold.Entries
	blob.Store
	mu    sync.Mutex
	at    int
	after bool
	calls int
}

func (k *killer) dead() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls >= k.at
}

func call[T any](k *killer, f func() (T, error)) (v T, err error) {
	k.mu.Lock()
	k.calls++
	now := k.calls
	k.mu.Unlock()
	if now > k.at || now == k.at && !k.after {
		return v, errKilled
	}
	v, err = f()
	if now == k.at {
		return v, errKilled
	}
	return v, err
}

func do(k *killer, f func() error) error {
	_, err := call(k, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func (k *killer) BeginSegment(ctx context.Context, seg *logs.Segment, reason string) error {
	return do(k, func() error { return k.Entries.BeginSegment(ctx, seg, reason) })
}
func (k *killer) Lexemes(ctx context.Context, words logs.TextSearch, m []string) ([]string, error) {
	if k.dead() {
		return nil, errKilled
	}
	return k.Entries.Lexemes(ctx, words, m)
}
func (k *killer) SwitchSegment(ctx context.Context, seg *logs.Segment, low, high time.Time) (bool, error) {
	return call(k, func() (bool, error) { return k.Entries.SwitchSegment(ctx, seg, low, high) })
}
func (k *killer) ReplaceSegment(ctx context.Context, old, by *logs.Segment, r *logs.Removed, erasure int64) (bool, error) {
	return call(k, func() (bool, error) { return k.Entries.ReplaceSegment(ctx, old, by, r, erasure) })
}
func (k *killer) AbandonSegment(ctx context.Context, seg *logs.Segment) error {
	return do(k, func() error { return k.Entries.AbandonSegment(ctx, seg) })
}
func (k *killer) ForgetSegment(ctx context.Context, seg *logs.Segment) error {
	return do(k, func() error { return k.Entries.ForgetSegment(ctx, seg) })
}
func (k *killer) DropEmptyDays(ctx context.Context, a, b time.Time) ([]string, error) {
	return call(k, func() ([]string, error) { return k.Entries.DropEmptyDays(ctx, a, b) })
}
func (k *killer) EraseSome(ctx context.Context, e *logs.Erasure) (int64, error) {
	return call(k, func() (int64, error) { return k.Entries.EraseSome(ctx, e) })
}
func (k *killer) Erased(ctx context.Context, e *logs.Erasure, seg *logs.Segment) error {
	return do(k, func() error { return k.Entries.Erased(ctx, e, seg) })
}
func (k *killer) SaveErasure(ctx context.Context, e *logs.Erasure) error {
	return do(k, func() error { return k.Entries.SaveErasure(ctx, e) })
}
func (k *killer) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	return call(k, func() (blob.Object, error) { return k.Store.Put(ctx, key, body, o) })
}
func (k *killer) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if k.dead() { // a call that changes nothing is no step to die at
		return nil, errKilled
	}
	return k.Store.Get(ctx, key, offset, length)
}
func (k *killer) Delete(ctx context.Context, keys ...string) error {
	return do(k, func() error { return k.Store.Delete(ctx, keys...) })
}
func (k *killer) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return k.Store.List(ctx, prefix)
}

// killed runs a keeper that is killed at a call, and reports whether it was.
func killed(t *testing.T, a *logtest.Archive, at int, after bool) bool {
	t.Helper()
	k := &killer{Entries: a.Keeper.Entries, Store: a.Blobs, at: at, after: after}
	dying := *a.Keeper
	dying.Entries, dying.Blobs = k, k
	_, err := dying.Run(t.Context(), a.Clock.Now().Add(time.Hour))
	if !k.dead() && err != nil {
		t.Fatal(err)
	}
	return k.dead()
}

// atEveryCall prepares the world, kills a keeper at every call in turn, checks,
// lets another one finish, and checks again.
func atEveryCall(t *testing.T, a *logtest.Archive, prepare func(n int), check func(n int, finished bool)) {
	t.Helper()
	for n := 1; n < 100; n++ {
		any := false
		for i, after := range []bool{false, true} {
			prepare(2*n + i)
			any = killed(t, a, n, after) || any
			check(2*n+i, false)
			a.Clock.Advance(21 * time.Minute) // what was being written is seen to be dead
			a.Run(t)
			a.Clock.Advance(21 * time.Minute)
			a.Run(t)
			check(2*n+i, true)
			if t.Failed() {
				t.Fatalf("killed at call %d, after it: %v", n, after)
			}
		}
		if !any {
			if n < 8 {
				t.Fatalf("only %d calls", n)
			}
			return
		}
	}
}

// TestAKillAtAnyStepOfArchivingLosesAndDoublesNothing archives a new day for
// every step at which the function dies.
func TestAKillAtAnyStepOfArchivingLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := logtest.NewArchive(t, w)
	a.Keeper.PieceRows = 20
	set(t, w, `update guarda.log_settings set hot_days = 1`)
	var want []string
	atEveryCall(t, a, func(n int) {
		day := day0.AddDate(0, 0, n)
		write(t, w, entriesOf(day, 30)...)
		want = a.All(t)
		a.Clock.Set(day.AddDate(0, 0, 2).Add(time.Hour))
	}, func(n int, finished bool) {
		if got := a.All(t); !slices.Equal(got, want) {
			t.Errorf("%d entries instead of %d", len(got), len(want))
		}
		if !finished {
			return
		}
		day := day0.AddDate(0, 0, n)
		if hot := w.Texts(`select count(*)::text from guarda.advanced_logs where created_at < $1::timestamptz`, day.AddDate(0, 0, 1)); hot[0] != "0" {
			t.Errorf("%s entries are still hot", hot[0])
		}
		if states := w.Texts(`select distinct state from guarda.log_segments`); !slices.Equal(states, []string{"live"}) {
			t.Errorf("segments are %v", states)
		}
		paths := w.Texts(`select path || e from guarda.log_segments, (values (''), ('.index')) v (e)`)
		slices.Sort(paths)
		if got := a.Objects(t); !slices.Equal(got, paths) {
			t.Errorf("%d objects, %d segments", len(got), len(paths)/2)
		}
	})
	a.Agree(t)
	if days := w.Texts(`select d::text from guarda.log_days() d where d between '2026-03-01' and '2026-03-10'`); len(days) != 0 {
		t.Errorf("empty partitions are left: %v", days)
	}
}

// TestAKillAtAnyStepOfAnErasureErasesExactlyThePersonsEntries does it for a
// day whose first part is archived, with a batch in the spool.
func TestAKillAtAnyStepOfAnErasureErasesExactlyThePersonsEntries(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := logtest.NewArchive(t, w)
	a.Keeper.PieceRows = 20
	set(t, w, `update guarda.log_settings set hot_days = 1`)
	var want []string
	var id string
	atEveryCall(t, a, func(n int) {
		set(t, w, `select guarda.drop_log_partition(d) from guarda.log_days() d where d < '2026-11-01'; select guarda.drop_log_partition(day) from guarda.log_segments; delete from guarda.log_segments`)
		if err := a.Blobs.Delete(t.Context(), a.Objects(t)...); err != nil {
			t.Fatal(err)
		}
		day := day0.AddDate(0, 0, 3*n)
		write(t, w, entriesOf(day, 30)...)
		a.Clock.Set(day.AddDate(0, 0, 2).Add(time.Hour))
		a.Run(t)
		write(t, w, entriesOf(day.AddDate(0, 0, 2), 30)...) // stays hot
		want = slices.DeleteFunc(a.All(t), func(s string) bool { return strings.Contains(s, alice.String()) })
		e, err := w.Store.CreateErasure(t.Context(), &logs.Erasure{Subject: logs.Subject{User: uuid.NullUUID{UUID: alice, Valid: true}}, By: "A", Reason: "asked for"})
		if err != nil {
			t.Fatal(err)
		}
		id = e.ID
	}, func(_ int, finished bool) {
		got := slices.DeleteFunc(a.All(t), func(s string) bool { return strings.Contains(s, alice.String()) })
		if !slices.Equal(got, want) {
			t.Errorf("%d entries of others instead of %d", len(got), len(want))
		}
		if !finished {
			return
		}
		if all := a.All(t); len(all) != len(want) {
			t.Errorf("%d entries of the person are left", len(all)-len(want))
		}
		e, err := w.Store.Erasure(t.Context(), id)
		if err != nil || e.State != "completed" || e.HotRows != 6 || e.ColdRows != 6 || e.Subject.User.Valid || e.CompletedAt == nil {
			t.Errorf("%+v, %v", e, err)
		}
	})
	a.Agree(t)
	if left := w.Texts(`select count(*)::text from guarda.log_erasures e where user_id is not null or session_id is not null`); left[0] != "0" {
		t.Errorf("%s records still name the person", left[0])
	}
	// Who asks for a known person finds what was done; nobody else's is found.
	for who, n := range map[uuid.UUID]bool{alice: true, uuid.New(): false} {
		list, err := w.Store.Erasures(t.Context(), &logs.Subject{User: uuid.NullUUID{UUID: who, Valid: true}}, 0, 10)
		if err != nil || len(list) > 0 != n {
			t.Errorf("%s: %d, %v", who, len(list), err)
		}
	}
	for _, o := range a.Objects(t) {
		body, err := a.Blobs.Get(t.Context(), o, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(body)
		body.Close()
		if strings.Contains(string(raw), string(alice[:])) {
			t.Errorf("%s still has the person's id", o)
		}
	}
}

// TestAnErasureReachesTheSpoolAndOnlyTheSessionThatIsNamed covers the
// other ways in which entries wait.
func TestAnErasureReachesTheSpoolAndOnlyTheSessionThatIsNamed(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := logtest.NewArchive(t, w)
	spool := &logs.BlobSpool{Clock: clock.System{}, Open: func(context.Context) (blob.Store, error) { return a.Blobs, nil }}
	var s logs.Sequence
	for _, entries := range [][]logs.Entry{entriesOf(day0, 20), {{Level: logs.Info, Source: "a", Message: "x", UserID: alice, SessionID: "s0"}}} {
		s.Identify(entries, time.Now())
		if err := spool.Put(t.Context(), &logs.Batch{ID: uuid.New(), Entries: entries}, true); err != nil {
			t.Fatal(err)
		}
	}
	write(t, w, entriesOf(day0.AddDate(0, 0, 1), 20)...)
	e, err := w.Store.CreateErasure(t.Context(), &logs.Erasure{Subject: logs.Subject{User: uuid.NullUUID{UUID: alice, Valid: true}, Session: "s0"}, By: "A"})
	if err != nil {
		t.Fatal(err)
	}
	a.Clock.Set(time.Now().UTC())
	for range 2 {
		a.Run(t)
		a.Clock.Advance(21 * time.Minute)
	}
	if e, err = w.Store.Erasure(t.Context(), e.ID); err != nil || e.State != "completed" || e.SpooledRows != 3 || e.HotRows != 2 {
		t.Fatalf("%+v, %v", e, err)
	}
	run(t, w, a.Blobs) // the replay
	if got := w.Texts(`select coalesce(session_id, '-') || ' ' || count(*) from guarda.advanced_logs group by session_id order by 1`); !slices.Equal(got, []string{"- 32", "s1 4"}) {
		t.Errorf("%v", got)
	}
	w.CountsAgree()
}

// Entries that come while a piece is being written put it off, and are not
// lost; a day to which entries come is left alone for an hour.
func TestLateEntriesAreNotLost(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := logtest.NewArchive(t, w)
	set(t, w, `update guarda.log_settings set hot_days = 1`)
	write(t, w, entriesOf(day0, 100)...)
	a.Clock.Set(day0.AddDate(0, 0, 3))
	var late []logs.Entry
	a.Blobs.Add(blobfault.Fault{On: blobfault.Put, Key: ".index", Before: func(context.Context) {
		late = entriesOf(day0.Add(time.Minute), 10)
		write(t, w, late...)
	}})
	if d := a.Run(t); d.PutOff != 1 || d.Archived != 0 {
		t.Errorf("%+v", d)
	}
	if d := a.Run(t); d.Archived != 110 {
		t.Errorf("%+v", d)
	}
	a.Agree(t)
	// More of them come afterwards: to a day whose partition may be gone.
	a.Clock.Advance(21 * time.Minute)
	a.Run(t)
	write(t, w, entriesOf(day0.Add(2*time.Minute), 10)...)
	if all := a.All(t); len(all) != 120 {
		t.Errorf("%d entries", len(all))
	}
	if err := a.Keeper.Note(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := logstore.New(w.Pool, a.Clock).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := a.Run(t); d.Archived != 0 {
		t.Errorf("they were not left alone: %+v", d)
	}
	a.Clock.Advance(61 * time.Minute)
	if d := a.Run(t); d.Archived != 10 {
		t.Errorf("%+v", d)
	}
	a.Agree(t)
	if all := a.All(t); len(all) != 120 || !slices.IsSorted(all) {
		t.Errorf("%d entries", len(all))
	}
}

// What the store did not keep as it was sent is noticed before anything leaves
// Postgres; on a real S3 server.
func TestWhatTheStoreDamagesStaysInPostgres(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := w.Archive(t, s3test.Store(t, "p"))
	set(t, w, `update guarda.log_settings set hot_days = 1`)
	write(t, w, entriesOf(day0, 200)...)
	want := a.All(t)
	a.Clock.Set(day0.AddDate(0, 0, 3))
	for _, f := range []blobfault.Fault{
		{On: blobfault.Put, Key: ".parquet", Err: blobfault.DiskFull()},
		{On: blobfault.Put, Key: ".parquet", AfterBytes: 300},
		{On: blobfault.Put, Key: ".index"},
		{On: blobfault.Put, Key: ".index", Lose: true},
		{On: blobfault.Get, Key: ".index", AfterBytes: 40, Flip: true},
		{On: blobfault.Get, Key: ".index", AfterBytes: 40, Truncate: true},
		{On: blobfault.Get, Key: ".parquet", Skip: 3, AfterBytes: 100, Flip: true},
		{On: blobfault.Get, Key: ".parquet", Skip: 1, AfterBytes: 10, Truncate: true},
	} {
		a.Blobs.Add(f)
		if _, err := a.Keeper.Run(t.Context(), a.Clock.Now().Add(time.Hour)); err == nil {
			t.Errorf("%+v: no error", f)
		} else if fault.CodeOf(err) == fault.Internal {
			t.Errorf("%+v: %v", f, err)
		}
		if n := w.Texts(`select count(*)::text from guarda.advanced_logs`); n[0] != "200" {
			t.Errorf("%+v: %s entries in Postgres", f, n[0])
		}
	}
	a.Run(t)
	if got := a.All(t); !slices.Equal(got, want) || len(w.Texts(`select id::text from guarda.advanced_logs`)) != 0 {
		t.Errorf("%d entries instead of %d", len(got), len(want))
	}
	a.Agree(t)
}

// Retention reaches archived days: by level and source, and as a whole.
func TestRetentionReachesArchivedDays(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	a := logtest.NewArchive(t, w)
	a.Keeper.PieceRows = 30
	set(t, w, `update guarda.log_settings set hot_days = 1`)
	write(t, w, append(entriesOf(day0, 100), entriesOf(day0.AddDate(0, 0, 10), 100)...)...)
	a.Clock.Set(day0.AddDate(0, 0, 12).Add(time.Hour))
	a.Run(t)
	set(t, w, `update guarda.log_retention set days = 60; insert into guarda.log_retention (level, days) values ('debug', 5); insert into guarda.log_retention (source, days) values ('db', 300)`)
	keeper := logstore.New(w.Pool, a.Clock)
	step := func() {
		t.Helper()
		if _, err := keeper.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.Run(t)
		a.Agree(t)
	}
	step()
	kinds := func() string {
		t.Helper()
		list := map[string]int{}
		for _, s := range a.All(t) {
			f := strings.Fields(s)
			list[f[0][:10]+" "+f[2]+" "+f[3]]++
		}
		return fmt.Sprint(len(list), list["2026-03-01 debug api"], list["2026-03-01 debug db"], list["2026-03-11 debug api"])
	}
	if got := kinds(); got != "19 0 10 10" {
		t.Errorf("after the level's time: %s", got)
	}
	a.Clock.Set(day0.AddDate(0, 0, 62)) // of the first day only db is kept
	step()
	if got := kinds(); got != "14 0 10 0" {
		t.Errorf("after 60 days: %s", got)
	}
	set(t, w, `delete from guarda.log_retention where source = 'db'`)
	a.Clock.Set(day0.AddDate(0, 0, 62).Add(time.Hour))
	step()
	if got := w.Texts(`select distinct day::text from guarda.log_segments where state = 'live'`); !slices.Equal(got, []string{"2026-03-11"}) {
		t.Errorf("days %v", got)
	}
	a.Clock.Advance(21 * time.Minute)
	step()
	if n := len(a.Objects(t)); n != 2*len(w.Texts(`select id::text from guarda.log_segments`)) {
		t.Errorf("%d objects", n)
	}
}
