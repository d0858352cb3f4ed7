package schemagen

import (
	"fmt"
	"slices"
	"strings"
)

// relations are what a view can be made over.
func (g *generator) relations() []*table {
	return slices.DeleteFunc(append(slices.Clone(g.tables), g.views...), func(t *table) bool { return len(t.columns) == 0 })
}

// query makes up a select and says which columns it has.
func (g *generator) query() (string, []column) {
	relations := g.relations()
	if len(relations) == 0 {
		return "select 1 as one", []column{{name: "one", t: g.builtinType("integer")}}
	}
	from := pick(g, relations)
	a := g.name()
	var list []string
	var columns []column
	for _, i := range g.random.Perm(len(from.columns))[:1+g.random.IntN(len(from.columns))] {
		c := from.columns[i]
		out := column{name: g.name(), t: c.t}
		list, columns = append(list, fmt.Sprintf("%s.%s as %s", a, c.name, out.name)), append(columns, out)
	}
	rest := fmt.Sprintf("%s %s", from.name, a)
	extra := func(expression string, t string) {
		out := column{name: g.name(), t: g.builtinType(t)}
		list, columns = append(list, expression+" as "+out.name), append(columns, out)
	}
	if g.chance(30) {
		extra(fmt.Sprintf("(%s)::text", g.call(nil)), "text")
	}
	switch g.random.IntN(9) {
	case 0: // grouped by the key: needs the key's constraint
		if len(from.key) == 0 || from.kind == "v" {
			break
		}
		extra("count(*)", "bigint")
		rest += " group by " + strings.Join(prefixed(a+".", from.key), ", ")
	case 1:
		other, b := pick(g, relations), g.name()
		c := pick(g, other.columns)
		out := column{name: g.name(), t: c.t}
		list, columns = append(list, fmt.Sprintf("%s.%s as %s", b, c.name, out.name)), append(columns, out)
		rest += fmt.Sprintf(" %s join %s %s on (%s.%s)::text = (%s.%s)::text", pick(g, []string{"left", "full", "inner"}), other.name, b, a, pick(g, from.columns).name, b, c.name)
	case 2:
		extra(fmt.Sprintf("(select count(*) from %s z where z.%s::text = %s.%s::text)", from.name, from.columns[0].name, a, from.columns[0].name), "bigint")
	case 3:
		extra("row_number() over (order by "+a+"."+pick(g, from.columns).name+"::text desc nulls first rows between 1 preceding and current row)", "bigint")
	case 4:
		all := "select " + strings.Join(list, ", ") + " from " + rest
		return all + pick(g, []string{" union all ", " except all "}) + all, columns
	case 5:
		cte := g.name()
		return fmt.Sprintf("with recursive %s(n, s) as (select 1, 'x'::text collate \"C\" union all select n + 1, s || 'y' from %s where n < 4) select %s, (select max(n) from %s) from %s",
			cte, cte, strings.Join(list, ", "), cte, rest), append(columns, column{name: `"max"`, t: g.builtinType("integer")})
	case 6:
		rest += fmt.Sprintf(" where %s.%s is not null or case when %s.%s is null then true else false end order by 1 limit 10", a, pick(g, from.columns).name, a, pick(g, from.columns).name)
		if !columns[0].t.sorts {
			rest = strings.Replace(rest, "order by 1 ", "", 1)
		}
	case 7:
		extra(fmt.Sprintf("(%s.*)::text", a), "text")
	case 8:
		rest += ", lateral (values (1, 'it''s'), (2, E'b\\\\s')) as " + g.name() + "(v, w)"
	}
	return "select " + strings.Join(list, ", ") + " from " + rest, columns
}

func (g *generator) view() {
	v := &table{name: g.in(), kind: "v"}
	query, columns := g.query()
	v.columns = columns
	options := g.maybe(15, " with (security_barrier)")
	if g.Major >= 15 && options == "" {
		options = g.maybe(15, " with (security_invoker = true)")
	}
	if g.try("create view %s%s as %s%s", v.name, options, query, g.maybe(10, " with local check option")) {
		g.views = append(g.views, v)
		g.made("view", v.name)
		if g.chance(15) {
			c := pick(g, v.columns)
			g.try("alter view %s alter %s set default %s", v.name, c.name, g.value(c.t))
		}
	}
}

// viewCycle makes two views that read each other, as "create or replace"
// allows.
func (g *generator) viewCycle() {
	a, b := g.in(), g.in()
	x, y := g.name(), g.name()
	if !g.try("create view %s as select 1 as %s, 'x'::text collate \"C\" as %s", a, x, y) {
		return
	}
	g.made("view", a)
	if g.try("create view %s as select z.%s, z.%s from %s z", b, x, y, a) {
		g.made("view", b)
		g.try("create or replace view %s as select z.%s, z.%s from %s z where z.%s > 0", a, x, y, b, x)
		if g.chance(50) {
			over := g.in()
			if g.try("create view %s as select * from %s", over, a) {
				g.made("view", over)
			}
		}
	}
}

// viewFunction makes a function over a view and a view over the function.
func (g *generator) viewFunction() {
	relations := g.relations()
	if len(relations) == 0 {
		return
	}
	r := pick(g, relations)
	name := g.in()
	if !g.try("create function %s() returns setof %s language sql stable rows 5 as %s", name, r.name, dollar("select * from "+r.name)) {
		return
	}
	g.made("function", name+"()")
	v := g.in()
	if g.try("create view %s as select f.* from %s() f", v, name) {
		g.made("view", v)
		if g.chance(30) {
			g.try("create or replace function %s() returns setof %s language sql stable rows 6 as %s", name, r.name, dollar("select r.* from "+r.name+" r -- again"))
		}
	}
}

func (g *generator) matview() {
	v := &table{name: g.in(), kind: "m"}
	query, columns := g.query()
	v.columns = columns
	if !g.try("create materialized view %s%s as %s%s", v.name, g.maybe(20, " with (fillfactor = 60)"), query, g.maybe(25, " with no data")) {
		return
	}
	g.views = append(g.views, v)
	g.made("materialized view", v.name)
	c := pick(g, columns)
	if c.t.sorts && g.chance(60) {
		g.try("create index on %s (%s)", v.name, c.name)
	}
	if g.chance(30) {
		g.try("alter materialized view %s alter column %s set statistics 12", v.name, c.name)
	}
}

// refresh fills the materialized views with what a restore would: rows may
// have come since. One whose new owner may not read its tables is emptied.
func (g *generator) refresh() {
	for _, v := range g.views {
		if v.kind == "m" && g.populated(v.name) && !g.try("refresh materialized view %s", v.name) {
			g.try("refresh materialized view %s with no data", v.name)
		}
	}
}

func (g *generator) populated(name string) bool {
	var is bool
	if g.err == nil {
		g.err = g.conn.QueryRow(g.ctx, "select relispopulated from pg_class where oid = to_regclass($1)", name).Scan(&is)
	}
	return is
}
