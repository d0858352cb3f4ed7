// Package execution is about runs of backups: what one is, how it begins, how
// it is followed, canceled and shown, and what each minute's tick does for
// those that are due or that died. The work itself is done by the package
// coordinator, so that functions that only ask about runs do not link it.
package execution

import (
	"context"
	"encoding/json"
	"time"

	"guarda/shared/fault"
)

// Status is where a run is in its life: pending, running, then completed or
// failed, which never change again. A canceled run is a failed one.
type Status string

// The statuses, as the specification names them.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// Ended says that the run will not change any more.
func (s Status) Ended() bool { return s == Completed || s == Failed }

// Trigger says what began a run.
type Trigger string

// The triggers.
const (
	Manual   Trigger = "manual"
	Schedule Trigger = "schedule"
)

// Options are what a run was asked for. They are part of its metadata.
type Options struct {
	Tables             []string `json:"tables"`  // patterns; none is every table
	Exclude            []string `json:"exclude"` // patterns
	Jobs               int      `json:"jobs"`
	Compression        string   `json:"compression"`
	Encryption         bool     `json:"encryption"`
	LockTimeoutSeconds int      `json:"lock_timeout_seconds"`
	// Timestamps are the tables that are followed by a column: column by table.
	Timestamps  map[string]string `json:"timestamps,omitempty"`
	Strict      bool              `json:"strict,omitempty"`       // fail when the backup would not be complete
	Preset      string            `json:"preset,omitempty"`       // what belongs to the platform; "" is auto
	ManagedData []string          `json:"managed_data,omitempty"` // the platform's schemas whose rows are copied nonetheless
}

// New is a run that is to begin.
type New struct {
	ScheduleID    string     // "" for none
	ScheduledFor  *time.Time // the due time of a scheduled run; nil otherwise
	SourceID      string
	SourceName    string
	RequestedType string
	Trigger       Trigger
	Options       Options
	// RequestKey tells the request apart that asked for the run; "" for none.
	// A run of the same key that began within a day is not begun again.
	RequestKey string
}

// Execution is a run as it is kept.
type Execution struct {
	ID            string
	ScheduleID    *string
	ScheduleName  *string
	SourceID      *string
	SourceName    string
	Status        Status
	Type          string // what was done; until it is known, what was asked for
	RequestedType string
	Trigger       Trigger
	StartedAt     time.Time // of a pending run, when it was asked for
	CompletedAt   *time.Time
	HeartbeatAt   *time.Time
	SizeBytes     *int64
	RawBytes      *int64
	Rows          *int64
	Progress      json.RawMessage // nil before the run reports
	CancelAsked   bool
	Canceled      bool
	StorePath     *string
	Relays        int     // how often the picture passed from one process to the next
	Resumes       int     // how often the run was taken up again after it was cut off
	Workers       []Place // of a run that was read alone
	Metadata      Metadata
	// Ledger is the account of a completed backup; nil but when it is recorded.
	Ledger json.RawMessage
}

// Metadata is what is kept about a run beside the columns. Members that the
// engine made are passed on as it wrote them.
type Metadata struct {
	Options         Options         `json:"options"`
	DurationSeconds *float64        `json:"duration_seconds,omitempty"` // the column has whole seconds only
	Tables          *int            `json:"tables,omitempty"`
	Chunks          *int            `json:"chunks,omitempty"`
	ChunksReused    *int            `json:"chunks_reused,omitempty"`
	BaseID          *string         `json:"base_id,omitempty"` // the backup it was compared with
	Compression     string          `json:"compression,omitempty"`
	Encrypted       *bool           `json:"encrypted,omitempty"`
	ServerVersion   *string         `json:"server_version,omitempty"`
	SnapshotAt      *time.Time      `json:"snapshot_at,omitempty"`
	Warnings        []fault.Warning `json:"warnings,omitempty"`
	Phases          json.RawMessage `json:"phases,omitempty"`
	TableDetails    json.RawMessage `json:"table_details,omitempty"`
	Ledger          json.RawMessage `json:"ledger,omitempty"` // a summary
	Error           *fault.Failure  `json:"error,omitempty"`
}

