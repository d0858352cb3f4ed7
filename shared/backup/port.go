// Package backup copies a database into a store: one consistent picture, cut
// into chunks, each hashed while it is read, compressed, sealed and stored; a
// manifest written last makes a backup of them. docs/design/engine.md argues
// the design, docs/design/store-format.md gives the format byte by byte.
//
// Execute makes a whole backup. Work is what a helping process does with the
// chunks of a run that another process coordinates.
package backup

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/seal"
)

// Type says how much of the database a backup copies.
type Type string

// The types.
const (
	Full         Type = "full"
	Incremental  Type = "incremental"
	Differential Type = "differential"
)

// ParseType reads a type as people write it; "" is Full.
func ParseType(s string) (Type, error) {
	switch t := Type(s); t {
	case "":
		return Full, nil
	case Full, Incremental, Differential:
		return t, nil
	}
	return "", fault.New(fault.Invalid, "unknown backup type %q", s).
		Hint("choose full, incremental or differential")
}

// Run describes a backup that is to be made.
type Run struct {
	ID            string           `json:"id"`               // a UUID, also the end of the backup's folder name
	Source        string           `json:"source"`           // names the store's folder for this database: see manifest.SourceName
	Type          Type             `json:"type"`             // what is asked for; Result.Type is what was done
	RequestedType Type             `json:"requested_type"`   // "" is Type
	Tables        []string         `json:"tables,omitempty"` // patterns; none means every table
	Exclude       []string         `json:"exclude,omitempty"`
	Compression   seal.Compression `json:"compression"`           // "" is auto
	Jobs          int              `json:"jobs"`                  // connections that copy at the same time; 0 is 2
	LockTimeout   time.Duration    `json:"lock_timeout"`          // how long to wait for a table's lock; 0 is 30 s
	ChunkBytes    int64            `json:"chunk_bytes,omitempty"` // how much of a table's disk space goes into one object; 0 chooses by the database's size
	// Timestamps are the tables that are followed by a timestamp column instead
	// of their rows' places: column by table ("name" or "schema.name").
	Timestamps map[string]string `json:"timestamps,omitempty"`
	// Keep makes a run that is cut off leave what it stored, for the next run
	// of the source with Keep to go on with. Without it a run that fails leaves
	// nothing.
	Keep bool `json:"keep,omitempty"`
	// Strict refuses a run that would leave something out because it cannot be
	// read or is not known how to keep.
	Strict bool `json:"strict,omitempty"`
	// Preset says what belongs to the platform (see package preset); "" is auto.
	// ManagedData are the platform's schemas whose rows are copied nonetheless.
	Preset      string   `json:"preset,omitempty"`
	ManagedData []string `json:"managed_data,omitempty"`
}

// Deps are what Execute works with.
type Deps struct {
	// Connect opens a new connection to the source: direct or through a
	// session-mode pooler. Execute closes it.
	Connect func(ctx context.Context) (*pgx.Conn, error)
	Store   blob.Store
	Keys    seal.KeyProvider // nil: the backup is not encrypted
	Queue   Queue            // nil: in memory
	Clock   clock.Clock      // nil: the system's
	Log     *slog.Logger     // nil: discarded
	// Report is told where the run is, at changes of phase and otherwise at
	// most every 500 ms, never by two goroutines at once. Its error stops the
	// run and is what Execute returns. nil: nobody is told.
	Report func(ctx context.Context, p Progress) error
	FanOut *FanOut // nil: this process copies everything
	Relay  *Relay  // nil: the run ends with this process
}

// FanOut lets other processes help with the chunks of a run.
type FanOut struct {
	MinBytes int64 // smaller databases are copied here alone
	Workers  int   // how many processes to ask for help
	// Invoke starts one and does not wait for it. Failing to is not fatal: the
	// coordinator copies too, so the run only takes longer.
	Invoke func(ctx context.Context, order WorkOrder) error
}

