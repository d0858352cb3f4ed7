package ledger

import (
	"fmt"

	"guarda/shared/fault"
)

// denial says why the role may not read something, and what would change that.
type denial struct {
	rule      Rule
	privilege fault.Text
	grants    []string
}

// readPrivileges finds what the role may not read: rows of tables, values of
// sequences, data of large objects, and what is in schemas that it may not use.
func (e *enumerator) readPrivileges() error {
	for _, step := range []func() error{e.readRelationPrivileges, e.readSchemaPrivileges, e.readLargeObjectPrivileges} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (e *enumerator) readRelationPrivileges() error {
	type row struct {
		OID            uint32
		Schema, Name   string
		Kind           string
		Usage, Select  bool
		Hides, IsOwner bool
	}
	rows, err := query[row](e, `
		select c.oid, quote_ident(n.nspname), quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text, u.usage, u.granted, u.hides, pg_has_role(c.relowner, 'usage')
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		cross join lateral (select has_schema_privilege(n.oid, 'usage') as usage,
			case c.relkind when 'S' then has_sequence_privilege(c.oid, 'select') else has_table_privilege(c.oid, 'select') end as granted,
			c.relkind = 'r' and c.relrowsecurity and row_security_active(c.oid) as hides) u
		where c.oid >= $1 and c.relkind in ('r', 'S') and c.relpersistence <> 't' and (not u.usage or not u.granted or u.hides)`, uint32(firstNormal))
	for _, r := range rows {
		what, selects := "TABLE", fault.Say("SELECT on table %s", r.Name)
		if r.Kind == "S" {
			what, selects = "SEQUENCE", fault.Say("SELECT on sequence %s", r.Name)
		}
		d := denial{rule: NoPrivilege}
		var lacks []fault.Text
		add := func(privilege fault.Text, grant string) {
			lacks = append(lacks, privilege)
			d.grants = append(d.grants, grant)
		}
		if !r.Usage {
			add(fault.Say("USAGE on schema %s", r.Schema), e.usageGrant(r.Schema))
		}
		if !r.Select {
			add(selects, fmt.Sprintf("GRANT SELECT ON %s %s TO %s;", what, r.Name, e.Role))
		}
		if r.Hides {
			d.rule = RowSecurity
			bypass := fault.Say("BYPASSRLS or ownership of table %s", r.Name)
			if r.IsOwner {
				bypass = fault.Say("BYPASSRLS (row security is forced on the owner of table %s too)", r.Name)
			}
			add(bypass, fmt.Sprintf("ALTER ROLE %s BYPASSRLS;", e.Role))
		}
		d.privilege = fault.Join(", ", lacks...)
		e.denied[key{classClass, r.OID}] = d
	}
	return err
}

func (e *enumerator) usageGrant(schema string) string {
	return fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", schema, e.Role)
}

func (e *enumerator) readSchemaPrivileges() error {
	type row struct {
		OID  uint32
		Name string
	}
	rows, err := query[row](e, `
		select oid, quote_ident(nspname) from pg_catalog.pg_namespace
		where (oid >= $1 or nspname = 'public') and not has_schema_privilege(oid, 'usage')`, uint32(firstNormal))
	for _, r := range rows {
		e.denied[key{classNamespace, r.OID}] = denial{NoPrivilege, fault.Say("USAGE on schema %s", r.Name), []string{e.usageGrant(r.Name)}}
	}
	return err
}

// readLargeObjectPrivileges: has_largeobject_privilege came with PostgreSQL 18.
func (e *enumerator) readLargeObjectPrivileges() error {
	type row struct{ OID uint32 }
	rows, err := query[row](e, `
		select l.oid from pg_catalog.pg_largeobject_metadata l
		where not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) and current_setting('lo_compat_privileges') <> 'on'
			and not exists (select from aclexplode(coalesce(l.lomacl, acldefault('L', l.lomowner))) a
				where a.privilege_type = 'SELECT' and case when a.grantee = 0 then true else pg_has_role(a.grantee, 'usage') end)`)
	for _, r := range rows {
		e.denied[key{classLargeObject, r.OID}] = denial{NoPrivilege, fault.Say("SELECT on large object %d", r.OID),
			[]string{fmt.Sprintf("GRANT SELECT ON LARGE OBJECT %d TO %s;", r.OID, e.Role)}}
	}
	return err
}
