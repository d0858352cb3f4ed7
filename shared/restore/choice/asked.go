package choice

import (
	"guarda/shared/backup/manifest"
	"guarda/shared/pgcatalog"
)

// Asked reports whether an entry is of what was asked for by name, rather than
// only needed by it. Everything is when no tables were named.
func (c *Choice) Asked(e *Entry) bool {
	return c.asked == nil || c.asked[e.Table]
}

// findAsked finds the relations that the patterns name, and the partitions of
// those. What belongs to a relation has its OID, as a sequence has that of the
// table whose column owns it.
func (c *Choice) findAsked(m *manifest.Manifest, patterns []string) error {
	// A catalog in which nothing needs anything selects what is named alone.
	alone := &pgcatalog.Catalog{}
	owners := map[uint32]bool{}
	table := map[int]uint32{} // of the entry that makes it
	for _, e := range m.Entries {
		switch e.Kind {
		case "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW":
			owners[e.Table] = true
			table[e.ID] = e.Table
		case "SEQUENCE":
		default:
			continue
		}
		e.DependsOn = nil
		alone.Entries = append(alone.Entries, e)
	}
	for _, t := range m.Tables {
		if !owners[t.OID] {
			alone.Tables = append(alone.Tables, pgcatalog.Table{OID: t.OID, Schema: t.Schema, Name: t.Name})
		}
	}
	named, err := alone.Select(pgcatalog.Options{Tables: patterns})
	if err != nil {
		return err
	}
	c.asked = map[uint32]bool{}
	for _, e := range named.Entries {
		if e.Kind != "SEQUENCE" || !owners[e.Table] {
			c.asked[e.Table] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, e := range m.Entries {
			if e.Kind != "TABLE ATTACH" || c.asked[e.Table] {
				continue
			}
			for _, d := range e.DependsOn {
				if parent := table[d]; parent != e.Table && c.asked[parent] {
					c.asked[e.Table], grown = true, true
				}
			}
		}
	}
	return nil
}
