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
	waitForChunk  = 100 * time.Millisecond // between two tries to claim
	renewInterval = 30 * time.Second       // of a claimed chunk's lease
)

// worker claims and copies chunks on a connection of its own that shares the
// run's snapshot.
type worker struct {
	name        string
	connect     func(ctx context.Context) (*pgx.Conn, error)
	snapshot    string
	lockTimeout time.Duration
	tables      map[uint32]*pgcatalog.Table
	queue       Queue
	clock       clock.Clock
	log         *slog.Logger
	stopAt      time.Time // claim nothing after this; zero: no limit
	copier      copier

	report WorkReport
}

// run copies until no chunk is left, also those that other workers give back.
func (w *worker) run(ctx context.Context) error {
	defer func() { pgsession.Close(ctx, w.copier.conn) }()
	for {
		if !w.stopAt.IsZero() && !w.clock.Now().Before(w.stopAt) {
			w.report.More = true
			return nil
		}
		c, err := w.queue.Claim(ctx, w.name)
		if err != nil {
			return err
		}
		if c == nil {
			if over, err := w.over(ctx); over || err != nil {
				return err
			}
			continue
		}
		if err := w.attempt(ctx, c); err != nil {
			return err
		}
	}
}

// over reports whether no chunk is left, and waits a moment if one is.
func (w *worker) over(ctx context.Context) (bool, error) {
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
	case <-time.After(waitForChunk):
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
		w.copier.discard(ctx, r.ObjectKey)
		if fault.CodeOf(err) == fault.Conflict {
			w.log.WarnContext(ctx, "another worker took over a chunk", "chunk", c.No)
			return nil
		}
		return err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	pgsession.Close(ctx, w.copier.conn) // its transaction is over, or its state unknown
	w.copier.conn = nil
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if rerr := w.queue.Release(release, c.No, err); rerr != nil && fault.CodeOf(rerr) != fault.Conflict {
		return errors.Join(err, rerr)
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
	if w.copier.conn == nil {
		conn, err := w.join(ctx)
		if err != nil {
			return nil, err
		}
		w.copier.conn = conn
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lease := make(chan struct{})
	go func() {
		defer close(lease)
		tick := time.NewTicker(renewInterval)
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
	r, err := w.copier.copy(ctx, t, c)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-lease
	return r, err
}

// join opens a connection that sees the run's picture.
func (w *worker) join(ctx context.Context) (*pgx.Conn, error) {
	conn, err := w.connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	err = begin(ctx, conn, w.lockTimeout, w.snapshot)
	if err == nil {
		// Plans of ranges never read a table from its beginning.
		err = pgsession.Exec(ctx, conn, "set local enable_seqscan = off")
	}
	if err == nil {
		return conn, nil
	}
	pgsession.Close(ctx, conn)
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && (pg.Code == "22023" || pg.Code == "55000" || pg.Code == "42704") {
		return nil, fault.New(fault.Conflict, "the run's snapshot is gone").
			Hint("the process that coordinates the run ended or lost its connection: run the backup again").Because(pg)
	}
	return nil, pgsession.Explain(err, "share the snapshot")
}
