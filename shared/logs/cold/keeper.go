package cold

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/big"
	"time"

	"github.com/google/uuid"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

const (
	// pieceRows is about how many rows a segment has: what is written, checked
	// and switched in some seconds.
	pieceRows = 100_000
	// grace is longer than any function lives: what a search that began before
	// may still read is left alone for so long.
	grace = 20 * time.Minute
)

// Entries is the log store. See logstore for the contract.
type Entries interface {
	LogSettings(ctx context.Context) (*logs.Settings, error)
	NoteLate(ctx context.Context, before time.Time) error
	ArchiveDays(ctx context.Context, before time.Time) ([]time.Time, error)
	Piece(ctx context.Context, day time.Time, n int) (low, high time.Time, ok bool, err error)
	ReadPiece(ctx context.Context, day, low, high time.Time, f func([]logs.Archived) error) error
	Lexemes(ctx context.Context, words logs.TextSearch, messages []string) ([]string, error)
	BeginSegment(ctx context.Context, seg *logs.Segment, reason string) error
	SwitchSegment(ctx context.Context, seg *logs.Segment, low, high time.Time) (bool, error)
	ReplaceSegment(ctx context.Context, old, by *logs.Segment, removed *logs.Removed, erasure int64) (bool, error)
	AbandonSegment(ctx context.Context, seg *logs.Segment) error
	LiveSegments(ctx context.Context, before time.Time) ([]*logs.Segment, error)
	GoneSegments(ctx context.Context, since time.Time) ([]*logs.Segment, error)
	ForgetSegment(ctx context.Context, seg *logs.Segment) error
	DropEmptyDays(ctx context.Context, before, since time.Time) ([]string, error)
	Erasures
}

// Keeper moves days to the object store and keeps what is there. One at a time
// is enough; several do no harm.
type Keeper struct {
	Entries Entries
	Blobs   blob.Store
	Clock   clock.Clock
	Log     *slog.Logger
	// PieceRows is about how many rows a segment has; 0 is 100,000.
	PieceRows int
}

// Done says what a run did.
type Done struct {
	Archived    int64    `json:"archived"` // rows
	Segments    int      `json:"segments"` // that were written for them
	PutOff      int      `json:"put_off"`  // because rows came or went meanwhile
	Expired     int64    `json:"expired"`  // archived rows that retention removed
	Erased      int64    `json:"erased"`   // rows of erasures
	Removed     int      `json:"removed"`  // segments whose objects were removed
	DaysDropped []string `json:"days_dropped,omitempty"`
}

// hotUntil is the moment whose earlier days leave Postgres; false: none does.
func hotUntil(s *logs.Settings, now time.Time) (time.Time, bool) {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -s.HotDays), s.HotDays > 0
}

// Note takes down to which old days entries came. It belongs before counts are
// added up.
func (k *Keeper) Note(ctx context.Context) error {
	s, err := k.Entries.LogSettings(ctx)
	if err != nil {
		return err
	}
	if before, ok := hotUntil(s, k.Clock.Now()); ok {
		return k.Entries.NoteLate(ctx, before)
	}
	return nil
}

// Run does what is to be done until the time is up; the next run goes on. Each
// step stands alone: an error in one does not keep the others from being done.
func (k *Keeper) Run(ctx context.Context, until time.Time) (d Done, err error) {
	s, err := k.Entries.LogSettings(ctx)
	if err != nil {
		return d, err
	}
	var errs []error
	for _, step := range []func(context.Context, *logs.Settings, time.Time, *Done) error{k.sweep, k.erase, k.retain, k.archive} {
		errs = append(errs, step(ctx, s, until, &d))
	}
	return d, errors.Join(errs...)
}

// sweep removes objects that nobody reads any more. The objects go first: what
// is cut off in between is done again.
func (k *Keeper) sweep(ctx context.Context, _ *logs.Settings, _ time.Time, d *Done) error {
	list, err := k.Entries.GoneSegments(ctx, k.Clock.Now().Add(-grace))
	if err != nil {
		return err
	}
	for _, seg := range list {
		if err := k.Blobs.Delete(ctx, seg.Path, seg.IndexPath()); err != nil {
			return err
		}
		if err := k.Entries.ForgetSegment(ctx, seg); err != nil {
			return err
		}
		d.Removed++
	}
	return nil
}

