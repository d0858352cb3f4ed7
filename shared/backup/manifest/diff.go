package manifest

import (
	"cmp"
	"slices"
)

// Change is how a table differs between two backups.
type Change string

// The changes.
const (
	Added      Change = "added"
	Removed    Change = "removed"
	Renamed    Change = "renamed"    // at least its name or schema differs
	Definition Change = "definition" // what its rows look like differs, perhaps its rows too
	Rows       Change = "rows"
)

// TableDiff is a table that differs between two backups.
type TableDiff struct {
	Schema     string `json:"schema"`
	Name       string `json:"name"`
	FromName   string `json:"from_name,omitempty"` // schema.name before, where it was another
	Change     Change `json:"change"`
	RowsFrom   int64  `json:"rows_from"`
	RowsTo     int64  `json:"rows_to"`
	Chunks     int    `json:"chunks"`      // of the later backup
	ChunksDiff int    `json:"chunks_diff"` // of those, how many have rows that no chunk of the earlier one has as they are
	// Uncertain is true when the rows may differ more than the counts say:
	// layers of the timestamp strategy are not merged to compare them.
	Uncertain bool `json:"uncertain,omitempty"`
}

// Diff is what differs between two backups.
type Diff struct {
	From    string      `json:"from"`
	To      string      `json:"to"`
	Same    int         `json:"tables_same"`
	Tables  []TableDiff `json:"tables"`
	Objects []EntryDiff `json:"objects"`
}

// EntryDiff is an object of the schema that differs.
type EntryDiff struct {
	Kind   string `json:"kind"`
	Schema string `json:"schema,omitempty"`
	Name   string `json:"name"`
	Change Change `json:"change"` // added, removed or definition
}

// Compare says which tables and objects of the schema differ between two
// backups. A table is the same one when it has the same name, else, within one
// database, the same OID. Rows are compared by content hash: equal hashes are
// equal rows, in whatever order and wherever they stand.
func Compare(from, to *Manifest) *Diff {
	d := &Diff{From: from.BackupID, To: to.BackupID, Tables: []TableDiff{}, Objects: []EntryDiff{}}
	pairs, removed := pair(from, to)
	for i := range to.Tables {
		t := &to.Tables[i]
		if diff, differs := diffTable(pairs[t.OID], t); differs {
			d.Tables = append(d.Tables, diff)
		} else {
			d.Same++
		}
	}
	for _, t := range removed {
		d.Tables = append(d.Tables, TableDiff{Schema: t.Schema, Name: t.Name, Change: Removed, RowsFrom: t.Rows})
	}
	slices.SortFunc(d.Tables, func(a, b TableDiff) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
	})
	d.Objects = diffEntries(from.Entries, to.Entries)
	return d
}

// pair returns the earlier table of each later one, by the later one's OID,
// and the earlier ones that have no later one.
func pair(from, to *Manifest) (map[uint32]*Table, []*Table) {
	byName, byOID := map[string]*Table{}, map[uint32]*Table{}
	for i := range from.Tables {
		t := &from.Tables[i]
		byName[t.Schema+"\x00"+t.Name], byOID[t.OID] = t, t
	}
	same := from.Database.OID == to.Database.OID && from.Server.SystemIdentifier == to.Server.SystemIdentifier
	pairs, taken := map[uint32]*Table{}, map[*Table]bool{}
	for i := range to.Tables {
		if t := byName[to.Tables[i].Schema+"\x00"+to.Tables[i].Name]; t != nil {
			pairs[to.Tables[i].OID], taken[t] = t, true
		}
	}
	for i := range to.Tables {
		oid := to.Tables[i].OID
		if t := byOID[oid]; same && pairs[oid] == nil && t != nil && !taken[t] {
			pairs[oid], taken[t] = t, true
		}
	}
	var removed []*Table
	for i := range from.Tables {
		if t := &from.Tables[i]; !taken[t] {
			removed = append(removed, t)
		}
	}
	return pairs, removed
}

func diffTable(from, to *Table) (TableDiff, bool) {
	d := TableDiff{Schema: to.Schema, Name: to.Name, RowsTo: to.Rows, Chunks: len(to.Chunks)}
	if from == nil {
		d.Change, d.ChunksDiff = Added, len(to.Stored())
		return d, true
	}
	d.RowsFrom = from.Rows
	d.ChunksDiff = chunksNotIn(from, to)
	d.Uncertain = len(from.Layers)+len(to.Layers) > 0
	if from.FullName() != to.FullName() {
		d.FromName = from.FullName()
	}
	switch {
	case from.Definition != to.Definition || !slices.Equal(from.Columns, to.Columns):
		d.Change = Definition
	case from.Rows != to.Rows || from.ContentHash != to.ContentHash || !sameLayers(from.Layers, to.Layers):
		d.Change = Rows
	case d.FromName != "":
		d.Change = Renamed
	default:
		return d, false
	}
	return d, true
}

// chunksNotIn counts the chunks of a table whose rows no chunk of the other has.
func chunksNotIn(from, to *Table) int {
	type rows struct {
		hash string
		n    int64
	}
	has := map[rows]bool{}
	for _, c := range from.Stored() {
		has[rows{c.ContentHash, c.Rows}] = true
	}
	n := 0
	for _, c := range to.Stored() {
		if !has[rows{c.ContentHash, c.Rows}] {
			n++
		}
	}
	return n
}

func sameLayers(a, b []Layer) bool {
	return slices.EqualFunc(a, b, func(a, b Layer) bool {
		return a.Chunk.ContentHash == b.Chunk.ContentHash && a.Chunk.Rows == b.Chunk.Rows
	})
}

// diffEntries compares the SQL of the schema's objects. Several entries may
// have one name (overloads differ in it, but pieces of one object need not):
// they are compared together.
func diffEntries(from, to []Entry) []EntryDiff {
	type name struct{ kind, schema, name string }
	collect := func(entries []Entry) map[name]string {
		sql := map[name]string{}
		for _, e := range entries {
			sql[name{e.Kind, e.Schema, e.Name}] += e.SQL + e.OwnerSQL
		}
		return sql
	}
	before, after := collect(from), collect(to)
	diffs := []EntryDiff{}
	for n, sql := range after {
		if was, ok := before[n]; !ok {
			diffs = append(diffs, EntryDiff{n.kind, n.schema, n.name, Added})
		} else if was != sql {
			diffs = append(diffs, EntryDiff{n.kind, n.schema, n.name, Definition})
		}
	}
	for n := range before {
		if _, ok := after[n]; !ok {
			diffs = append(diffs, EntryDiff{n.kind, n.schema, n.name, Removed})
		}
	}
	slices.SortFunc(diffs, func(a, b EntryDiff) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return diffs
}
