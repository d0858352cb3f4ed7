package coordinator

import (
	"context"
	"encoding/json"
	"path"
	"strings"
	"time"

	"guarda/shared/backup"
	"guarda/shared/execution"
	"guarda/shared/fault"
)

const (
	maxTableDetails = 1000 // kept with the run; the manifest has all
	listFor         = time.Minute
)

// complete records a backup whose manifest is stored, and removes what only
// the run's processes needed. An error means that the run is still running: it
// is taken up again, and this is tried again.
func (t *turn) complete(ctx context.Context, r *backup.Result) error {
	files, err := t.files(ctx, r)
	if err != nil {
		// The backup is good; only its list of files for downloads is not there.
		t.log.WarnContext(ctx, "the files of the backup could not be listed", "error", err.Error())
		r.Warnings = append(r.Warnings, fault.Warn("files_not_listed", "", "the backup is complete, but its files could not be listed for download"))
	}
	e := t.e
	if e.Metadata, err = metadataOf(e.Metadata, r); err != nil {
		return t.failed(ctx, err)
	}
	if r.Ledger != nil {
		if e.Ledger, err = json.Marshal(r.Ledger.Keep()); err != nil {
			return t.failed(ctx, err)
		}
	}
	e.Type, e.SizeBytes, e.RawBytes, e.Rows, e.StorePath = string(r.Type), &r.SizeBytes, &r.RawBytes, &r.Rows, &r.StorePath
	e.Progress = nil // as last reported
	var changed bool
	err = record(ctx, func(ctx context.Context) (err error) {
		changed, err = t.Runs.Complete(ctx, e, t.Leg, files)
		return err
	})
	switch {
	case err != nil:
		t.log.ErrorContext(ctx, "the backup is stored, but its run could not be completed", "store_path", r.StorePath, "error", err.Error())
	case !changed:
		t.log.WarnContext(ctx, "the backup is stored, but its run had been ended by somebody else", "store_path", r.StorePath)
	default:
		t.log.InfoContext(ctx, t.named("Backup", " concluído"), "store_path", r.StorePath, "size_bytes", r.SizeBytes, "rows", r.Rows, "seconds", r.DurationSeconds,
			"resumes", t.Resumes)
		if err := backup.Tidy(ctx, t.deps.Store, t.baton); err != nil {
			t.log.WarnContext(ctx, "what the run's processes shared could not be removed", "error", err.Error())
		}
	}
	return err
}

func metadataOf(m execution.Metadata, r *backup.Result) (execution.Metadata, error) {
	m.DurationSeconds, m.Tables, m.Chunks, m.ChunksReused = &r.DurationSeconds, &r.Tables, &r.Chunks, &r.ChunksReused
	m.Compression, m.Encrypted, m.ServerVersion, m.SnapshotAt = r.Compression, &r.Encrypted, &r.ServerVersion, &r.SnapshotAt
	m.Warnings = r.Warnings
	var err error
	if m.Phases, err = json.Marshal(r.Phases); err != nil {
		return m, err
	}
	if r.BaseID != "" {
		m.BaseID = &r.BaseID
	}
	if r.Ledger != nil {
		if m.Ledger, err = json.Marshal(r.Coverage); err != nil {
			return m, err
		}
	}
	m.TableDetails, err = json.Marshal(r.TableDetails[:min(len(r.TableDetails), maxTableDetails)])
	return m, err
}

// files lists what the backup consists of, objects of other backups' folders
// too: whoever downloads it can restore it. Checksums come from the run's chunks
// where the store does not keep them.
func (t *turn) files(ctx context.Context, r *backup.Result) ([]execution.File, error) {
	folder := r.StorePath
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listFor)
	defer cancel()
	results, err := t.deps.Queue.Results(ctx)
	if err != nil {
		return nil, err
	}
	sums := make(map[string]string, len(results))
	for _, c := range results {
		sums[c.ObjectKey] = c.SHA256
	}
	base := "" // of the objects' own URLs
	if u := t.deps.Store.String(); strings.HasPrefix(u, "s3://") || strings.HasPrefix(u, "gs://") {
		base, _, _ = strings.Cut(strings.TrimSuffix(u, "/"), "?")
	}
	var files []execution.File
	add := func(f execution.File) {
		f.Compressed = isCompressed(f.Path)
		if base != "" {
			u := base + "/" + f.Path
			f.CloudURL = &u
		}
		files = append(files, f)
	}
	for o, err := range t.deps.Store.List(ctx, folder) {
		if err != nil {
			return nil, err
		}
		if fileType(strings.TrimPrefix(o.Key, folder)) == "plan" {
			continue // is removed next
		}
		f := execution.File{Path: o.Key, Type: fileType(strings.TrimPrefix(o.Key, folder)), SizeBytes: o.Size}
		if sum := sums[o.Key]; sum != "" {
			f.Checksum = &sum
		} else if o.SHA256 != "" {
			f.Checksum = &o.SHA256
		}
		add(f)
	}
	for _, c := range r.References {
		add(execution.File{Path: c.Object, Type: "data", SizeBytes: c.StoredBytes, Checksum: &c.SHA256})
	}
	return files, nil
}

// fileType tells what an object is by its name inside of the backup's folder
// (docs/design/store-format.md).
func fileType(name string) string {
	switch {
	case strings.HasPrefix(name, "data/"):
		return "data"
	case strings.HasPrefix(name, "schema/"):
		return "schema"
	case strings.HasPrefix(name, "manifest"), strings.HasPrefix(name, "header"):
		return "manifest"
	case name == "RESTORE.md":
		return "readme"
	case strings.HasPrefix(name, "plan"):
		return "plan"
	}
	return "other"
}

func isCompressed(key string) bool {
	switch path.Ext(strings.TrimSuffix(key, ".sealed")) {
	case ".zst", ".gz", ".br":
		return true
	}
	return false
}
