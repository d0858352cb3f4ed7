package choice

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/restore/sqltext"
)

// Missing is something that a server of an older version cannot have.
type Missing struct {
	Object string // "index public.orders_key"
	What   string // the feature, or what it needs that is missing
	Since  int    // the major version that has it; 0 where it only needs something missing
	Whole  bool   // the object is left out, rather than a property of it
}

// Text says it for people.
func (m Missing) Text() fault.Text {
	switch {
	case m.Since == 0:
		return fault.Say("%s (needs %s)", m.Object, m.What)
	case m.Whole:
		return fault.Say("%s (%s needs version %d)", m.Object, fault.Term(m.What), m.Since)
	}
	return fault.Say("%s stays without: %s needs version %d", m.Object, fault.Term(m.What), m.Since)
}

// partitioned before a kind says that the entry is about a partitioned table.
const partitioned = "partitioned "

// feature is syntax that servers before a version do not know.
type feature struct {
	since int
	what  string
	kinds []string // of the entries that may use it; nil: all
	// text finds it in a statement whose strings, quoted names and comments
	// were taken out, in lower case, with single spaces.
	text *regexp.Regexp
}

// features is from the release notes of PostgreSQL 14 to 18. What they do not
// tell from the text, such as a function that is new, shows when the statement
// fails.
func features() []feature {
	queries := []string{"VIEW", "MATERIALIZED VIEW", "RULE", "FUNCTION", "PROCEDURE"}
	f := func(since int, what, text string, kinds ...string) feature {
		return feature{since, what, kinds, regexp.MustCompile(text)}
	}
	return []feature{
		f(14, "a body in standard SQL", `begin atomic|\breturn\b`, "FUNCTION", "PROCEDURE"),
		f(14, "an output argument of a procedure", `^ ?create (or replace )?procedure [^;]*[(,] ?out `, "PROCEDURE"),
		f(14, "a subscripting function", `subscript ?=`, "TYPE"),
		f(14, "statistics of expressions", `create statistics [^;]* on [^;]*\(`, "STATISTICS"),
		f(14, "a column's compression", `set compression`),
		f(14, "the binary or streaming option", `\b(binary|streaming) ?=`, "SUBSCRIPTION"),
		f(15, "NULLS NOT DISTINCT", `nulls not distinct`),
		f(15, "security_invoker", `security_invoker`, "VIEW"),
		f(15, "a list of columns in ON DELETE SET", `on delete set (null|default) ?\(`),
		f(15, "a publication of schemas", `tables in schema`, "PUBLICATION TABLES IN SCHEMA", "PUBLICATION"),
		f(15, "a publication's row filter or column list", `add table [^;]*\(`, "PUBLICATION TABLE"),
		f(15, "the persistence of a sequence", `set (un)?logged`, "SEQUENCE"),
		f(14, "SEARCH or CYCLE in a query", `\) (search (depth|breadth) first by|cycle [^;]* set [^;]* using)`, queries...),
		f(14, "GROUP BY DISTINCT", `group by distinct`, queries...),
		f(14, "a multirange type", `multirange\b`, "TABLE", "FOREIGN TABLE", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE", "CAST", "OPERATOR"),
		f(14, "an operator class for BRIN indexes", `using brin [^;]*(_minmax_multi|_bloom)_ops`, "INDEX"),
		f(14, "included columns of an SP-GiST index", `using spgist [^;]*\) include \(`, "INDEX"),
		f(15, "MERGE", `\bmerge into\b`, queries...),
		f(15, "a numeric type whose scale is negative or more than its precision", `\bnumeric ?\((\d+), ?(-? ?\d+)\)`),
		f(16, "a JSON constructor or IS JSON", `\bjson_array ?\(|\bjson_(array|object)agg ?\(|\bjson_object ?\([^;]* returning json|\bis (not )?json\b`, queries...),
		f(16, "SYSTEM_USER", `\bsystem_user\b`),
		f(17, "a JSON query function", `\bjson_(table|query|value|exists|scalar|serialize) ?\(`, queries...),
		f(17, "MERGE with RETURNING or BY SOURCE", `\bmerge into\b[^;]*\b(when not matched by|returning)\b`, queries...),
		f(17, "an exclusion constraint of a partitioned table", `add constraint x exclude`, partitioned+"CONSTRAINT"),
		f(18, "a foreign key of a partitioned table that is NOT VALID", `foreign key [^;]* not valid`, partitioned+"FK CONSTRAINT"),
		f(18, "OLD or NEW in RETURNING", `\breturning (with \(|[^;]*\b(old|new)\.)`, "FUNCTION", "PROCEDURE", "VIEW"),
		f(15, "the two_phase or disable_on_error option", `\b(two_phase|disable_on_error) ?=`, "SUBSCRIPTION"),
		f(15, "an ICU locale", `provider ?= ?icu[^;]*locale ?=`, "DATABASE"),
		f(16, "a generation expression of a child table's own", `generated always as \(.*inherits \(`, "TABLE", "FOREIGN TABLE"),
		f(16, "ICU rules", `\brules ?=`, "COLLATION"),
		f(16, "the origin, password_required or run_as_owner option", `\b(origin|password_required|run_as_owner) ?=`, "SUBSCRIPTION"),
		f(17, "the MAINTAIN privilege", `\bmaintain\b`, "ACL", "DEFAULT ACL"),
		f(17, "the failover option", `\bfailover ?=`, "SUBSCRIPTION"),
		f(17, "the collation provider builtin", `provider ?= ?builtin`, "COLLATION"),
		f(17, "an event trigger on login", `on login`, "EVENT TRIGGER"),
		f(17, "an access method of a partitioned table", `partition by [^;]* using `, "TABLE"),
		f(18, "a virtual generated column", `generated always as \((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)(?: stored)?`, "TABLE", "FOREIGN TABLE"),
		f(18, "WITHOUT OVERLAPS or PERIOD", `without overlaps|\bperiod x`),
		f(18, "a constraint that is NOT ENFORCED", `not enforced`),
		f(18, "a NOT NULL constraint with properties of its own", `add constraint x not null`),
		f(18, "default privileges of large objects", `on large objects`, "DEFAULT ACL"),
		f(18, "publishing generated columns", `publish_generated_columns`, "PUBLICATION"),
	}
}

// bare is a statement for looking at its syntax: names in quotes and names after
// CONSTRAINT are x, strings are gone.
func bare(statement []sqltext.Token) string {
	var b strings.Builder
	named := false
	for _, t := range statement {
		switch {
		case t.Blank():
			b.WriteByte(' ')
			continue
		case t.Kind == sqltext.Quoted, t.Kind == sqltext.Word && named:
			b.WriteString("x")
		case t.Kind == sqltext.String:
			b.WriteString("''")
		default:
			b.WriteString(strings.ToLower(t.Text))
		}
		named = t.Is("constraint")
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// ForVersion leaves out what a server of an older major version cannot have,
// and what needs that, and returns it. A property that is given to an object by
// a statement of its own is left out alone.
func (c *Choice) ForVersion(major int) ([]Missing, error) {
	all := slices.DeleteFunc(features(), func(f feature) bool { return f.since <= major })
	slices.SortStableFunc(all, func(a, b feature) int { return b.since - a.since }) // the newest of several is what it needs
	var missing []Missing
	gone := map[int]string{} // entries that are left out
	makes := map[uint32]int{}
	notNull := map[int][]string{} // the names of such constraints, by entry
	trees := map[uint32]bool{}    // partitioned tables
	var rest []Entry
	for _, e := range c.Entries {
		name := strings.ToLower(e.Kind) + " " + Display(&e)
		if e.Kind == "TABLE" {
			makes[e.Table] = e.ID
		}
		if i := slices.IndexFunc(e.DependsOn, func(d int) bool { return gone[d] != "" }); i >= 0 {
			missing = append(missing, Missing{Object: name, What: gone[e.DependsOn[i]], Whole: true})
			gone[e.ID] = name
			continue
		}
		tokens, err := sqltext.Tokens(e.SQL)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch e.Kind {
		case "TABLE", "FOREIGN TABLE", "DOMAIN":
			notNull[e.ID] = namedNotNull(tokens)
			trees[e.Table] = trees[e.Table] || strings.Contains(bare(tokens), ") partition by ")
		}
		kind := e.Kind
		if trees[e.Table] && e.Kind != "TABLE" {
			kind = partitioned + kind
		}
		left := adapt(&e, kind, name, tokens, all, major)
		if about, domain := commentedConstraint(&e, tokens); about != "" && (domain && major < 17 || !domain && major < 18) &&
			slices.ContainsFunc(e.DependsOn, func(d int) bool { return slices.Contains(notNull[d], about) }) {
			left = append(left, Missing{Object: name, What: "a NOT NULL constraint with properties of its own", Since: 18, Whole: true})
		}
		missing = append(missing, left...)
		if slices.ContainsFunc(left, func(m Missing) bool { return m.Whole }) {
			gone[e.ID] = name
			continue
		}
		rest = append(rest, e)
	}
	c.Entries = rest
	c.settle()
	c.Tables = slices.DeleteFunc(c.Tables, func(t *manifest.Table) bool { return makes[t.OID] != 0 && gone[makes[t.OID]] != "" })
	return missing, nil
}

// adapt takes out of an entry's statements what the version does not know.
func adapt(e *Entry, kind, name string, tokens []sqltext.Token, all []feature, major int) []Missing {
	if e.Kind == "TYPE" && major < 14 {
		tokens = withoutMultirange(tokens)
	}
	tokens, missing := strip(e, name, tokens, major)
	if major < 18 {
		var changed bool
		if tokens, changed = plainNotNull(e, tokens); changed {
			missing = append(missing, Missing{Object: name, What: "a NOT NULL constraint with properties of its own", Since: 18})
		}
	}
	var b strings.Builder
	for i, statement := range sqltext.Statements(tokens) {
		text := bare(statement)
		f := slices.IndexFunc(all, func(f feature) bool { return f.in(kind, text) })
		if f < 0 {
			b.WriteString(sqltext.Join(statement))
			continue
		}
		missing = append(missing, Missing{Object: name, What: all[f].what, Since: all[f].since, Whole: i == 0})
	}
	e.SQL = b.String()
	return missing
}

func (f *feature) in(kind, text string) bool {
	if f.kinds != nil && !slices.Contains(f.kinds, strings.TrimPrefix(kind, partitioned)) && !slices.Contains(f.kinds, kind) {
		return false
	}
	switch {
	case strings.HasPrefix(f.what, "a virtual"):
		return slices.ContainsFunc(f.text.FindAllString(text, -1), func(s string) bool { return !strings.HasSuffix(s, " stored") })
	case strings.HasPrefix(f.what, "a numeric"):
		return slices.ContainsFunc(f.text.FindAllStringSubmatch(text, -1), func(m []string) bool {
			precision, _ := strconv.Atoi(m[1])
			scale, err := strconv.Atoi(strings.ReplaceAll(m[2], " ", ""))
			return err == nil && (scale < 0 || scale > precision)
		})
	}
	return f.text.MatchString(text)
}
