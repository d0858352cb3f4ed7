package schemagen

import (
	"fmt"
	"strings"
)

// sqlType is a type and some values of it, as SQL expressions.
type sqlType struct {
	name   string
	values []string
	sorts  bool // has a default btree operator class
	text   bool // can be collated
	number bool
	user   bool
}

// builtin lists the types of columns: every family, with awkward values.
func builtin(major int) []sqlType {
	types := []sqlType{
		{name: "integer", sorts: true, number: true, values: []string{"0", "1", "2", "3", "-2147483648", "2147483647"}},
		{name: "bigint", sorts: true, number: true, values: []string{"1", "2", "9223372036854775807"}},
		{name: "smallint", sorts: true, number: true, values: []string{"1", "-32768"}},
		{name: "numeric", sorts: true, number: true, values: []string{"'NaN'", "0.1", "1e-30", "12345678901234567890.123456789"}},
		{name: "numeric(10,3)", sorts: true, number: true, values: []string{"1.234", "-9999999.999"}},
		{name: "real", sorts: true, number: true, values: []string{"'NaN'", "'-Infinity'", "0.1", "1.17549435e-38"}},
		{name: "double precision", sorts: true, number: true, values: []string{"'Infinity'", "0.1", "1e308", "-0.0", "4.9e-324"}},
		{name: "text", sorts: true, text: true, values: texts()},
		{name: "varchar(30)", sorts: true, text: true, values: []string{"''", "'x'", "E'tab\\there'", "'naïve 😀'"}},
		{name: "char(5)", sorts: true, text: true, values: []string{"'a'", "'     '", "'äöüß'"}},
		{name: `"char"`, sorts: true, values: []string{"'a'", "''", "'\\'"}},
		{name: "name", sorts: true, values: []string{"'pg_class'", "'Ünï'"}},
		{name: "bytea", sorts: true, values: []string{`'\x'`, `'\x00ff5c0a'`, "decode(repeat('ab', 5000), 'hex')"}},
		{name: "boolean", sorts: true, values: []string{"true", "false"}},
		{name: "date", sorts: true, values: []string{"'infinity'", "'0044-03-15 BC'", "'2024-02-29'"}},
		{name: "time(2)", sorts: true, values: []string{"'24:00'", "'12:34:56.78'"}},
		{name: "timetz", sorts: true, values: []string{"'12:00+05:30'", "'23:59:59.999999-12'"}},
		{name: "timestamp", sorts: true, values: []string{"'-infinity'", "'1999-12-31 23:59:59.999999'"}},
		{name: "timestamptz", sorts: true, values: []string{"'2024-10-27 02:30:00 Europe/Berlin'", "'0001-01-01 00:00:00+00 BC'"}},
		{name: "timestamptz(0)", sorts: true, values: []string{"'2024-06-01 12:00+02'"}},
		{name: "interval", sorts: true, values: []string{"'1 year -2 mons +3 days -04:05:06.789'", "'-1 day 1 sec'", "'0'"}},
		{name: "interval hour to second(1)", sorts: true, values: []string{"'1:02:03.4'"}},
		{name: "uuid", sorts: true, values: []string{"'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"}},
		{name: "json", values: []string{`'{"a": 1,  "a": [null, "\u00e9"]}'`, "'null'"}},
		{name: "jsonb", sorts: true, values: []string{`'{"b": {"c": 1.10}, "a": "x\"y\\z\n"}'`, "'[]'"}},
		{name: "xml", values: []string{"'<a b=\"1\">x</a>'"}},
		{name: "inet", sorts: true, values: []string{"'::1'", "'10.0.0.1/8'"}},
		{name: "cidr", sorts: true, values: []string{"'10.0.0.0/8'"}},
		{name: "macaddr", sorts: true, values: []string{"'08:00:2b:01:02:03'"}},
		{name: "macaddr8", sorts: true, values: []string{"'08:00:2b:01:02:03:04:05'"}},
		{name: "point", values: []string{"'(1.5,-2)'", "'(NaN,Infinity)'"}},
		{name: "line", values: []string{"'{1,2,3}'"}}, {name: "lseg", values: []string{"'[(0,0),(1,1)]'"}}, {name: "box", values: []string{"'(0,0),(1,0.1)'"}},
		{name: "path", values: []string{"'[(0,0),(1,1)]'", "'((0,0),(1,1))'"}}, {name: "polygon", values: []string{"'((0,0),(1,1),(1,0))'"}}, {name: "circle", values: []string{"'<(0,0),1>'"}},
		{name: "bit(7)", sorts: true, values: []string{"B'1010101'"}}, {name: "bit varying", sorts: true, values: []string{"B''", "B'101'"}},
		{name: "tsvector", sorts: true, values: []string{`$q$'it''s':1A 'a\\b':2,3$q$`}}, {name: "tsquery", sorts: true, values: []string{"'a & !(b | c:*A)'"}},
		{name: "int4range", sorts: true, values: []string{"'empty'", "'[1,5)'", "'(,)'"}}, {name: "tstzrange", sorts: true, values: []string{"'[2020-01-01 00:00+00,infinity)'"}},
		{name: "oid", sorts: true, values: []string{"4294967295"}}, {name: "xid", values: []string{"'3'"}}, {name: "pg_lsn", sorts: true, values: []string{"'16/B374D848'"}},
		{name: "regtype", values: []string{"'integer'", "'pg_catalog.timestamptz'"}}, {name: "regclass", values: []string{"'pg_class'"}},
		{name: "jsonpath", values: []string{`'$."a b"[*] ? (@ > 1)'`}},
		{name: "integer[]", sorts: true, values: []string{"'{}'", "'{1,NULL,3}'", "'[0:1]={1,2}'"}},
		{name: "text[]", sorts: true, values: []string{`array['a"b', 'c\d', 'NULL', '', null, 'x,y', E'n\nl']`, "array[['a','b'],['c','d']]"}},
		{name: "numeric(6,2)[]", sorts: true, values: []string{"'{1.5,NaN}'"}},
	}
	if major >= 14 {
		types = append(types, sqlType{name: "int4multirange", sorts: true, values: []string{"'{}'", "'{[1,3),[5,6)}'"}})
	}
	if major >= 15 {
		types = append(types, sqlType{name: "numeric(3,-2)", sorts: true, number: true, values: []string{"12300"}})
	}
	return types
}

