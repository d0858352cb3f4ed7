package logtest

import (
	"context"
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
	return w.archive(t, files)
}

func (w *World) archive(t *testing.T, files blob.Store) *Archive {
	t.Helper()
	a := &Archive{Blobs: blobfault.New(t, files), Clock: clock.At(time.Now().UTC()), w: w}
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
