package backup

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// Relay lets a run outlive the process that does it: before its time is over,
// a process hands the picture to a successor. It also lets a run be taken up
// again that was cut off. The calls come from one goroutine at a time.
type Relay struct {
	Leg     int // which process of the run this is; distinguishes their workers
	Picture int // which picture of the run this one is, from 0: every new snapshot is one
	// Again is the baton of a run that is taken up again, with a new picture;
	// nil when the run is new.
	Again *Baton
	// Earlier are the pictures that the run had and lost, the newest first:
	// what was copied through them is kept where it did not change.
	Earlier []Earlier
	// Save keeps what another process needs to go on. It is called when there
	// is a plan, when the picture has changed hands, when all is copied, and when
	// there is a manifest to publish. A false answer says that the run has passed
	// to another process.
	Save func(ctx context.Context, b Baton) (bool, error)
	// Call asks for a successor and does not wait for it. It may be called
	// again when none comes.
	Call func(ctx context.Context) error
	// Taken reports whether a successor has the picture: it has called Save.
	Taken func(ctx context.Context) (bool, error)
	// Reached returns what the process before told last of where the run is.
	Reached func(ctx context.Context) (Progress, error)
}

// Earlier is a picture that the run lost.
type Earlier struct {
	StateKey string
	Results  []ChunkResult // of the chunks that were copied through it
}

// Baton is what a process hands to the next. It holds no secret: the data key
// in it is wrapped.
type Baton struct {
	Folder     string           `json:"folder"`
	Started    time.Time        `json:"started"`
	StateKey   string           `json:"state_key,omitempty"`   // the object with all that is known; "" before there is a plan
	SnapshotID string           `json:"snapshot_id,omitempty"` // the exported snapshot; "" when all is copied
	Key        *seal.WrappedKey `json:"key,omitempty"`
	Copied     bool             `json:"copied,omitempty"` // only the manifest is missing
	Sealed     *Sealed          `json:"sealed,omitempty"` // the manifest, to be published; nil before there is one
}

// Sealed is a manifest that waits to be published, with its header. Processes
// that finish a run at the same time, because one was frozen and does not know
// that another one has its run, publish the same bytes: encrypting twice would
// give two manifests, and a header names one.
type Sealed struct {
	Object string          `json:"object"` // that has the bytes until then
	Header manifest.Header `json:"header"`
}

// ErrPassedOn is what Execute and Continue return when another process has the
// run now. Nothing was lost, and nothing is left to do here.
var ErrPassedOn = errors.New("another process has the run")

const (
	takenEvery = 100 * time.Millisecond // between looks whether a successor came
	callAgain  = 4                      // calls for a successor in the time there is
)

// Continue goes on with a run where another process is or was: it takes over
// the picture while the other one still holds it, or writes the manifest when
// all is copied. d.Relay must not be nil.
func Continue(ctx context.Context, d Deps, r Run, b Baton) (*Result, error) {
	x, err := newExecution(ctx, d, r)
	if err != nil {
		return nil, err
	}
	x.started, x.folder, x.touched = b.Started, b.Folder, true
	result, err := x.takeUp(ctx, b)
	return x.ended(ctx, result, err)
}

func (x *execution) takeUp(ctx context.Context, b Baton) (*Result, error) {
	if err := x.useKey(ctx, b.Key); err != nil {
		return nil, err
	}
	s, err := x.getState(ctx, b.StateKey)
	if err != nil {
		return nil, err
	}
	x.stateKey = b.StateKey
	if b.Copied {
		if err := x.reached(ctx); err != nil {
			return nil, err
		}
		x.tracker.planned(s.Chunks, len(s.Catalog.Tables))
		if err := x.tracker.update(ctx); err != nil {
			return nil, err
		}
		if err := x.tracker.phase(ctx, PhaseFinish); err != nil {
			return nil, err
		}
		return x.finish(ctx, s, b.Sealed)
	}
	p, err := x.follow(ctx, s, b.SnapshotID)
	if err != nil {
		return nil, err
	}
	if err := x.saved(ctx, Baton{SnapshotID: p.id}); err != nil {
		pgsession.Close(ctx, p.conn)
		return nil, err
	}
	x.Log.InfoContext(ctx, "this process has the picture now", "snapshot", p.id)
	if err := x.reached(ctx); err != nil {
		pgsession.Close(ctx, p.conn)
		return nil, err
	}
	return x.proceed(ctx, p, s)
}

// reached lets the progress go on where the process before was.
func (x *execution) reached(ctx context.Context) error {
	p, err := x.Relay.Reached(ctx)
	if err == nil {
		x.tracker.goOn(p)
	}
	return err
}

// again is the baton of a run that is taken up again, if this one is.
func (x *execution) again() *Baton {
	if x.Relay == nil {
		return nil
	}
	return x.Relay.Again
}

// useKey opens the run's data key.
func (x *execution) useKey(ctx context.Context, wrapped *seal.WrappedKey) (err error) {
	if wrapped == nil {
		return nil
	}
	if x.Keys == nil {
		return fault.New(fault.Invalid, "the run is encrypted, and this process has no key").
			Hint("give it the key that the run began with")
	}
	x.wrapped = wrapped
	x.key, err = x.Keys.Unwrap(ctx, *wrapped)
	return err
}

