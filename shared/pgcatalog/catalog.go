// Package pgcatalog reads a PostgreSQL database's catalog into an ordered
// model of its objects and emits the SQL that makes them again. It does what
// pg_dump does for the schema, without pg_dump; pg_dump is the oracle of its
// tests.
package pgcatalog

import "guarda/shared/fault"

// Section says when an entry is applied: pre-data before the rows are loaded,
// data with them, post-data after them. The words are pg_dump's.
type Section string

// The sections.
const (
	PreData  Section = "pre-data"
	Data     Section = "data"
	PostData Section = "post-data"
)

// Catalog is what Read found, in the order in which it can be restored.
type Catalog struct {
	ServerVersion int      `json:"server_version"` // server_version_num, e.g. 150018
	Database      Database `json:"database"`
	// Entries are the objects in restore order: pre-data, data (sequence
	// values, refreshes of materialized views belong to post-data), post-data.
	Entries []Entry `json:"entries"`
	// Tables are those whose rows belong into the backup, ordered by OID.
	Tables []Table `json:"tables"`
	// Roles are the roles that owners, grants and policies name, sorted.
	Roles []string `json:"roles"`
	// LeftOut names what is not in Entries or Tables though the database has
	// it, and why.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// LargeObjects are the large objects whose data belongs into the backup,
	// ordered by OID. Their owners and grants are entries.
	LargeObjects []LargeObject `json:"large_objects,omitempty"`
}

// Reason says why something is left out.
type Reason string

// The reasons.
const (
	// NotSelected: it refers to a table that was not selected.
	NotSelected Reason = "not selected"
	// RowsNotSelected: a definition is carried because something selected
	// needs it, its rows are not.
	RowsNotSelected Reason = "rows not selected"
	// Unreadable: the role that read the catalog lacks a privilege.
	Unreadable Reason = "unreadable"
	// Unsupported: the object cannot be made again by what was read.
	Unsupported Reason = "unsupported"
)

// LeftOut is an object that the catalog does not carry whole.
type LeftOut struct {
	Kind   string `json:"kind"`
	Schema string `json:"schema,omitempty"`
	Name   string `json:"name"`
	Reason Reason `json:"reason"`
	// Detail names what it lacks, or what it is needed by.
	Detail string `json:"detail,omitempty"`
	// DetailText is the detail for other languages than English; zero in what
	// was kept before there were texts.
	DetailText fault.Text `json:"detail_text,omitzero"`
	// Grant is the statement that would let it be read; "" where none would.
	Grant string `json:"grant,omitempty"`
	// Objects are the rows of system catalogs that it stands for (see
	// Entry.Objects).
	Objects []Address `json:"-"`
}

// LargeObject is a large object whose data is copied.
type LargeObject struct {
	OID   uint32 `json:"oid"`
	Owner string `json:"owner"`
}

// Database describes the database itself.
type Database struct {
	OID            uint32 `json:"oid"`
	Name           string `json:"name"`
	Owner          string `json:"owner"`
	Encoding       string `json:"encoding"` // "UTF8"
	Collate        string `json:"collate"`
	CType          string `json:"ctype"`
	LocaleProvider string `json:"locale_provider,omitempty"` // "libc", "icu", "builtin"
	ICULocale      string `json:"icu_locale,omitempty"`      // of the provider builtin too
	ICURules       string `json:"icu_rules,omitempty"`
	// What PropertiesSQL writes. ConnectionLimit is -1 where there is none;
	// ACL and DefaultACL are aclitems in their text form.
	Settings        []DatabaseSetting `json:"settings,omitempty"`
	ConnectionLimit int32             `json:"connection_limit"`
	Template        bool              `json:"template,omitempty"`
	Comment         string            `json:"comment,omitempty"`
	ACL             []string          `json:"acl,omitempty"`
	DefaultACL      []string          `json:"default_acl,omitempty"`
}

