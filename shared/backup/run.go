package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

const cleanupTimeout = time.Minute

// Execute makes a backup. It returns when the backup is complete, with its
// manifest stored, or with an error; then nothing is left in the store that
// claims to be a backup, and, unless the store fails at that too, nothing at
// all. It opens r.Jobs+1 connections to the source, one more for a moment.
func Execute(ctx context.Context, d Deps, r Run) (*Result, error) {
	x, err := newExecution(d, r)
	if err != nil {
		return nil, err
	}
	result, err := x.run(ctx)
	if err == nil {
		return result, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.New(fault.Unavailable, "the time for the backup is over").
			Hint("give it more time or more jobs").Because(err)
	}
	if errors.Is(err, context.Canceled) {
		err = fault.New(fault.Canceled, "the backup was stopped before it was complete").Because(err)
	}
	x.cleanUp(ctx)
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
	warnings []Warning
	touched  bool  // something may be in the store
	extra    int64 // bytes stored besides the chunks
}

func newExecution(d Deps, r Run) (*execution, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	shared := d.Queue != nil
	if !shared {
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
		tracker: &tracker{clock: d.Clock, tell: d.Report, queue: d.Queue, shared: shared}, warnings: []Warning{}}
	if _, _, _, ok := manifest.ParseFolder(x.folder); !ok || blob.ValidKey(x.folder+manifest.HeaderName) != nil {
		return nil, fault.New(fault.Invalid, "%q and %q do not make the name of a folder in the store", r.Source, r.ID).
			Hint("use letters, digits, '-', '_' and '.'")
	}
	return x, nil
}

func (x *execution) run(ctx context.Context) (*Result, error) {
	if err := x.tracker.phase(ctx, PhaseConnect); err != nil {
		return nil, err
	}
	if err := x.begin(ctx); err != nil {
		return nil, err
	}
	p, err := takePicture(ctx, x.Deps, x.spec)
	if err != nil {
		return nil, err
	}
	defer func() { pgsession.Close(ctx, p.conn) }()

	if err := x.tracker.phase(ctx, PhaseCatalog); err != nil {
		return nil, err
	}
	catalog, err := pgcatalog.Read(ctx, p.conn, pgcatalog.Options{Tables: x.spec.Tables, Exclude: x.spec.Exclude})
	if err != nil {
		return nil, pgsession.Explain(err, "read the catalog")
	}
	if err := checkReadable(ctx, p.conn, catalog); err != nil {
		return nil, err
	}
	if err := x.warn(ctx, p, catalog); err != nil {
		return nil, err
	}
	chunks := plan(catalog.Tables, p.server.VersionNum)
	x.tracker.planned(chunks, len(catalog.Tables))
	if err := x.Queue.Add(ctx, chunks); err != nil {
		return nil, err
	}
	files, err := x.putSchema(ctx, catalog)
	if err != nil {
		return nil, err
	}

	if err := x.tracker.phase(ctx, PhaseCopy); err != nil {
		return nil, err
	}
	if err := x.copy(ctx, p, catalog, chunks); err != nil {
		return nil, err
	}
	if err := x.tracker.update(ctx); err != nil {
		return nil, err
	}

	if err := x.tracker.phase(ctx, PhaseFinish); err != nil {
		return nil, err
	}
	// Only a picture that lasted until here is one picture.
	if err := pgsession.Exec(ctx, p.conn, "commit"); err != nil {
		return nil, pgsession.Explain(err, "keep the snapshot")
	}
	return x.finish(ctx, p, catalog, chunks, files)
}

// begin proves, before the source is asked for anything, that the store can be
// written to and the key can be used.
func (x *execution) begin(ctx context.Context) error {
	if x.Keys != nil {
		x.key = seal.NewDataKey()
		wrapped, err := x.Keys.Wrap(ctx, x.key)
		if err != nil {
			return err
		}
		x.wrapped = &wrapped
	}
	x.touched = true
	o, err := x.Store.Put(ctx, x.folder+manifest.RestoreName, bytes.NewReader(restoreText(x.spec, x.folder, x.key != nil)), blob.PutOptions{ContentType: "text/markdown"})
	x.extra += o.Size
	return err
}