// follow takes part in a picture that another process holds, so that it lasts
// when that one ends: the snapshot, and the locks on what is still to be read.
// Tables that are copied need no lock any more.
func (x *execution) follow(ctx context.Context, s *state, snapshot string) (_ *picture, err error) {
	results, err := x.Queue.Results(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := x.Connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	defer func() {
		if err != nil {
			pgsession.Close(ctx, conn)
		}
	}()
	// Whoever waits for a stronger lock goes first, and waits for the process
	// that waits for us: better to say so soon.
	timeout := x.spec.LockTimeout
	if l := x.pace.lead(); l > 0 {
		timeout = min(timeout, l)
	}
	if err := begin(ctx, conn, timeout, snapshot); err != nil {
		return nil, explainShare(err)
	}
	if err := lockTables(ctx, conn, s.unread(results)); err != nil {
		return nil, lockError(ctx, conn, err, timeout)
	}
	if err := x.stillHeld(ctx, snapshot, timeout); err != nil {
		return nil, err
	}
	row, err := pgsession.One(ctx, conn, "select pg_catalog.pg_export_snapshot()")
	if err != nil {
		return nil, pgsession.Explain(err, "export the snapshot")
	}
	return &picture{conn: conn, id: row[0], at: s.SnapshotAt, server: s.Server}, nil
}

// stillHeld fails when the process that exported a snapshot does not hold it,
// and with it its locks, any more. It is asked after our locks were granted: if
// the other process ended while we waited for them, whoever waited before us
// may have rewritten or truncated a table, and its rows, which the old snapshot
// does not show, would be missing. A server lets a snapshot be imported only
// while the transaction that exported it goes on, and ends a transaction before
// it frees its locks.
func (x *execution) stillHeld(ctx context.Context, snapshot string, timeout time.Duration) error {
	conn, err := x.Connect(ctx)
	if err != nil {
		return pgsession.ConnectError(err)
	}
	defer pgsession.Close(ctx, conn)
	if err := begin(ctx, conn, timeout, snapshot); err != nil {
		return explainShare(err)
	}
	return nil
}

// unread returns the names of the tables that have chunks without a result.
func (s *state) unread(results []ChunkResult) []string {
	done := make(map[int]bool, len(results))
	for _, r := range results {
		done[r.No] = true
	}
	open := map[uint32]bool{}
	for _, c := range s.Chunks {
		if !done[c.No] {
			open[c.TableOID] = true
		}
	}
	var names []string
	for _, t := range s.Catalog.Tables {
		if open[t.OID] {
			names = append(names, pgx.Identifier{t.Schema, t.Name}.Sanitize())
		}
	}
	return names
}

// save keeps the state of a new picture for other processes, if there can be any.
func (x *execution) save(ctx context.Context, p *picture, s *state) error {
	if x.Relay == nil && x.FanOut == nil && !x.spec.Keep {
		return nil
	}
	picture := 0
	if x.Relay != nil {
		picture = x.Relay.Picture
	}
	o, err := x.putState(ctx, s, picture)
	if err != nil {
		return err
	}
	x.stateKey = o.Key
	return x.saved(ctx, Baton{SnapshotID: p.id})
}

// copied notes that only the manifest is missing.
func (x *execution) copied(ctx context.Context) error {
	return x.saved(ctx, Baton{Copied: true})
}

func (x *execution) saved(ctx context.Context, b Baton) error {
	if x.Relay == nil {
		return nil
	}
	b.Folder, b.Started, b.StateKey, b.Key = x.folder, x.started, x.stateKey, x.wrapped
	mine, err := x.Relay.Save(ctx, b)
	if err == nil && !mine {
		err = ErrPassedOn
	}
	return err
}

// passOn looks for a successor from the time on when that is due, until one
// has the picture. It returns nil when ctx ends before.
func (x *execution) passOn(ctx context.Context) error {
	if x.Relay == nil || x.pace.limit == 0 {
		return nil
	}
	if !sleepUntil(ctx, x.Clock, x.pace.handOver) {
		return nil
	}
	x.called.Store(true)
	var called time.Time
	for {
		if now := x.Clock.Now(); now.Sub(called) >= x.pace.lead()/callAgain {
			called = now
			if err := x.Relay.Call(ctx); err != nil {
				x.Log.WarnContext(ctx, "a successor could not be called; trying again", "error", err.Error())
			}
		}
		taken, err := x.Relay.Taken(ctx)
		switch {
		case err != nil:
			x.Log.WarnContext(ctx, "cannot see whether a successor came", "error", err.Error())
		case taken:
			return ErrPassedOn
		}
		if !x.Clock.Now().Before(x.pace.stop) {
			return fault.New(fault.Unavailable, "no other function took the run over before the time of this one was up").
				Hint("see whether the function backup-coordinator has free concurrency; the run goes on by itself")
		}
		if !sleepUntil(ctx, x.Clock, x.Clock.Now().Add(takenEvery)) {
			return nil
		}
	}
}

// sleepUntil returns false when ctx ends first.
func sleepUntil(ctx context.Context, c clock.Clock, at time.Time) bool {
	t := time.NewTimer(at.Sub(c.Now()))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
