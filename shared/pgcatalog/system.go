package pgcatalog

// readSystemGrants records the grants on what initdb made, the languages, the
// schema pg_catalog and the functions, tables, columns and types in it, where
// they are not those that initdb left (pg_init_privs). Of information_schema
// initdb does not write down what it leaves; pg_dump carries nothing of it
// either.
func (r *reader) readSystemGrants() error {
	rows, err := query[struct {
		Class, OID           uint32
		Sub                  int32
		On, Column, Schema   string
		Owner                string
		Actual, Base, Normal []string
	}](r, `
		select s.class, s.oid, s.sub, s.target, s.attribute, s.nspname, pg_get_userbyid(s.owner),
		       coalesce(s.acl, s.normal)::text[], coalesce(i.initprivs, s.normal)::text[], s.normal::text[]
		from (
			select 1259::oid as class, c.oid, 0 as sub, case c.relkind when 'S' then 'SEQUENCE ' else 'TABLE ' end || quote_ident(n.nspname) || '.' || quote_ident(c.relname) as target,
			       '' as attribute, n.nspname, c.relowner as owner, c.relacl as acl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner) as normal
			from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'v', 'm', 'S')
			union all
			select 1259, c.oid, a.attnum, 'TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname, n.nspname, c.relowner, a.attacl, '{}'
			from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
			where a.attacl is not null or exists (select from pg_init_privs x where x.classoid = 1259 and x.objoid = c.oid and x.objsubid = a.attnum)
			union all
			select 1255, p.oid, 0, 'FUNCTION ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')',
			       '', n.nspname, p.proowner, p.proacl, acldefault('f', p.proowner)
			from pg_proc p join pg_namespace n on n.oid = p.pronamespace
			where p.proacl is not null or exists (select from pg_init_privs x where x.classoid = 1255 and x.objoid = p.oid)
			union all
			select 1247, t.oid, 0, 'TYPE ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname), '', n.nspname, t.typowner, t.typacl, acldefault('T', t.typowner)
			from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.typacl is not null
			union all
			select 2612, l.oid, 0, 'LANGUAGE ' || quote_ident(l.lanname), '', '', l.lanowner, l.lanacl, acldefault('l', l.lanowner) from pg_language l
			union all
			select 2615, n.oid, 0, 'SCHEMA ' || quote_ident(n.nspname), '', '', n.nspowner, n.nspacl, acldefault('n', n.nspowner)
			from pg_namespace n
		) s
		left join pg_init_privs i on i.classoid = s.class and i.objoid = s.oid and i.objsubid = s.sub
		where s.oid < $1 and s.nspname in ('pg_catalog', '') and s.target not in ('SCHEMA public', 'SCHEMA information_schema')
		  and s.acl is distinct from i.initprivs
		order by 1, 2, 3`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	known := map[subjectKey]bool{}
	for i := range r.subjects {
		known[r.subjects[i].key] = true
	}
	for _, s := range rows {
		k := subjectKey{s.Class, s.OID, s.Sub}
		if known[k] {
			continue
		}
		target := grantTarget{on: s.On, column: s.Column, all: ownerLetters(s.Normal, s.Owner)}
		tag := s.On
		if s.Column != "" {
			target.all, tag = columnLetters, tag+"."+quoteIdent(s.Column)
		}
		r.addSubject(subject{
			key: k, ref: s.On, schema: s.Schema, tag: tag, quiet: true,
			acl: &aclSubject{target: target, owner: s.Owner, actual: s.Actual, base: s.Base},
		})
	}
	return nil
}
