package pgcatalog

import (
	"strings"
)

// readSchemas makes the SCHEMA entries. The schema public exists in every new
// database: it is never made, but its owner, comment and grants are carried
// where they differ from those of a new database of PostgreSQL 15 or newer.
func (r *reader) readSchemas() error {
	type row struct {
		OID          uint32
		Name, Owner  string
		OwnerOID     uint32
		Actual, Base []string
	}
	rows, err := query[row](r, `
		select n.oid, n.nspname, pg_get_userbyid(n.nspowner), n.nspowner,
		       coalesce(n.nspacl, acldefault('n', n.nspowner))::text[], acldefault('n', n.nspowner)::text[]
		from pg_namespace n where `+userSchema+` order by n.nspname`)
	if err != nil {
		return err
	}
	for _, s := range rows {
		name := quoteIdent(s.Name)
		n := &node{
			key: key{classNamespace, s.OID}, kind: "SCHEMA", name: s.Name, owner: s.Owner, ref: "SCHEMA " + name,
			ownerSQL: "ALTER SCHEMA " + name + " OWNER TO " + quoteIdent(s.Owner) + ";\n",
			dropSQL:  "DROP SCHEMA IF EXISTS " + name + ";\n",
			emit:     func(*node) string { return "CREATE SCHEMA " + name + ";\n" },
		}
		acl := &aclSubject{target: grantTarget{on: n.ref}, owner: s.Owner, actual: s.Actual, base: s.Base}
		if _, ok := r.member[n.key]; ok {
			r.memberSubject(n.key, n.ref, "", acl)
			continue
		}
		if s.Name == "public" {
			quoted := aclQuote(s.Owner)
			acl.base = []string{quoted + "=UC/" + quoted, "=U/" + quoted}
			n.dropSQL = ""
			const databaseOwner = 6171 // the role pg_database_owner, owner of public since 15
			if s.OwnerOID == databaseOwner {
				r.addSubject(subject{key: subjectKey{classNamespace, s.OID, 0}, ref: n.ref, tag: n.ref, acl: acl})
				continue
			}
			n.emit = func(*node) string { return "-- The schema public is there from the start.\n" }
		}
		r.graph.add(n)
		r.subject(n, 0, n.ref, acl)
	}
	return nil
}

// aclQuote writes a role as aclitem's text form does.
func aclQuote(name string) string {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

// extensionInfo is what others need to know of an extension.
type extensionInfo struct {
	name, version string
}

// memberSubject records that the grants of an extension's member are carried
// where they differ from those that its script left (pg_init_privs).
func (r *reader) memberSubject(k key, ref, schema string, acl *aclSubject) {
	if acl == nil {
		return
	}
	if init, ok := r.inits[subjectKey{k.class, k.oid, 0}]; ok {
		acl.target.all = ownerLetters(acl.base, acl.owner)
		acl.base = init
	}
	r.addSubject(subject{
		key: subjectKey{k.class, k.oid, 0}, node: &node{key: k}, ref: ref, schema: schema, tag: ref, acl: acl, quiet: true,
	})
}

// readExtensions makes the EXTENSION entries. Those that initdb installs
// (plpgsql) are there anyway.
func (r *reader) readExtensions() error {
	type row struct {
		OID                          uint32
		Name, Schema, Version, Owner string
		Config                       []uint32
		Conditions                   []string
	}
	rows, err := query[row](r, `
		select x.oid, x.extname, n.nspname, x.extversion, pg_get_userbyid(x.extowner),
		       coalesce(x.extconfig::oid[], '{}'), coalesce(x.extcondition, '{}')
		from pg_extension x join pg_namespace n on n.oid = x.extnamespace order by x.extname`)
	if err != nil {
		return err
	}
	for _, x := range rows {
		r.extension[x.OID] = extensionInfo{x.Name, x.Version}
		for i, c := range x.Config {
			filter := ""
			if i < len(x.Conditions) {
				filter = strings.TrimSpace(x.Conditions[i])
			}
			if len(filter) > 5 && strings.EqualFold(filter[:5], "where") {
				filter = strings.TrimSpace(filter[5:])
			}
			r.config[c] = filter
		}
		if x.OID < firstNormalOID {
			continue
		}
		name := quoteIdent(x.Name)
		n := r.graph.add(&node{
			key: key{classExtension, x.OID}, kind: "EXTENSION", name: x.Name, ref: "EXTENSION " + name,
			dropSQL: "DROP EXTENSION IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				return "CREATE EXTENSION IF NOT EXISTS " + name + " WITH SCHEMA " + quoteIdent(x.Schema) + ";\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

// readExtensionDependencies adds to functions, triggers, indexes and
// materialized views that they are to go when an extension goes.
func (r *reader) readExtensionDependencies() error {
	r.indexSubjects()
	rows, err := query[struct{ Class, OID, Extension uint32 }](r, `
		select classid, objid, refobjid from pg_depend
		where deptype = 'x' and refclassid = 'pg_extension'::regclass and objsubid = 0 order by 1, 2, ctid -- as they were stated`)
	if err != nil {
		return err
	}
	for _, d := range rows {
		s := r.bySubject[subjectKey{d.Class, d.OID, 0}]
		x, known := r.extension[d.Extension]
		if s == nil || !known || r.graph.byKey[s.node.key] != s.node {
			continue
		}
		s.node.deps = append(s.node.deps, key{classExtension, d.Extension})
		s.node.suffix += "ALTER " + s.ref + " DEPENDS ON EXTENSION " + quoteIdent(x.name) + ";\n"
	}
	return nil
}
