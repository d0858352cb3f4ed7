package pgcatalog

import "strings"

// readLargeObjects makes the BLOB entries, one for up to 1000 large objects of
// one owner, and those of their grants. Their data is not in the catalog: see
// Catalog.LargeObjects.
func (r *reader) readLargeObjects() error {
	rows, err := query[struct {
		OID          uint32
		Owner        string
		Actual, Base []string
	}](r, `
		select l.oid, pg_get_userbyid(l.lomowner), coalesce(l.lomacl, acldefault('L', l.lomowner))::text[], acldefault('L', l.lomowner)::text[]
		from pg_largeobject_metadata l where `+noMember("pg_largeobject", "l.oid")+` order by 2, l.oid`)
	if err != nil {
		return err
	}
	const perEntry = 1000
	var current *node
	var oids []uint32
	flush := func() {
		if current == nil {
			return
		}
		list := oids
		owner := current.owner
		var own, drop strings.Builder
		for _, o := range list {
			own.WriteString("ALTER LARGE OBJECT " + itoa(o) + " OWNER TO " + quoteIdent(owner) + ";\n")
			drop.WriteString("SELECT pg_catalog.lo_unlink(" + itoa(o) + ") WHERE EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata WHERE oid = " + itoa(o) + ");\n")
		}
		current.ownerSQL, current.dropSQL = own.String(), drop.String()
		current.emit = func(*node) string {
			var b strings.Builder
			for _, o := range list {
				b.WriteString("SELECT pg_catalog.lo_create('" + itoa(o) + "');\n")
			}
			return b.String()
		}
		current, oids = nil, nil
	}
	for _, l := range rows {
		r.cat.LargeObjects = append(r.cat.LargeObjects, LargeObject{OID: l.OID, Owner: l.Owner})
		if current == nil || current.owner != l.Owner || len(oids) == perEntry {
			flush()
			current = r.graph.add(&node{
				key: key{classLargeObject, l.OID}, kind: "BLOB", name: itoa(l.OID), owner: l.Owner, ref: "LARGE OBJECT " + itoa(l.OID),
			})
		} else {
			r.graph.alias[key{classLargeObject, l.OID}] = current.key
		}
		oids = append(oids, l.OID)
		ref := "LARGE OBJECT " + itoa(l.OID)
		r.addSubject(subject{
			key: subjectKey{classLargeObject, l.OID, 0}, node: current, ref: ref, tag: ref,
			acl: &aclSubject{target: grantTarget{on: ref}, owner: l.Owner, actual: l.Actual, base: l.Base},
		})
	}
	flush()
	return nil
}

// readDefaultACLs makes the DEFAULT ACL entries. They come after all else, so
// that they do not bear on what the restore makes.
func (r *reader) readDefaultACLs() error {
	rows, err := query[struct {
		OID                uint32
		Role, Schema, Type string
		Namespace          uint32
		Actual, Base       []string
		All                string
	}](r, `
		select d.oid, pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype::text, d.defaclnamespace, d.defaclacl::text[],
		       case when d.defaclnamespace = 0 then a.acl::text[] else '{}' end,
		       (select string_agg(split_part(split_part(i::text, '=', 2), '/', 1), '') from unnest(a.acl) i where i::text not like '=%')
		from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
		cross join lateral (select acldefault(case when d.defaclobjtype = 'S' then 's' else d.defaclobjtype end::"char", d.defaclrole) acl) a
		where `+noMember("pg_default_acl", "d.oid")+` order by d.oid`)
	if err != nil {
		return err
	}
	word := map[string]string{"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS", "L": "LARGE OBJECTS"}
	for i := range rows {
		d := &rows[i]
		prefix := "ALTER DEFAULT PRIVILEGES FOR ROLE " + quoteIdent(d.Role) + " "
		if d.Schema != "" {
			prefix += "IN SCHEMA " + quoteIdent(d.Schema) + " "
		}
		target := grantTarget{on: word[d.Type], all: d.All, prefix: prefix, grows: r.version < 170000 && d.Type == "r"}
		sql, roles := aclSQL(target, d.Role, d.Actual, d.Base)
		if sql == "" {
			continue
		}
		// They bear on what is made after them.
		back, _ := aclSQL(target, d.Role, d.Base, d.Actual)
		r.graph.add(&node{
			dropSQL: back,
			key:     key{classDefaultACL, d.OID}, kind: "DEFAULT ACL", schema: d.Schema, name: "DEFAULT PRIVILEGES FOR " + word[d.Type], owner: d.Role, section: PostData,
			ref: d.Role, deps: []key{{classNamespace, d.Namespace}}, roles: roles,
			emit: func(*node) string { return sql },
		})
	}
	return nil
}
