package schemagen

import (
	"fmt"
	"slices"
	"strings"
)

// columnText makes up a column; the definition goes into a create table.
func (g *generator) columnText(before []column) (column, string) {
	c := column{name: g.name(), t: g.anyType()}
	sql := c.name + " " + c.t.name + g.collate(c.t)
	if g.chance(15) && g.Major >= 16 {
		sql = c.name + " " + c.t.name + g.maybe(50, " storage external")
	}
	if g.chance(20) && g.Major >= 14 && (c.t.text || c.t.name == "bytea") {
		sql = c.name + " " + c.t.name + " compression pglz"
	}
	switch g.random.IntN(9) {
	case 0:
		c.t = pick(g, []sqlType{g.builtinType("integer"), g.builtinType("bigint")})
		c.computed, c.required = true, true
		sql = fmt.Sprintf("%s %s generated %s as identity%s", c.name, c.t.name, pick(g, []string{"always", "by default"}), g.maybe(30, " (start 100 increment 5 cache 3)"))
	case 1:
		if source := g.callable(before); source != nil {
			if call := g.call(source); call != "" {
				c.t, c.computed = g.builtinType("text"), true
				sql = fmt.Sprintf("%s text generated always as (%s::text) %s", c.name, call, g.stored())
			}
		}
	case 2:
		sql += " default " + g.defaultOf(c.t)
	case 3:
		c.t = g.builtinType("bigint")
		sql = c.name + " bigserial"
		if g.chance(50) && len(g.sequences) > 0 {
			sql = fmt.Sprintf("%s bigint default nextval(%s)", c.name, literal(pick(g, g.sequences)))
		}
	}
	if g.chance(20) && !strings.Contains(sql, "identity") {
		c.required = true
		sql += g.maybe(30, " constraint "+g.name()) + " not null"
	}
	if g.chance(10) && len(g.functions) > 0 {
		if call := g.call(&c); call != "" {
			sql += fmt.Sprintf(" constraint %s check (%s is not null or true)%s", g.name(), call, g.maybe(20, " no inherit"))
		}
	}
	return c, sql
}

func (g *generator) stored() string {
	if g.Major >= 18 && g.chance(40) {
		return pick(g, []string{"virtual", ""})
	}
	return "stored"
}

// callable is a column that an expression may be made of.
func (g *generator) callable(columns []column) *column {
	for _, i := range g.random.Perm(len(columns)) {
		c := &columns[i]
		if !c.computed && (c.t.name == "integer" || c.t.name == "text") {
			return c
		}
	}
	return nil
}

func (g *generator) defaultOf(t sqlType) string {
	if (t.name == "integer" || t.name == "text") && len(g.functions) > 0 && g.chance(60) {
		f := pick(g, g.functions)
		return fmt.Sprintf("(%s)::text::%s", f.name+"("+map[string]string{"integer": "3", "bigint": "4", "text": "'5'"}[f.argument]+")", t.name)
	}
	if v := g.value(t); !strings.HasPrefix(v, "(select") {
		return v
	}
	return "null"
}

func (g *generator) table() {
	t := &table{name: g.in(), kind: "r", leaf: true}
	var parts []string
	for range g.random.IntN(9) {
		c, sql := g.columnText(t.columns)
		t.columns = append(t.columns, c)
		parts = append(parts, sql)
	}
	if key := g.keyColumns(t.columns, 2); len(key) > 0 && g.chance(70) {
		parts = append(parts, fmt.Sprintf("%sprimary key (%s)%s", g.maybe(30, "constraint "+g.name()+" "), strings.Join(key, ", "), g.maybe(10, " deferrable initially deferred")))
		t.key = key
	}
	persistence := g.maybe(10, "unlogged ")
	options := g.maybe(20, " with (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_vacuum_threshold = 7)")
	if g.try("create %stable %s (%s)%s", persistence, t.name, strings.Join(parts, ", "), options) {
		g.addTable(t)
		if persistence != "" {
			t.key = nil // nothing that is logged may refer to it
		}
	}
}

func (g *generator) addTable(t *table) {
	g.tables = append(g.tables, t)
	g.made("table", t.name)
}