// archive writes the pieces of days that are old enough.
func (k *Keeper) archive(ctx context.Context, s *logs.Settings, until time.Time, d *Done) error {
	before, ok := hotUntil(s, k.Clock.Now())
	if !ok {
		return nil
	}
	dropped, err := k.Entries.DropEmptyDays(ctx, before, k.Clock.Now().Add(-grace))
	d.DaysDropped = dropped
	if err != nil {
		return err
	}
	days, err := k.Entries.ArchiveDays(ctx, before)
	if err != nil {
		return err
	}
	for _, day := range days {
		for more := true; more; {
			if !k.Clock.Now().Before(until) || ctx.Err() != nil {
				return nil
			}
			if more, err = k.piece(ctx, s, day, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// piece archives the oldest entries of a day; false: it has none, or they were
// put off.
func (k *Keeper) piece(ctx context.Context, s *logs.Settings, day time.Time, d *Done) (bool, error) {
	n := k.PieceRows
	if n == 0 {
		n = pieceRows
	}
	low, high, ok, err := k.Entries.Piece(ctx, day, n)
	if err != nil || !ok {
		return false, err
	}
	seg := k.newSegment(day, s)
	err = k.write(ctx, seg, "archive", func(add func([]logs.Archived) error) error {
		return k.Entries.ReadPiece(ctx, day, low, high, add)
	})
	if err != nil {
		return false, err
	}
	switched, err := k.Entries.SwitchSegment(ctx, seg, low, high)
	if err != nil || !switched {
		if err == nil {
			d.PutOff++
		}
		return false, errors.Join(err, k.giveUp(ctx, seg))
	}
	d.Segments++
	d.Archived += seg.Rows
	k.Log.InfoContext(ctx, "log entries were archived", "day", day.Format(time.DateOnly), "rows", seg.Rows, "bytes", seg.Size, "path", seg.Path)
	return true, nil
}

func (k *Keeper) newSegment(day time.Time, s *logs.Settings) *logs.Segment {
	seg := &logs.Segment{ID: uuid.New(), Day: day.UTC(), Words: s.Words()}
	seg.Path = pathOf(seg.Day, seg.ID)
	return seg
}

// giveUp marks a segment that will not be shown; also when the time of ctx is
// over.
func (k *Keeper) giveUp(ctx context.Context, seg *logs.Segment) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return k.Entries.AbandonSegment(ctx, seg)
}

// write writes a segment of the rows that rows adds, reads it back and checks
// it. A segment without rows is given up and has Rows 0.
func (k *Keeper) write(ctx context.Context, seg *logs.Segment, reason string, rows func(add func([]logs.Archived) error) error) error {
	if err := k.Entries.BeginSegment(ctx, seg, reason); err != nil {
		return err
	}
	w := newWriter(ctx, k.Blobs, k.Entries.Lexemes, seg)
	err := rows(func(list []logs.Archived) error { return w.add(ctx, list) })
	if err == nil && w.empty() {
		w.abandon()
		return k.giveUp(ctx, seg)
	}
	if err == nil {
		err = w.close(ctx)
	}
	if err == nil {
		err = k.check(ctx, seg, w.raw)
	}
	if err != nil {
		w.abandon()
		return errors.Join(err, k.giveUp(ctx, seg))
	}
	return nil
}

// check reads a segment back, as searches will, and holds it against what was
// written: its index byte by byte, its rows by their number, order and content.
func (k *Keeper) check(ctx context.Context, seg *logs.Segment, index []byte) error {
	other := func() error {
		return fault.New(fault.Corrupt, "the object %s was not stored as it was sent", seg.Path)
	}
	stored, err := readRange(ctx, k.Blobs, seg.IndexPath(), 0, seg.IndexSize)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored, index) {
		return other()
	}
	sum := new(big.Int)
	var n int64
	var last *logs.Archived
	err = k.each(ctx, seg, func(rows []logs.Archived) error {
		for i := range rows {
			a := &rows[i]
			if last != nil && last.Compare(a) > 0 {
				return other()
			}
			last = a
			sum.Add(sum, big.NewInt(a.Fingerprint()))
			n++
		}
		return nil
	})
	if err == nil && (n != seg.Rows || sum.String() != seg.Content) {
		err = other()
	}
	return err
}

// each hands all rows of a segment to f, a row group at a time.
func (k *Keeper) each(ctx context.Context, seg *logs.Segment, f func([]logs.Archived) error) error {
	r := &Reader{Open: func(context.Context) (blob.Store, error) { return k.Blobs, nil }}
	h, err := r.header(ctx, seg)
	if err != nil {
		return err
	}
	for i := range h.Groups {
		rows, err := r.load(ctx, seg, &h.Groups[i], i)
		if err != nil {
			return err
		}
		if err := f(rows); err != nil {
			return err
		}
	}
	return nil
}
