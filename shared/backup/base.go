package backup

import (
	"fmt"
	"slices"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// Base is what is in the store already and may be referred to instead of
// copied: chunks of an earlier backup, or of a run that did not finish, of
// tables that are what they were. It has only tables whose identity is the
// same in the picture that it was chosen for; whether a chunk's rows are the
// same, its fingerprint tells.
//
// It is part of a run's state, so that every process of the run has it. nil is
// an empty base.
type Base struct {
	Tables map[uint32]*BaseTable `json:"tables"` // by OID
}

// BaseTable is a table of a base.
type BaseTable struct {
	Pages  int64                  `json:"pages"`  // how large it was
	Edges  []int64                `json:"edges"`  // the first blocks of its chunks, from 0
	Chunks map[string]ChunkResult `json:"chunks"` // by fingerprint
}

// find returns the chunk of a table that has a fingerprint, nil if none has.
func (b *Base) find(table uint32, print string) *ChunkResult {
	if b == nil || print == "" || b.Tables[table] == nil {
		return nil
	}
	r, ok := b.Tables[table].Chunks[print]
	if !ok {
		return nil
	}
	r.Reused = r.ObjectKey != ""
	return &r
}

func (b *Base) table(oid uint32) *BaseTable {
	if b == nil {
		return nil
	}
	return b.Tables[oid]
}

// stored is what a backup, or an unfinished run, has in the store.
type stored struct {
	server   manifest.Server
	database pgcatalog.Database
	tables   []pgcatalog.Table
	chunks   map[uint32][]storedChunk // by table
}

type storedChunk struct {
	from int64 // first block
	ChunkResult
}

// storedByManifest is what a backup has.
func storedByManifest(m *manifest.Manifest) *stored {
	s := &stored{server: m.Server, database: m.Database, tables: m.Catalog().Tables, chunks: map[uint32][]storedChunk{}}
	for _, t := range m.Tables {
		for _, c := range t.Chunks {
			s.chunks[t.OID] = append(s.chunks[t.OID], storedChunk{c.FromBlock, ChunkResult{ObjectKey: c.Object, Rows: c.Rows, RawBytes: c.RawBytes,
				StoredBytes: c.StoredBytes, SHA256: c.SHA256, ContentHash: c.ContentHash, Encoding: c.Encoding, Fingerprint: c.Fingerprint}})
		}
	}
	return s
}

// storedByRun is what a run has that did not finish.
func storedByRun(s *state, results []ChunkResult) *stored {
	old := &stored{server: s.Server, database: s.Catalog.Database, tables: s.Catalog.Tables, chunks: map[uint32][]storedChunk{}}
	byNo := make(map[int]*ChunkResult, len(results))
	for i := range results {
		byNo[results[i].No] = &results[i]
	}
	for _, c := range s.Chunks {
		chunk := storedChunk{from: c.FromBlock}
		if r := byNo[c.No]; r != nil {
			chunk.ChunkResult = *r
		}
		old.chunks[c.TableOID] = append(old.chunks[c.TableOID], chunk) // without a result: only where it was cut
	}
	return old
}

// keepOnly forgets the objects that are not in one of the folders: what an
// unfinished incremental run referred to is no part of a full backup.
func (s *stored) keepOnly(folders []string, own string) {
	for _, chunks := range s.chunks {
		for i := range chunks {
			folder, ok := manifest.FolderOf(chunks[i].ObjectKey)
			if ok && folder != own && !slices.Contains(folders, folder) {
				chunks[i].ChunkResult = ChunkResult{}
			}
		}
	}
}

// add takes over from old what may be referred to in a picture with the tables
// given. there says whether an object is in the store. What the base has
// already stays: add the newest first.
func (b *Base) add(old *stored, tables []pgcatalog.Table, volatile map[uint32]bool, there func(key string) bool) {
	byOID := make(map[uint32]*pgcatalog.Table, len(old.tables))
	for i := range old.tables {
		byOID[old.tables[i].OID] = &old.tables[i]
	}
	for i := range tables {
		now := &tables[i]
		before := byOID[now.OID]
		if before == nil || volatile[now.OID] || !sameTable(before, now) {
			continue
		}
		t := b.Tables[now.OID]
		if t == nil {
			t = &BaseTable{Pages: before.Pages, Chunks: map[string]ChunkResult{}}
			for _, c := range old.chunks[now.OID] {
				t.Edges = append(t.Edges, c.from)
			}
			slices.Sort(t.Edges)
			b.Tables[now.OID] = t
		}
		for _, c := range old.chunks[now.OID] {
			if _, has := t.Chunks[c.Fingerprint]; has || c.Fingerprint == "" || c.ObjectKey != "" && !there(c.ObjectKey) {
				continue
			}
			t.Chunks[c.Fingerprint] = c.ChunkResult
		}
	}
}

// sameTable says whether equal fingerprints of a table then and now mean equal
// text of its rows: TRUNCATE and rewrites change the file node, everything else
// that changes the text without changing a row is in the definition.
func sameTable(before, now *pgcatalog.Table) bool {
	return before.FileNode == now.FileNode && now.FileNode != 0 && before.Definition == now.Definition && now.Definition != "" &&
		before.Filter == "" && fingerprinted(now) && slices.Equal(before.Columns, now.Columns)
}

// xidHorizon is how many transactions a base may be old: from here on the
// 32 bits of xmin that a row shows could belong to two of them.
const xidHorizon = 1 << 31

// incomparable says why ctid and xmin of then and now cannot be compared,
// nothing if they can: they mean the same rows only in one history of one database.
// A server that hides one of the marks is told by the others; one that hides
// both the system identifier and the timeline is not.
func incomparable(then, now manifest.Server, before, after pgcatalog.Database) fault.Text {
	switch {
	case before.OID != after.OID:
		return fault.Say("is of another database of that name")
	case before.Encoding != after.Encoding:
		return fault.Say("has the encoding %s, the database has %s", before.Encoding, after.Encoding)
	case then.VersionNum/10000 != now.VersionNum/10000:
		return fault.Say("is of PostgreSQL %s, the server is %s now", then.Version, now.Version)
	case then.BlockSize != now.BlockSize:
		return fault.Say("is of a server with another block size")
	case then.Monetary != now.Monetary:
		return fault.Say("was read with lc_monetary = %s, the server has %s now", then.Monetary, now.Monetary)
	}
	seen := 0
	if then.SystemIdentifier != "" && now.SystemIdentifier != "" {
		if then.SystemIdentifier != now.SystemIdentifier {
			return fault.Say("is of another server (system identifier %s, now %s)", then.SystemIdentifier, now.SystemIdentifier)
		}
		seen++
	}
	if then.Timeline != 0 && now.Timeline != 0 {
		if then.Timeline != now.Timeline {
			return fault.Say("is of timeline %d, the server is on %d: it was restored to an earlier moment or failed over since", then.Timeline, now.Timeline)
		}
		seen++
	}
	if seen == 0 {
		return fault.Say("cannot be told from one of another history: the server hides both its system identifier and its timeline")
	}
	was, okWas := parseLSN(then.LSN)
	is, okIs := parseLSN(now.LSN)
	switch {
	case okWas && okIs && is < was:
		return fault.Say("was made at %s of the server's log, and the server is at %s: it is a copy that lags behind, or was set back", then.LSN, now.LSN)
	case then.NextXID == 0 || now.NextXID == 0:
		return fault.Say("does not say at which transaction it was made")
	case now.NextXID < then.NextXID:
		return fault.Say("was made at transaction %d, and the server is at %d: it was set back", then.NextXID, now.NextXID)
	case now.NextXID-then.NextXID >= xidHorizon:
		return fault.Say("is %d transactions old, more than can be told apart", now.NextXID-then.NextXID)
	case recovered(then, now):
		return fault.Say("is of a server that has recovered since, from a crash or from a copy of its files: transactions that the backup saw may be lost, and their numbers used again")
	}
	return fault.Text{}
}

// recovered says whether the server began to count anew since then. After a
// crash, what was committed without waiting for the disk (synchronous_commit =
// off, unlogged tables) is gone, though a snapshot had seen it, and its
// transaction ids are given out again; after a volume was set back, so is
// everything later than that. Neither begins a timeline. An administrator who
// resets one kind of statistics leaves the other.
func recovered(then, now manifest.Server) bool {
	compared := false
	for kind, since := range then.StatisticsSince {
		if now.StatisticsSince[kind] == since {
			return false
		}
		compared = compared || now.StatisticsSince[kind] != ""
	}
	return compared
}

// parseLSN reads a position in the server's log, "16/B374D848".
func parseLSN(s string) (uint64, bool) {
	var high, low uint32
	if n, err := fmt.Sscanf(s, "%X/%X", &high, &low); n != 2 || err != nil {
		return 0, false
	}
	return uint64(high)<<32 | uint64(low), true
}
