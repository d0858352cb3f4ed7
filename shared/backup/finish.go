package backup

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// finish checks that every chunk is there and writes the manifest: the one that
// a process before has sealed, if there is one.
func (x *execution) finish(ctx context.Context, s *state, sealed *Sealed) (*Result, error) {
	c := s.Catalog
	results, err := x.Queue.Results(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := x.assemble(s, results)
	if err != nil {
		return nil, err
	}
	large, err := assembleLargeObjects(s, results)
	if err != nil {
		return nil, err
	}
	if err := checkStored(ctx, x.Store, tables, large); err != nil {
		return nil, err
	}
	completed := x.Clock.Now()
	if sealed != nil {
		completed = sealed.Header.CompletedAt
	}
	r := &Result{
		BackupID: x.spec.ID, Source: x.spec.Source, Type: s.Type, RequestedType: x.spec.RequestedType, BaseID: s.BaseID, Status: "completed", StorePath: x.folder,
		StartedAt: s.Started, CompletedAt: completed, SnapshotAt: s.SnapshotAt, DurationSeconds: completed.Sub(s.Started).Seconds(),
		Tables: len(tables), Chunks: len(s.Chunks), SizeBytes: s.Extra,
		Compression: string(x.spec.Compression), Encrypted: x.key != nil, ServerVersion: s.Server.Version, Warnings: s.Warnings,
	}
	for i := range tables {
		t := &tables[i]
		r.Rows += t.Rows
		r.RawBytes += t.RawBytes
		r.TableDetails = append(r.TableDetails, TableResult{Schema: t.Schema, Name: t.Name, Rows: t.Rows, RawBytes: t.RawBytes,
			StoredBytes: t.StoredBytes, Chunks: len(t.Chunks), ChunksDone: len(t.Chunks), ContentHash: t.ContentHash})
	}
	for i := range results {
		if c := &results[i]; c.Reused {
			r.ChunksReused++
		}
	}
	for i := range tables {
		for _, c := range tables[i].Stored() {
			if strings.HasPrefix(c.Object, x.folder) {
				r.SizeBytes += c.StoredBytes
			} else {
				r.References = append(r.References, *c)
			}
		}
	}
	if large != nil {
		r.RawBytes += large.RawBytes
		r.SizeBytes += large.StoredBytes
	}
	if r.Ledger = s.Ledger; r.Ledger != nil {
		r.Coverage = r.Ledger.Summary()
	}
	slices.SortStableFunc(r.TableDetails, func(a, b TableResult) int { return cmp.Compare(b.RawBytes, a.RawBytes) })
	m := &manifest.Manifest{
		BackupID: r.BackupID, Source: r.Source, Folder: x.folder, Type: string(r.Type), RequestedType: string(r.RequestedType),
		StartedAt: r.StartedAt, SnapshotAt: r.SnapshotAt, CompletedAt: r.CompletedAt, Server: s.Server, Database: c.Database,
		BaseID: s.BaseID, Options: manifest.Options{Tables: x.spec.Tables, Exclude: x.spec.Exclude, Compression: r.Compression},
		Encrypted: r.Encrypted, Roles: c.Roles, Entries: c.Entries, Tables: tables, LargeObjects: large, Files: s.Files,
		LeftOut: c.LeftOut, Warnings: append([]fault.Warning{}, s.Warnings...), Ledger: s.Ledger,
	}
	h := &manifest.Header{
		BackupID: r.BackupID, Source: r.Source, Type: string(r.Type), RequestedType: string(r.RequestedType),
		BaseID: r.BaseID, StartedAt: r.StartedAt, SnapshotAt: r.SnapshotAt, CompletedAt: r.CompletedAt, Database: c.Database.Name, ServerVersion: r.ServerVersion,
		Encrypted: r.Encrypted, Key: x.wrapped, Compression: r.Compression, SizeBytes: r.SizeBytes, RawBytes: r.RawBytes, Rows: r.Rows,
		Tables: r.Tables, Chunks: r.Chunks, ChunksReused: r.ChunksReused, DurationSeconds: r.DurationSeconds, Warnings: len(r.Warnings),
	}
	size, err := x.publish(ctx, m, h, sealed)
	if err != nil {
		return nil, err
	}
	r.SizeBytes += size
	x.sweep(ctx, m)
	x.forget(ctx)
	// The backup exists: nobody can stop it any more.
	if err := x.tracker.phase(ctx, PhaseDone); err != nil {
		x.Log.WarnContext(ctx, "the end of the run could not be reported", "error", err.Error())
	}
	r.Phases = x.tracker.phases()
	return r, nil
}

// assemble puts the results of the chunks together to tables. A chunk without
// a result is an error: the queue lost it.
func (x *execution) assemble(s *state, results []ChunkResult) ([]manifest.Table, error) {
	from, chunks := s.Catalog.Tables, s.Chunks
	byNo := make(map[int]*ChunkResult, len(results))
	for i := range results {
		byNo[results[i].No] = &results[i]
	}
	byTable := map[uint32][]manifest.Chunk{}
	for _, c := range chunks {
		r := byNo[c.No]
		if r == nil {
			return nil, fault.New(fault.Internal, "chunk %d of table %s.%s has no result", c.No, c.Schema, c.Table)
		}
		byTable[c.TableOID] = append(byTable[c.TableOID], manifest.Chunk{FromBlock: c.FromBlock, ToBlock: c.ToBlock, Object: r.ObjectKey, BackupID: writtenBy(x.folder, r.ObjectKey),
			Rows: r.Rows, RawBytes: r.RawBytes, StoredBytes: r.StoredBytes, SHA256: r.SHA256, ContentHash: r.ContentHash,
			Encoding: r.Encoding, Fingerprint: r.Fingerprint})
	}
	tables := make([]manifest.Table, len(from))
	for i, t := range from {
		if d := s.Deltas[t.OID]; d != nil {
			tables[i] = d.layered(&from[i], byTable[t.OID][0], x.spec.ID, x.folder, s.SnapshotAt)
			continue
		}
		m := manifest.Table{OID: t.OID, Schema: t.Schema, Name: t.Name, Columns: t.Columns, Pages: t.Pages, FileNode: t.FileNode,
			Definition: t.Definition, Filter: t.Filter, Chunks: byTable[t.OID]}
		slices.SortFunc(m.Chunks, func(a, b manifest.Chunk) int { return cmp.Compare(a.FromBlock, b.FromBlock) })
		var sum contenthash.Sum
		for j := range m.Chunks {
			c := &m.Chunks[j]
			part, err := c.Sum()
			if err != nil {
				return nil, err
			}
			sum.Add(part)
			m.RawBytes += c.RawBytes
			m.StoredBytes += c.StoredBytes
		}
		m.Rows, m.ContentHash = sum.Rows, sum.String()
		tables[i] = m
	}
	return tables, nil
}

// writtenBy returns the backup that an object belongs to, "" for the one in folder.
func writtenBy(folder, object string) string {
	other, ok := manifest.FolderOf(object)
	if !ok || other == folder {
		return ""
	}
	_, _, id, _ := manifest.ParseFolder(other)
	return id
}

// script is the SQL of some sections for people who restore by hand.
func script(c *pgcatalog.Catalog, sections []pgcatalog.Section) []byte {
	var b bytes.Buffer
	b.WriteString(pgcatalog.SessionSQL)
	if c.Database.Encoding == "SQL_ASCII" {
		b.WriteString("SET client_encoding = 'SQL_ASCII';\n")
	}
	for _, e := range c.Entries {
		if !slices.Contains(sections, e.Section) {
			continue
		}
		fmt.Fprintf(&b, "\n-- %s %s\n%s%s", e.Kind, strings.ReplaceAll(e.Name, "\n", " "), e.SQL, e.OwnerSQL)
	}
	return b.Bytes()
}

//go:embed restore.md
var restoreTemplate string

func restoreText(r Run, folder string, encrypted bool) []byte {
	sealed := "This backup is not encrypted: there is no \".sealed\" at the end of the names, so skip the decryption."
	if encrypted {
		sealed = "This backup is encrypted: decrypt first, then decompress."
	}
	return []byte(strings.NewReplacer("{{id}}", r.ID, "{{folder}}", folder, "{{sealed}}", sealed).Replace(restoreTemplate))
}
