package restore

import (
	"fmt"
	"path"
	"strings"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// choose finds the tables and entries to restore.
func (x *restoration) choose() error {
	keep := func(*pgcatalog.Entry) bool { return true }
	if len(x.Tables) > 0 {
		chosen, err := x.chosenTables()
		if err != nil {
			return err
		}
		ids := x.needed(chosen)
		keep = func(e *pgcatalog.Entry) bool { return ids[e.ID] }
		for i := range x.m.Tables {
			if t := &x.m.Tables[i]; chosen[t.OID] {
				x.tables = append(x.tables, t)
			}
		}
	} else {
		for i := range x.m.Tables {
			x.tables = append(x.tables, &x.m.Tables[i])
		}
	}
	for i := range x.m.Entries {
		if e := &x.m.Entries[i]; keep(e) && !(x.NoACL && isACL(e)) {
			x.entries = append(x.entries, *e)
		}
	}
	return nil
}

// chosenTables returns the tables that the patterns match. A pattern that
// matches none is an error.
func (x *restoration) chosenTables() (map[uint32]bool, error) {
	chosen := map[uint32]bool{}
	for _, pattern := range x.Tables {
		found := false
		for i := range x.m.Tables {
			if t := &x.m.Tables[i]; matches(pattern, t) {
				chosen[t.OID], found = true, true
			}
		}
		if !found {
			return nil, fault.New(fault.Invalid, "no table of the backup matches %q", pattern).
				Hint("\"guarda show\" lists the tables that are in it")
		}
	}
	return chosen, nil
}

func matches(pattern string, t *manifest.Table) bool {
	name := t.Name
	if strings.Contains(pattern, ".") {
		name = t.FullName()
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok || pattern == name
}

// needed returns the ids of the entries that belong to the chosen tables, and
// of all that those need. A foreign key to a table that is not chosen is left
// out: its rows would not be there.
func (x *restoration) needed(chosen map[uint32]bool) map[int]bool {
	byID := make(map[int]*pgcatalog.Entry, len(x.m.Entries))
	for i := range x.m.Entries {
		byID[x.m.Entries[i].ID] = &x.m.Entries[i]
	}
	ids := map[int]bool{}
	var take func(e *pgcatalog.Entry)
	take = func(e *pgcatalog.Entry) {
		if ids[e.ID] {
			return
		}
		ids[e.ID] = true
		for _, d := range e.DependsOn {
			take(byID[d])
		}
	}
	for i := range x.m.Entries {
		e := &x.m.Entries[i]
		if !chosen[e.Table] {
			continue
		}
		if other := refersTo(e, byID, chosen); other != nil {
			x.warnings = append(x.warnings, manifest.Warning{Code: "reference_left_out", Object: e.Schema + "." + e.Name,
				Message: fmt.Sprintf("the foreign key was left out: %s.%s was not restored", other.Schema, other.Name)})
			continue
		}
		take(e)
	}
	// What belongs to something that is restored: its values, grants, comments.
	for i := range x.m.Entries {
		e := &x.m.Entries[i]
		if e.Table == 0 && (e.Kind == "SEQUENCE SET" || e.Kind == "SEQUENCE OWNED BY" || isACL(e) || e.Kind == "COMMENT") && len(e.DependsOn) > 0 && all(e.DependsOn, ids) {
			ids[e.ID] = true
		}
	}
	return ids
}

func all(of []int, ids map[int]bool) bool {
	for _, id := range of {
		if !ids[id] {
			return false
		}
	}
	return true
}

// refersTo returns the table outside the choice that a foreign key refers to.
func refersTo(e *pgcatalog.Entry, byID map[int]*pgcatalog.Entry, chosen map[uint32]bool) *pgcatalog.Entry {
	if e.Kind != "FK CONSTRAINT" {
		return nil
	}
	for _, d := range e.DependsOn {
		if other := byID[d]; other.Table != 0 && !chosen[other.Table] {
			return other
		}
	}
	return nil
}
