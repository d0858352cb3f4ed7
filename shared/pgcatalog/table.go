package pgcatalog

import (
	"slices"
	"strings"
)

// tableSQL writes CREATE TABLE (or CREATE FOREIGN TABLE) and the ALTER
// statements that say what CREATE cannot. Partitions are made whole and
// attached afterwards (TABLE ATTACH), so that the order of their columns may
// differ from their parent's.
func (r *reader) tableSQL(t *relation, n *node) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	switch {
	case t.Kind == "f":
		b.WriteString("FOREIGN ")
	case t.Persistence == "u":
		b.WriteString("UNLOGGED ")
	}
	b.WriteString("TABLE " + t.full())
	if t.OfType != "" {
		b.WriteString(" OF " + t.OfType)
	}
	later := t.inheritLater()
	var lines []string
	for _, c := range t.columns {
		if t.printed(c) {
			if s := r.columnSQL(t, c); s != "" {
				lines = append(lines, s)
			}
		}
	}
	for _, p := range n.parts {
		if p.kind == "CHECK CONSTRAINT" && !p.alone {
			lines = append(lines, p.emit(nil))
		}
	}
	for _, c := range t.columns {
		if nn := c.notNull; nn != nil && !t.printed(c) && t.ownNotNull(c) && !c.Dropped && nn.validated {
			s := "CONSTRAINT " + quoteIdent(nn.name) + " NOT NULL " + quoteIdent(c.Name)
			if nn.noInherit {
				s += " NO INHERIT"
			}
			lines = append(lines, s)
		}
	}
	if len(lines) > 0 || t.OfType == "" {
		b.WriteString(" (")
		for i, l := range lines {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n    " + l)
		}
		b.WriteString("\n)")
	}
	if len(t.parents) > 0 && !t.IsPartition && !later {
		b.WriteString("\nINHERITS (" + names(t.parents) + ")")
	}
	if t.Kind == "p" {
		b.WriteString("\nPARTITION BY " + t.PartitionKey)
	}
	if t.Kind == "f" {
		b.WriteString("\nSERVER " + quoteIdent(t.Server))
		if len(t.ForeignOptions) > 0 {
			b.WriteString(" OPTIONS (" + genericOptions(t.ForeignOptions) + ")")
		}
	} else {
		if t.AccessMethod != "" && (t.AccessMethod != "heap" || t.Kind == "p") { // without it a partitioned table has none
			b.WriteString(" USING " + quoteIdent(t.AccessMethod))
		}
		b.WriteString(t.optionsClause())
	}
	b.WriteString(";\n")
	if later {
		for _, p := range t.parents {
			b.WriteString("ALTER TABLE " + t.full() + " INHERIT " + p.full() + ";\n")
		}
	}
	for _, c := range t.columns {
		if !c.Dropped {
			r.columnAlters(&b, t, c)
		}
	}
	if t.Kind != "f" {
		switch t.ReplicaIdentity {
		case "n":
			b.WriteString("ALTER TABLE ONLY " + t.full() + " REPLICA IDENTITY NOTHING;\n")
		case "f":
			b.WriteString("ALTER TABLE ONLY " + t.full() + " REPLICA IDENTITY FULL;\n")
		}
		if t.ForceRowSecurity {
			b.WriteString("ALTER TABLE ONLY " + t.full() + " FORCE ROW LEVEL SECURITY;\n")
		}
	}
	return b.String()
}

func names(rels []*relation) string {
	q := make([]string, len(rels))
	for i, p := range rels {
		q[i] = p.full()
	}
	return strings.Join(q, ", ")
}

// printed says whether CREATE TABLE lists the column: it does not list those
// that only come from a parent.
func (t *relation) printed(c *column) bool {
	return !c.Dropped && (c.Local || t.IsPartition)
}

// inheritLater says that the table must be made first and told its parents
// later, because INHERITS would put the inherited columns in front. That only
// works when every column is the table's own as well.
func (t *relation) inheritLater() bool {
	if len(t.parents) == 0 || t.IsPartition || t.OfType != "" {
		return false
	}
	var own, merged []string
	for _, c := range t.columns {
		if c.Dropped {
			continue
		}
		if !c.Local {
			return false
		}
		own = append(own, c.Name)
	}
	for _, p := range t.parents {
		for _, c := range p.columns {
			if !c.Dropped && !slices.Contains(merged, c.Name) {
				merged = append(merged, c.Name)
			}
		}
	}
	return len(merged) > len(own) || !slices.Equal(own[:len(merged)], merged)
}

