// Package restore brings a backup back: checks first, then the schema without
// what slows loading down, the rows in parallel, and at last indexes,
// constraints and the rest in parallel. An error stops it and names the object;
// it never reports success when an object was not restored.
package restore

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/restore/choice"
	"guarda/shared/seal"
)

// Deps are what Run works with.
type Deps struct {
	// Connect opens a connection to the target database. Run closes it.
	Connect func(ctx context.Context) (*pgx.Conn, error)
	// ConnectTo opens a connection to another database of the target's server.
	// It is needed for Options.NewDatabase only.
	ConnectTo func(ctx context.Context, database string) (*pgx.Conn, error)
	Store     blob.Store
	Keys      seal.KeyProvider // nil for a backup that is not encrypted
	Clock     clock.Clock      // nil: the system's
	Log       *slog.Logger     // nil: discarded
	// Report is told where the restore is, at changes of phase and about twice
	// a second, never by two goroutines at once. Its error stops the restore.
	Report func(ctx context.Context, p Progress) error
}

// Options say what is restored and how.
//
// Without Tables, ToSchema or Clean the target must be empty. With one of them
// it need not be: what is asked for must not exist there (or is dropped first,
// with Clean), and what it only needs (schemas, extensions, types, functions)
// is used as it is where it exists.
type Options struct {
	// Tables restores only the tables that a pattern matches, with what they
	// need. The patterns are those of a backup's selection.
	Tables []string
	// ToSchema gives schemas other names.
	ToSchema map[string]string
	// NoOwner leaves all objects to the connecting role.
	NoOwner bool
	// NoACL leaves grants and default privileges out.
	NoACL bool
	// CreateRoles makes the roles that are missing, without login or password.
	CreateRoles bool
	// Clean drops what is to be restored before, and nothing else. It needs
	// Confirm.
	Clean bool
	// Confirm is the name of the database that Clean drops from, or that Swap
	// puts aside, as a person typed it.
	Confirm string
	// NewDatabase makes a database of this name on the target's server, like
	// the one that was backed up, and restores into it. When the restore fails
	// it is dropped again.
	NewDatabase string
	// Keep leaves a new database as it is when the restore fails, for Resume.
	Keep bool
	// Swap gives the new database the target's name when everything is in it.
	// The target gets another one that ends in the time; those who use it are
	// disconnected. It needs Confirm.
	Swap bool
	// Resume goes on with a restore of the same backup that failed in the
	// target, with the same options.
	Resume bool
	// NoTablespaces puts everything where the target puts what names no place.
	NoTablespaces bool
	// WithoutUnsupported leaves out what a target of an older version cannot
	// have, instead of refusing to begin.
	WithoutUnsupported bool
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
	BackupID        string          `json:"backup_id"`
	Status          string          `json:"status"`              // "completed"
	Database        string          `json:"database"`            // that holds the backup now
	SetAside        string          `json:"set_aside,omitempty"` // what the target is called since Swap
	Tables          int             `json:"tables"`
	Rows            int64           `json:"rows"`
	LargeObjects    int64           `json:"large_objects"`
	Bytes           int64           `json:"bytes"`   // COPY text loaded
	Objects         int             `json:"objects"` // made, tables included
	DurationSeconds float64         `json:"duration_seconds"`
	Phases          []Phase         `json:"phases"`
	Warnings        []fault.Warning `json:"warnings"`
}

const defaultJobs = 2

// Run restores a backup into the database that Connect reaches, or into a new
// one beside it. When it fails the target may hold part of the backup; the
// error says at which object it stopped, and Resume or Clean take it up.
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
	if err := o.check(d); err != nil {
		return nil, err
	}
	x := &restoration{Deps: d, Options: o, began: d.Clock.Now(), warnings: []fault.Warning{}, kept: map[int]bool{}, keptTables: map[uint32]bool{}}
	if err := x.run(ctx, l); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if errors.Is(err, context.Canceled) {
			err = x.wayOut(fault.New(fault.Canceled, "the restore was stopped before it was complete")).Because(err)
		}
		return nil, err
	}
	return x.result(), nil
}

func (o *Options) check(d Deps) error {
	switch {
	case o.Jobs < 1 || o.Jobs > 64:
		return fault.New(fault.Invalid, "%d jobs are not possible", o.Jobs).Hint("choose 1 to 64")
	case o.NewDatabase != "" && d.ConnectTo == nil:
		return fault.New(fault.Invalid, "a new database cannot be made here").Hint("make it by hand and restore into it")
	case len(o.NewDatabase) > 63:
		return fault.New(fault.Invalid, "the name %q is longer than the 63 bytes that a name can have", o.NewDatabase).Hint("choose a shorter one")
	case o.NewDatabase != "" && o.Clean:
		return fault.New(fault.Invalid, "there is nothing to clean in a new database").Hint("leave out --clean or --to-new-database")
	case o.NewDatabase == "" && (o.Swap || o.Keep):
		return fault.New(fault.Invalid, "only a new database can be swapped or kept").Hint("add --to-new-database with a name")
	case o.Resume && o.Clean:
		return fault.New(fault.Invalid, "a restore is resumed or begun again, not both").Hint("choose --resume or --clean")
	}
	return nil
}

