package pgcatalog

import (
	"maps"
	"slices"
)

// readInheritance reads who inherits from whom, and makes the TABLE ATTACH
// entries of partitions.
func (r *reader) readInheritance() error {
	rows, err := query[struct{ Child, Parent uint32 }](r, `
		select i.inhrelid, i.inhparent from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where c.relkind in ('r', 'p', 'f') order by i.inhrelid, i.inhseqno`)
	if err != nil {
		return err
	}
	for _, i := range rows {
		child, parent := r.rels[i.Child], r.rels[i.Parent]
		if child == nil || parent == nil {
			continue
		}
		child.parents = append(child.parents, parent)
		if child.node == nil || !child.IsPartition {
			continue
		}
		bound := child.Bound
		r.graph.add(&node{
			key:  key{2, child.OID}, // class 2 is no catalog: free for attachments
			kind: "TABLE ATTACH", schema: child.Schema, name: child.Name, owner: child.Owner, table: child.OID,
			ref: "TABLE " + child.full(), deps: []key{child.node.key, {classRelation, parent.OID}},
			emit: func(*node) string {
				return "ALTER TABLE ONLY " + parent.full() + " ATTACH PARTITION " + child.full() + " " + bound + ";\n"
			},
		})
	}
	return nil
}

// below returns the relations that inherit from each, directly.
func (r *reader) below() map[*relation][]*relation {
	out := map[*relation][]*relation{}
	for _, t := range r.relOrder {
		for _, p := range t.parents {
			out[p] = append(out[p], t)
		}
	}
	return out
}

// descend returns the relations that inherit from some, directly or not, and
// those themselves.
func descend(below map[*relation][]*relation, from ...*relation) map[*relation]bool {
	seen := map[*relation]bool{}
	for todo := from; len(todo) > 0; todo = todo[1:] {
		if !seen[todo[0]] {
			seen[todo[0]] = true
			todo = append(todo, below[todo[0]]...)
		}
	}
	return seen
}

// finishLocks adds to what constraints and triggers lock the tables below the
// ones that they name.
func (r *reader) finishLocks() error {
	below := r.below()
	for _, n := range r.graph.nodes {
		switch n.kind {
		case "FK CONSTRAINT", "TRIGGER", "CHECK CONSTRAINT", "CONSTRAINT":
		default:
			continue
		}
		seen := map[uint32]bool{}
		for _, oid := range append([]uint32{n.table}, n.locks...) {
			if t := r.rels[oid]; t != nil {
				for d := range descend(below, t) {
					seen[d.OID] = true
				}
			}
		}
		delete(seen, n.table)
		n.locks = slices.Sorted(maps.Keys(seen))
	}
	return nil
}

// finishDefaults sets the defaults of inherited columns apart: they can be
// stated when every table below is made, since those inherit what is there at
// that moment, and from two parents only what is equal. For the same reason
// the defaults that two parents were given differently wait for their child.
func (r *reader) finishDefaults() error {
	below := r.below()
	wait := func(t *relation, n *node) {
		for d := range descend(below, t) {
			if d != t && d.node != nil {
				n.after = append(n.after, d.node.key)
			}
		}
	}
	for _, t := range r.relOrder {
		if t.node == nil || len(t.parents) == 0 {
			continue
		}
		for _, c := range t.columns {
			if c.Dropped || t.printed(c) || c.Generated != "" {
				continue
			}
			if roots := t.givers(c.Name); len(t.parents) > 1 && differ(roots) {
				for giver, column := range roots {
					if !column.expr.alone {
						column.expr.alone = true
						wait(giver, column.expr)
					}
				}
			}
			switch {
			case c.expr != nil:
				c.expr.alone = true
				wait(t, c.expr)
			case c.exprSQL == "" && slices.ContainsFunc(t.parentColumns(c), func(p *column) bool { return p.exprSQL != "" && p.Generated == "" }):
				only := "TABLE ONLY "
				if t.Kind == "f" {
					only = "FOREIGN TABLE ONLY "
				}
				wait(t, r.graph.add(&node{
					kind: "DEFAULT", schema: t.Schema, name: t.Name + " " + c.Name, owner: t.Owner, table: t.OID,
					ref: "COLUMN " + t.full() + "." + quoteIdent(c.Name), deps: []key{t.node.key},
					emit: func(*node) string {
						return "ALTER " + only + t.full() + " ALTER COLUMN " + quoteIdent(c.Name) + " DROP DEFAULT;\n"
					},
				}))
			}
		}
	}
	return nil
}

// givers returns the tables above t whose CREATE TABLE gives the column a
// default that t inherits.
func (t *relation) givers(name string) map[*relation]*column {
	out := map[*relation]*column{}
	for _, p := range t.parents {
		for _, c := range p.columns {
			switch {
			case c.Dropped || c.Name != name:
			case !p.printed(c):
				maps.Copy(out, p.givers(name))
			case c.expr != nil:
				out[p] = c
			}
		}
	}
	return out
}

func differ(givers map[*relation]*column) bool {
	texts := map[string]bool{}
	for _, c := range givers {
		texts[c.exprSQL] = true
	}
	return len(texts) > 1
}
