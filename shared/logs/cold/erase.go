package cold

import (
	"context"
	"errors"
	"time"

	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// Erasures are the requests to erase somebody's entries. See logstore for the
// contract.
type Erasures interface {
	// OpenErasures returns those that are not done, the oldest first.
	OpenErasures(ctx context.Context) ([]logs.Erasure, error)
	// EraseSome deletes some of the subject's hot entries, counts and count of
	// the erasure included, and returns how many.
	EraseSome(ctx context.Context, e *logs.Erasure) (int64, error)
	// Unerased lists the live segments that the erasure has not looked at, or,
	// for the last look, all that came since it was asked for.
	Unerased(ctx context.Context, e *logs.Erasure, last bool) ([]*logs.Segment, error)
	Erased(ctx context.Context, e *logs.Erasure, seg *logs.Segment) error
	// GoneSince reports whether objects of segments that went until a moment
	// are still there.
	GoneSince(ctx context.Context, until time.Time) (bool, error)
	// SaveErasure records stage, progress, the rows of the spool, and the error
	// of a run.
	SaveErasure(ctx context.Context, e *logs.Erasure) error
}

// erase carries erasures out, one after the other, as far as the time goes.
func (k *Keeper) erase(ctx context.Context, s *logs.Settings, until time.Time, d *Done) error {
	list, err := k.Entries.OpenErasures(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		for more := true; more && e.Stage != logs.EraseDone; {
			if !k.Clock.Now().Before(until) || ctx.Err() != nil {
				return nil
			}
			more, err = k.eraseStage(ctx, s, e, until, d)
			e.LastError = nil
			if err != nil {
				f := fault.FailureOf(err, fault.New(fault.Internal, "a defect of Guarda's; the log has the details"))
				e.LastError = &f
			}
			if err := errors.Join(err, k.Entries.SaveErasure(ctx, e)); err != nil {
				return err
			}
		}
		if e.Stage != logs.EraseDone && e.Stage != logs.EraseObjects { // the next one must not overtake it
			return nil
		}
	}
	return nil
}

// eraseStage goes on with an erasure's stage, and to the next one when it is
// through. false: nothing more can be done now.
func (k *Keeper) eraseStage(ctx context.Context, s *logs.Settings, e *logs.Erasure, until time.Time, d *Done) (bool, error) {
	switch e.Stage {
	case logs.EraseSpool:
		if err := k.eraseSpooled(ctx, e, d); err != nil {
			return false, err
		}
		e.Stage = logs.EraseHot
	case logs.EraseHot:
		if through, err := k.eraseHot(ctx, e, until, d); !through || err != nil {
			return false, err
		}
		e.Stage = logs.EraseCold
	case logs.EraseCold:
		if through, _, err := k.eraseCold(ctx, s, e, false, until, d); !through || err != nil {
			return false, err
		}
		now := k.Clock.Now()
		e.ColdDoneAt, e.Stage = &now, logs.EraseObjects
	case logs.EraseObjects:
		if there, err := k.Entries.GoneSince(ctx, *e.ColdDoneAt); there || err != nil {
			return false, err
		}
		e.Stage = logs.EraseLook
	default:
		if err := k.eraseSpooled(ctx, e, d); err != nil {
			return false, err
		}
		if through, err := k.eraseHot(ctx, e, until, d); !through || err != nil {
			return false, err
		}
		through, rewritten, err := k.eraseCold(ctx, s, e, true, until, d)
		if !through || err != nil {
			return false, err
		}
		if e.Stage = logs.EraseDone; rewritten { // something was archived meanwhile
			now := k.Clock.Now()
			e.ColdDoneAt, e.Stage = &now, logs.EraseObjects
		}
	}
	return true, nil
}

func (k *Keeper) eraseSpooled(ctx context.Context, e *logs.Erasure, d *Done) error {
	n, err := logs.EraseSpooled(ctx, k.Blobs, e.Subject.OfEntry)
	e.SpooledRows += int64(n)
	d.Erased += int64(n)
	return err
}

func (k *Keeper) eraseHot(ctx context.Context, e *logs.Erasure, until time.Time, d *Done) (bool, error) {
	for {
		n, err := k.Entries.EraseSome(ctx, e)
		if err != nil || n == 0 {
			return err == nil, err
		}
		d.Erased += n
		if !k.Clock.Now().Before(until) {
			return false, nil
		}
	}
}

// eraseCold rewrites the segments that have entries of the subject. The index
// says of most that they have none.
func (k *Keeper) eraseCold(ctx context.Context, s *logs.Settings, e *logs.Erasure, last bool, until time.Time, d *Done) (through, rewritten bool, err error) {
	list, err := k.Entries.Unerased(ctx, e, last)
	if err != nil {
		return false, false, err
	}
	if !last {
		e.SegmentsTotal = e.SegmentsDone + len(list)
	}
	r := &Reader{Open: func(context.Context) (blob.Store, error) { return k.Blobs, nil }}
	for _, seg := range list {
		if !k.Clock.Now().Before(until) || ctx.Err() != nil {
			return false, rewritten, nil
		}
		has, err := k.has(ctx, r, seg, &e.Subject)
		if err != nil {
			return false, rewritten, err
		}
		if has {
			n, err := k.rewrite(ctx, s, seg, "erasure", e.Seq, func(a *logs.Archived) bool { return !e.Subject.OfArchived(a) })
			if err != nil {
				return false, rewritten, err
			}
			d.Erased += n
			rewritten = rewritten || n > 0
		} else if err := k.Entries.Erased(ctx, e, seg); err != nil {
			return false, rewritten, err
		}
		if !last {
			e.SegmentsDone++
		}
	}
	return true, rewritten, nil
}

func (k *Keeper) has(ctx context.Context, r *Reader, seg *logs.Segment, subject *logs.Subject) (bool, error) {
	w := &logs.Wanted{Low: seg.Low, High: seg.High.Add(time.Microsecond), User: subject.User, Session: subject.Session}
	found := false
	err := r.Walk(ctx, []*logs.Segment{seg}, w, func(rows []logs.Archived, _ time.Time) (bool, error) {
		found = found || len(rows) > 0
		return !found, nil
	})
	return found, err
}