// restoration is a restore under way.
type restoration struct {
	Deps
	Options
	m        *manifest.Manifest
	key      *seal.DataKey
	choice   *choice.Choice
	target   target
	journal  journal
	began    time.Time
	progress tracker
	conn     *pgx.Conn // for what is done one by one

	// What was there already and is used as it is, by the entry's ID and the
	// relation's OID in the backup.
	kept       map[int]bool
	keptTables map[uint32]bool

	// The role that restores, and what it knows of others' rights (see lend.go).
	role  string
	super bool
	lent  sync.Map // bool by loan

	warned   sync.Mutex
	warnings []fault.Warning
}

func (x *restoration) run(ctx context.Context, l manifest.Listed) (err error) {
	x.progress.clock, x.progress.tell = x.Clock, x.Report
	if err := x.progress.phase(ctx, PhasePreflight); err != nil {
		return err
	}
	if x.m, x.key, err = manifest.Open(ctx, x.Store, l, x.Keys); err != nil {
		return err
	}
	x.choice, err = choice.Make(x.m, choice.Options{Tables: x.Tables, ToSchema: x.ToSchema, NoOwner: x.NoOwner, NoACL: x.NoACL, NoTablespaces: x.NoTablespaces})
	if err != nil {
		return err
	}
	x.warnings = append(x.warnings, x.choice.Warnings...)
	if err := x.prepareTarget(ctx); err != nil {
		return err
	}
	defer func() {
		pgsession.Close(ctx, x.conn)
		if err != nil {
			x.abandonTarget(ctx)
		}
	}()
	if err := x.connectFirst(ctx); err != nil {
		return err
	}
	if err := x.preflight(ctx); err != nil {
		return err
	}
	x.progress.planned(len(x.choice.Entries), x.choice.RawBytes())
	watched, stop := x.progress.watch(ctx)
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
		if err := x.progress.phase(watched, step.phase); err != nil {
			return err
		}
		if err := step.do(watched); err != nil {
			if cause := context.Cause(watched); cause != nil {
				return cause
			}
			return err
		}
	}
	return x.progress.phase(ctx, PhaseDone)
}

// warn notes what a person should know though the restore goes on.
func (x *restoration) warn(w fault.Warning) {
	x.warned.Lock()
	defer x.warned.Unlock()
	x.warnings = append(x.warnings, w)
}

func (x *restoration) result() *Result {
	r := &Result{BackupID: x.m.BackupID, Status: "completed", Database: x.target.name, SetAside: x.target.setAside, Tables: len(x.choice.Tables),
		Rows: x.progress.rows.Load(), Bytes: x.progress.bytes.Load(), Objects: int(x.progress.made.Load()),
		DurationSeconds: x.Clock.Now().Sub(x.began).Seconds(), Phases: x.progress.phases(), Warnings: x.warnings}
	if x.choice.LargeObjects != nil {
		r.LargeObjects = x.choice.LargeObjects.Count
	}
	return r
}

// finish refreshes materialized views, takes statistics, without which the
// first queries would be slow, and makes event triggers. A view that cannot
// be filled (its owner may not read what it is made of) keeps nothing else from
// being restored; it is what the error names at the end.
func (x *restoration) finish(ctx context.Context) error {
	var unfilled []string
	var cause error
	for e := range x.choice.In(choice.Fill) {
		err := x.apply(ctx, x.conn, e)
		var pg *pgconn.PgError
		switch {
		case err == nil, x.leftOut(e, err):
		case e.Kind == "MATERIALIZED VIEW DATA" && errors.As(err, &pg) && !x.conn.IsClosed():
			unfilled, cause = append(unfilled, choice.Display(e)+" ("+pg.Message+")"), err
		default:
			return err
		}
	}
	if err := x.analyze(ctx); err != nil {
		return err
	}
	if err := x.close(ctx, len(unfilled) == 0); err != nil {
		return err
	}
	if len(unfilled) > 0 {
		return fault.New(fault.Conflict, "%d materialized views could not be filled; everything else was restored: %s", len(unfilled), strings.Join(unfilled, "; ")).
			Hint("remove the cause and go on with --resume, or fill them with: refresh materialized view …").Because(cause)
	}
	return x.finishTarget(ctx)
}

// close makes the event triggers and, when all is done, takes the journal away:
// in one transaction and the journal first, since an event trigger may refuse
// whatever comes after it.
func (x *restoration) close(ctx context.Context, complete bool) error {
	sql := "begin;\n"
	if complete && x.journal.on {
		sql += dropJournal + ";\n"
	}
	if err := pgsession.Exec(ctx, x.conn, sql); err != nil {
		return pgsession.Explain(err, "end the restore's journal")
	}
	var made []string
	for e := range x.choice.In(choice.Last) {
		if x.done(e) {
			continue
		}
		if err := x.applyOrKeep(ctx, e); err != nil {
			return err
		}
		mark := entryMark(e.ID)
		if x.kept[e.ID] {
			mark = keptMark(e.ID)
		}
		made = append(made, mark)
	}
	end := "commit"
	if !complete {
		end = x.journal.note(made...) + end
	}
	return pgsession.Explain(pgsession.Exec(ctx, x.conn, end), "commit")
}

// wayOut adds to an error what can be done after a restore stopped in the middle.
func (x *restoration) wayOut(e *fault.Error) *fault.Error {
	switch {
	case x.target.made && !x.Keep:
		return e.Hint("the new database was dropped again: remove the cause and restore again")
	case x.journal.on:
		return e.Hint("the target holds part of the backup: remove the cause and go on with --resume, or begin again with --clean or in a new database")
	}
	return e.Hint("the target holds part of the backup: remove the cause, drop what was restored, and restore again")
}