// Duration is how long the run has taken until now, or took.
func (e *Execution) Duration(now time.Time) time.Duration {
	switch {
	case e.Metadata.DurationSeconds != nil:
		return time.Duration(*e.Metadata.DurationSeconds * float64(time.Second))
	case e.CompletedAt != nil:
		now = *e.CompletedAt
	case e.Status == Pending:
		return 0
	}
	return max(0, now.Sub(e.StartedAt))
}

// Stored is how many bytes the run has stored so far.
func (e *Execution) Stored() int64 {
	if e.SizeBytes != nil {
		return *e.SizeBytes
	}
	var p struct {
		StoredBytes int64 `json:"stored_bytes"`
	}
	if json.Unmarshal(e.Progress, &p) != nil {
		return 0
	}
	return p.StoredBytes
}

// Filter narrows a list of runs. Zero members do not narrow.
type Filter struct {
	Statuses      []string
	Types         []string
	SourceID      string
	ScheduleID    string
	StartedAfter  *time.Time
	StartedBefore *time.Time
}

// Position is where a page of a list begins: after this run. The zero
// Position is the beginning.
type Position struct {
	StartedAt time.Time `json:"s"`
	ID        string    `json:"i"`
}

// File is an object of a completed backup.
type File struct {
	Path       string // key in the store
	Type       string // manifest, schema, data, plan, readme, other
	SizeBytes  int64
	Checksum   *string // SHA-256, hex
	Compressed bool
	CloudURL   *string
}

// Source is what a run needs to know about a database before it connects.
type Source struct {
	ID       string
	Name     string
	Settings SourceSettings
}

// SourceSettings are the defaults that a source gives to its runs.
type SourceSettings struct {
	Jobs               int      `json:"jobs"`
	Compression        string   `json:"compression"`
	Exclude            []string `json:"exclude"`
	LockTimeoutSeconds int      `json:"lock_timeout_seconds"`
	Strict             bool     `json:"strict"`
	Preset             string   `json:"preset"`
	ManagedData        []string `json:"managed_data"`
}

// OptionsFor joins what was asked for with the source's defaults.
// compression "" leaves the choice to the source; what either excludes is
// excluded.
func OptionsFor(s SourceSettings, tables, exclude []string, compression string, encryption bool) Options {
	o := Options{Tables: tables, Exclude: append(append([]string{}, s.Exclude...), exclude...), Jobs: s.Jobs, Compression: compression, Encryption: encryption, LockTimeoutSeconds: s.LockTimeoutSeconds,
		Strict: s.Strict, Preset: s.Preset, ManagedData: s.ManagedData}
	if o.Tables == nil {
		o.Tables = []string{}
	}
	if o.Jobs == 0 {
		o.Jobs = 2
	}
	if o.Compression == "" {
		o.Compression = s.Compression
	}
	if o.Compression == "" {
		o.Compression = "auto"
	}
	if o.LockTimeoutSeconds == 0 {
		o.LockTimeoutSeconds = 30
	}
	return o
}

// Order is the event that tells the coordinator which run to do.
type Order struct {
	ExecutionID string `json:"execution_id"`
	// After is the leg that the picture is taken over from; 0 asks to begin
	// the run, or to take it up again.
	After int `json:"after,omitempty"`
}

// Invoker hands the coordinator its order and does not wait for the run.
// Orders may arrive more than once.
type Invoker interface {
	Coordinate(ctx context.Context, order Order) error
}

// NotFound is the error for an id that names no run.
func NotFound(id string) error {
	return fault.New(fault.NotFound, "there is no backup run %s", id).
		Hint("GET /api/backup/executions lists the runs")
}
