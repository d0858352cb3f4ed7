package pgcatalog

import (
	"strings"
)

// readViews completes the VIEW and MATERIALIZED VIEW entries and makes those
// of rules. A view's query is a piece of it: where it takes part in a loop, or
// needs a primary key to group by, a view of NULLs with the same columns
// stands in until post-data or until what it needs is there.
func (r *reader) readViews() error {
	rows, err := query[struct {
		OID, Relation uint32
		Name          string
		Definition    *string
		Enabled       string
		Select        bool
	}](r, `
		select w.oid, w.ev_class, w.rulename,
		       case when w.ev_type = '1' then pg_get_viewdef(w.ev_class) else pg_get_ruledef(w.oid) end,
		       w.ev_enabled::text, w.ev_type = '1'
		from pg_rewrite w join pg_class c on c.oid = w.ev_class join pg_namespace n on n.oid = c.relnamespace
		where `+userSchema+` order by w.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		w := &rows[i]
		t := r.rels[w.Relation]
		if t == nil || t.node == nil || r.isMember(classRewrite, w.OID) {
			continue
		}
		if w.Definition == nil || *w.Definition == "" {
			return changed("VIEW", t.Schema, t.Name)
		}
		self := key{classRewrite, w.OID}
		if w.Select {
			t.view = strings.TrimSuffix(strings.TrimSpace(*w.Definition), ";")
			if t.Kind == "m" {
				r.graph.alias[self] = t.node.key
				t.node.emit = func(*node) string { return materializedSQL(t) }
				continue
			}
			part := r.graph.addPart(t.node, &node{
				key: self, kind: "RULE", schema: t.Schema, name: t.Name + " _RETURN", owner: t.Owner, table: t.OID,
				ref:     "VIEW " + t.full(),
				emit:    func(*node) string { return "CREATE OR REPLACE VIEW " + viewBody(t) },
				dropSQL: "CREATE OR REPLACE VIEW " + dummyBody(t),
			}, viewPart)
			t.node.emit = func(*node) string {
				if part.alone {
					return "CREATE VIEW " + dummyBody(t)
				}
				return "CREATE VIEW " + viewBody(t)
			}
			continue
		}
		name := quoteIdent(w.Name)
		n := r.graph.add(&node{
			key: self, kind: "RULE", schema: t.Schema, name: t.Name + " " + w.Name, owner: t.Owner, table: t.OID, section: PostData,
			ref: "RULE " + name + " ON " + t.full(), deps: []key{t.node.key},
			dropSQL: "DROP RULE IF EXISTS " + name + " ON " + t.full() + ";\n",
			emit: func(*node) string {
				s := strings.TrimSuffix(*w.Definition, ";") + ";\n"
				if w.Name == "_RETURN" { // only a view's may be made with that name, others may take it later
					s = strings.Replace(s, name, `"_RETURN_"`, 1) + `ALTER RULE "_RETURN_" ON ` + t.full() + " RENAME TO " + name + ";\n"
				}
				if e := enableWord(w.Enabled); e != "" {
					s += "ALTER TABLE " + t.full() + " " + e + " RULE " + name + ";\n"
				}
				return s
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

func (r *reader) isMember(class, oid uint32) bool {
	_, ok := r.member[key{class, oid}]
	return ok
}

func enableWord(letter string) string {
	switch letter {
	case "D":
		return "DISABLE"
	case "R":
		return "ENABLE REPLICA"
	case "A":
		return "ENABLE ALWAYS"
	default:
		return ""
	}
}

func viewBody(t *relation) string {
	s := t.full()
	if len(t.Options) > 0 { // check_option among them
		s += " WITH (" + strings.Join(relOptions("", t.Options), ", ") + ")"
	}
	return s + " AS\n" + t.view + ";\n"
}

func dummyBody(t *relation) string {
	var columns []string
	for _, c := range t.columns {
		if c.Dropped {
			continue
		}
		s := "\n    NULL::" + c.Type
		if c.Collation != "" {
			s += " COLLATE " + c.Collation
		}
		columns = append(columns, s+" AS "+quoteIdent(c.Name))
	}
	return t.full() + " AS\nSELECT" + strings.Join(columns, ",") + ";\n"
}

func materializedSQL(t *relation) string {
	var b strings.Builder
	b.WriteString("CREATE MATERIALIZED VIEW " + t.full())
	if t.AccessMethod != "" && t.AccessMethod != "heap" {
		b.WriteString(" USING " + quoteIdent(t.AccessMethod))
	}
	b.WriteString(t.optionsClause())
	b.WriteString(" AS\n" + t.view + "\n  WITH NO DATA;\n")
	for _, c := range t.columns {
		if c.Dropped {
			continue
		}
		alter := "ALTER MATERIALIZED VIEW " + t.full() + " ALTER COLUMN " + quoteIdent(c.Name)
		if c.Statistics >= 0 {
			b.WriteString(alter + " SET STATISTICS " + itoa(c.Statistics) + ";\n")
		}
		if c.Storage != c.TypeStorage {
			b.WriteString(alter + " SET STORAGE " + strings.ToUpper(storageWord(c.Storage)) + ";\n")
		}
		switch c.Compression {
		case "p":
			b.WriteString(alter + " SET COMPRESSION pglz;\n")
		case "l":
			b.WriteString(alter + " SET COMPRESSION lz4;\n")
		}
		if len(c.Options) > 0 {
			b.WriteString(alter + " SET (" + strings.Join(relOptions("", c.Options), ", ") + ");\n")
		}
	}
	if t.ReplicaIdentity == "f" || t.ReplicaIdentity == "n" {
		word := map[string]string{"f": "FULL", "n": "NOTHING"}[t.ReplicaIdentity]
		b.WriteString("ALTER TABLE ONLY " + t.full() + " REPLICA IDENTITY " + word + ";\n")
	}
	return b.String()
}

// addRefreshes makes the MATERIALIZED VIEW DATA entries of those that hold
// data. One waits for the refreshes of those it reads from, directly or
// through views, for the queries of views that dummies stood in for, and for
// its own grants, since a refresh runs with the owner's rights.
func (r *reader) addRefreshes() error {
	refresh := map[*node]*node{}
	for _, t := range r.relOrder {
		if t.Kind != "m" || t.node == nil || !t.Populated {
			continue
		}
		n := r.graph.add(&node{
			kind: "MATERIALIZED VIEW DATA", schema: t.Schema, name: t.Name, owner: t.Owner, table: t.OID, section: PostData,
			key: key{5, t.OID}, // class 5 is no catalog: free for refreshes
			ref: t.node.ref, deps: []key{t.node.key},
			emit: func(*node) string { return "REFRESH MATERIALIZED VIEW " + t.full() + ";\n" },
		})
		refresh[t.node] = n
	}
	for view, n := range refresh {
		seen := map[*node]bool{view: true}
		todo := []*node{view}
		for len(todo) > 0 {
			v := todo[0]
			todo = todo[1:]
			next := r.graph.edges(v)
			for _, p := range v.parts {
				if p.alone && p.partIf == viewPart {
					n.deps = append(n.deps, p.key)
					next = append(next, r.graph.edges(p)...)
				}
			}
			for _, d := range next {
				if seen[d] {
					continue
				}
				seen[d] = true
				todo = append(todo, d)
				if other := refresh[d]; other != nil {
					n.deps = append(n.deps, other.key)
				}
			}
		}
	}
	return nil
}
