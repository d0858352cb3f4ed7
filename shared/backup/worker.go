package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

const (
	// waitForChunk is the time between two tries to claim, shortWait that
	// before the second: at the end of a short run it counts.
	waitForChunk = 100 * time.Millisecond
	shortWait    = 2 * time.Millisecond
	// waitForPicture is how long a worker waits for a picture that it can
	// take part in, when the one it knows is gone.
	waitForPicture = 30 * time.Second
)

// worker claims and copies chunks on a connection of its own that shares the
// run's snapshot.
type worker struct {
	name        string
	connect     func(ctx context.Context) (*pgx.Conn, error)
	snapshot    func(ctx context.Context) (string, error) // of the picture, as it is now
	lockTimeout time.Duration
	tables      map[uint32]*pgcatalog.Table
	queue       Queue
	clock       clock.Clock
	log         *slog.Logger
	stopAt      time.Time     // claim nothing after this; zero: no limit
	killAt      time.Time     // give up the chunk that is being copied; zero: no limit
	renew       time.Duration // between renewals of a chunk's lease
	follows     bool          // snapshot changes when the picture passes to another process
	copier      copier

	report WorkReport
}

// run copies until no chunk is left, also those that other workers give back,
// or the time is up.
func (w *worker) run(ctx context.Context) error {
	defer func() { pgsession.Close(ctx, w.copier.conn) }()
	for wait := shortWait; ; {
		if !w.stopAt.IsZero() && !w.clock.Now().Before(w.stopAt) {
			w.report.More = true
			return nil
		}
		if w.copier.conn == nil {
			conn, err := w.join(ctx)
			if conn == nil || err != nil {
				return err
			}
			w.copier.conn = conn
		}
		c, err := w.queue.Claim(ctx, w.name)
		if err != nil {
			return err
		}
		if c == nil {
			if over, err := w.over(ctx, wait); over || err != nil {
				return err
			}
			wait = min(waitForChunk, 2*wait)
			continue
		}
		wait = shortWait
		if err := w.attempt(ctx, c); err != nil {
			return err
		}
	}
}

// over reports whether no chunk is left, and waits a moment if one is.
func (w *worker) over(ctx context.Context, wait time.Duration) (bool, error) {
	n, err := w.queue.Counts(ctx)
	if err != nil {
		return false, err
	}
	if n.Failed > 0 {
		return false, fault.New(fault.Unavailable, "a part of a table could not be copied by another worker of this run").
			Hint("see that worker's log, then run the backup again")
	}
	if n.Pending+n.Claimed == 0 {
		return true, nil
	}
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-time.After(wait):
		return false, nil
	}
}

// attempt copies one claimed chunk. A chunk whose failure may pass is given
// back, and nil is returned.
func (w *worker) attempt(ctx context.Context, c *Chunk) error {
	r, err := w.copyLeased(ctx, c)
	if err == nil {
		w.report.Chunks++
		w.report.Rows += r.Rows
		w.report.Bytes += r.RawBytes
		r.Worker = w.name
		if err = w.queue.Done(ctx, *r); err == nil {
			return nil
		}
		if fault.CodeOf(err) != fault.Conflict {
			return err // it may have been recorded: the object stays
		}
		if !r.Reused {
			w.copier.discard(ctx, r.ObjectKey)
		}
		w.log.WarnContext(ctx, "another worker took over a chunk", "chunk", c.No)
		return nil
	}
	given := err
	timeUp := errors.Is(err, ErrTimeUp)
	if ctx.Err() != nil { // stopped from outside: that is not the chunk's failure
		err, given = context.Cause(ctx), ErrTimeUp
	}
	pgsession.Close(ctx, w.copier.conn) // its transaction is over, or its state unknown
	w.copier.conn = nil
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if rerr := w.queue.Release(release, c.No, w.name, given); rerr != nil && fault.CodeOf(rerr) != fault.Conflict {
		return errors.Join(err, rerr)
	}
	if timeUp && ctx.Err() == nil {
		w.report.More = true
		return nil
	}
	if ctx.Err() == nil && fault.CodeOf(err) == fault.Unavailable && c.Attempt < maxAttempts {
		w.log.WarnContext(ctx, "a chunk will be copied again", "chunk", c.No, "attempt", c.Attempt, "error", err.Error())
		return nil
	}
	return err
}

// copyLeased copies the chunk and keeps its lease meanwhile.
func (w *worker) copyLeased(ctx context.Context, c *Chunk) (*ChunkResult, error) {
	t := w.tables[c.TableOID]
	if t == nil {
		return nil, fault.New(fault.Internal, "chunk %d is of a table that is not in the plan", c.No)
	}
	if !w.killAt.IsZero() {
		var end context.CancelFunc
		ctx, end = context.WithDeadlineCause(ctx, w.killAt, ErrTimeUp)
		defer end()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lease := make(chan struct{})
	go func() {
		defer close(lease)
		tick := time.NewTicker(w.renew)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := w.queue.Renew(ctx, c.No, w.name); err != nil && ctx.Err() == nil {
					cancel(fmt.Errorf("renew the lease of chunk %d: %w", c.No, err))
				}
			}
		}
	}()
	r, err := w.copier.take(ctx, t, c)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-lease
	return r, err
}

// join opens a connection that sees the run's picture as it is now. It returns
// nil without an error when there is none to take part in any more.
func (w *worker) join(ctx context.Context) (*pgx.Conn, error) {
	until := w.clock.Now().Add(waitForPicture)
	if !w.stopAt.IsZero() && w.stopAt.Before(until) {
		until = w.stopAt
	}
	for attempt := 1; ; {
		conn, err := w.joinOnce(ctx)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, errNoPicture):
			// It may be on its way from one process to the next.
			if !w.follows {
				return nil, err
			}
			if !w.clock.Now().Before(until) {
				w.log.WarnContext(ctx, "there is no picture to take part in", "error", err.Error())
				return nil, nil
			}
		case fault.CodeOf(err) != fault.Unavailable || attempt == maxAttempts:
			return nil, err
		default:
			w.log.WarnContext(ctx, "a worker cannot connect yet", "attempt", attempt, "error", err.Error())
			attempt++
		}
		if !sleepUntil(ctx, w.clock, w.clock.Now().Add(waitForChunk)) {
			return nil, context.Cause(ctx)
		}
	}
}

func (w *worker) joinOnce(ctx context.Context) (*pgx.Conn, error) {
	snapshot, err := w.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if snapshot == "" {
		return nil, errNoPicture
	}
	conn, err := w.connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	err = begin(ctx, conn, w.lockTimeout, snapshot)
	if err == nil {
		// Plans of ranges never read a table from its beginning.
		err = pgsession.Exec(ctx, conn, "set local enable_seqscan = off")
	}
	if err == nil {
		return conn, nil
	}
	pgsession.Close(ctx, conn)
	return nil, explainShare(err)
}

// errNoPicture is the cause of a failure to take part in a picture that ended.
var errNoPicture = errors.New("no process holds the run's picture")

// explainShare explains why a snapshot cannot be imported.
func explainShare(err error) error {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && (pg.Code == "22023" || pg.Code == "55000" || pg.Code == "42704") {
		return fault.New(fault.Unavailable, "the run's snapshot is gone").
			Hint("the process that coordinates the run ended or lost its connection: run the backup again").Because(errors.Join(errNoPicture, pg))
	}
	return pgsession.Explain(err, "share the snapshot")
}
