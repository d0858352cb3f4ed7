package pgcatalog

import (
	"strings"
)

// quoteIdent quotes an identifier where PostgreSQL would read it otherwise:
// anything but plain lower-case words, and every word that is reserved in any
// of the versions 13 to 18.
func quoteIdent(s string) string {
	if plainWord(s) && !reserved(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func plainWord(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c == '_':
		case c >= '0' && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return true
}

// qualified returns schema.name, quoted as needed.
func qualified(schema, name string) string {
	if schema == "" {
		return quoteIdent(name)
	}
	return quoteIdent(schema) + "." + quoteIdent(name)
}

// quoteLiteral makes a string constant that means the same whatever
// standard_conforming_strings says.
func quoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

func quoteIdents(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = quoteIdent(n)
	}
	return strings.Join(q, ", ")
}

// relOptions turns pg_class.reloptions ("name=value") into the list between
// the parentheses of WITH (…); prefix is "toast." for those of the TOAST table.
func relOptions(prefix string, options []string) []string {
	var out []string
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		if plainWord(name) {
			name = quoteIdent(name)
		} else if space, word, ok := strings.Cut(name, "."); ok {
			name = quoteIdent(space) + "." + quoteIdent(word)
		} else {
			name = quoteIdent(name)
		}
		out = append(out, prefix+name+"="+quoteLiteral(value))
	}
	return out
}

// genericOptions turns the options of foreign objects ("name=value") into the
// list between the parentheses of OPTIONS (…).
func genericOptions(options []string) string {
	var out []string
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		out = append(out, quoteIdent(name)+" "+quoteLiteral(value))
	}
	return strings.Join(out, ", ")
}

func reserved(s string) bool {
	_, ok := reservedWords[s]
	return ok
}

// reservedWords are the words that pg_get_keywords() of any version from 13 to
// 18 does not call unreserved.
var reservedWords = wordSet(`
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
both case cast char character check coalesce collate collation column concurrently constraint create
cross current_catalog current_date current_role current_schema current_time current_timestamp
current_user dec decimal default deferrable desc distinct do else end except exists extract false
fetch float for foreign freeze from full grant greatest group grouping having ilike in initially
inner inout int integer intersect interval into is isnull join json json_array json_arrayagg
json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
lateral leading least left like limit localtime localtimestamp merge_action national natural nchar
none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
placing position precision primary real references returning right row select session_user setof
similar smallint some substring symmetric system_user table tablesample then time timestamp to
trailing treat trim true union unique user using values varchar variadic verbose when where window
with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
xmlserialize xmltable`)

func wordSet(words string) map[string]struct{} {
	set := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		set[w] = struct{}{}
	}
	return set
}
