package pgcatalog

import (
	"strings"
)

// readConstraints makes the entries of constraints: checks as part of their
// table or domain where they can be, the others in post-data.
func (r *reader) readConstraints() error {
	rows, err := query[struct {
		OID                         uint32
		Name, Type                  string
		Relation, Domain, Index     uint32
		Definition                  *string
		Validated, Local, NoInherit bool
		Columns                     []int16
		Deferrable                  bool
		Parent, RefRelation         uint32
		Shared                      bool
	}](r, `
		select k.oid, k.conname, k.contype::text, k.conrelid, k.contypid, k.conindid, pg_get_constraintdef(k.oid),
		       k.convalidated, k.conislocal, k.connoinherit, coalesce(k.conkey, '{}'), k.condeferrable, k.conparentid, k.confrelid,
		       count(*) over (partition by k.connamespace, k.conname) > 1
		from pg_constraint k join pg_namespace n on n.oid = k.connamespace
		where `+userSchema+` and k.contype in ('c', 'f', 'p', 'u', 'x', 'n') and k.oid >= $1
		order by k.conrelid, k.contypid, k.conname`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for i := range rows {
		k := &rows[i]
		if k.Definition == nil {
			return changed("CONSTRAINT", "", k.Name)
		}
		self := key{classConstraint, k.OID}
		definition := *k.Definition
		name := quoteIdent(k.Name)
		if k.Domain != 0 {
			t := r.types[k.Domain]
			d := r.graph.byKey[key{classType, k.Domain}]
			if t == nil || d == nil {
				continue
			}
			part := r.graph.addPart(d, &node{
				key: self, kind: "CHECK CONSTRAINT", schema: t.Schema, name: t.Name + " " + k.Name, owner: t.Owner,
				ref: "CONSTRAINT " + name + " ON DOMAIN " + qualified(t.Schema, t.Name),
			}, domainPart)
			if k.Type == "n" {
				part.kind = "NOT NULL"
			}
			if !k.Validated {
				part.alone, part.section = true, PostData
			}
			part.emit = func(n *node) string {
				if n == nil {
					return "CONSTRAINT " + name + " " + definition
				}
				return "ALTER DOMAIN " + qualified(t.Schema, t.Name) + " ADD CONSTRAINT " + name + " " + definition + ";\n"
			}
			// ALTER DOMAIN knows no IF EXISTS.
			part.dropSQL = onlyIf("pg_catalog.to_regtype("+quoteLiteral(qualified(t.Schema, t.Name))+") IS NOT NULL",
				"ALTER DOMAIN "+qualified(t.Schema, t.Name)+" DROP CONSTRAINT IF EXISTS "+name)
			t.checkDefs = append(t.checkDefs, definition)
			r.subject(part, 0, part.ref, nil)
			continue
		}
		t := r.rels[k.Relation]
		if t == nil || t.node == nil {
			continue
		}
		only := "ONLY "
		if t.Kind == "p" { // what partitions got from it goes too
			only = ""
		}
		n := &node{
			key: self, schema: t.Schema, name: t.Name + " " + k.Name, owner: t.Owner, table: t.OID, section: PostData,
			ref: "CONSTRAINT " + name + " ON " + t.full(), deps: []key{t.node.key},
			dropSQL: "ALTER TABLE IF EXISTS " + only + t.full() + " DROP CONSTRAINT IF EXISTS " + name + ";\n",
		}
		switch k.Type {
		case "n":
			r.notNull(t, k.Columns, &notNull{
				name: k.Name, noInherit: k.NoInherit, local: k.Local, validated: k.Validated, oid: k.OID,
			}, n, definition, k.Shared)
		case "c":
			r.check(t, n, k.Validated, k.Local, name, definition)
		case "f":
			if k.Parent != 0 { // comes with the parent's, when it is made or the partition attached
				r.graph.alias[self] = key{classConstraint, k.Parent}
				continue
			}
			n.kind, n.locks = "FK CONSTRAINT", []uint32{k.RefRelation}
			n.deps = append(n.deps, key{3, k.Index}) // class 3 is no catalog: the attached indexes below the referenced one
			n.emit = func(*node) string {
				return "ALTER TABLE " + only + t.full() + " ADD CONSTRAINT " + name + " " + definition + ";\n"
			}
			r.graph.add(n)
			r.subject(n, 0, n.ref, nil)
		default:
			n.kind = "CONSTRAINT"
			r.graph.alias[key{classRelation, k.Index}] = self
			n.emit = func(*node) string { return "" } // readIndexes knows the rest
			r.graph.add(n)
			r.subject(n, 0, n.ref, nil)
			n.tag, n.name = n.name, definition // kept until then
		}
	}
	return nil
}

func (r *reader) check(t *relation, n *node, validated, local bool, name, definition string) {
	n.kind, n.section, n.deps = "CHECK CONSTRAINT", PreData, nil
	if !local && !t.IsPartition {
		r.graph.alias[n.key] = t.node.key
		return
	}
	if !local && !validated { // comes from the parent's
		r.graph.alias[n.key] = t.node.key
		return
	}
	foreign := ""
	if t.Kind == "f" {
		foreign = "FOREIGN "
	}
	n.emit = func(n *node) string {
		if n == nil {
			return "CONSTRAINT " + name + " " + definition
		}
		return "ALTER " + foreign + "TABLE " + t.full() + " ADD CONSTRAINT " + name + " " + definition + ";\n"
	}
	r.graph.addPart(t.node, n, exprPart)
	if !validated {
		n.alone, n.section = true, PostData
	}
	r.subject(n, 0, n.ref, nil)
}

// notNull hands a NOT NULL constraint to its column (PostgreSQL 18 gives them
// names and rows of their own). One whose name is shared with another
// constraint of the schema states it: whether the server would choose it
// depends on which of them it makes first.
func (r *reader) notNull(t *relation, columns []int16, nn *notNull, n *node, definition string, shared bool) {
	if len(columns) != 1 {
		return
	}
	c := t.column(columns[0])
	if c == nil {
		return
	}
	c.notNull = nn
	nn.standard = nn.name == t.Name+"_"+c.Name+"_not_null" && !shared
	if !nn.validated && nn.local {
		n.kind = "CONSTRAINT"
		n.emit = func(*node) string {
			return "ALTER TABLE " + t.full() + " ADD CONSTRAINT " + quoteIdent(nn.name) + " " + definition + ";\n"
		}
		r.graph.add(n)
		r.subject(n, 0, n.ref, nil)
		return
	}
	r.graph.alias[n.key] = t.node.key
	r.addSubject(subject{key: subjectKey{classConstraint, n.key.oid, 0}, node: t.node, ref: n.ref, schema: t.Schema, tag: "CONSTRAINT " + nn.name + " ON " + t.Name})
}

// index is a row of pg_index.
type index struct {
	OID, Table                     uint32
	Schema, Name, Tablespace       string
	Definition                     *string
	Constraint                     uint32
	ConstraintName, ConstraintType string
	Clustered, ReplicaIdentity     bool
	Valid                          bool
	Parent                         uint32
	Options                        []string
	StatColumns                    []int16
	StatValues                     []int32
	Kind                           string
	Exclusion                      bool // serves EXCLUDE or WITHOUT OVERLAPS
}

// readIndexes makes the INDEX entries, completes the CONSTRAINT entries that
// rest on an index, and makes the INDEX ATTACH entries of partitions. Invalid
// indexes are left out, as pg_dump does, except those of partitioned tables,
// which are invalid as long as one partition lacks its part.
func (r *reader) readIndexes() error {
	rows, err := query[index](r, `
		select i.indexrelid, i.indrelid, n.nspname, c.relname, coalesce(ts.spcname, ''), pg_get_indexdef(i.indexrelid),
		       coalesce(k.oid, 0), coalesce(k.conname, ''), coalesce(k.contype::text, ''), i.indisclustered, i.indisreplident,
		       i.indisvalid or tc.relkind = 'p', coalesce(h.inhparent, 0), coalesce(c.reloptions, '{}'),
		       coalesce(st.nums, '{}'), coalesce(st.targets, '{}'), c.relkind::text, i.indisexclusion
		from pg_index i
		join pg_class c on c.oid = i.indexrelid
		join pg_class tc on tc.oid = i.indrelid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_tablespace ts on ts.oid = c.reltablespace
		left join pg_constraint k on k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
		left join pg_inherits h on h.inhrelid = i.indexrelid
		left join (select attrelid, array_agg(attnum order by attnum) nums, array_agg(attstattarget::int order by attnum) targets
		           from pg_attribute where attstattarget >= 0 and attrelid >= 16384 and attnum > 0 group by 1) st on st.attrelid = i.indexrelid
		where `+userSchema+` and tc.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and i.indisready
		order by i.indexrelid`)
	if err != nil {
		return err
	}
	byOID := map[uint32]*index{}
	for i := range rows {
		x := &rows[i]
		t := r.rels[x.Table]
		if t == nil || !x.Valid {
			continue
		}
		if x.Definition == nil {
			return changed("INDEX", x.Schema, x.Name)
		}
		if t.member {
			if x.Constraint == 0 && !r.isMember(classRelation, x.OID) {
				r.addMemberIndex(t, x)
			}
			continue
		}
		byOID[x.OID] = x
		name := qualified(x.Schema, x.Name)
		indexNode := r.graph.byKey[key{classConstraint, x.Constraint}]
		if x.Constraint != 0 && indexNode != nil {
			r.constraintSQL(indexNode, t, x)
			if x.Exclusion && (t.Kind == "p" || x.Parent != 0) {
				r.treeSQL(indexNode, t, x, byOID[x.Parent])
			}
			r.addSubject(subject{key: subjectKey{classRelation, x.OID, 0}, node: indexNode, ref: "INDEX " + name, schema: x.Schema, tag: "INDEX " + x.Name})
		} else {
			indexNode = r.graph.add(&node{
				key: key{classRelation, x.OID}, kind: "INDEX", schema: x.Schema, name: x.Name, owner: t.Owner, table: t.OID,
				section: PostData, ref: "INDEX " + name, deps: []key{t.node.key}, space: x.Tablespace, dropSQL: "DROP INDEX IF EXISTS " + name + ";\n",
				emit: func(*node) string {
					s := *x.Definition + ";\n"
					return s + x.marks(t)
				},
			})
			r.subject(indexNode, 0, indexNode.ref, nil)
		}
	}
	for i := range rows {
		x := &rows[i]
		parent := byOID[x.Parent]
		if byOID[x.OID] == nil || parent == nil || x.Exclusion {
			continue
		}
		t := r.rels[x.Table]
		r.graph.add(&node{
			kind: "INDEX ATTACH", schema: x.Schema, name: x.Name, owner: t.Owner, table: t.OID, section: PostData,
			key:  key{4, x.OID}, // class 4 is no catalog: free for attachments of indexes
			ref:  "INDEX " + qualified(x.Schema, x.Name),
			deps: []key{{classRelation, x.OID}, {classRelation, parent.OID}, {2, t.OID}},
			emit: func(*node) string {
				return "ALTER INDEX " + qualified(parent.Schema, parent.Name) + " ATTACH PARTITION " + qualified(x.Schema, x.Name) + ";\n"
			},
		})
	}
	r.bindReferences(rows, byOID)
	return nil
}

// bindReferences makes foreign keys wait for the attachments of every index
// below the one that they refer to: before that the partitioned table's
// constraint is not valid.
func (r *reader) bindReferences(rows []index, byOID map[uint32]*index) {
	below := map[uint32][]uint32{}
	for i := range rows {
		if rows[i].Parent != 0 && byOID[rows[i].OID] != nil {
			below[rows[i].Parent] = append(below[rows[i].Parent], rows[i].OID)
		}
	}
	for _, n := range r.graph.nodes {
		if n.kind != "FK CONSTRAINT" {
			continue
		}
		var add []key
		for _, k := range n.deps {
			if k.class != 3 {
				continue
			}
			todo := below[k.oid]
			for len(todo) > 0 {
				x := todo[0]
				todo = append(todo[1:], below[x]...)
				add = append(add, key{4, x})
			}
		}
		n.deps = append(n.deps, add...)
	}
}

// constraintSQL writes the constraint that an index serves. n.name holds what
// pg_get_constraintdef said, which lacks storage parameters and tablespace.
func (r *reader) constraintSQL(n *node, t *relation, x *index) {
	definition := n.name
	n.name, n.space = n.tag, x.Tablespace
	n.emit = func(*node) string {
		body := definition
		if x.ConstraintType != "x" && len(x.Options) > 0 {
			head, tail := definition, ""
			if i := strings.Index(head, ") DEFERRABLE"); i >= 0 {
				head, tail = head[:i+1], head[i+1:]
			}
			body = head + " WITH (" + strings.Join(relOptions("", x.Options), ", ") + ")" + tail
		}
		s := "ALTER TABLE ONLY " + t.full() + " ADD CONSTRAINT " + quoteIdent(x.ConstraintName) + " " + body + ";\n"
		return s + x.marks(t)
	}
}

// treeSQL is constraintSQL for an exclusion constraint of a partitioned table,
// or a key WITHOUT OVERLAPS, and for those of its partitions. The server attaches
// no index of this kind to another, so what pg_dump writes cannot be restored:
// the constraint above is made when all partitions are there, theirs come with
// it, and only their names are left to say.
func (r *reader) treeSQL(n *node, t *relation, x, above *index) {
	if above == nil {
		only := n.emit
		n.emit = func(n *node) string { return strings.Replace(only(n), "ALTER TABLE ONLY ", "ALTER TABLE ", 1) }
		for d := range descend(r.below(), t) {
			n.deps = append(n.deps, key{2, d.OID})
		}
		return
	}
	n.deps = append(n.deps, key{classConstraint, above.Constraint})
	n.dropSQL = ""
	n.emit = func(*node) string {
		child, parent := quoteLiteral(t.full())+"::pg_catalog.regclass", quoteLiteral(r.rels[above.Table].full())+"::pg_catalog.regclass"
		return onlyIf("NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = "+child+" AND conname = "+quoteLiteral(x.ConstraintName)+")",
			"EXECUTE (SELECT pg_catalog.format('ALTER TABLE ONLY %s RENAME CONSTRAINT %I TO %I', "+child+", c.conname, "+quoteLiteral(x.ConstraintName)+
				") FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_constraint p ON p.oid = c.conparentid WHERE c.conrelid = "+child+
				" AND p.conrelid = "+parent+" AND p.conname = "+quoteLiteral(above.ConstraintName)+")") + x.marks(t)
	}
}

// marks writes what is set on an index after it is made.
func (x *index) marks(t *relation) string {
	s := ""
	alter := "TABLE"
	if t.Kind == "m" {
		alter = "MATERIALIZED VIEW"
	}
	if x.Clustered {
		s += "ALTER " + alter + " " + t.full() + " CLUSTER ON " + quoteIdent(x.Name) + ";\n"
	}
	for i, num := range x.StatColumns {
		s += "ALTER INDEX " + qualified(x.Schema, x.Name) + " ALTER COLUMN " + itoa(int32(num)) + " SET STATISTICS " + itoa(x.StatValues[i]) + ";\n"
	}
	if x.ReplicaIdentity {
		s += "ALTER TABLE ONLY " + t.full() + " REPLICA IDENTITY USING INDEX " + quoteIdent(x.Name) + ";\n"
	}
	return s
}

// readStatistics makes the STATISTICS entries.
func (r *reader) readStatistics() error {
	rows, err := query[struct {
		OID, Table          uint32
		Schema, Name, Owner string
		Definition          *string
		Target              int32
	}](r, `
		select s.oid, s.stxrelid, n.nspname, s.stxname, pg_get_userbyid(s.stxowner), pg_get_statisticsobjdef(s.oid), coalesce(s.stxstattarget, -1)::int
		from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
		where `+userSchema+` and `+noMember("pg_statistic_ext", "s.oid")+` order by s.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		s := &rows[i]
		name := qualified(s.Schema, s.Name)
		if s.Definition == nil {
			return changed("STATISTICS", s.Schema, s.Name)
		}
		n := r.graph.add(&node{
			key: key{classStatistic, s.OID}, kind: "STATISTICS", schema: s.Schema, name: s.Name, owner: s.Owner, table: s.Table,
			section: PostData, ref: "STATISTICS " + name, deps: []key{{classRelation, s.Table}},
			ownerSQL: "ALTER STATISTICS " + name + " OWNER TO " + quoteIdent(s.Owner) + ";\n",
			dropSQL:  "DROP STATISTICS IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				sql := *s.Definition + ";\n"
				if s.Target >= 0 {
					sql += "ALTER STATISTICS " + name + " SET STATISTICS " + itoa(s.Target) + ";\n"
				}
				return sql
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}
