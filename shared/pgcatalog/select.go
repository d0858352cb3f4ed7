package pgcatalog

import (
	"slices"
	"strings"

	"guarda/shared/fault"
)

// Select narrows a catalog to the relations that the options name, with
// everything they need: what their entries depend on, the partitions of a
// partitioned table, their own indexes, constraints, triggers, policies,
// comments and grants. What could not come along is named in LeftOut: foreign
// keys to tables that are not selected, memberships of publications, and the
// rows of tables of which only the definition is needed. The receiver is not changed; IDs stay what they
// were.
//
// An unknown pattern in Tables is a fault.NotFound that lists near matches; one
// in Exclude that matches nothing is no error.
func (c *Catalog) Select(opt Options) (*Catalog, error) {
	take, err := parsePatterns(opt.Tables)
	if err != nil {
		return nil, err
	}
	drop, err := parsePatterns(opt.Exclude)
	if err != nil {
		return nil, err
	}
	s := newSelection(c)
	if err := s.choose(take, drop); err != nil {
		return nil, err
	}
	s.complete(len(opt.Tables) > 0)
	return s.result(), nil
}

// selection is the work of one Select.
type selection struct {
	from     *Catalog
	byID     map[int]*Entry
	relation map[uint32]*Entry // the entry that makes a relation
	users    map[int][]*Entry
	in       map[int]bool       // entries taken
	chosen   map[uint32]bool    // relations named by a pattern
	refused  map[int]fault.Text // entries that may not come, and why
	leftOut  []LeftOut
}

func newSelection(c *Catalog) *selection {
	s := &selection{
		from: c, byID: map[int]*Entry{}, relation: map[uint32]*Entry{}, users: map[int][]*Entry{},
		in: map[int]bool{}, chosen: map[uint32]bool{}, refused: map[int]fault.Text{},
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		s.byID[e.ID] = e
		if isRelation(e) {
			if s.relation[e.Table] == nil || e.Kind != "SEQUENCE" {
				s.relation[e.Table] = e
			}
		}
		for _, d := range e.DependsOn {
			s.users[d] = append(s.users[d], e)
		}
	}
	return s
}

func isRelation(e *Entry) bool {
	switch e.Kind {
	case "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE":
		return true
	}
	return false
}

// attached tells the kinds that come along with what they are about.
func attached(kind string) bool {
	switch kind {
	case "COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE SET", "SEQUENCE OWNED BY", "TABLE ATTACH", "INDEX ATTACH", "DEFAULT", "MATERIALIZED VIEW DATA":
		return true
	}
	return false
}

// choose finds the relations that the patterns name.
func (s *selection) choose(take, drop []pattern) error {
	matched := make([]bool, len(take))
	excluded := map[int]bool{}
	var names []string
	for i := range s.from.Entries {
		e := &s.from.Entries[i]
		if !isRelation(e) {
			continue
		}
		names = append(names, qualified(e.Schema, e.Name))
		for _, p := range drop {
			if p.matches(e.Schema, e.Name) {
				excluded[e.ID] = true
				s.refused[e.ID] = fault.Say("excluded by %s", p.text)
			}
		}
		for j, p := range take {
			if p.matches(e.Schema, e.Name) {
				matched[j] = true
				if !excluded[e.ID] {
					s.in[e.ID] = true
				}
			}
		}
	}
	// Configuration tables of extensions have rows but no entry.
	for i, t := range s.from.Tables {
		if s.relation[t.OID] != nil {
			continue
		}
		names = append(names, qualified(t.Schema, t.Name))
		for j, p := range take {
			if p.matches(t.Schema, t.Name) {
				matched[j] = true
				s.chosen[s.from.Tables[i].OID] = true
			}
		}
		for _, p := range drop {
			if p.matches(t.Schema, t.Name) {
				delete(s.chosen, t.OID)
				s.refused[-int(t.OID)] = fault.Say("excluded by %s", p.text)
			}
		}
	}
	for j, p := range take {
		if matched[j] {
			continue
		}
		e := fault.New(fault.Invalid, "no table matches %s", p.text)
		if near := nearest(p.text, names); len(near) > 0 {
			return e.Hint("similar names: %s", strings.Join(near, ", "))
		}
		return e.Hint("patterns are name or schema.name; names with capitals need double quotes")
	}
	if len(take) == 0 {
		for id := range s.byID {
			if !excluded[id] {
				s.in[id] = true
			}
		}
		for _, t := range s.from.Tables {
			if s.relation[t.OID] == nil && s.refused[-int(t.OID)].IsZero() {
				s.chosen[t.OID] = true
			}
		}
	}
	return nil
}

