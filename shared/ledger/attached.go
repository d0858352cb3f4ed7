package ledger

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// readExtensions reads which objects belong to extensions, and which of their
// tables and sequences have content.
func (e *enumerator) readExtensions() error {
	type row struct {
		Class, OID uint32
		Filled     bool
	}
	rows, err := query[row](e, fmt.Sprintf(`
		select d.classid, d.objid, coalesce(case c.relkind
			when 'r' then pg_relation_size(c.oid) > 0
			when 'S' then case when has_sequence_privilege(c.oid, 'select') then pg_sequence_last_value(c.oid) is not null end end, false)
		from pg_catalog.pg_depend d left join pg_catalog.pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
		where d.deptype = 'e' and d.objid >= %d`, firstNormal))
	for _, r := range rows {
		e.members[key{r.Class, r.OID}] = true
		if r.Filled {
			e.filled[r.OID] = true
		}
	}
	return err
}

// readAttached reads comments, security labels, grants and settings.
func (e *enumerator) readAttached() error {
	parts := []string{
		fmt.Sprintf(`select %d::int, classoid, objoid, objsubid from pg_catalog.pg_description
			where objoid >= %d or classoid = %d or classoid = 'pg_namespace'::regclass and objoid = (select oid from pg_catalog.pg_namespace where nspname = 'public')
				and description <> 'standard public schema'`, comment, firstNormal, classLargeObject),
		fmt.Sprintf(`select %d, classoid, objoid, 0 from pg_catalog.pg_shdescription where classoid = %d and objoid = %d`, comment, classDatabase, e.database),
		fmt.Sprintf(`select %d, classoid, objoid, objsubid from pg_catalog.pg_seclabel`, label),
		fmt.Sprintf(`select %d, classoid, objoid, 0 from pg_catalog.pg_shseclabel where classoid = %d and objoid = %d`, label, classDatabase, e.database),
		fmt.Sprintf(`select %d, %d::oid, %d::oid, n::int from pg_catalog.pg_db_role_setting s cross join unnest(s.setconfig) with ordinality u (c, n)
			where s.setdatabase = %[3]d`, setting, classDatabase, e.database),
		e.grantsSQL(),
	}
	rows, err := e.q.Query(e.ctx, strings.Join(parts, "\nunion all "), pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	var f int
	var class, oid uint32
	var sub int32
	_, err = pgx.ForEachRow(rows, []any{&f, &class, &oid, &sub}, func() error {
		o := object{Address: Address{Class: class, OID: oid, Sub: sub}, facet: facet(f), parent: -1}
		if at, ok := e.byKey[key{class, oid}]; ok {
			of := &e.objects[at]
			o.parent, o.schema, o.owner, o.letter = at, of.schema, of.owner, of.letter
		} else if oid >= firstNormal && class != classDatabase && class != classLargeObject && identifiable(class) {
			return nil // of something temporary
		}
		e.objects = append(e.objects, o)
		return nil
	})
	return err
}

// grantsSQL finds what has other grants than it was made with: those of
// initdb or of its extension (pg_init_privs), else the kind's own. Grants of a
// built-in object count when they differ.
func (e *enumerator) grantsSQL() string {
	var lists []string
	for _, c := range e.system {
		if c.Acl == "" || c.Shared && c.OID != classDatabase || c.Name == "pg_init_privs" || c.OID == classDefaultACL {
			continue
		}
		class, oid, sub, from, where := fmt.Sprint(c.OID), "c.oid", "0", "", ""
		own := map[uint32]string{
			classClass: "acldefault((case c.relkind when 'S' then 's' else 'r' end)::\"char\", c.relowner)", classProc: "acldefault('f', c.proowner)",
			classNamespace: "acldefault('n', c.nspowner)", classType: "acldefault('T', c.typowner)", 2612: "acldefault('l', c.lanowner)",
			2328: "acldefault('F', c.fdwowner)", 1417: "acldefault('S', c.srvowner)", classLOMetadata: "acldefault('L', c.lomowner)",
			classDatabase: "acldefault('d', c.datdba)",
		}[c.OID]
		switch {
		case c.OID == classLOMetadata:
			class = fmt.Sprint(classLargeObject)
		case c.OID == classDatabase:
			where = fmt.Sprintf(" and c.oid = %d", e.database)
		case c.Name == "pg_attribute":
			class, oid, sub, own = fmt.Sprint(classClass), "c.attrelid", "c.attnum::int", "'{}'::aclitem[]"
			where = " and not c.attisdropped"
		case !c.HasOID:
			continue
		}
		// initdb notes the initial privileges before it makes information_schema.
		if c.OID == classClass || c.OID == classNamespace {
			in := map[uint32]string{classClass: "c.relnamespace", classNamespace: "c.oid"}[c.OID]
			where += fmt.Sprintf(` and not (c.oid < %d and %s = 'information_schema'::regnamespace and not exists (select from aclexplode(c.%s) x
				where x.grantee <> c.%s and (x.grantee <> 0 or x.privilege_type not in ('SELECT', 'USAGE'))))`, firstNormal, in, c.Acl, c.Owner)
		}
		if own == "" {
			own = "null::aclitem[]"
		}
		lists = append(lists, fmt.Sprintf(`select %s::oid as class, %s as oid, %s as sub, c.%s as now, i.initprivs as made, %s as own from pg_catalog.%s c%s
			left join pg_catalog.pg_init_privs i on i.classoid = %[1]s and i.objoid = %[2]s and i.objsubid = %[3]s
			where (c.%[4]s is not null or i.initprivs is not null)%[8]s`, class, oid, sub, c.Acl, own, pgx.Identifier{c.Name}.Sanitize(), from, where))
	}
	sorted := func(acl string) string {
		return `(select string_agg(a::text, ' ' order by a::text collate "C") from unnest(` + acl + `) a)`
	}
	return fmt.Sprintf(`select %d, l.class, l.oid, l.sub from (%s) l where `, grants, strings.Join(lists, "\nunion all ")) +
		sorted("coalesce(now, own)") + ` is distinct from ` + sorted("coalesce(made, own)") + `
		and not (class = 'pg_namespace'::regclass and l.oid = (select p.oid from pg_catalog.pg_namespace p where p.nspname = 'public')
			and (select array_agg(grantee || privilege_type || is_grantable order by grantee, privilege_type) from aclexplode(coalesce(now, own)))
			  = (select array_agg(grantee || p || 'false' order by grantee, p) from (
				select 0::oid as grantee, 'USAGE' as p union all select n.nspowner, u.p from pg_catalog.pg_namespace n, unnest(array['USAGE', 'CREATE']) u (p) where n.nspname = 'public') fresh))`
}