func texts() []string {
	out := []string{"repeat('long ✓ ', 3000)", "string_agg(chr(n), '') from generate_series(1, 300) n"}
	out[1] = "(select " + out[1] + ")"
	for _, s := range []string{"", " ", `\`, `\.`, `\N`, "\\\n.", "a\tb", "line\nbreak", "\r\n", "\r", "it's", `"q"`, "naïve 😀", "\x01\x1f\x7f", "$$ $1 %s", "-- ; /*", "e\u0301 é"} {
		out = append(out, literal(s))
	}
	return out
}

// named finds a built-in type.
func (g *generator) builtinType(name string) sqlType {
	for _, t := range g.types {
		if t.name == name {
			return t
		}
	}
	panic("no type " + name)
}

// anyType is mostly a built-in type, often one of the user's, sometimes an
// array of one.
func (g *generator) anyType() sqlType {
	var user []sqlType
	for _, t := range g.types {
		if t.user {
			user = append(user, t)
		}
	}
	if len(user) > 0 && g.chance(35) {
		t := pick(g, user)
		if g.chance(25) {
			return arrayOf(t)
		}
		return t
	}
	if g.chance(40) {
		return g.types[g.random.IntN(9)] // the everyday ones
	}
	return pick(g, g.types)
}

func arrayOf(t sqlType) sqlType {
	values := []string{"'{}'"}
	if len(t.values) > 0 {
		values = append(values, fmt.Sprintf("array[%s, null]::%s[]", strings.Join(casts(t), ", "), t.name))
	}
	return sqlType{name: t.name + "[]", sorts: t.sorts, values: values, user: true}
}

func casts(t sqlType) []string {
	var out []string
	for _, v := range t.values {
		out = append(out, v+"::"+t.name)
	}
	return out
}

func (g *generator) newType(t sqlType) {
	t.user = true
	g.types = append(g.types, t)
	g.made("type", t.name)
}

func (g *generator) userType() {
	name := g.in()
	switch g.random.IntN(4) {
	case 0:
		labels := []string{"'sad'", "'it''s ok'", `E'back\\slash'`, "'naïve'", "''", `'"q"'`}
		labels = some(g, labels, 5)
		if !g.try("create type %s as enum (%s)", name, strings.Join(labels, ", ")) {
			return
		}
		t := sqlType{name: name, sorts: true, values: labels}
		if g.chance(40) && g.try("alter type %s add value 'added later' before %s", name, labels[0]) {
			t.values = append(t.values, "'added later'")
		}
		g.newType(t)
	case 1:
		var parts, values []string
		for range 1 + g.random.IntN(4) {
			t := g.anyType()
			parts = append(parts, g.name()+" "+t.name+g.collate(t))
			values = append(values, g.value(t))
		}
		if g.chance(10) {
			parts, values = nil, nil
		}
		if !g.try("create type %s as (%s)", name, strings.Join(parts, ", ")) {
			return
		}
		if g.chance(30) && len(parts) > 1 {
			first, _, _ := cutName(parts[0])
			if g.try("alter type %s drop attribute %s", name, first) {
				values = values[1:]
			}
		}
		g.newType(sqlType{name: name, values: []string{"row(" + strings.Join(values, ", ") + ")::" + name}})
	case 2:
		sub := pick(g, []sqlType{g.builtinType("integer"), g.builtinType("text"), g.builtinType("numeric"), g.builtinType("uuid"), g.builtinType("timestamp")})
		options := "subtype = " + sub.name
		if sub.text {
			options += g.maybe(50, `, collation = "C"`)
		}
		if g.Major >= 14 {
			options += g.maybe(50, ", multirange_type_name = "+g.in())
		}
		if g.try("create type %s as range (%s)", name, options) {
			g.newType(sqlType{name: name, sorts: true, values: []string{"'empty'", "'(,)'"}})
		}
	case 3:
		g.domain()
	}
}

// cutName cuts a quoted name off the front of a text.
func cutName(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return strings.Cut(s, " ")
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return s[:i+1], s[i+1:], true
	}
	return s, "", false
}

func (g *generator) domain() {
	name, base := g.in(), g.anyType()
	sql := fmt.Sprintf("create domain %s as %s%s", name, base.name, g.collate(base))
	sql += g.maybe(30, " default "+g.value(base))
	sql += g.maybe(10, " not null")
	if g.chance(50) {
		sql += fmt.Sprintf(" constraint %s check (value is distinct from %s)", g.name(), "null")
	}
	if base.number && g.chance(50) {
		sql += " check (value is null or value <> 77)"
	}
	if !g.try("%s", sql) {
		return
	}
	if g.chance(30) {
		g.try("alter domain %s add constraint %s check (value is not null or true) not valid", name, g.name())
	}
	var values []string
	for _, v := range casts(base) {
		values = append(values, fmt.Sprintf("(%s)::%s", v, name))
	}
	t := sqlType{name: name, sorts: base.sorts, text: base.text, number: base.number, values: values}
	g.types = append(g.types, t)
	g.types[len(g.types)-1].user = true
	g.made("domain", name)
}

func (g *generator) collate(t sqlType) string {
	if t.text && g.chance(20) {
		return ` collate "C"`
	}
	return ""
}

// value is an expression for a type, null at times.
func (g *generator) value(t sqlType) string {
	if len(t.values) == 0 || g.chance(10) {
		return "null"
	}
	return pick(g, t.values)
}

func (g *generator) collation() {
	name := g.in()
	if g.chance(50) {
		if g.try(`create collation %s from "C"`, name) {
			g.made("collation", name)
		}
	} else if g.try("create collation %s (provider = icu, locale = 'und-u-ks-level2', deterministic = false)", name) {
		g.made("collation", name)
	}
}

func (g *generator) sequence() {
	name := g.in()
	sql := "create " + g.maybe(g.since(15, 15), "unlogged ") + "sequence " + name + g.maybe(30, " as "+pick(g, []string{"smallint", "integer", "bigint"}))
	sql += g.maybe(30, " increment by "+pick(g, []string{"3", "-2"})) + g.maybe(30, " minvalue -100 maxvalue 200 start 7") + g.maybe(20, " cache 5") + g.maybe(20, " cycle")
	if g.try("%s", sql) {
		g.sequences = append(g.sequences, name)
		g.made("sequence", name)
		if g.chance(60) {
			g.try("select setval(%s, %d, %t)", literal(name), 10+g.random.IntN(50), g.chance(50))
		}
	}
}

// since is a percentage that is zero before a major version.
func (g *generator) since(major, percent int) int {
	if g.Major < major {
		return 0
	}
	return percent
}
