// Package ledger accounts for a database: it counts every object of the
// catalogs by an enumeration that knows nothing of the program that dumps, and
// says of each whether it is in the backup, and if not, why. What the dumper
// forgets shows up here.
//
// What counts as an object: each row of a system catalog of the database that
// has an OID of its own and was made after initdb (so also those of catalogs
// that a future version adds), and besides them the rows of each table, the
// value of each sequence, the data of each large object, the comment, each
// security label and the grants of each thing, each setting of the database,
// and the database itself. Columns are part of their table. Temporary objects
// belong to their sessions and are not counted; roles and tablespaces belong
// to the cluster and are not either.
package ledger

import (
	"fmt"
	"strings"

	"guarda/shared/fault"
)

// Status says what became of an object.
type Status string

// The statuses. Each object has exactly one.
const (
	Dumped      Status = "dumped"      // it is in the backup
	Excluded    Status = "excluded"    // a rule left it out
	Unreadable  Status = "unreadable"  // the role lacks a privilege
	Unsupported Status = "unsupported" // nothing knows how to keep it
	Managed     Status = "managed"     // it belongs to the platform
)

// Statuses lists them in the order in which they are shown.
func Statuses() []Status { return []Status{Dumped, Excluded, Unreadable, Unsupported, Managed} }

// Rule says by what an object is not dumped.
type Rule string

// The rules.
const (
	ByTables       Rule = "option_tables"  // no pattern of the tables to take names it
	ByExclude      Rule = "option_exclude" // a pattern leaves it out
	NeedsExcluded  Rule = "needs_excluded" // it cannot be without something that is left out
	ByPreset       Rule = "preset"         // it belongs to the platform
	ExtensionRows  Rule = "extension_rows" // its extension does not mark its rows as user's data
	NoPrivilege    Rule = "privilege"      // the role lacks a privilege
	RowSecurity    Rule = "row_security"   // row security would hide rows
	Secret         Rule = "secret"         // only its owner or a superuser is shown it
	Incomplete     Rule = "incomplete"     // what a failed or unfinished statement left, and nothing uses
	InSystemSchema Rule = "system_schema"  // it is in pg_catalog or information_schema, which are not dumped
	ByTimestamp    Rule = "timestamp"      // its rows are followed by a timestamp: those that were deleted are not seen
	UnknownKind    Rule = "unknown_kind"   // a catalog that nothing knows
	NotDumped      Rule = "not_dumped"     // the kind is known, and yet it is not in the dump
	NotPossible    Rule = "not_possible"   // the dumper found it and says why it cannot keep it
)

// Format is the version of the ledger's form.
const Format = 1

// Ledger is the account of one backup. It is part of the manifest.
type Ledger struct {
	Format int    `json:"format"`
	Preset Preset `json:"preset"`
	Strict bool   `json:"strict,omitempty"`
	// Objects is how many objects there are; the counts of the statuses add up
	// to it, those of the groups too.
	Objects int64 `json:"objects"`
	Counts
	// Lost is how many of the items the backup before had.
	Lost         int64  `json:"lost,omitempty"`
	ComparedWith string `json:"compared_with,omitempty"` // that backup's id
	// Groups count by kind and schema, sorted.
	Groups []Group `json:"groups"`
	// Items name everything that is not simply dumped, an item for what
	// belongs together: sorted by status, schema, kind and name.
	Items []Item `json:"items"`
}

// Preset says which objects belong to the platform.
type Preset struct {
	Name        string   `json:"name"`             // "none", "supabase" or "rds": what was used
	Detected    string   `json:"detected"`         // what the catalog looks like
	Reason      string   `json:"reason,omitempty"` // what it was told by
	ManagedData []string `json:"managed_data,omitempty"`
}

// Counts counts objects by status.
type Counts struct {
	Dumped      int64 `json:"dumped"`
	Excluded    int64 `json:"excluded"`
	Unreadable  int64 `json:"unreadable"`
	Unsupported int64 `json:"unsupported"`
	Managed     int64 `json:"managed"`
}

// Of returns the count of a status.
func (c Counts) Of(s Status) int64 { return *c.at(s) }

// Total adds the counts up.
func (c Counts) Total() int64 {
	return c.Dumped + c.Excluded + c.Unreadable + c.Unsupported + c.Managed
}

