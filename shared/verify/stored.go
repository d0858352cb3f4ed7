// Package verify proves that a backup in a store is what was written and what
// was read from the source.
package verify

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// Deps are what Stored works with.
type Deps struct {
	Store blob.Store
	Keys  seal.KeyProvider // nil for a backup that is not encrypted
	Clock clock.Clock      // nil: the system's
	Jobs  int              // objects that are read at the same time; 0 is 2
	// Report, if not nil, is told how many bytes of how many were read; it may
	// be called by several goroutines at once.
	Report func(done, total int64)
}

// Status is the outcome of a verification.
type Status string

// The outcomes.
const (
	OK     Status = "ok"
	Failed Status = "failed"
)

// Result says what was checked and what is wrong.
type Result struct {
	BackupID        string     `json:"backup_id"`
	Status          Status     `json:"status"`
	ChunksChecked   int        `json:"chunks_checked"`
	TablesChecked   int        `json:"tables_checked"`
	BytesChecked    int64      `json:"bytes_checked"` // stored bytes
	Rows            int64      `json:"rows"`
	Mismatches      []Mismatch `json:"mismatches"`
	DurationSeconds float64    `json:"duration_seconds"`
}

// Mismatch is one thing that is wrong.
type Mismatch struct {
	Code    string `json:"code"`            // "not_found", "corrupt", …: the error's code
	Object  string `json:"object"`          // its key in the store
	Table   string `json:"table,omitempty"` // schema.name
	Message string `json:"message"`
}

const (
	defaultJobs = 2
	maxScript   = 1 << 30   // bytes of a schema script
	readBytes   = 256 << 10 // at once
)

// Stored reads every object of a backup back and checks it: present, its
// SHA-256, that it decrypts and decompresses, and that its rows have the count
// and the content hash that were taken while they were read from the source.
// Everything is looked at, also after something was found wrong. The error is
// for what kept it from looking: a store that cannot be reached, a wrong key,
// a manifest that cannot be read. Memory is a few megabytes a job.
func Stored(ctx context.Context, d Deps, l manifest.Listed) (*Result, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Jobs == 0 {
		d.Jobs = defaultJobs
	}
	began := d.Clock.Now()
	m, key, err := manifest.Open(ctx, d.Store, l, d.Keys)
	if err != nil {
		return nil, err
	}
	v := &verification{Deps: d, key: key, result: &Result{BackupID: m.BackupID, Mismatches: []Mismatch{}}}
	for _, t := range m.Tables {
		v.total += t.StoredBytes
		for _, l := range t.Layers {
			v.total += l.Chunk.StoredBytes
		}
	}
	if m.LargeObjects != nil {
		v.total += m.LargeObjects.StoredBytes
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.Jobs)
	for _, f := range m.Files {
		group.Go(func() error { return v.file(ctx, f) })
	}
	for i := range m.Tables {
		t := &m.Tables[i]
		for j := range t.Chunks {
			group.Go(func() error { return v.chunk(ctx, t.FullName(), &t.Chunks[j]) })
		}
		for j := range t.Layers {
			group.Go(func() error { return v.chunk(ctx, t.FullName(), &t.Layers[j].Chunk) })
		}
	}
	if m.LargeObjects != nil {
		for i := range m.LargeObjects.Chunks {
			group.Go(func() error { return v.chunk(ctx, "", &m.LargeObjects.Chunks[i]) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	r := v.result
	r.TablesChecked = len(m.Tables)
	r.BytesChecked = v.done.Load()
	r.Status = OK
	if len(r.Mismatches) > 0 {
		r.Status = Failed
	}
	slices.SortFunc(r.Mismatches, func(a, b Mismatch) int { return strings.Compare(a.Object, b.Object) })
	r.DurationSeconds = d.Clock.Now().Sub(began).Seconds()
	return r, nil
}

type verification struct {
	Deps
	key   *seal.DataKey
	total int64
	done  atomic.Int64

	mu     sync.Mutex
	result *Result
}

func (v *verification) chunk(ctx context.Context, table string, c *manifest.Chunk) error {
	var err error
	if c.Object != "" {
		err = v.read(ctx, c)
	}
	if v.Report != nil {
		v.Report(v.done.Add(c.StoredBytes), v.total)
	} else {
		v.done.Add(c.StoredBytes)
	}
	if err := v.note(err, c.Object, table); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.result.ChunksChecked++
	if table != "" {
		v.result.Rows += c.Rows
	}
	return nil
}

func (v *verification) read(ctx context.Context, c *manifest.Chunk) error {
	r, err := manifest.OpenChunk(ctx, v.Store, c, v.key)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, readBytes))
	return err
}

func (v *verification) file(ctx context.Context, f manifest.Object) error {
	return v.note(v.readFile(ctx, f), f.Key, "")
}

func (v *verification) readFile(ctx context.Context, f manifest.Object) error {
	_, err := manifest.ReadFile(ctx, v.Store, f, v.key, maxScript)
	return err
}

// note records what is wrong with an object. It returns the errors that say
// nothing about the object: those of the way to it.
func (v *verification) note(err error, object, table string) error {
	if err == nil {
		return nil
	}
	switch code := fault.CodeOf(err); code {
	case fault.NotFound, fault.Corrupt, fault.Invalid, fault.TooLarge:
		v.mu.Lock()
		defer v.mu.Unlock()
		v.result.Mismatches = append(v.result.Mismatches, Mismatch{Code: string(code), Object: object, Table: table, Message: fault.As(err).Message.String()})
		return nil
	default:
		return fmt.Errorf("verify %s: %w", object, err)
	}
}
