// Package manifest is the store format of a backup: which objects it has, what
// they hold and how they are read. docs/design/store-format.md describes it
// byte by byte; the fixtures in testdata must stay readable for ever.
package manifest

import (
	"time"

	"guarda/shared/backup/contenthash"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/pgcatalog"
	"guarda/shared/seal"
)

// Format is the newest version of the store format. A backup says the oldest
// version that reads it whole: see Manifest.format.
const Format = 2

// Header is the plain part of a backup: enough to list it without a key. It
// is stored as JSON under HeaderName.
type Header struct {
	Format          int              `json:"format"`
	BackupID        string           `json:"backup_id"`
	Source          string           `json:"source"`
	Type            string           `json:"type"`
	RequestedType   string           `json:"requested_type"`
	BaseID          string           `json:"base_id,omitempty"`
	StartedAt       time.Time        `json:"started_at"`
	SnapshotAt      time.Time        `json:"snapshot_at"`
	CompletedAt     time.Time        `json:"completed_at"`
	Database        string           `json:"database"`
	ServerVersion   string           `json:"server_version"` // "15.18"
	Encrypted       bool             `json:"encrypted"`
	Key             *seal.WrappedKey `json:"key,omitempty"` // the data key; nil when not encrypted
	Compression     string           `json:"compression"`   // as asked for
	SizeBytes       int64            `json:"size_bytes"`    // stored, without the manifest and this header
	RawBytes        int64            `json:"raw_bytes"`
	Rows            int64            `json:"rows"`
	Tables          int              `json:"tables"`
	Chunks          int              `json:"chunks"`
	ChunksReused    int              `json:"chunks_reused"`
	DurationSeconds float64          `json:"duration_seconds"`
	Warnings        int              `json:"warnings"`
	Manifest        Object           `json:"manifest"` // the sealed manifest
}

// Object is a stored object other than a chunk.
type Object struct {
	Key      string `json:"key"`      // relative to the store
	Bytes    int64  `json:"bytes"`    // stored size
	SHA256   string `json:"sha256"`   // of the stored bytes, lower-case hex
	Encoding string `json:"encoding"` // "zstd", "gzip", "brotli" or "none"
}

// Manifest is everything about a backup. Together with the objects it names
// it is enough to restore.
type Manifest struct {
	Format        int    `json:"format"`
	BackupID      string `json:"backup_id"`
	Source        string `json:"source"`
	Folder        string `json:"folder"` // ends in '/'
	Type          string `json:"type"`
	RequestedType string `json:"requested_type"`
	BaseID        string `json:"base_id,omitempty"` // the backup that it was compared with; "" for a full one

	StartedAt   time.Time `json:"started_at"`
	SnapshotAt  time.Time `json:"snapshot_at"` // the moment that the backup shows
	CompletedAt time.Time `json:"completed_at"`

	Server   Server             `json:"server"`
	Database pgcatalog.Database `json:"database"`
	Options  Options            `json:"options"`

	Encrypted bool            `json:"encrypted"`
	Roles     []string        `json:"roles"`
	Entries   []Entry         `json:"entries"`
	Tables    []Table         `json:"tables"`
	Files     []Object        `json:"files"` // the schema scripts
	LeftOut   []LeftOut       `json:"left_out"`
	Warnings  []fault.Warning `json:"warnings"`
	// Ledger accounts for everything that the database has; nil in backups made
	// before there were ledgers.
	Ledger *ledger.Ledger `json:"ledger,omitempty"`

	LargeObjects *LargeObjects `json:"large_objects,omitempty"` // nil: there are none
}

// format is the version that a reader must know to restore all of the backup.
// Version 1 ignores members that it does not know, so what would be lost that
// way makes it version 2.
func (m *Manifest) format() int {
	for i := range m.Tables {
		if len(m.Tables[i].Layers) > 0 {
			return 2
		}
	}
	if m.LargeObjects != nil {
		return 2
	}
	return 1
}

// Entry is an object of the database's schema.
type Entry = pgcatalog.Entry

// LeftOut is what the database has and the backup does not.
type LeftOut = pgcatalog.LeftOut

