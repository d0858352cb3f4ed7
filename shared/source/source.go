// Package source describes the databases that are backed up: their settings,
// their connection strings (sealed), and whether a backup of them would work.
package source

import (
	"context"
	"regexp"
	"time"

	"guarda/shared/fault"
)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// CheckName says whether a name is fit for a source: it names a folder in
// every kind of store.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fault.New(fault.Invalid, "must have 1 to 63 lower-case letters, digits, - and _, and begin with a letter or digit")
	}
	return nil
}

// Settings are a source's defaults for its runs; zero values stand for the
// API's defaults.
type Settings struct {
	Jobs               int      `json:"jobs,omitempty"`        // connections that copy at the same time
	Compression        string   `json:"compression,omitempty"` // "" is auto
	Exclude            []string `json:"exclude,omitempty"`
	LockTimeoutSeconds int      `json:"lock_timeout_seconds,omitempty"`
	Strict             bool     `json:"strict,omitempty"`       // a run that would not be complete fails
	Preset             string   `json:"preset,omitempty"`       // what belongs to the platform (see package preset); "" is auto
	ManagedData        []string `json:"managed_data,omitempty"` // the platform's schemas whose rows are copied nonetheless
}

// Source is a database.
type Source struct {
	ID        string // UUID
	Name      string // also names the folder in the store
	Kind      string // "postgres", "rds", "aurora" or "supabase"
	Host      string
	Port      int
	Database  string
	Username  string
	IsDefault bool
	Settings  Settings
	Version   int64 // grows with each change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Change replaces a source's settings; SealedDSN nil keeps the stored one,
// IsDefault nil leaves it as it is, as does Kind "".
type Change struct {
	Name      string
	Kind      string
	Address   *Address
	SealedDSN []byte
	IsDefault *bool
	Settings  *Settings
}

// Store keeps sources. There is at most one default source.
type Store interface {
	// List returns up to limit sources by name, after a name.
	List(ctx context.Context, after string, limit int) ([]Source, error)
	Get(ctx context.Context, id string) (*Source, error)
	// Create adds a source with an id; the first one becomes the default one.
	// A name that is taken is fault.Conflict.
	Create(ctx context.Context, s Source, sealedDSN []byte) (*Source, error)
	// Update changes a source that still has the version, else it is
	// fault.Precondition.
	Update(ctx context.Context, id string, version int64, c Change) (*Source, error)
	// Delete forgets a source; while a run of it is going it is fault.Conflict.
	Delete(ctx context.Context, id string) error
	// SealedDSN returns the sealed connection string.
	SealedDSN(ctx context.Context, id string) ([]byte, error)
}
