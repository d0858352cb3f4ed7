package preset

import (
	"slices"
	"strings"

	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// LeftOut says why entries (by ID) and the rows of tables (by OID) belong to
// the platform.
type LeftOut struct {
	Entries map[int]fault.Text
	Rows    map[uint32]fault.Text
}

// Apply takes what belongs to the platform out of a catalog. What the customer
// made on it stays: a foreign key to a managed table, a policy on one. The
// rows of the managed schemas in data are kept, where they can be (see
// DataSchemas). The catalog is not changed.
func (p Preset) Apply(c *pgcatalog.Catalog, data []string) (*pgcatalog.Catalog, LeftOut) {
	left := LeftOut{map[int]fault.Text{}, map[uint32]fault.Text{}}
	if p.name == None {
		return c, left
	}
	byID := make(map[int]*pgcatalog.Entry, len(c.Entries))
	for i := range c.Entries {
		byID[c.Entries[i].ID] = &c.Entries[i]
	}
	out := *c
	out.Tables, out.Entries = nil, nil
	tables := map[uint32]fault.Text{} // those whose definition is the platform's
	for i := range c.Entries {
		e := &c.Entries[i]
		if why := p.managed(e, byID, left.Entries, data); !why.IsZero() {
			left.Entries[e.ID] = why
			if e.Kind == "TABLE" {
				tables[e.Table] = why
			}
		}
	}
	for _, t := range c.Tables {
		switch {
		case !p.keepsRows(t.Schema, t.Name, data):
			left.Rows[t.OID] = p.inSchema(t.Schema)
		case !tables[t.OID].IsZero() && !p.Schema(t.Schema):
			left.Rows[t.OID] = tables[t.OID]
		default:
			out.Tables = append(out.Tables, t)
		}
	}
	var roles []string
	for _, e := range c.Entries {
		if !left.Entries[e.ID].IsZero() {
			continue
		}
		e.DependsOn = slices.DeleteFunc(slices.Clone(e.DependsOn), func(id int) bool { return !left.Entries[id].IsZero() })
		p.adapt(&e)
		out.Entries = append(out.Entries, e)
		if e.Owner != "" {
			roles = append(roles, e.Owner)
		}
		roles = append(roles, e.Roles...)
	}
	slices.Sort(roles)
	out.Roles = slices.Compact(roles)
	return &out, left
}

func (p Preset) inSchema(schema string) fault.Text {
	return fault.Say("schema %s belongs to the platform (preset %s)", schema, p.name)
}

// keepsRows says that a table's rows go into the backup.
func (p Preset) keepsRows(schema, table string, data []string) bool {
	if !p.Schema(schema) || slices.Contains(p.rows, schema) {
		return true
	}
	// The platform's own history of changes to its schemas.
	history := table == "schema_migrations" || table == "migrations"
	return slices.Contains(data, schema) && slices.Contains(p.choice, schema) && !history
}

// managed says why an entry belongs to the platform; nothing if it does not. Entries
// come after those that they depend on.
func (p Preset) managed(e *pgcatalog.Entry, byID map[int]*pgcatalog.Entry, gone map[int]fault.Text, data []string) fault.Text {
	about := func() fault.Text { // the fate of what it is about
		for _, d := range e.DependsOn {
			if !gone[d].IsZero() {
				return gone[d]
			}
		}
		return fault.Text{}
	}
	switch e.Kind {
	case "EXTENSION":
		return fault.Text{}
	case "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA": // of the customer, also in the platform's publication
		if p.Schema(e.Schema) {
			return p.inSchema(e.Schema)
		}
		return fault.Text{}
	case "SCHEMA":
		if p.Schema(e.Name) {
			return p.inSchema(e.Name)
		}
		if e.Name == "public" {
			return fault.Text{}
		}
	case "SEQUENCE SET":
		if p.keepsRows(e.Schema, e.Name, data) {
			return fault.Text{}
		}
	case "POLICY":
		if p.Schema(e.Schema) && e.Schema != "cron" {
			return fault.Text{} // the platform makes none
		}
	case "TRIGGER":
		if p.Schema(e.Schema) && p.callsCustomer(e, byID) {
			return fault.Text{}
		}
	case "EVENT TRIGGER":
		if why := about(); !why.IsZero() || !p.PlatformOwner(e.Owner) {
			return why
		}
	case "PUBLICATION":
		if p.name == Supabase && strings.HasPrefix(e.Name, "supabase_realtime") {
			return fault.Say("the publication is Supabase Realtime's")
		}
	case "COMMENT":
		if p.name == Supabase && strings.HasPrefix(e.Name, "EXTENSION ") {
			return fault.Say("the extension is the platform's, and so is its comment")
		}
	case "DEFAULT ACL":
		if p.PlatformOwner(e.Owner) {
			return fault.Say("they are those of the platform's role %s", e.Owner)
		}
	}
	if p.Schema(e.Schema) {
		return p.inSchema(e.Schema)
	}
	switch e.Kind {
	case "COMMENT", "ACL", "SECURITY LABEL":
		if why := about(); !why.IsZero() {
			return why
		}
		if space, ok := strings.CutPrefix(e.Name, "SCHEMA "); ok && p.Schema(space) {
			return p.inSchema(space)
		}
		return fault.Text{}
	}
	if p.madeByPlatform(e.Owner) && !(e.Kind == "SCHEMA" && e.Name == "public") {
		return fault.Say("it is owned by %s, a role of the platform (preset %s)", e.Owner, p.name)
	}
	return fault.Text{}
}

// callsCustomer says that a trigger calls a function outside of the platform's
// schemas.
func (p Preset) callsCustomer(e *pgcatalog.Entry, byID map[int]*pgcatalog.Entry) bool {
	for _, d := range e.DependsOn {
		if f := byID[d]; f != nil && f.Kind == "FUNCTION" && !p.Schema(f.Schema) {
			return true
		}
	}
	return false
}

// adapt changes the statements that a customer's role may not run.
func (p Preset) adapt(e *pgcatalog.Entry) {
	if p.PlatformOwner(e.Owner) || p.name == Supabase && e.Kind == "FOREIGN DATA WRAPPER" {
		e.OwnerSQL = ""
	}
	if p.name == Supabase && e.Kind == "EXTENSION" {
		switch e.Name {
		case "pg_tle", "pgsodium", "pgmq": // they make their schema themselves
			e.SQL = "CREATE EXTENSION IF NOT EXISTS " + e.Name + ";\n"
		}
	}
}

// Managed says why something that the dumper does not know belongs to the
// platform; nothing if it does not.
func (p Preset) Managed(kind, schema, owner string, ofExtension bool) fault.Text {
	switch {
	case p.name == None || ofExtension:
		return fault.Text{}
	case p.Schema(schema) && kind != "policy":
		return p.inSchema(schema)
	case p.madeByPlatform(owner) && (schema != "public" || kind != "schema"):
		return fault.Say("it is owned by %s, a role of the platform (preset %s)", owner, p.name)
	}
	return fault.Text{}
}