// Catalog returns the schema as the catalog reader gave it.
func (m *Manifest) Catalog() *pgcatalog.Catalog {
	c := &pgcatalog.Catalog{ServerVersion: m.Server.VersionNum, Database: m.Database, Entries: m.Entries, Roles: m.Roles, LeftOut: m.LeftOut}
	for _, t := range m.Tables {
		c.Tables = append(c.Tables, pgcatalog.Table{OID: t.OID, Schema: t.Schema, Name: t.Name, Columns: t.Columns, Pages: t.Pages,
			Rows: float64(t.Rows), FileNode: t.FileNode, Filter: t.Filter, Definition: t.Definition})
	}
	return c
}

// Server says where the rows come from, so that a later backup can tell
// whether it looks at the same history.
type Server struct {
	VersionNum       int    `json:"version_num"` // 150018
	Version          string `json:"version"`     // "15.18"
	SystemIdentifier string `json:"system_identifier,omitempty"`
	Timeline         int64  `json:"timeline,omitempty"`
	LSN              string `json:"lsn,omitempty"`
	NextXID          uint64 `json:"next_xid,omitempty"`   // 64-bit: the first transaction that the snapshot cannot see
	OldestXID        uint64 `json:"oldest_xid,omitempty"` // 64-bit: the oldest transaction that was still running
	Monetary         string `json:"lc_monetary,omitempty"`
	// StatisticsSince are the moments from which on the server counts what it
	// does, by kind of statistics. A server that recovers from a crash, or that
	// comes from a copy of another one's files, begins anew.
	StatisticsSince map[string]string `json:"statistics_since,omitempty"`
	// Watermark is the moment, by the server's clock, before which no
	// transaction began that the snapshot cannot see; nil where nobody can say.
	Watermark *time.Time `json:"watermark,omitempty"`
	BlockSize int64      `json:"block_size"` // bytes
	Standby   bool       `json:"standby,omitempty"`
}

// Options are those that the backup was made with.
type Options struct {
	Tables      []string `json:"tables,omitempty"`
	Exclude     []string `json:"exclude,omitempty"`
	Compression string   `json:"compression"`
}

// Table is a table whose rows are in the backup.
type Table struct {
	OID         uint32   `json:"oid"`
	Schema      string   `json:"schema"`
	Name        string   `json:"name"`
	Columns     []string `json:"columns"` // in the order of the fields of a row
	Rows        int64    `json:"rows"`
	RawBytes    int64    `json:"raw_bytes"`
	StoredBytes int64    `json:"stored_bytes"`
	ContentHash string   `json:"content_hash"`
	Pages       int64    `json:"pages"`
	FileNode    uint32   `json:"file_node"`
	Definition  string   `json:"definition"`
	Filter      string   `json:"filter,omitempty"`
	Chunks      []Chunk  `json:"chunks"`
	// Layers are what was written to the table after Chunks were copied, of a
	// table that is followed by a timestamp: to be applied in order on top of
	// Chunks. Rows, bytes and hash above are those of Chunks alone. Rows that
	// were deleted in between are not known.
	Layers []Layer `json:"layers,omitempty"`
}

// Layer is the rows of a table that a column says were written since some
// moment. A row takes the place of the one with the same key, if there is one.
type Layer struct {
	BackupID   string    `json:"backup_id"`   // the backup that it was made for
	SnapshotAt time.Time `json:"snapshot_at"` // the moment that it shows
	Column     string    `json:"column"`
	Since      time.Time `json:"since"`
	Key        []string  `json:"key"` // the columns of the primary key
	Chunk      Chunk     `json:"chunk"`
}

// Chunk is a range of a table's blocks.
type Chunk struct {
	FromBlock   int64  `json:"from_block"`
	ToBlock     int64  `json:"to_block"`            // -1: to the end
	Object      string `json:"object,omitempty"`    // key relative to the store; "" when the range has no rows
	BackupID    string `json:"backup_id,omitempty"` // the backup that wrote it; "" is this one
	Rows        int64  `json:"rows"`
	RawBytes    int64  `json:"raw_bytes"`
	StoredBytes int64  `json:"stored_bytes"`
	SHA256      string `json:"sha256,omitempty"`
	ContentHash string `json:"content_hash"`
	Encoding    string `json:"encoding,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Sum returns the chunk's content hash.
func (c *Chunk) Sum() (contenthash.Sum, error) { return contenthash.Parse(c.ContentHash, c.Rows) }

// Sum returns the table's content hash.
func (t *Table) Sum() (contenthash.Sum, error) { return contenthash.Parse(t.ContentHash, t.Rows) }

// FullName returns schema.name, unquoted, for people.
func (t *Table) FullName() string { return t.Schema + "." + t.Name }