// WorkOrder tells a helping process what it needs to take part in a run. It
// holds no secret: the data key in it is wrapped.
type WorkOrder struct {
	RunID       string           `json:"run_id"`
	Worker      string           `json:"worker"`  // a place among the run's workers; one process at a time has it
	Picture     int              `json:"picture"` // see Relay.Picture
	Folder      string           `json:"folder"`  // the backup's folder in the store, ends in '/'
	SnapshotID  string           `json:"snapshot_id"`
	PlanKey     string           `json:"plan_key"` // the object with the picture's state
	Key         *seal.WrappedKey `json:"key,omitempty"`
	Compression seal.Compression `json:"compression"`
	LockTimeout time.Duration    `json:"lock_timeout"`
}

// WorkerDeps are what Work works with.
type WorkerDeps struct {
	Connect func(ctx context.Context) (*pgx.Conn, error)
	Store   blob.Store
	Keys    seal.KeyProvider
	Queue   Queue
	Clock   clock.Clock
	Log     *slog.Logger
	// Snapshot returns the identifier of the run's snapshot as it is now, ""
	// while nobody holds the picture: it changes when the picture passes from
	// one process to the next. nil: it is the order's for good.
	Snapshot func(ctx context.Context) (string, error)
}

// WorkReport is what a worker did.
type WorkReport struct {
	Chunks int   `json:"chunks"`
	Rows   int64 `json:"rows"`
	Bytes  int64 `json:"bytes"` // before compression
	// More is true when chunks are left and the deadline is near: start
	// another worker with the same order.
	More bool `json:"more"`
}

// Chunk is a range of one table's blocks that is copied into one object.
type Chunk struct {
	No        int    `json:"no"` // from 1, unique in the run
	TableOID  uint32 `json:"table_oid"`
	Schema    string `json:"schema"`
	Table     string `json:"table"`
	FromBlock int64  `json:"from_block"` // first block
	ToBlock   int64  `json:"to_block"`   // the block after the last one; -1: to the end of the table
	Estimate  int64  `json:"estimate"`   // bytes on the source's disk, TOAST included
	Attempt   int    `json:"attempt"`    // set by Claim: 1 for the first
}

// ChunkResult is a chunk that was copied.
type ChunkResult struct {
	No          int    `json:"no"`
	Worker      string `json:"worker"`
	ObjectKey   string `json:"object_key"` // "" when the range has no rows
	Rows        int64  `json:"rows"`
	RawBytes    int64  `json:"raw_bytes"`    // COPY text, before compression
	StoredBytes int64  `json:"stored_bytes"` // the object's size
	SHA256      string `json:"sha256"`       // of the object, lower-case hex
	ContentHash string `json:"content_hash"` // see contenthash, 32 hex digits
	Encoding    string `json:"encoding"`     // "zstd", "gzip", "brotli" or "none"
	Fingerprint string `json:"fingerprint"`  // of the rows; "" where there is none
	// Reused is true when the object was there already, from an earlier backup
	// or an earlier part of this run, and only had to be referred to.
	Reused bool `json:"reused,omitempty"`
}

// Counts says how far a queue is.
type Counts struct {
	Pending, Claimed, Done, Failed int
	Rows, RawBytes, StoredBytes    int64 // of the chunks that are done
	TablesDone                     int   // tables all of whose chunks are done
}

// Queue hands out the chunks of one run. It is safe for concurrent use, by
// several processes too where processes share it.
type Queue interface {
	// Add puts chunks into the queue, the ones to copy first in front. It is
	// called once, before any other method.
	Add(ctx context.Context, chunks []Chunk) error
	// Claim takes the next chunk for a while (its lease). It returns nil
	// without an error when none can be claimed now; there may be again when
	// another worker's lease runs out.
	Claim(ctx context.Context, worker string) (*Chunk, error)
	// Renew prolongs the lease of a claimed chunk. An error means that the
	// chunk was lost to another worker.
	Renew(ctx context.Context, no int, worker string) error
	// Done records the result of a claimed chunk. When the worker lost the
	// chunk meanwhile, it is fault.Conflict, and the object is garbage.
	Done(ctx context.Context, result ChunkResult) error
	// Release gives a chunk back after a failure. A chunk that failed three
	// times, or whose cause is not fault.Unavailable, counts as failed.
	// ErrTimeUp is nobody's failure and does not count. A chunk that another
	// worker has by now is fault.Conflict.
	Release(ctx context.Context, no int, worker string, cause error) error
	// Counts says how far the queue is.
	Counts(ctx context.Context) (Counts, error)
	// Results returns the results of all chunks that are done, by chunk number.
	Results(ctx context.Context) ([]ChunkResult, error)
}