// complete closes the selection over what it needs and what belongs to it.
func (s *selection) complete(narrowed bool) {
	if !narrowed {
		s.removeUsers()
		for id := range s.in {
			if e := s.byID[id]; isRelation(e) {
				s.chosen[e.Table] = true
			}
		}
		return
	}
	for grown := true; grown; { // partitions of what is chosen
		grown = false
		for i := range s.from.Entries {
			e := &s.from.Entries[i]
			child := s.relation[e.Table]
			if e.Kind != "TABLE ATTACH" || child == nil || s.in[child.ID] || !s.refused[child.ID].IsZero() {
				continue
			}
			for _, d := range e.DependsOn {
				if d != child.ID && s.in[d] && isRelation(s.byID[d]) {
					s.in[child.ID], grown = true, true
				}
			}
		}
	}
	for id := range s.in {
		if e := s.byID[id]; e.Kind != "SEQUENCE" || s.relation[e.Table] == e {
			s.chosen[e.Table] = true
		}
	}
	for _, id := range s.taken() {
		s.need(id, nil)
	}
	for i := range s.from.Entries {
		e := &s.from.Entries[i]
		if s.in[e.ID] || e.Table == 0 || !s.chosen[e.Table] || attached(e.Kind) && e.Kind != "DEFAULT" {
			continue
		}
		switch e.Kind {
		case "FK CONSTRAINT", "TRIGGER": // a trigger's state on a partition, and constraint triggers, can be about two tables
			if other := s.unchosen(e); other != nil {
				s.leave(e, fault.Say("refers to %s", qualified(other.Schema, other.Name)))
				continue
			}
		case "PUBLICATION TABLE":
			s.leave(e, fault.Say("publications do not come along with tables"))
			continue
		}
		if e.Kind == "SEQUENCE" && s.relation[e.Table] != e && !s.refused[e.ID].IsZero() {
			continue
		}
		s.need(e.ID, e)
	}
	for i := range s.from.Entries {
		e := &s.from.Entries[i]
		if s.in[e.ID] || !attached(e.Kind) || len(e.DependsOn) == 0 {
			continue
		}
		all := true
		for _, d := range e.DependsOn {
			all = all && (s.in[d] || s.byID[d].Kind == "ACL")
		}
		if all {
			s.in[e.ID] = true
		} else if e.Kind == "TABLE ATTACH" && s.chosen[e.Table] {
			s.leave(e, fault.Say("the table it is a partition of is not selected"))
		}
	}
	s.removeUsers()
}

func (s *selection) taken() []int {
	ids := make([]int, 0, len(s.in))
	for id := range s.in {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// need takes an entry and all it depends on.
func (s *selection) need(id int, by *Entry) {
	e := s.byID[id]
	if s.in[id] && by != nil {
		return
	}
	s.in[id] = true
	for _, d := range e.DependsOn {
		if !s.in[d] {
			s.need(d, e)
		}
	}
}

// unchosen returns a table that an entry refers to and that no pattern named,
// or nil.
func (s *selection) unchosen(e *Entry) *Entry {
	for _, d := range e.DependsOn {
		other := s.byID[d]
		if other.Table != 0 && !s.chosen[other.Table] {
			if t := s.relation[other.Table]; t != nil {
				return t
			}
			return other
		}
	}
	return nil
}

func (s *selection) leave(e *Entry, detail fault.Text) {
	s.leftOut = append(s.leftOut, LeftOut{Kind: e.Kind, Schema: e.Schema, Name: e.Name, Reason: NotSelected, Detail: detail.String(), DetailText: detail, Objects: e.Objects})
}

// removeUsers takes out what was excluded and what cannot be without it.
func (s *selection) removeUsers() {
	for i := range s.from.Entries { // dependencies stand earlier: one pass will do
		e := &s.from.Entries[i]
		why := s.refused[e.ID]
		if why.IsZero() && e.Table != 0 && s.relation[e.Table] != nil && s.relation[e.Table] != e && !s.refused[s.relation[e.Table].ID].IsZero() {
			why = fault.Say("belongs to %s", s.relation[e.Table].Name)
		}
		if why.IsZero() {
			for _, d := range e.DependsOn {
				if _, gone := s.refused[d]; gone {
					why = fault.Say("needs %s %s", fault.Term(strings.ToLower(s.byID[d].Kind)), s.byID[d].Name)
					break
				}
			}
		}
		if why.IsZero() {
			continue
		}
		s.refused[e.ID] = why
		if s.in[e.ID] || isRelation(e) {
			s.leave(e, why)
		}
		delete(s.in, e.ID)
		if isRelation(e) {
			delete(s.chosen, e.Table)
		}
	}
}

func (s *selection) result() *Catalog {
	out := *s.from
	out.Entries, out.Tables = nil, nil
	out.LeftOut = slices.Clone(s.from.LeftOut)
	for _, e := range s.from.Entries {
		if !s.in[e.ID] {
			continue
		}
		e.DependsOn = slices.DeleteFunc(slices.Clone(e.DependsOn), func(d int) bool { return !s.in[d] })
		out.Entries = append(out.Entries, e)
	}
	for _, t := range s.from.Tables {
		switch e := s.relation[t.OID]; {
		case s.chosen[t.OID]:
			out.Tables = append(out.Tables, t)
		case e != nil && s.in[e.ID]:
			detail := fault.Say("only its definition is needed by what is selected")
			s.leftOut = append(s.leftOut, LeftOut{
				Kind: "TABLE DATA", Schema: t.Schema, Name: t.Name, Reason: RowsNotSelected, Detail: detail.String(), DetailText: detail,
				Objects: []Address{{Class: classRelation, OID: t.OID}},
			})
		}
	}
	out.LeftOut = append(out.LeftOut, s.leftOut...)
	out.LargeObjects = nil
	if slices.ContainsFunc(out.Entries, func(e Entry) bool { return e.Kind == "BLOB" }) {
		out.LargeObjects = s.from.LargeObjects
	}
	out.Roles = rolesOf(out.Entries)
	return &out
}
