package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

const (
	cleanupTimeout = time.Minute
	schemaFolder   = "schema/" // below the backup's folder
)

// Execute makes a backup. It returns when the backup is complete, with its
// manifest stored, or with an error; then nothing is left in the store that
// claims to be a backup, and, unless the store fails at that too, nothing at
// all. It opens r.Jobs+1 connections to the source, one more for a moment.
func Execute(ctx context.Context, d Deps, r Run) (*Result, error) {
	x, err := newExecution(ctx, d, r)
	if err != nil {
		return nil, err
	}
	if d.Relay != nil && d.Relay.Again != nil {
		x.started, x.folder = d.Relay.Again.Started, d.Relay.Again.Folder
	}
	result, err := x.run(ctx)
	return x.ended(ctx, result, err)
}

// ended explains why a run ended, and tidies up after a failed one that nobody
// else can go on with.
func (x *execution) ended(ctx context.Context, result *Result, err error) (*Result, error) {
	if err == nil || errors.Is(err, ErrPassedOn) {
		return result, err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.New(fault.Unavailable, "the time for the backup is over").
			Hint("give it more time or more jobs").Because(err)
	}
	kept := x.journal.worthKeeping(ctx)
	if errors.Is(err, context.Canceled) {
		stopped := fault.New(fault.Canceled, "the backup was stopped before it was complete").Because(err)
		if kept {
			stopped = stopped.Hint("what was stored is kept: the next backup of this database goes on with it")
		}
		err = stopped
	}
	if x.Relay == nil && !kept {
		x.cleanUp(ctx)
	}
	return nil, err
}

// execution is a run under way.
type execution struct {
	Deps
	spec     Run
	folder   string
	started  time.Time
	key      *seal.DataKey
	wrapped  *seal.WrappedKey
	tracker  *tracker
	warnings []fault.Warning
	touched  bool  // something may be in the store
	extra    int64 // bytes stored besides the chunks
	pace     pace
	stateKey string      // the object that keeps the state of the picture
	called   atomic.Bool // a successor was called for
	found    found       // what is in the store already
	journal  *journal    // nil without Run.Keep
}

func newExecution(ctx context.Context, d Deps, r Run) (*execution, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	shared := d.Queue != nil
	if shared {
		d.Queue = &patient{Queue: d.Queue, clock: d.Clock, log: d.Log}
	} else {
		d.Queue = NewMemoryQueue()
	}
	if r.Jobs == 0 {
		r.Jobs = defaultJobs
	}
	if r.LockTimeout == 0 {
		r.LockTimeout = defaultLockWait
	}
	if r.Compression == "" {
		r.Compression = seal.Auto
	}
	if r.Type == "" {
		r.Type = Full
	}
	if r.RequestedType == "" {
		r.RequestedType = r.Type
	}
	r.Source = manifest.SourceName(r.Source)
	if r.Jobs < 1 || r.Jobs > 64 {
		return nil, fault.New(fault.Invalid, "%d jobs are not possible", r.Jobs).Hint("choose 1 to 64")
	}
	started := d.Clock.Now()
	x := &execution{Deps: d, spec: r, started: started, folder: manifest.Folder(r.Source, started, r.ID),
		tracker: &tracker{clock: d.Clock, tell: d.Report, queue: d.Queue, shared: shared}, warnings: []fault.Warning{}}
	if d.Relay != nil {
		x.pace = paceOf(ctx, started)
	}
	if _, _, _, ok := manifest.ParseFolder(x.folder); !ok || blob.ValidKey(x.folder+manifest.HeaderName) != nil {
		return nil, fault.New(fault.Invalid, "%q and %q do not make the name of a folder in the store", r.Source, r.ID).
			Hint("use letters, digits, '-', '_' and '.'")
	}
	return x, nil
}

func (x *execution) run(ctx context.Context) (*Result, error) {
	p, s, err := x.start(ctx)
	if err != nil {
		return nil, err
	}
	return x.proceed(ctx, p, s)
}

// begin proves, before the source is asked for anything, that the store can be
// written to and the key can be used.
func (x *execution) begin(ctx context.Context) error {
	if again := x.again(); again != nil {
		if err := x.useKey(ctx, again.Key); err != nil {
			return err
		}
	}
	if err := x.find(ctx, x.key); err != nil {
		return err
	}
	if x.again() == nil && x.Keys != nil {
		if x.key = x.found.key; x.key == nil {
			x.key = seal.NewDataKey()
		}
		wrapped, err := x.Keys.Wrap(ctx, x.key)
		if err != nil {
			return err
		}
		x.wrapped = &wrapped
	}
	if err := x.saved(ctx, Baton{}); err != nil {
		return err
	}
	x.touched = true
	o, err := x.Store.Put(ctx, x.folder+manifest.RestoreName, bytes.NewReader(restoreText(x.spec, x.folder, x.key != nil)), blob.PutOptions{ContentType: "text/markdown"})
	x.extra += o.Size
	return err
}

// checkText refuses a schema with text that is not UTF-8, which a database
// without an encoding may have: what is stored would be something else.
func checkText(c *pgcatalog.Catalog) error {
	for _, e := range c.Entries {
		for _, text := range []string{e.Schema, e.Name, e.Owner, e.SQL, e.OwnerSQL, e.DropSQL} {
			if !utf8.ValidString(text) {
				return fault.New(fault.Invalid, "the definition of %s %s has text that is not UTF-8", strings.ToLower(e.Kind), strings.ToValidUTF8(e.Name, "?")).
					Hint("the database's encoding is %s: write that text (a name, comment, default or function body) in UTF-8, or leave the object out with --exclude", c.Database.Encoding)
			}
		}
	}
	return nil
}

// warn notes what a person should know though the backup will be complete.
func (x *execution) warn(p *picture) {
	if p.server.Standby {
		x.warnings = append(x.warnings, fault.Warn("standby", "",
			"the source is a standby: it shows what the primary had written when the snapshot was taken"))
	}
}

// putSchema stores the schema's scripts. Every picture has its own: a process
// that was frozen with an earlier one may store them after we did.
func (x *execution) putSchema(ctx context.Context, c *pgcatalog.Catalog) ([]manifest.Object, error) {
	var files []manifest.Object
	folder := schemaFolder
	if x.Relay != nil && x.Relay.Picture > 0 {
		folder += fmt.Sprintf("%d/", x.Relay.Picture)
	}
	for _, f := range []struct {
		name     string
		sections []pgcatalog.Section
	}{
		{"pre-data.sql", []pgcatalog.Section{pgcatalog.PreData}},
		{"post-data.sql", []pgcatalog.Section{pgcatalog.Data, pgcatalog.PostData}},
	} {
		o, err := manifest.Put(ctx, x.Store, x.folder, folder+f.name, script(c, f.sections), x.key)
		if err != nil {
			return nil, err
		}
		x.extra += o.Bytes
		files = append(files, o)
	}
	return files, nil
}

// cleanUp removes what the failed run stored. What it cannot remove has no
// manifest, so it is not a backup, and garbage collection finds it.
func (x *execution) cleanUp(ctx context.Context) {
	if !x.touched {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	// The manifest first, whatever else happens.
	err := x.Store.Delete(ctx, manifest.Key(x.folder, true), manifest.Key(x.folder, false))
	if err = errors.Join(err, removeAll(ctx, x.Store, x.folder, "")); err != nil {
		x.Log.WarnContext(ctx, "the objects of the failed run could not be removed", "folder", x.folder, "error", err.Error())
	}
}