// parentColumns returns the columns that c is merged with.
func (t *relation) parentColumns(c *column) []*column {
	var out []*column
	for _, p := range t.parents {
		for _, pc := range p.columns {
			if !pc.Dropped && pc.Name == c.Name {
				out = append(out, pc)
			}
		}
	}
	return out
}

// ownNotNull says that a NOT NULL constraint is the table's own, or does not
// come from a parent as it is here: the parents' have not been validated.
func (t *relation) ownNotNull(c *column) bool {
	if c.notNull.local {
		return true
	}
	return c.notNull.validated && !slices.ContainsFunc(t.parentColumns(c), func(p *column) bool {
		return p.notNull == nil || p.notNull.validated
	})
}

// parentsNotNull says that a parent's column is NOT NULL, and c for that reason:
// stated again it would be the child's own constraint on PostgreSQL 18.
func (t *relation) parentsNotNull(c *column) bool {
	return slices.ContainsFunc(t.parentColumns(c), func(p *column) bool { return p.NotNull })
}

// inheritsExpression says that a parent generates the column in the same way;
// before PostgreSQL 16 the child may not repeat it.
func (t *relation) inheritsExpression(c *column) bool {
	return slices.ContainsFunc(t.parentColumns(c), func(p *column) bool {
		return p.Generated == c.Generated && p.exprSQL == c.exprSQL
	})
}

func (r *reader) columnSQL(t *relation, c *column) string {
	s := quoteIdent(c.Name)
	if t.OfType == "" {
		s += " " + c.Type
		if c.Collation != "" {
			s += " COLLATE " + c.Collation
		}
		if len(c.ForeignOptions) > 0 {
			s += " OPTIONS (" + genericOptions(c.ForeignOptions) + ")"
		}
	}
	bare := s
	switch {
	case c.Generated != "" && !t.IsPartition && !t.inheritLater() && t.inheritsExpression(c):
	case c.Generated == "s":
		s += " GENERATED ALWAYS AS (" + c.exprSQL + ") STORED"
	case c.Generated == "v":
		s += " GENERATED ALWAYS AS (" + c.exprSQL + ")"
	case c.expr != nil && !c.expr.alone:
		s += " DEFAULT " + c.exprSQL
	case c.exprSQL == "" && c.Identity == "" && !t.IsPartition:
		for _, p := range t.parentColumns(c) {
			if p.exprSQL != "" {
				s += " DEFAULT NULL"
				break
			}
		}
	}
	switch nn := c.notNull; {
	case nn != nil && !nn.validated:
	case nn != nil && (t.ownNotNull(c) || t.IsPartition):
		if !nn.standard {
			s += " CONSTRAINT " + quoteIdent(nn.name)
		}
		s += " NOT NULL"
		if nn.noInherit {
			s += " NO INHERIT"
		}
	case nn == nil && c.NotNull && r.version < 180000 && !t.IsPartition && !t.inheritLater() && t.parentsNotNull(c):
	case nn == nil && c.NotNull && (r.version < 180000 || c.Identity != ""):
		s += " NOT NULL"
	}
	if t.OfType != "" {
		if s == bare {
			return ""
		}
		return quoteIdent(c.Name) + " WITH OPTIONS" + strings.TrimPrefix(s, bare)
	}
	return s
}

func (r *reader) columnAlters(b *strings.Builder, t *relation, c *column) {
	alter := "ALTER TABLE ONLY "
	if t.Kind == "f" {
		alter = "ALTER FOREIGN TABLE ONLY "
	}
	alter += t.full() + " ALTER COLUMN " + quoteIdent(c.Name)
	if !t.printed(c) {
		if r.version < 180000 && c.NotNull && !t.parentsNotNull(c) {
			b.WriteString(alter + " SET NOT NULL;\n")
		}
		if len(c.ForeignOptions) > 0 {
			b.WriteString(strings.Replace(alter, "TABLE ONLY", "TABLE", 1) + " OPTIONS (" + genericOptions(c.ForeignOptions) + ");\n")
		}
	}
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
