package choice

import (
	"iter"

	"guarda/shared/pgcatalog"
)

// Pass is when an entry is applied. The passes are in order.
type Pass int

// The passes.
const (
	Schema Pass = iota // before the rows, one by one
	Values             // sequences' values, with the rows
	Main               // after the rows, in parallel
	ACL                // one by one: two grants on one object at a time fail; row security, which hides from foreign keys what they look for
	Fill               // one by one: what runs the users' queries
	Last               // what would fire during the restore
)

// passes says when each entry is applied, by its ID. What needs an entry of the
// last pass (the comment on an event trigger) is of the last pass too.
func passes(entries []pgcatalog.Entry) map[int]Pass {
	of := make(map[int]Pass, len(entries))
	for i := range entries {
		e := &entries[i]
		of[e.ID] = passOf(e)
		for _, d := range e.DependsOn {
			if of[d] == Last {
				of[e.ID] = Last
			}
		}
	}
	return of
}

func passOf(e *pgcatalog.Entry) Pass {
	switch {
	case IsACL(e) || e.Kind == "ROW SECURITY":
		return ACL
	case e.Kind == "MATERIALIZED VIEW DATA":
		return Fill
	case e.Kind == "EVENT TRIGGER":
		return Last
	case e.Section == pgcatalog.PreData:
		return Schema
	case e.Section == pgcatalog.Data:
		return Values
	default:
		return Main
	}
}

// IsACL reports whether an entry is about privileges.
func IsACL(e *pgcatalog.Entry) bool { return e.Kind == "ACL" || e.Kind == "DEFAULT ACL" }

// In returns the entries of a pass, in order.
func (c *Choice) In(p Pass) iter.Seq[*pgcatalog.Entry] {
	return func(yield func(*pgcatalog.Entry) bool) {
		for i := range c.Entries {
			if e := &c.Entries[i]; c.pass[e.ID] == p && !yield(e) {
				return
			}
		}
	}
}