// warn notes what a person should know though the backup will be complete.
func (x *execution) warn(ctx context.Context, p *picture, c *pgcatalog.Catalog) error {
	if x.spec.RequestedType != Full {
		x.warnings = append(x.warnings, Warning{Code: "full_instead",
			Message: fmt.Sprintf("the backup was asked for as %s; this version copies everything", x.spec.RequestedType)})
	}
	if p.server.Standby {
		x.warnings = append(x.warnings, Warning{Code: "standby",
			Message: "the source is a standby: it shows what the primary had written when the snapshot was taken"})
	}
	for _, l := range c.LeftOut {
		if l.Reason == pgcatalog.Unsupported {
			x.warnings = append(x.warnings, Warning{Code: "unsupported", Object: strings.TrimPrefix(l.Schema+"."+l.Name, "."),
				Message: fmt.Sprintf("%s %s is not in the backup: %s", strings.ToLower(l.Kind), l.Name, l.Detail)})
		}
	}
	row, err := pgsession.One(ctx, p.conn, "select count(*) from pg_catalog.pg_largeobject_metadata")
	if err != nil {
		return pgsession.Explain(err, "look for large objects")
	}
	if row[0] != "0" {
		x.warnings = append(x.warnings, Warning{Code: "large_objects_left_out", Message: row[0] + " large objects are not in the backup: this version does not copy them"})
	}
	return nil
}

func (x *execution) putSchema(ctx context.Context, c *pgcatalog.Catalog) ([]manifest.Object, error) {
	var files []manifest.Object
	for _, f := range []struct {
		name     string
		sections []pgcatalog.Section
	}{
		{"schema/pre-data.sql", []pgcatalog.Section{pgcatalog.PreData}},
		{"schema/post-data.sql", []pgcatalog.Section{pgcatalog.Data, pgcatalog.PostData}},
	} {
		o, err := manifest.Put(ctx, x.Store, x.folder, f.name, script(c, f.sections), x.key)
		if err != nil {
			return nil, err
		}
		x.extra += o.Bytes
		files = append(files, o)
	}
	return files, nil
}

// copy copies all chunks: this process's own workers, and helpers if asked for.
func (x *execution) copy(ctx context.Context, p *picture, c *pgcatalog.Catalog, chunks []Chunk) error {
	if err := x.fanOut(ctx, p, c, chunks); err != nil {
		return err
	}
	tables := make(map[uint32]*pgcatalog.Table, len(c.Tables))
	for i := range c.Tables {
		tables[c.Tables[i].OID] = &c.Tables[i]
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	side, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup // what goes on as long as the workers do
	for _, f := range []func(context.Context) error{x.tracker.watch, p.beat} {
		beside.Go(func() {
			if err := f(side); err != nil {
				fail(err)
			}
		})
	}
	workers, shared := errgroup.WithContext(ctx)
	for i := range min(x.spec.Jobs, max(1, len(chunks))) {
		w := &worker{name: fmt.Sprintf("coordinator-%d", i+1), connect: x.Connect, snapshot: p.id, lockTimeout: x.spec.LockTimeout,
			tables: tables, queue: x.Queue, clock: x.Clock, log: x.Log,
			copier: copier{store: x.Store, folder: x.folder, key: x.key, compression: x.spec.Compression, live: &x.tracker.live}}
		workers.Go(func() error { return w.run(shared) })
	}
	err := workers.Wait()
	stop()
	beside.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// fanOut asks other processes for help with a large database.
func (x *execution) fanOut(ctx context.Context, p *picture, c *pgcatalog.Catalog, chunks []Chunk) error {
	var total int64
	for _, chunk := range chunks {
		total += chunk.Estimate
	}
	if x.FanOut == nil || x.FanOut.Workers < 1 || total < x.FanOut.MinBytes {
		return nil
	}
	o, err := putPlan(ctx, x.Store, x.folder, c.Tables, x.key)
	if err != nil {
		return err
	}
	for i := range x.FanOut.Workers {
		err := x.FanOut.Invoke(ctx, WorkOrder{RunID: x.spec.ID, Worker: fmt.Sprintf("worker-%d", i+1), Folder: x.folder, SnapshotID: p.id,
			PlanKey: o.Key, Key: x.wrapped, Compression: x.spec.Compression, LockTimeout: x.spec.LockTimeout})
		if err != nil {
			x.Log.WarnContext(ctx, "a helping worker could not be started", "error", err.Error())
		}
	}
	return nil
}

// cleanUp removes what the failed run stored. What it cannot remove has no
// manifest, so it is not a backup, and garbage collection finds it.
func (x *execution) cleanUp(ctx context.Context) {
	if !x.touched {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	keys := []string{manifest.Key(x.folder, x.key != nil)} // first, whatever else happens
	for o, err := range x.Store.List(ctx, x.folder) {
		if err != nil {
			break
		}
		keys = append(keys, o.Key)
	}
	if err := x.Store.Delete(ctx, keys...); err != nil {
		x.Log.WarnContext(ctx, "the objects of the failed run could not be removed", "folder", x.folder, "error", err.Error())
	}
}