func (g *generator) keyColumns(columns []column, n int) []string {
	var of []string
	for _, c := range columns {
		if c.t.sorts && c.t.name != "xid" && !strings.Contains(c.t.name, "range") {
			of = append(of, c.name)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return some(g, of, n)
}

// partitioned makes a table and its partitions, some of which are partitioned
// again, some made apart with other columns and attached.
func (g *generator) partitioned() {
	t := &table{name: g.in(), kind: "p", leaf: true}
	key := column{name: g.name(), t: pick(g, []sqlType{g.builtinType("integer"), g.builtinType("integer"), g.builtinType("text")}), required: g.chance(50)}
	t.columns, t.partitioned = []column{key}, key.name
	parts := []string{key.name + " " + key.t.name + map[bool]string{true: " not null", false: ""}[key.required]}
	for range g.random.IntN(5) {
		c, sql := g.columnText(nil)
		if strings.Contains(sql, "identity") && g.Major < 17 || strings.Contains(sql, "no inherit") {
			continue
		}
		at := g.random.IntN(len(parts) + 1)
		parts, t.columns = slices.Insert(parts, at, sql), slices.Insert(t.columns, at, c)
	}
	if g.chance(50) {
		t.key = []string{key.name}
		parts = append(parts, "primary key ("+key.name+")")
	}
	method := pick(g, []string{"range", "list", "hash"})
	by := key.name
	if key.t.text && g.chance(40) {
		by += ` collate "C"` + g.maybe(30, " text_pattern_ops")
	} else if t.key == nil && key.t.number && g.chance(20) && method != "list" {
		by = "(" + key.name + " + 1)"
	}
	if !g.try("create table %s (%s) partition by %s (%s)", t.name, strings.Join(parts, ", "), method, by) {
		return
	}
	g.addTable(t)
	bounds := map[string][]string{
		"range integer": {"for values from (minvalue) to (0)", "for values from (0) to (100)", "for values from (100) to (maxvalue)"},
		"range text":    {"for values from (minvalue) to ('b''q')", "for values from ('b''q') to (maxvalue)"},
		"list integer":  {"for values in (1, 2)", "for values in (3, null)", "for values in (0)"},
		"list text":     {`for values in ('', E'\\')`, "for values in ('it''s', null)"},
		"hash integer":  {"for values with (modulus 2, remainder 0)", "for values with (modulus 4, remainder 1)", "for values with (modulus 4, remainder 3)"},
		"hash text":     {"for values with (modulus 1, remainder 0)"},
	}[method+" "+key.t.name]
	for _, bound := range bounds {
		if g.chance(85) {
			g.partition(t, bound, 1)
		}
	}
	if method != "hash" && g.chance(60) {
		g.partition(t, "default", 1)
	}
}

func (g *generator) partition(parent *table, bound string, depth int) {
	p := &table{name: g.in(), kind: "r", leaf: true, columns: parent.columns, key: parent.key}
	if depth < 3 && g.chance(25) {
		p.kind, p.partitioned = "p", parent.partitioned
		if !g.try("create table %s partition of %s %s partition by hash (%s)", p.name, parent.name, bound, parent.partitioned) {
			return
		}
		g.partition(p, "for values with (modulus 2, remainder 0)", depth+1)
		g.partition(p, "for values with (modulus 2, remainder 1)", depth+1)
		g.addTable(p)
		return
	}
	if g.chance(35) {
		// Made apart, its columns in another order and with a dropped one.
		if g.try("create table %s (like %s including all excluding indexes%s)", p.name, parent.name, g.maybe(g.since(17, 100), " excluding identity")) {
			if g.chance(50) {
				extra := g.name()
				if g.try("alter table %s add column %s integer default 5", p.name, extra) {
					g.try("alter table %s drop column %s", p.name, extra)
				}
			}
			if g.try("alter table %s attach partition %s %s", parent.name, p.name, bound) {
				g.addTable(p)
				return
			}
			g.must("drop table " + p.name)
		}
	}
	own := ""
	if c := g.callable(parent.columns); c != nil && g.chance(30) {
		own = fmt.Sprintf(" (%s default %s)", c.name, g.defaultOf(c.t))
	}
	if g.try("create table %s partition of %s%s %s%s", p.name, parent.name, own, bound, g.maybe(15, " with (fillfactor = 50)")) {
		g.addTable(p)
	}
}

func (g *generator) inherited() {
	parents := slices.DeleteFunc(slices.Clone(g.tables), func(t *table) bool { return t.kind != "r" || t.partitioned != "" })
	if len(parents) == 0 {
		return
	}
	parents = some(g, parents, 2)
	t := &table{name: g.in(), kind: "r", leaf: true}
	var names, parts []string
	for _, p := range parents {
		names = append(names, p.name)
		t.columns = append(t.columns, p.columns...)
	}
	for i := range t.columns {
		c := t.columns[i]
		if !c.computed && g.chance(15) {
			parts = append(parts, c.name+" "+c.t.name+" default "+g.defaultOf(c.t)) // merged with the parent's
		}
	}
	for range g.random.IntN(3) {
		c, sql := g.columnText(nil)
		t.columns, parts = append(t.columns, c), append(parts, sql)
	}
	if !g.try("create table %s (%s) inherits (%s)", t.name, strings.Join(parts, ", "), strings.Join(names, ", ")) {
		return
	}
	g.addTable(t)
	if g.chance(25) {
		g.try("alter table %s no inherit %s", t.name, names[0])
	}
	if c := g.callable(t.columns); c != nil && g.chance(40) {
		g.try("alter table %s alter %s %s", t.name, c.name, pick(g, []string{"drop default", "set not null", "set default " + g.defaultOf(c.t)}))
	}
}

// typed makes a table of a composite type.
func (g *generator) typed() {
	for _, o := range g.objects {
		if o.kind != "type" {
			continue
		}
		name := g.in()
		if g.chance(50) && g.try("create table %s of %s", name, o.name) {
			g.made("table", name)
			return
		}
	}
}

// rows puts awkward rows into a table.
func (g *generator) rows() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	var names []string
	var columns []column
	for _, c := range t.columns {
		if !c.computed {
			names, columns = append(names, c.name), append(columns, c)
		}
	}
	for range 1 + g.random.IntN(4) {
		if len(columns) == 0 {
			g.try("insert into %s default values", t.name)
			continue
		}
		var values []string
		for _, c := range columns {
			v := g.value(c.t)
			for range 5 {
				if v == "null" && c.required {
					v = g.value(c.t)
				}
			}
			values = append(values, v)
		}
		g.try("insert into %s (%s) values (%s)", t.name, strings.Join(names, ", "), strings.Join(values, ", "))
	}
}