// Entry is one object or one piece of an object, as in pg_dump's table of
// contents.
type Entry struct {
	ID      int     `json:"id"` // unique in the catalog, > 0
	Section Section `json:"section"`
	Kind    string  `json:"kind"`             // pg_dump's word: TABLE, INDEX, FK CONSTRAINT, ACL, COMMENT, SEQUENCE SET…
	Schema  string  `json:"schema,omitempty"` // unquoted; "" for objects outside any schema
	Name    string  `json:"name"`             // unquoted, as pg_dump's tag: "orders", "orders orders_pkey", "f(integer)"
	Owner   string  `json:"owner,omitempty"`  // unquoted role; "" where the object has none of its own
	// SQL makes the object: one or more complete statements, each ending in
	// ";\n", to be run as one simple query with search_path = ''.
	SQL string `json:"sql"`
	// OwnerSQL gives the object to its owner; "" where there is nothing to do.
	OwnerSQL string `json:"owner_sql,omitempty"`
	// DropSQL removes it ("DROP … IF EXISTS …;\n"); "" where dropping another entry does.
	DropSQL string `json:"drop_sql,omitempty"`
	// DependsOn lists the IDs of entries that must be there first. It never
	// forms a cycle, and every ID in it stands earlier in Entries.
	DependsOn []int `json:"depends_on,omitempty"`
	// Table is the OID of the table that the entry makes or belongs to
	// (index, constraint, trigger, policy…); 0 if none.
	Table uint32 `json:"table,omitempty"`
	// NoTransaction marks SQL that cannot run inside a transaction block.
	NoTransaction bool `json:"no_transaction,omitempty"`
	// Roles are the roles, other than Owner, that SQL names. Sorted.
	Roles []string `json:"roles,omitempty"`
	// Locks are the OIDs of tables, besides Table, that SQL locks against
	// changes: those a foreign key refers to, and the partitions that a
	// constraint or trigger goes down to. Two entries that lock the same
	// tables run into each other, or wait for each other. Sorted.
	Locks []uint32 `json:"locks,omitempty"`
	// Tablespace is where SQL puts the table or index, by setting
	// default_tablespace for it; "" is the database's own. See InDefaultTablespace.
	Tablespace string `json:"tablespace,omitempty"`
	// Objects are the rows of system catalogs that the entry makes: a table's
	// own, its row and array types, defaults and checks written inside it; an
	// extension's with all its members. A COMMENT, SECURITY LABEL, ACL or
	// SEQUENCE SET names what it is about. They are those of the database that was read,
	// and are not stored with a backup.
	Objects []Address `json:"-"`
}

// Table is a table whose rows are copied.
type Table struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Columns are the columns to copy, in order: not dropped, not generated.
	Columns []string `json:"columns"`
	// Pages and ToastPages are the current sizes in 8 KiB blocks (from the
	// relation's size, not from statistics). Rows is the planner's estimate, -1 if never analyzed.
	Pages      int64   `json:"pages"`
	ToastPages int64   `json:"toast_pages"`
	Rows       float64 `json:"rows"`
	// FileNode is pg_class.relfilenode: it changes when the table is rewritten.
	FileNode uint32 `json:"file_node"`
	// Heap is true when the rows can be read by ranges of ctid.
	Heap bool `json:"heap"`
	// RowSecurity is true when row security is enabled on the table.
	RowSecurity bool `json:"row_security,omitempty"`
	// Unlogged tables are copied like others.
	Unlogged bool `json:"unlogged,omitempty"`
	// Filter is the WHERE clause (without WHERE) that limits the rows, for
	// configuration tables of extensions; "" copies all.
	Filter string `json:"filter,omitempty"`
	// Definition is a SHA-256 (hex) over everything that decides what the
	// rows' text looks like: columns, types used (with their own
	// definitions, recursively: enum labels, domains, composites, the functions
	// that write base types), fast defaults (attmissingval), and the versions of
	// the extensions those types come from.
	Definition string `json:"definition"`
}
