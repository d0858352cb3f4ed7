// Package restore brings a backup back into an empty database: checks first,
// then the schema without what slows loading down, the rows in parallel, and
// at last indexes, constraints and the rest in parallel. An error stops it and
// names the object; it never reports success when an object was not restored.
package restore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

// Deps are what Run works with.
type Deps struct {
	// Connect opens a connection to the target database. Run closes it.
	Connect func(ctx context.Context) (*pgx.Conn, error)
	Store   blob.Store
	Keys    seal.KeyProvider // nil for a backup that is not encrypted
	Clock   clock.Clock      // nil: the system's
	Log     *slog.Logger     // nil: discarded
	// Report is told where the restore is, at changes of phase and about twice
	// a second, never by two goroutines at once. Its error stops the restore.
	Report func(ctx context.Context, p Progress) error
}

// Options say what is restored and how.
type Options struct {
	// Tables restores only the tables that a pattern matches, with what they
	// need. The patterns are those of a backup's selection.
	Tables []string
	// NoOwner leaves all objects to the connecting role.
	NoOwner bool
	// NoACL leaves grants and default privileges out.
	NoACL bool
	// CreateRoles makes the roles that are missing, without login or password.
	CreateRoles bool
	// Jobs is how many connections work at the same time; 0 is 2.
	Jobs int
}

// PhaseName names a part of a restore.
type PhaseName string

// The phases, in order.
const (
	PhasePreflight PhaseName = "preflight"
	PhaseSchema    PhaseName = "schema" // what the rows need
	PhaseData      PhaseName = "data"
	PhaseIndexes   PhaseName = "indexes" // indexes, constraints, triggers, grants…
	PhaseFinish    PhaseName = "finish"  // refreshes and statistics
	PhaseDone      PhaseName = "done"
)

// Progress says where a restore is.
type Progress struct {
	Phase        PhaseName `json:"phase"`
	BytesDone    int64     `json:"bytes_done"` // COPY text loaded
	BytesTotal   int64     `json:"bytes_total"`
	RowsDone     int64     `json:"rows_done"`
	EntriesDone  int       `json:"entries_done"` // objects made, of the whole restore
	EntriesTotal int       `json:"entries_total"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// Phase is a part of a restore that began.
type Phase struct {
	Name            PhaseName `json:"name"`
	DurationSeconds float64   `json:"duration_seconds"`
}

// Result is a finished restore.
type Result struct {
	BackupID        string             `json:"backup_id"`
	Status          string             `json:"status"` // "completed"
	Tables          int                `json:"tables"`
	Rows            int64              `json:"rows"`
	Bytes           int64              `json:"bytes"`   // COPY text loaded
	Objects         int                `json:"objects"` // made, tables included
	DurationSeconds float64            `json:"duration_seconds"`
	Phases          []Phase            `json:"phases"`
	Warnings        []manifest.Warning `json:"warnings"`
}

const defaultJobs = 2

// Run restores a backup into the database that Connect reaches, which must be
// empty. When it fails the target may hold part of the backup; the error says
// at which object it stopped.
func Run(ctx context.Context, d Deps, o Options, l manifest.Listed) (*Result, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if o.Jobs == 0 {
		o.Jobs = defaultJobs
	}
	if o.Jobs < 1 || o.Jobs > 64 {
		return nil, fault.New(fault.Invalid, "%d jobs are not possible", o.Jobs).Hint("choose 1 to 64")
	}
	x := &restoration{Deps: d, Options: o, began: d.Clock.Now(), warnings: []manifest.Warning{}}
	if err := x.run(ctx, l); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if errors.Is(err, context.Canceled) {
			err = fault.New(fault.Canceled, "the restore was stopped before it was complete").
				Hint("the target holds part of the backup: drop it before restoring into it again").Because(err)
		}
		return nil, err
	}
	return x.result(), nil
}

// restoration is a restore under way.
type restoration struct {
	Deps
	Options
	m        *manifest.Manifest
	key      *seal.DataKey
	entries  []pgcatalog.Entry // those to restore
	tables   []*manifest.Table
	pass     map[int]pass    // by an entry's ID
	made     map[uint32]bool // OIDs of the tables that entries make
	began    time.Time
	warned   sync.Mutex
	warnings []manifest.Warning
	progress tracker
	conn     *pgx.Conn // for what is done one by one
}

func (x *restoration) run(ctx context.Context, l manifest.Listed) error {
	x.progress.clock, x.progress.tell = x.Clock, x.Report
	if err := x.progress.phase(ctx, PhasePreflight); err != nil {
		return err
	}
	var err error
	if x.m, x.key, err = manifest.Open(ctx, x.Store, l, x.Keys); err != nil {
		return err
	}
	if err := x.choose(); err != nil {
		return err
	}
	x.progress.planned(x.entries, x.tables)
	if err := x.connectFirst(ctx); err != nil {
		return err
	}
	defer func() { pgsession.Close(ctx, x.conn) }()
	if err := x.preflight(ctx); err != nil {
		return err
	}
	ctx, stop := x.progress.watch(ctx)
	defer stop()
	for _, step := range []struct {
		phase PhaseName
		do    func(context.Context) error
	}{
		{PhaseSchema, x.schema},
		{PhaseData, x.data},
		{PhaseIndexes, x.indexes},
		{PhaseFinish, x.finish},
	} {
		if err := x.progress.phase(ctx, step.phase); err != nil {
			return err
		}
		if err := step.do(ctx); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
	}
	return x.progress.phase(ctx, PhaseDone)
}

// warn notes what a person should know though the restore goes on.
func (x *restoration) warn(w manifest.Warning) {
	x.warned.Lock()
	defer x.warned.Unlock()
	x.warnings = append(x.warnings, w)
}

func (x *restoration) result() *Result {
	return &Result{BackupID: x.m.BackupID, Status: "completed", Tables: len(x.tables), Rows: x.progress.rows.Load(), Bytes: x.progress.bytes.Load(),
		Objects: len(x.entries), DurationSeconds: x.Clock.Now().Sub(x.began).Seconds(), Phases: x.progress.phases(), Warnings: x.warnings}
}

// finish refreshes materialized views, makes event triggers and takes
// statistics, without which the first queries would be slow.
func (x *restoration) finish(ctx context.Context) error {
	for i := range x.entries {
		if e := &x.entries[i]; x.pass[e.ID] == passLast {
			if err := x.apply(ctx, x.conn, e); err != nil {
				return err
			}
		}
	}
	return x.analyze(ctx)
}