// PhaseName names a part of a run.
type PhaseName string

// The phases, in order.
const (
	PhaseQueued  PhaseName = "queued"
	PhaseConnect PhaseName = "connect" // connect, check, take the snapshot
	PhaseCatalog PhaseName = "catalog" // read the catalog, lock the tables, plan
	PhaseCopy    PhaseName = "copy"
	PhaseFinish  PhaseName = "finish" // check that all is there, write the manifest
	PhaseDone    PhaseName = "done"
)

// Phase is a part of a run that began.
type Phase struct {
	Name        PhaseName  `json:"name"`
	StartedAt   time.Time  `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
}

// Progress says where a run is.
type Progress struct {
	Phase          PhaseName `json:"phase"`
	BytesDone      int64     `json:"bytes_done"`  // COPY text read
	BytesTotal     int64     `json:"bytes_total"` // an estimate, corrected while running
	RowsDone       int64     `json:"rows_done"`
	StoredBytes    int64     `json:"stored_bytes"`
	ChunksDone     int       `json:"chunks_done"`
	ChunksTotal    int       `json:"chunks_total"`
	TablesDone     int       `json:"tables_done"`
	TablesTotal    int       `json:"tables_total"`
	BytesPerSecond float64   `json:"bytes_per_second"` // over the last seconds
	SecondsLeft    *float64  `json:"seconds_left"`     // nil while nobody can say
	UpdatedAt      time.Time `json:"updated_at"`
	Phases         []Phase   `json:"phases"`
}

// Result is a finished backup.
type Result struct {
	BackupID        string          `json:"backup_id"`
	Source          string          `json:"source"`
	Type            Type            `json:"type"`
	RequestedType   Type            `json:"requested_type"`
	BaseID          string          `json:"base_id,omitempty"` // the backup it was compared with; "" for a full one
	Status          string          `json:"status"`            // "completed"
	StorePath       string          `json:"store_path"`        // the backup's folder in the store, ends in '/'
	StartedAt       time.Time       `json:"started_at"`
	CompletedAt     time.Time       `json:"completed_at"`
	SnapshotAt      time.Time       `json:"snapshot_at"` // the moment the backup shows
	SizeBytes       int64           `json:"size_bytes"`  // stored, everything included
	RawBytes        int64           `json:"raw_bytes"`
	Rows            int64           `json:"rows"`
	Tables          int             `json:"tables"`
	Chunks          int             `json:"chunks"`
	ChunksReused    int             `json:"chunks_reused"`
	DurationSeconds float64         `json:"duration_seconds"`
	Compression     string          `json:"compression"`
	Encrypted       bool            `json:"encrypted"`
	ServerVersion   string          `json:"server_version"`
	Warnings        []fault.Warning `json:"warnings"`
	Phases          []Phase         `json:"phases"`
	TableDetails    []TableResult   `json:"table_details"` // largest first
	// References are the objects of earlier backups, or of runs that did not
	// finish, that the backup is made of besides its own.
	References []manifest.Chunk `json:"-"`
	// Ledger accounts for everything that the database has; its lists are in
	// the manifest.
	Ledger *ledger.Ledger `json:"-"`
	// Coverage is the ledger without its lists.
	Coverage ledger.Summary `json:"coverage"`
}

// TableResult is one table of a finished backup.
type TableResult struct {
	Schema      string `json:"schema"`
	Name        string `json:"name"`
	Rows        int64  `json:"rows"`
	RawBytes    int64  `json:"raw_bytes"`
	StoredBytes int64  `json:"stored_bytes"`
	Chunks      int    `json:"chunks"`
	ChunksDone  int    `json:"chunks_done"`
	ContentHash string `json:"content_hash"` // 32 hex digits
}
