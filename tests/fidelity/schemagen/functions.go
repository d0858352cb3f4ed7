package schemagen

import (
	"fmt"
	"strings"
)

// function is an immutable one from one type to another, for expressions.
type function struct {
	name       string
	argument   string
	result     sqlType
	signature  string // for grants, comments and owners
	generating bool   // may be used in a generated column or an index
}

// function makes one that later defaults, checks and indexes may call.
func (g *generator) function() {
	name := g.in()
	if len(g.functions) > 0 && g.chance(15) {
		name = pick(g, g.functions).name // overloaded
	}
	argument, result := pick(g, []string{"integer", "text", "bigint"}), pick(g, []sqlType{g.builtinType("integer"), g.builtinType("text")})
	inner := "$1"
	if len(g.functions) > 0 && g.chance(40) {
		f := pick(g, g.functions)
		inner = fmt.Sprintf("%s(%s)::text", f.name, castTo(argument, "$1", f.argument))
	}
	body := fmt.Sprintf("coalesce((%s)::text, '')", inner)
	if result.name == "integer" {
		body = fmt.Sprintf("length((%s)::text)", inner)
	}
	parameter := g.maybe(40, g.name()+" ") + argument + g.maybe(20, " default "+map[string]string{"integer": "1", "bigint": "2", "text": "'x''\\y'"}[argument])
	options := " immutable" + g.maybe(30, " strict") + g.maybe(20, " leakproof") + g.maybe(30, " parallel safe") + g.maybe(20, " cost 7") + g.maybe(15, " security definer")
	if !g.Superuser {
		options = strings.ReplaceAll(options, " leakproof", "")
	}
	options += g.maybe(10, " set search_path = pg_catalog, pg_temp") + g.maybe(10, " set work_mem = '7MB' set datestyle to 'ISO, DMY'")
	language := g.random.IntN(3)
	var sql string
	switch {
	case language == 0 && g.Major >= 14:
		sql = fmt.Sprintf("create function %s(%s) returns %s language sql%s return %s", name, parameter, result.name, options, body)
	case language == 1:
		sql = fmt.Sprintf("create function %s(%s) returns %s language plpgsql%s as %s", name, parameter, result.name, options,
			dollar("declare x text := $q$it's $function$ $q$;\nbegin\n\treturn "+body+"; -- \\ 'odd\nend"))
	default:
		sql = fmt.Sprintf("create function %s(%s) returns %s language sql%s as %s", name, parameter, result.name, options, dollar("select "+body+g.maybe(30, " /* $$ $_$ */ ")))
	}
	if !g.try("%s", sql) {
		return
	}
	g.addFunction(function{name: name, argument: argument, result: result, signature: name + "(" + argument + ")", generating: true})
}

func castTo(from, expression, to string) string {
	if from == to {
		return expression
	}
	if to == "text" {
		return expression + "::text"
	}
	return "length((" + expression + ")::text)::" + to
}

func (g *generator) addFunction(f function) {
	g.functions = append(g.functions, f)
	g.made("function", f.signature)
}

// call is an immutable expression over a column, or a constant one.
func (g *generator) call(c *column) string {
	if len(g.functions) == 0 {
		return "1"
	}
	f := pick(g, g.functions)
	if c == nil {
		return f.name + "(" + map[string]string{"integer": "3", "bigint": "4", "text": "'seven'"}[f.argument] + ")"
	}
	switch {
	case f.argument == "text" && c.t.text, f.argument == "integer" && c.t.name == "integer", f.argument == "bigint" && c.t.name == "bigint":
		return f.name + "(" + c.name + ")"
	case c.t.name == "integer" || c.t.name == "text":
		return f.name + "(" + castTo(c.t.name, c.name, f.argument) + ")"
	}
	return ""
}

// rowFunction makes a function that takes a table's row and gives the table a
// default or a check that calls it: a loop that a dump has to cut.
func (g *generator) rowFunction() {
	if len(g.tables) == 0 {
		return
	}
	t := pick(g, g.tables)
	name := g.in()
	if !g.try("create function %s(r %s) returns integer language %s immutable as %s", name, t.name, pick(g, []string{"sql", "sql"}), dollar("select 3")) {
		return
	}
	signature := name + "(" + t.name + ")"
	g.made("function", signature)
	for _, c := range t.columns {
		if c.t.number && !c.computed && g.chance(50) {
			g.try("alter table %s alter %s set default %s(null::%s)", t.name, c.name, name, t.name)
			return
		}
	}
	bare := t.name[strings.LastIndex(t.name, ".")+1:]
	if _, rest, ok := cutName(t.name); ok && strings.HasPrefix(rest, ".") {
		bare = rest[1:]
	}
	g.try("alter table %s add constraint %s check (%s(%s.*) > 0)%s", t.name, g.name(), name, bare, g.maybe(50, " not valid"))
}

