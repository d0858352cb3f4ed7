package schemagen

import (
	"fmt"
	"strings"
)

func (g *generator) index() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	if len(t.columns) == 0 {
		return
	}
	c := pick(g, t.columns)
	name := g.maybe(50, g.name())
	unique, only := g.maybe(20, "unique "), ""
	if t.kind == "p" {
		only, unique = g.maybe(30, "only "), ""
	}
	expression, method, rest := c.name, "btree", ""
	switch g.random.IntN(8) {
	case 0:
		if call := g.call(&c); call != "" {
			expression = "(" + call + ")"
		}
	case 1:
		method, unique = "hash", ""
	case 2:
		method, unique = "brin", ""
		rest = g.maybe(40, " with (pages_per_range = 8)")
	case 3:
		method, unique = "gin", ""
	case 4:
		method, unique = pick(g, []string{"gist", "spgist"}), ""
	case 5:
		expression += g.maybe(50, ` collate "C"`) + g.maybe(50, " text_pattern_ops") + " desc nulls last"
	case 6:
		expression += ", " + pick(g, t.columns).name
		rest = " include (" + pick(g, t.columns).name + ")" + g.maybe(g.since(15, 30), " nulls not distinct")
		if !strings.HasPrefix(unique, "unique") {
			rest = strings.ReplaceAll(rest, " nulls not distinct", "")
		}
	}
	if g.chance(20) {
		rest += fmt.Sprintf(" where %s is not null", pick(g, t.columns).name)
	}
	if g.try("create %sindex %s on %s%s using %s (%s)%s", unique, name, only, t.name, method, expression, rest) && name != "" {
		schema, _, _ := cutName(t.name)
		if !strings.HasPrefix(t.name, `"`) {
			schema, _, _ = strings.Cut(t.name, ".")
		}
		full := schema + "." + name
		g.made("index", full)
		switch g.random.IntN(6) {
		case 0:
			g.try("alter table %s cluster on %s", t.name, name)
		case 1:
			g.try("alter table %s replica identity using index %s", t.name, name)
		case 2:
			g.try("alter index %s alter column 1 set statistics 55", full)
		case 3:
			g.try("alter table %s add constraint %s unique using index %s", t.name, g.name(), name)
		}
	}
}

func (g *generator) foreignKey() {
	var targets []*table
	for _, t := range g.tables {
		if len(t.key) > 0 {
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		return
	}
	to, from := pick(g, targets), pick(g, g.tables) // the same one at times
	types := map[string]sqlType{}
	for _, c := range to.columns {
		types[c.name] = c.t
	}
	var columns []string
	for _, key := range to.key {
		found := ""
		for _, i := range g.random.Perm(len(from.columns)) {
			c := from.columns[i]
			if strings.TrimSuffix(c.t.name, "int") == strings.TrimSuffix(types[key].name, "int") && !strings.Contains(strings.Join(columns, "\x00"), c.name) && !(c.computed && !c.required) {
				found = c.name
				break
			}
		}
		if found == "" {
			// Nothing fits: give it a column that does.
			found = g.name()
			if !g.try("alter table %s add column %s %s", from.name, found, types[key].name) {
				return
			}
			from.columns = append(from.columns, column{name: found, t: types[key]})
		}
		columns = append(columns, found)
	}
	actions := g.maybe(30, " on delete "+pick(g, []string{"cascade", "set null", "set default", "restrict"})) + g.maybe(20, " on update cascade") + g.maybe(20, " match full")
	if g.Major >= 15 && g.chance(10) {
		actions = " on delete set null (" + columns[0] + ")"
	}
	actions += g.maybe(30, " deferrable"+g.maybe(50, " initially deferred"))
	if g.Major >= 18 {
		actions += g.maybe(10, " not enforced")
	}
	sql := fmt.Sprintf("alter table %s add constraint %s foreign key (%s) references %s (%s)%s",
		from.name, g.name(), strings.Join(columns, ", "), to.name, strings.Join(to.key, ", "), actions)
	if !g.try("%s", sql) && from.kind != "p" && !strings.Contains(sql, "not enforced") {
		g.try("%s not valid", sql)
	}
}

func (g *generator) constraint() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	if len(t.columns) == 0 {
		return
	}
	c := pick(g, t.columns)
	add := func(format string, arguments ...any) bool {
		return g.try("alter table %s add %s%s", t.name, g.maybe(60, "constraint "+g.name()+" "), fmt.Sprintf(format, arguments...))
	}
	switch g.random.IntN(6) {
	case 0:
		add("unique%s (%s)%s", g.maybe(g.since(15, 40), " nulls not distinct"), strings.Join(some(g, names(t.columns), 2), ", "),
			g.maybe(20, " with (fillfactor = 60)")+g.maybe(30, " deferrable"))
	case 1:
		if call := g.call(&c); call != "" {
			add("check (%s is not null)%s", call, g.maybe(60, " not valid")+g.maybe(20, " no inherit"))
		}
	case 2:
		add("exclude using gist (%s with %s)%s", c.name, map[bool]string{true: "&&", false: "="}[strings.Contains(c.t.name, "range")], g.maybe(30, " where ("+c.name+" is not null)"))
	case 3:
		add("check (%s is null or %s is not null)%s", c.name, c.name, g.maybe(g.since(18, 30), " not enforced"))
	case 4:
		if g.Major >= 18 {
			if add("not null %s%s", c.name, g.maybe(50, " not valid")+g.maybe(20, " no inherit")) {
				return
			}
		}
		g.try("alter table %s alter %s set not null", t.name, c.name)
	case 5:
		add("unique (%s) include (%s)", c.name, pick(g, t.columns).name)
	}
}

func names(columns []column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.name)
	}
	return out
}

func (g *generator) statistics() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	if len(t.columns) < 2 {
		return
	}
	name := g.in()
	on := strings.Join(some(g, names(t.columns), 3), ", ")
	if g.Major >= 14 && g.chance(40) {
		if c := g.callable(t.columns); c != nil {
			on = fmt.Sprintf("(%s), %s", g.call(c), t.columns[0].name)
		}
	}
	if g.try("create statistics %s%s on %s from %s", name, g.maybe(50, " (ndistinct, mcv)"), on, t.name) {
		g.made("statistics", name)
		if g.chance(30) {
			g.try("alter statistics %s set statistics 33", name)
		}
	}
}
