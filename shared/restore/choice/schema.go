package choice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/sqltext"
)

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// ParseToSchema reads the renamings "from:to". A name with a colon in it is
// not possible here.
func ParseToSchema(pairs []string) (map[string]string, error) {
	to := map[string]string{}
	for _, p := range pairs {
		a, b, ok := strings.Cut(p, ":")
		if !ok || a == "" || b == "" || strings.Contains(b, ":") {
			return nil, fault.New(fault.Invalid, "%q does not say which schema becomes which", p).
				Hint("write --to-schema old:new, the names as they are, without quotes")
		}
		if to[a] != "" {
			return nil, fault.New(fault.Invalid, "the schema %q is given two new names", a).Hint("choose one")
		}
		to[a] = b
	}
	return to, nil
}

// renameSchemas rewrites the statements of all entries.
func (c *Choice) renameSchemas(to map[string]string) error {
	if err := c.checkNames(to); err != nil {
		return err
	}
	var left []string
	for i := range c.Entries {
		e := &c.Entries[i]
		for _, text := range []*string{&e.SQL, &e.OwnerSQL, &e.DropSQL} {
			r, err := sqltext.RenameSchemas(*text, to, quote)
			if err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToLower(e.Kind), e.Name, err)
			}
			if r.Ambiguous != "" {
				return fault.New(fault.Conflict, "the definition of %s %s uses the name %q for a schema and for a table, so the schema cannot be renamed in it", strings.ToLower(e.Kind), Display(e), r.Ambiguous).
					Hint("restore into the same schema of another database and rename the schema there: alter schema … rename to …")
			}
			*text = r.Text
			if r.Left && e.Kind != "COMMENT" {
				left = append(left, strings.ToLower(e.Kind)+" "+Display(e))
			}
		}
		if e.Kind == "SCHEMA" && to[e.Name] != "" {
			e.Name = to[e.Name]
		}
		if to[e.Schema] != "" {
			e.Schema = to[e.Schema]
		}
	}
	for i, t := range c.Tables {
		if to[t.Schema] != "" {
			renamed := *t
			renamed.Schema = to[t.Schema]
			c.Tables[i] = &renamed
		}
	}
	c.addSchemas(to)
	slices.Sort(left)
	for _, object := range slices.Compact(left) {
		c.Warnings = append(c.Warnings, fault.Warn("names_left", object, "%s names a renamed schema in its text, which was left as it was", object))
	}
	return nil
}

// checkNames refuses renamings that cannot be meant.
func (c *Choice) checkNames(to map[string]string) error {
	has := map[string]bool{}
	for i := range c.Entries {
		e := &c.Entries[i]
		has[e.Schema] = true
		if e.Kind == "SCHEMA" {
			has[e.Name] = true
		}
	}
	taken := map[string]string{}
	for _, from := range slices.Sorted(maps.Keys(to)) {
		name := to[from]
		switch {
		case !has[from]:
			return fault.New(fault.Invalid, "nothing that is restored is in the schema %q", from).
				Hint("\"guarda show\" lists what the backup holds")
		case strings.HasPrefix(name, "pg_") || name == "information_schema":
			return fault.New(fault.Invalid, "%q cannot be the name of a schema", name).Hint("names that begin with pg_ are the server's")
		case len(name) > 63:
			return fault.New(fault.Invalid, "the name %q is longer than the 63 bytes that a name can have", name).Hint("choose a shorter one")
		case taken[name] != "":
			return fault.New(fault.Conflict, "the schemas %q and %q would both become %q", taken[name], from, name).Hint("choose different names")
		case has[name] && to[name] == "":
			return fault.New(fault.Conflict, "the backup has a schema %q of its own, so %q cannot become it", name, from).Hint("choose another name")
		}
		taken[name] = from
	}
	return nil
}

// addSchemas makes the schemas that no entry makes: public is in every new
// database, and what it becomes is not.
func (c *Choice) addSchemas(to map[string]string) {
	next := 1
	made := map[string]bool{}
	for i := range c.Entries {
		e := &c.Entries[i]
		next = max(next, e.ID+1)
		made[e.Name] = made[e.Name] || e.Kind == "SCHEMA" && strings.HasPrefix(e.SQL, "CREATE SCHEMA")
	}
	for _, from := range slices.Sorted(maps.Keys(to)) {
		name := to[from]
		if made[name] {
			continue
		}
		c.Entries = slices.Insert(c.Entries, 0, pgcatalog.Entry{ID: next, Section: pgcatalog.PreData, Kind: "SCHEMA", Name: name,
			SQL: "CREATE SCHEMA " + quote(name) + ";\n", DropSQL: "DROP SCHEMA IF EXISTS " + quote(name) + ";\n"})
		next++
	}
}

// Display is the name of an entry for people.
func Display(e *pgcatalog.Entry) string {
	if e.Schema == "" {
		return e.Name
	}
	return e.Schema + "." + e.Name
}
