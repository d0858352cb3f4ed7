package schemagen

import (
	"fmt"
	"strings"
)

func (g *generator) trigger() {
	if len(g.tables) == 0 {
		return
	}
	f := g.triggerFunction()
	if f == "" {
		return
	}
	t, name := pick(g, g.tables), g.name()
	var sql string
	switch g.random.IntN(5) {
	case 0:
		sql = fmt.Sprintf("create trigger %s before insert or update on %s for each row execute function %s('arg''1', E'x\\\\y')", name, t.name, f)
		if c := g.callable(t.columns); c != nil {
			sql = fmt.Sprintf("create trigger %s after update of %s on %s for each row when (old.%s is distinct from new.%s) execute function %s()", name, c.name, t.name, c.name, c.name, f)
		}
	case 1:
		sql = fmt.Sprintf("create trigger %s after delete on %s referencing old table as %s for each statement execute function %s()", name, t.name, g.name(), f)
	case 2:
		sql = fmt.Sprintf("create constraint trigger %s after insert on %s deferrable initially deferred for each row execute function %s()", name, t.name, f)
	case 3:
		sql = fmt.Sprintf("create trigger %s before truncate on %s for each statement execute function %s()", name, t.name, f)
	default:
		if len(g.views) == 0 {
			return
		}
		sql = fmt.Sprintf("create trigger %s instead of insert or update on %s for each row execute function %s()", name, pick(g, g.views).name, f)
		g.try("%s", sql)
		return
	}
	if g.try("%s", sql) {
		if g.chance(40) {
			target := t.name
			if t.kind == "p" && len(g.tables) > 0 && g.chance(50) {
				target = pick(g, g.tables).name // perhaps one of its partitions
			}
			g.try("alter table %s %s trigger %s", target, pick(g, []string{"disable", "enable always", "enable replica"}), name)
		}
		g.made("trigger", name+" on "+t.name)
	}
}

func (g *generator) rule() {
	relations := g.relations()
	if len(relations) == 0 {
		return
	}
	t := pick(g, relations)
	name := g.name()
	c := pick(g, t.columns)
	sql := fmt.Sprintf("create rule %s as on %s to %s", name, pick(g, []string{"update", "delete"}), t.name)
	sql += g.maybe(50, fmt.Sprintf(" where old.%s is null", c.name))
	sql += pick(g, []string{" do instead nothing", " do also (notify x, 'it''s'; select 1)", " do also delete from " + t.name + " where false"})
	if g.try("%s", sql) {
		g.made("rule", name+" on "+t.name)
		if t.kind != "v" && g.chance(40) {
			g.try("alter table %s %s rule %s", t.name, pick(g, []string{"disable", "enable always", "enable replica"}), name)
		}
	}
}

func (g *generator) policy() {
	if len(g.tables) == 0 {
		return
	}
	t, name := pick(g, g.tables), g.name()
	condition := "current_user <> 'x''y'"
	if len(t.columns) > 0 {
		condition = fmt.Sprintf("%s is not null", pick(g, t.columns).name)
	}
	if other := pick(g, g.tables); g.chance(40) {
		condition = fmt.Sprintf("exists (select from %s)", other.name)
	}
	sql := fmt.Sprintf("create policy %s on %s%s for %s to %s using (%s)", name, t.name, g.maybe(30, " as restrictive"), pick(g, []string{"all", "select", "delete"}), g.someRoles(), condition)
	if g.try("%s", sql) {
		g.made("policy", name+" on "+t.name)
		if g.chance(60) {
			g.try("alter table %s enable row level security", t.name)
		}
		if g.Superuser && g.chance(20) {
			g.try("alter table %s force row level security", t.name)
		}
	}
}

func (g *generator) publication() {
	if len(g.tables) == 0 {
		return
	}
	t, name := pick(g, g.tables), g.name()
	what := " for table " + t.name
	if g.Major >= 15 && len(t.columns) > 0 && g.chance(60) {
		what += fmt.Sprintf(" (%s)", strings.Join(some(g, names(t.columns), 2), ", ")) + g.maybe(50, " where (1 > 0)")
	}
	if g.Superuser && g.chance(30) {
		what = " for all tables"
		if g.Major >= 15 {
			what = " for tables in schema " + pick(g, g.schemas)
		}
	}
	if g.try("create publication %s%s%s", name, what, g.maybe(50, " with (publish = 'insert, delete')")) {
		g.made("publication", name)
	}
}

