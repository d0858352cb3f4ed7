// Package choice decides what of a backup is brought back, by which
// statements, and in which order: what restoring into a database and writing a
// script have in common.
package choice

import (
	"slices"
	"strings"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// Options say what is wanted of a backup.
type Options struct {
	// Tables takes only the tables that a pattern matches, with what they
	// need. The patterns are those of a backup's selection.
	Tables []string
	// ToSchema gives schemas other names.
	ToSchema map[string]string
	NoOwner  bool // leave all objects to who makes them
	NoACL    bool // leave out grants and default privileges
	// NoTablespaces lets everything be in the default tablespace.
	NoTablespaces bool
}

// Choice is what of a backup is brought back.
type Choice struct {
	// Entries are in restore order. OwnerSQL is empty where it is not wanted.
	Entries []pgcatalog.Entry
	Tables  []*manifest.Table // copies where a schema is renamed
	// LargeObjects is nil when they are not wanted or there are none.
	LargeObjects *manifest.LargeObjects
	Warnings     []fault.Warning

	pass  map[int]Pass
	made  map[uint32]bool // tables that entries make
	asked map[uint32]bool // relations that are asked for; nil: all
}

// Make chooses from a backup. An unknown pattern is a fault.Invalid.
func Make(m *manifest.Manifest, o Options) (*Choice, error) {
	catalog := m.Catalog()
	c := &Choice{made: map[uint32]bool{}}
	if len(o.Tables) > 0 {
		var err error
		if catalog, err = catalog.Select(pgcatalog.Options{Tables: o.Tables}); err != nil {
			return nil, err
		}
		for _, l := range catalog.LeftOut[len(m.LeftOut):] {
			if l.Reason == pgcatalog.NotSelected || l.Reason == pgcatalog.RowsNotSelected {
				c.Warnings = append(c.Warnings, fault.Warn("left_out", l.Schema+"."+l.Name, "%s %s is left out: %s",
					fault.Term(strings.ToLower(l.Kind)), l.Name, l.DetailText))
			}
		}
	}
	byOID := make(map[uint32]*manifest.Table, len(m.Tables))
	for i := range m.Tables {
		byOID[m.Tables[i].OID] = &m.Tables[i]
	}
	for _, t := range catalog.Tables {
		c.Tables = append(c.Tables, byOID[t.OID])
	}
	for _, e := range catalog.Entries {
		if o.NoACL && IsACL(&e) {
			continue
		}
		if o.NoTablespaces {
			e = e.InDefaultTablespace()
		}
		if o.NoOwner {
			e.OwnerSQL = ""
		}
		if e.Kind == "BLOB" {
			c.LargeObjects = m.LargeObjects
		}
		c.Entries = append(c.Entries, e)
	}
	if len(o.Tables) > 0 {
		if err := c.findAsked(m, o.Tables); err != nil {
			return nil, err
		}
	}
	if len(o.ToSchema) > 0 {
		if err := c.renameSchemas(o.ToSchema); err != nil {
			return nil, err
		}
	}
	if err := c.bearMissingRows(); err != nil {
		return nil, err
	}
	c.settle()
	return c, nil
}

// settle works out again what follows from the entries.
func (c *Choice) settle() {
	clear(c.made)
	for i := range c.Entries {
		if c.Entries[i].Kind == "TABLE" {
			c.made[c.Entries[i].Table] = true
		}
	}
	c.pass = passes(c.Entries)
}

// Makes reports whether an entry makes the table, rather than an extension or
// the platform.
func (c *Choice) Makes(table uint32) bool { return c.made[table] }

// OfOthers reports whether what an entry is about is made by no entry: it is
// built in, or an extension's.
func (c *Choice) OfOthers(e *Entry) bool {
	return !slices.ContainsFunc(c.Entries, func(other Entry) bool {
		return other.Kind != "EXTENSION" && other.Kind != "ACL" && slices.Contains(e.DependsOn, other.ID)
	})
}

// RawBytes is the size of all rows and large objects as COPY text.
func (c *Choice) RawBytes() int64 {
	var n int64
	for _, t := range c.Tables {
		n += t.RawBytes
		for i := range t.Layers {
			n += t.Layers[i].Chunk.RawBytes
		}
	}
	if c.LargeObjects != nil {
		n += c.LargeObjects.RawBytes
	}
	return n
}

// Entry is an object of the backup's schema.
type Entry = pgcatalog.Entry