// standardBody makes functions whose bodies the server keeps as parsed: they
// depend on what they use, keys of grouped tables included.
func (g *generator) standardBody() {
	if g.Major < 14 || len(g.tables) == 0 {
		return
	}
	t := pick(g, append(append([]*table{}, g.tables...), g.views...))
	name := g.in()
	if len(t.columns) == 0 {
		return
	}
	c := pick(g, t.columns)
	query := fmt.Sprintf("select count(*) from %s x", t.name)
	if len(t.key) > 0 {
		query = fmt.Sprintf("select count(*) from (select x.%s, x.%s, max(1) from %s x group by %s) s", c.name, t.key[0], t.name, strings.Join(prefixed("x.", t.key), ", "))
	}
	kind := g.random.IntN(3)
	switch {
	case kind == 0:
		if g.try("create procedure %s(a integer default 3) begin atomic %s; %s; end", name, query, strings.Replace(query, "count(*)", "count(*) + 1", 1)) {
			g.made("procedure", name+"(integer)")
		}
	case kind == 1:
		if g.try("create function %s() returns table (x %s) language sql begin atomic select z.%s from %s z; end", name, c.t.name, c.name, t.name) {
			g.made("function", name+"()")
		}
	default:
		if g.try("create function %s() returns bigint language sql begin atomic %s; end", name, query) {
			g.made("function", name+"()")
		}
	}
}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

func (g *generator) triggerFunction() string {
	name := g.in()
	if !g.try("create function %s() returns trigger language plpgsql as %s", name, dollar("begin return coalesce(new, old); end")) {
		return ""
	}
	g.made("function", name+"()")
	return name
}

func (g *generator) operator() {
	if len(g.functions) == 0 || len(g.schemas) == 0 {
		return
	}
	f := pick(g, g.functions)
	symbol := pick(g, []string{"@@@", "|/|", "<->>", "~*~", "##"})
	name := pick(g, g.schemas) + "." + symbol
	if g.try("create operator %s (function = %s, rightarg = %s)", name, f.name, f.argument) {
		g.made("operator", name+" (none, "+f.argument+")")
	}
	both := g.in()
	if g.try("create function %s(%s, %s) returns boolean language sql immutable as %s", both, f.argument, f.argument, dollar("select $1::text = $2::text")) {
		g.made("function", fmt.Sprintf("%s(%s, %s)", both, f.argument, f.argument))
		if g.try("create operator %s (function = %s, leftarg = %s, rightarg = %s, commutator = operator(%s), negator = operator(%s), restrict = eqsel)",
			name, both, f.argument, f.argument, name, pick(g, g.schemas)+".<!>") {
			g.made("operator", fmt.Sprintf("%s (%s, %s)", name, f.argument, f.argument))
		}
	}
}

func (g *generator) aggregate() {
	name := g.in()
	if g.try("create aggregate %s(integer) (sfunc = int4pl, stype = integer, initcond = '0'%s)", name, g.maybe(50, ", combinefunc = int4pl, parallel = safe")) {
		g.made("aggregate", name+"(integer)")
	}
}

func (g *generator) textSearch() {
	name := g.in()
	if g.try("create text search configuration %s (copy = pg_catalog.simple)", name) {
		g.made("text search configuration", name)
		dictionary := g.in()
		if g.try("create text search dictionary %s (template = simple, accept = false)", dictionary) {
			g.made("text search dictionary", dictionary)
			g.try("alter text search configuration %s alter mapping for word, asciiword with %s, simple", name, dictionary)
		}
		if len(g.tables) > 0 {
			t := pick(g, g.tables)
			for _, c := range t.columns {
				if c.t.text {
					g.try("create index on %s using gin (to_tsvector(%s, %s::text))", t.name, literal(name), c.name)
					return
				}
			}
		}
	}
}

func (g *generator) cast() {
	for _, t := range g.types {
		if t.user && strings.HasPrefix(t.values[0], "row(") && g.chance(60) {
			name := g.in()
			if g.try("create function %s(%s) returns integer language sql immutable as %s", name, t.name, dollar("select 1")) {
				g.made("function", name+"("+t.name+")")
				g.try("create cast (%s as integer) with function %s(%s)%s", t.name, name, t.name, g.maybe(50, " as assignment"))
			}
			return
		}
	}
}