func (c *Counts) at(s Status) *int64 {
	switch s {
	case Dumped:
		return &c.Dumped
	case Excluded:
		return &c.Excluded
	case Unreadable:
		return &c.Unreadable
	case Managed:
		return &c.Managed
	}
	return &c.Unsupported
}

// Group counts the objects of one kind in one schema.
type Group struct {
	Kind   string `json:"kind"`   // "table", "table rows", "function", "grants"…
	Schema string `json:"schema"` // "" outside of schemas
	Counts
}

// Item is an object that is not simply dumped, with what belongs to it and
// shares its fate: a table's indexes, constraints and types.
type Item struct {
	Status Status `json:"status"`
	Kind   string `json:"kind"`
	Schema string `json:"schema,omitempty"`
	Name   string `json:"name"` // as SQL writes it, with the schema
	Rule   Rule   `json:"rule,omitempty"`
	Detail string `json:"detail,omitempty"` // in English
	// DetailText is the detail for other languages. It is zero in what was kept
	// before there were texts, and in what In returns.
	DetailText fault.Text `json:"detail_text,omitzero"`
	// Privilege is what the role lacks, and Grants the statements that give it
	// to the role: all of them are needed.
	Privilege     string     `json:"privilege,omitempty"` // in English
	PrivilegeText fault.Text `json:"privilege_text,omitzero"`
	Grants        []string   `json:"grants,omitempty"`
	// Objects is how many objects the item stands for, itself included.
	Objects int64 `json:"objects"`
	// Carried says that the definition is in the backup all the same, as the
	// system catalogs show it.
	Carried bool `json:"carried,omitempty"`
	// Lost says that the backup before had it.
	Lost bool `json:"lost,omitempty"`

	address Address
	facet   facet
	entry   EntryName // what the dumper calls it; zero when it does not know it
}

// EntryName is how the dumper calls an object.
type EntryName struct{ Kind, Schema, Name string }

// Entry returns how the dumper calls the object; zero when it does not know it.
// It is known only in the process that made the ledger.
func (i Item) Entry() EntryName { return i.entry }

// In returns the item for somebody to read: what it says is in a language, and
// there are no texts. What has none is shown in English.
func (i Item) In(l fault.Language) Item {
	if !i.DetailText.IsZero() {
		i.Detail, i.DetailText = i.DetailText.In(l), fault.Text{}
	}
	if !i.PrivilegeText.IsZero() {
		i.Privilege, i.PrivilegeText = i.PrivilegeText.In(l), fault.Text{}
	}
	return i
}

// IsContent says that the item is about rows, a value or data, and not about a
// definition.
func (i Item) IsContent() bool { return i.facet == content }

// Summary is the ledger without its lists.
type Summary struct {
	Preset         string   `json:"preset"`
	PresetDetected string   `json:"preset_detected"`
	ManagedData    []string `json:"managed_data"`
	Strict         bool     `json:"strict"`
	Objects        int64    `json:"objects"`
	Counts
	Lost         int64   `json:"lost"`
	ComparedWith *string `json:"compared_with"`
}

// Summary returns the ledger without its lists.
func (l *Ledger) Summary() Summary {
	s := Summary{Preset: l.Preset.Name, PresetDetected: l.Preset.Detected, ManagedData: l.Preset.ManagedData, Strict: l.Strict,
		Objects: l.Objects, Counts: l.Counts, Lost: l.Lost}
	if s.ManagedData == nil {
		s.ManagedData = []string{}
	}
	if l.ComparedWith != "" {
		s.ComparedWith = &l.ComparedWith
	}
	return s
}

// String says it in a line: "2,103 objects: 2,101 dumped, 2 unreadable".
func (s Summary) String() string {
	var parts []string
	for _, status := range Statuses() {
		if n := s.Of(status); n > 0 || status == Dumped {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	text := fmt.Sprintf("%d objects: %s", s.Objects, strings.Join(parts, ", "))
	if s.Lost > 0 {
		text += fmt.Sprintf("; %d that the backup before had", s.Lost)
	}
	return text
}

// Complete says that nothing is unreadable or unsupported.
func (c Counts) Complete() bool { return c.Unreadable == 0 && c.Unsupported == 0 }

// MarkLost marks the items that the backup before had, as had tells.
func (l *Ledger) MarkLost(backupID string, had func(Item) bool) {
	l.ComparedWith, l.Lost = backupID, 0
	for i := range l.Items {
		if l.Items[i].Lost = had(l.Items[i]); l.Items[i].Lost {
			l.Lost++
		}
	}
}