// change alters what is there, as years of migrations do.
func (g *generator) change() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	if len(t.columns) == 0 {
		return
	}
	i := g.random.IntN(len(t.columns))
	c := t.columns[i]
	switch g.random.IntN(14) {
	case 0:
		if !g.isKey(t, c.name) && g.try("alter table %s drop column %s", t.name, c.name) {
			g.forget(c.name)
		}
	case 1, 2:
		added, sql := g.columnText(t.columns)
		if g.try("alter table %s add column %s", t.name, sql) && t.kind == "r" {
			t.columns = append(t.columns[:len(t.columns):len(t.columns)], added)
		}
	case 3:
		g.try("alter table %s alter %s set statistics %d", t.name, c.name, g.random.IntN(500))
	case 4:
		g.try("alter table %s alter %s set (n_distinct = -0.5, n_distinct_inherited = 7)", t.name, c.name)
	case 5:
		g.try("alter table %s alter %s set storage %s", t.name, c.name, pick(g, []string{"plain", "external", "main", "extended"}))
	case 6:
		g.try("alter table %s replica identity %s", t.name, pick(g, []string{"full", "nothing"}))
	case 7:
		g.try("alter table %s set (autovacuum_enabled = false, toast_tuple_target = 2000)", t.name)
	case 8:
		if !c.computed {
			g.try("alter table %s alter %s set default %s", t.name, c.name, g.defaultOf(c.t))
		}
	case 9:
		if g.Major >= 14 {
			g.try("alter table %s alter %s set compression %s", t.name, c.name, pick(g, []string{"pglz", "lz4"}))
		}
	case 10:
		if len(g.sequences) > 0 {
			if g.try("alter sequence %s owned by %s.%s", pick(g, g.sequences), t.name, c.name) && g.chance(40) {
				g.try("alter table %s alter %s set default nextval(%s)", t.name, c.name, literal(pick(g, g.sequences)))
			}
		}
	case 11:
		if len(g.sequences) > 0 {
			s := pick(g, g.sequences)
			g.try("select nextval(%s), nextval(%s)", literal(s), literal(s))
		}
	case 12:
		g.try("alter table %s alter %s drop not null", t.name, c.name)
	case 13:
		if c.t.text || c.t.name == "integer" {
			if g.try("alter table %s alter %s type bigint using length(%s::text)", t.name, c.name, c.name) {
				g.retype(c.name, g.builtinType("bigint"))
			}
		}
	}
}

func (g *generator) isKey(t *table, name string) bool {
	for _, k := range t.key {
		if k == name {
			return true
		}
	}
	return name == t.partitioned
}

// forget takes a dropped column out of every table: children had it too.
func (g *generator) forget(name string) {
	for _, t := range append(append([]*table{}, g.tables...), g.views...) {
		var kept []column
		for _, c := range t.columns {
			if c.name != name {
				kept = append(kept, c)
			}
		}
		t.columns = kept
	}
}

func (g *generator) retype(name string, to sqlType) {
	for _, t := range g.tables {
		columns := append([]column{}, t.columns...)
		for i := range columns {
			if columns[i].name == name {
				columns[i].t = to
			}
		}
		t.columns = columns
	}
}

// rename gives a new name or another schema to what others refer to. The names
// that the generator keeps for it are the old ones, so it comes late.
func (g *generator) rename() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	switch g.random.IntN(5) {
	case 0:
		schema := pick(g, g.schemas)
		_, bare := splitName(t.name)
		if g.try("alter table %s set schema %s", t.name, schema) {
			g.renamed("table", t.name, schema+"."+bare)
			t.name = schema + "." + bare
		}
	case 1:
		schema, _ := splitName(t.name)
		bare := g.name()
		if g.try("alter table %s rename to %s", t.name, bare) {
			g.renamed("table", t.name, schema+"."+bare)
			t.name = schema + "." + bare
		}
	case 2:
		if len(t.columns) > 0 {
			c, to := pick(g, t.columns), g.name()
			if !g.isKey(t, c.name) && g.try("alter table %s rename column %s to %s", t.name, c.name, to) {
				g.forget(c.name)
			}
		}
	case 3:
		for i, o := range g.objects {
			if o.kind == "type" && g.chance(50) {
				_, bare := splitName(o.name)
				schema := pick(g, g.schemas)
				if g.try("alter type %s set schema %s", o.name, schema) {
					g.objects[i].name = schema + "." + bare
				}
				return
			}
		}
	case 4:
		for i, o := range g.objects {
			if o.kind == "view" && g.chance(50) {
				schema, _ := splitName(o.name)
				bare := g.name()
				if g.try("alter view %s rename to %s", o.name, bare) {
					g.objects[i].name = schema + "." + bare
				}
				return
			}
		}
	}
}

func (g *generator) renamed(kind, from, to string) {
	for i := range g.objects {
		if g.objects[i].kind == kind && g.objects[i].name == from {
			g.objects[i].name = to
		}
	}
}

func splitName(name string) (schema, bare string) {
	schema, rest, _ := cutName(name)
	if !strings.HasPrefix(name, `"`) {
		schema, bare, _ = strings.Cut(name, ".")
		return schema, bare
	}
	return schema, strings.TrimPrefix(rest, ".")
}
