package schemagen

import (
	"fmt"
	"strings"
)

func (g *generator) someRoles() string {
	if len(g.Roles) == 0 || g.chance(30) {
		return "public"
	}
	var out []string
	for _, r := range some(g, g.Roles, 2) {
		out = append(out, quote(r))
	}
	return strings.Join(out, ", ")
}

func (g *generator) comment() {
	text := literal(pick(g, []string{"plain", "it's", "line\nbreak", `back\slash`, "$$ -- /* ; 😀", ""}))
	if len(g.tables) > 0 && g.chance(30) {
		if t := pick(g, g.tables); len(t.columns) > 0 {
			g.try("comment on column %s.%s is %s", t.name, pick(g, t.columns).name, text)
		}
		return
	}
	if len(g.objects) > 0 {
		o := pick(g, g.objects)
		g.try("comment on %s %s is %s", o.kind, o.name, text)
	}
}

// owner gives something to another role, which a plain role may not.
func (g *generator) owner() {
	if !g.Superuser || len(g.objects) == 0 || len(g.Roles) == 0 {
		return
	}
	o := pick(g, g.objects)
	switch o.kind {
	case "trigger", "rule", "policy", "index":
		return
	}
	g.try("alter %s %s owner to %s", o.kind, o.name, quote(pick(g, g.Roles)))
}

var rights = map[string]struct {
	kind   string // as grant calls it
	rights []string
}{
	"table":             {"table", []string{"select", "insert", "update", "delete", "truncate", "references", "trigger", "all"}},
	"view":              {"table", []string{"select", "insert", "all"}},
	"materialized view": {"table", []string{"select"}},
	"sequence":          {"sequence", []string{"usage", "select", "update", "all"}},
	"function":          {"function", []string{"execute"}},
	"aggregate":         {"function", []string{"execute"}},
	"procedure":         {"procedure", []string{"execute"}},
	"schema":            {"schema", []string{"usage", "create", "all"}},
	"type":              {"type", []string{"usage"}},
	"domain":            {"domain", []string{"usage"}},
}

// grant gives or takes a right, at times by a role that was itself given it.
func (g *generator) grant() {
	if len(g.objects) == 0 || len(g.Roles) == 0 {
		return
	}
	o := pick(g, g.objects)
	r, ok := rights[o.kind]
	if !ok {
		return
	}
	right := pick(g, r.rights)
	if len(g.tables) > 0 && g.chance(20) {
		if t := pick(g, g.tables); len(t.columns) > 0 {
			columns := strings.Join(some(g, names(t.columns), 2), ", ")
			g.try("grant select (%s), update (%s) on %s to %s%s", columns, pick(g, t.columns).name, t.name, quote(pick(g, g.Roles)), g.maybe(30, " with grant option"))
			return
		}
	}
	if g.chance(25) {
		from := pick(g, append([]string{"current_user", "public"}, quoted(g.Roles)...))
		if !g.Superuser { // an owner without rights could not be backed up, by pg_dump neither
			from = pick(g, append([]string{"public"}, quoted(g.Roles[1:])...))
		}
		g.try("revoke %s%s on %s %s from %s%s", g.maybe(20, "grant option for "), right, r.kind, o.name, from, g.maybe(30, " cascade"))
		return
	}
	first, second := pick(g, g.Roles), pick(g, g.Roles)
	if g.Superuser && g.chance(40) {
		if g.try("grant %s on %s %s to %s with grant option", right, r.kind, o.name, quote(first)) {
			// One message is one transaction: the role is never left set.
			g.try("set role %s; grant %s on %s %s to %s%s; reset role", quote(first), right, r.kind, o.name, quote(second), g.maybe(40, " with grant option"))
		}
		return
	}
	g.try("grant %s on %s %s to %s", right, r.kind, o.name, pick(g, append([]string{"public"}, quoted(g.Roles)...)))
}

func quoted(roles []string) []string {
	var out []string
	for _, r := range roles {
		out = append(out, quote(r))
	}
	return out
}

func (g *generator) defaultPrivilege() {
	if len(g.Roles) == 0 {
		return
	}
	sql := "alter default privileges"
	if g.Superuser {
		sql += g.maybe(50, " for role "+quote(pick(g, g.Roles)))
	}
	sql += g.maybe(50, " in schema "+pick(g, g.schemas))
	sql += pick(g, []string{" grant select, insert on tables to ", " grant execute on functions to ", " grant usage on types to ", " grant all on sequences to "})
	if g.chance(20) && !strings.Contains(sql, "in schema") {
		g.try("%s", fmt.Sprintf("%s revoke execute on functions from public", strings.Split(sql, " grant")[0]))
		return
	}
	g.try("%s%s%s", sql, quote(pick(g, g.Roles)), g.maybe(20, " with grant option"))
}
