package logtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/dir"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/logs/cold"
	"guarda/shared/postgres/logstore"
)

// Archive is an object store with the keeper of a world's archived days. The
// world's Store reads from it.
type Archive struct {
	Blobs  *blobfault.Store
	Clock  *clock.Manual
	Keeper *cold.Keeper
	Reader *cold.Reader
	w      *World
}

// NewArchive gives a world a folder as its object store. Segments are small, so
// that a few entries make many.
func NewArchive(t *testing.T, w *World) *Archive {
	t.Helper()
	files, err := dir.Open(t.TempDir(), dir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Archive(t, files)
}

// Archive gives a world an object store.
func (w *World) Archive(t *testing.T, files blob.Store) *Archive {
	t.Helper()
	a := &Archive{Blobs: blobfault.New(t, files), Clock: clock.At(clock.System{}.Now()), w: w}
	a.Reader = &cold.Reader{Open: func(context.Context) (blob.Store, error) { return a.Blobs, nil }}
	w.Store.Cold = a.Reader
	a.Keeper = &cold.Keeper{Entries: logstore.New(w.Pool, a.Clock), Blobs: a.Blobs, Clock: a.Clock, Log: w.Log, PieceRows: 500}
	return a
}

// Until archives the days that are over at a moment; a moment within a day
// stands for a keeper that was cut off in the middle of it.
func (a *Archive) Until(t *testing.T, at time.Time) {
	t.Helper()
	if _, err := a.w.Pool.Exec(t.Context(), `update guarda.log_settings set hot_days = 1`); err != nil {
		t.Fatal(err)
	}
	midnight := at.Truncate(24 * time.Hour)
	a.Clock.Set(midnight.Add(24*time.Hour + time.Minute))
	a.Run(t)
	if at.After(midnight) {
		a.Clock.Set(midnight.Add(48*time.Hour + time.Minute))
		a.Part(t, 1)
	}
}

// Run does everything that is to be done.
func (a *Archive) Run(t *testing.T) cold.Done {
	t.Helper()
	d, err := a.Keeper.Run(t.Context(), a.Clock.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Part does it for so many pieces, each of which seems to take an hour.
func (a *Archive) Part(t *testing.T, pieces int) cold.Done {
	t.Helper()
	k := *a.Keeper
	k.Entries = &slowEntries{logstore.New(a.w.Pool, a.Clock), a.Clock}
	d, err := k.Run(t.Context(), a.Clock.Now().Add(time.Duration(pieces)*time.Minute-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type slowEntries struct {
	*logstore.Store
	clock *clock.Manual
}

func (s *slowEntries) SwitchSegment(ctx context.Context, seg *logs.Segment, low, high time.Time) (bool, error) {
	ok, err := s.Store.SwitchSegment(ctx, seg, low, high)
	s.clock.Advance(time.Minute)
	return ok, err
}

// Away makes the object store answer nothing any more.
func (a *Archive) Away(t *testing.T) {
	t.Helper()
	a.Blobs.Add(blobfault.Fault{On: blobfault.Get, Times: -1})
}

// Slow is a store of the same entries for which every batch of archived ones
// seems to take all of a search's time.
func (a *Archive) Slow() *logstore.Store {
	c := clock.At(a.Clock.Now())
	s := logstore.New(a.w.Pool, c)
	s.Cold = slowCold{a.Reader, c}
	return s
}

type slowCold struct {
	logstore.Cold
	clock *clock.Manual
}

func (s slowCold) Walk(ctx context.Context, segs []*logs.Segment, w *logs.Wanted, f func([]logs.Archived, time.Time) (bool, error)) error {
	return s.Cold.Walk(ctx, segs, w, func(rows []logs.Archived, to time.Time) (bool, error) {
		s.clock.Advance(time.Minute)
		return f(rows, to)
	})
}

// All is every entry as a text, in the order of time, as exports read them.
func (a *Archive) All(t *testing.T) []string {
	t.Helper()
	s := logstore.New(a.w.Pool, clock.System{})
	s.Cold = &cold.Reader{Open: func(context.Context) (blob.Store, error) { return a.Blobs, nil }}
	var out []string
	err := s.Stream(t.Context(), &logs.Query{OldestTop: true}, logs.TextSearch{Config: "portuguese"}, func(r *logs.Row) error {
		out = append(out, fmt.Sprintf("%s %s %s %s %s %s %s %s %s", r.CreatedAt, r.ID, r.Level, r.Source, r.Message, r.Metadata, r.UserID, r.SessionID, r.PatternID))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Agree fails the test unless the counts are those of the entries of both
// tiers.
func (a *Archive) Agree(t *testing.T) {
	t.Helper()
	counted := map[string]int{}
	s := logstore.New(a.w.Pool, clock.System{})
	s.Cold = a.Reader
	err := s.Stream(t.Context(), &logs.Query{}, logs.TextSearch{}, func(r *logs.Row) error {
		pattern := string(r.PatternID)
		if pattern == "" {
			pattern = "00000000-0000-0000-0000-000000000000"
		}
		counted[fmt.Sprintf("60 %s:00Z %s %s %s", r.CreatedAt[:16], r.Source, r.Level, pattern)]++
		counted[fmt.Sprintf("86400 %sT00:00:00Z %s %s %s", r.CreatedAt[:10], r.Source, r.Level, pattern)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for k, n := range counted {
		want = append(want, fmt.Sprintf("%s: %d", k, n))
	}
	slices.Sort(want)
	got := a.w.Texts(`select format('%s %s %s %s %s: %s', span, to_char(bucket at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), source, level, pattern_id, sum(n)) from guarda.log_counts where span <> 3600 group by span, bucket, source, level, pattern_id having sum(n) <> 0`)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("counts and entries differ:\n%.500v\n%.500v", got, want)
	}
}

// Objects are the keys of the archive's objects.
func (a *Archive) Objects(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for o, err := range a.Blobs.List(t.Context(), "_logs/cold/") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}
