package pgcatalog

import (
	"strings"
	"unicode/utf8"
)

// typeInfo is a row of pg_type that the definition of some table may use.
type typeInfo struct {
	OID           uint32
	Schema, Name  string
	Owner         string
	Type          string // typtype
	Elem          uint32 // for true arrays
	Base          uint32 // of a domain
	BaseText      string
	Relation      uint32
	RelationKind  string
	NotNull       bool
	Default       *string
	Collation     string
	Labels        []string
	Subtype       uint32 // of a range or multirange
	Array         uint32
	Actual, Base0 []string
	Storage       string
	Defined       bool
	OutputSource  string    // what the function that writes a base type's text is made of
	attributes    []*column // of a composite
	checkDefs     []string
}

// readTypes makes the TYPE and DOMAIN entries, except base types (see
// readBaseTypes). Row types and array types stand for what they come from.
func (r *reader) readTypes() error {
	type row struct {
		OID                       uint32
		Schema, Name, Owner, Type string
		Elem, Base                uint32
		BaseText                  string
		Relation                  uint32
		RelationKind              string
		NotNull                   bool
		Default                   *string
		Collation                 string
		Labels                    []string
		Subtype, Array            uint32
		Actual, Base0             []string
		Storage                   string
		Defined                   bool
		OutputSource              string
	}
	err := each(r, func(row *row) error {
		t := &typeInfo{
			OID: row.OID, Schema: row.Schema, Name: row.Name, Owner: row.Owner, Type: row.Type, Elem: row.Elem,
			Base: row.Base, BaseText: row.BaseText, Relation: row.Relation, RelationKind: row.RelationKind,
			NotNull: row.NotNull, Default: row.Default, Collation: row.Collation, Labels: row.Labels, Subtype: row.Subtype,
			Array: row.Array, Actual: row.Actual, Base0: row.Base0, Storage: row.Storage, Defined: row.Defined,
			OutputSource: row.OutputSource,
		}
		r.types[t.OID] = t
		k := key{classType, t.OID}
		if _, ok := r.member[k]; ok {
			if t.Elem == 0 && t.Type != "m" && (t.Relation == 0 || t.RelationKind == "c") {
				r.memberSubject(k, "TYPE "+qualified(t.Schema, t.Name), t.Schema, t.acl())
			}
			return nil
		}
		if systemSchema(t.Schema) {
			return nil
		}
		switch {
		case t.Elem != 0:
			r.graph.alias[k] = key{classType, t.Elem}
		case t.Relation != 0 && t.RelationKind != "c":
			r.graph.alias[k] = key{classRelation, t.Relation}
		case t.Type == "e":
			r.addType(t, func(*node) string { return enumSQL(t) })
		case t.Type == "c":
			r.graph.alias[key{classRelation, t.Relation}] = k
			r.addType(t, func(*node) string { return compositeSQL(t) })
		case t.Type == "d":
			r.addDomain(t)
		}
		return nil
	}, `
		select t.oid, n.nspname, t.typname, pg_get_userbyid(t.typowner), t.typtype::text,
		       case when t.typelem <> 0 and t.typcategory = 'A' and el.typarray = t.oid then t.typelem else 0 end,
		       t.typbasetype, case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) else '' end,
		       t.typrelid, coalesce(c.relkind::text, ''), t.typnotnull,
		       case when t.typtype = 'd' then coalesce(pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), t.typdefault) end,
		       case when t.typtype = 'd' and t.typcollation <> bt.typcollation and t.typcollation <> 0
		            then (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace where co.oid = t.typcollation)
		            else '' end,
		       coalesce(en.labels, '{}'), coalesce(rg.rngsubtype, 0), t.typarray,
		       coalesce(t.typacl, acldefault('T', t.typowner))::text[], acldefault('T', t.typowner)::text[],
		       t.typstorage::text, t.typisdefined,
		       case when t.typtype = 'b' and el.typarray is distinct from t.oid then concat_ws(' ', ou.oid, ou.prolang, ou.probin, ou.prosrc, ou.proconfig) else '' end
		from pg_type t
		join pg_namespace n on n.oid = t.typnamespace
		left join pg_type el on el.oid = t.typelem
		left join pg_type bt on bt.oid = t.typbasetype
		left join pg_class c on c.oid = t.typrelid
		left join (select enumtypid, array_agg(enumlabel::text order by enumsortorder) labels from pg_enum group by 1) en on en.enumtypid = t.oid
		left join pg_range rg on t.oid in (rg.rngtypid`+r.since(140000, `, rg.rngmultitypid`, ``)+`)
		left join pg_proc ou on ou.oid = t.typoutput
		where t.oid >= $1`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	if err := r.readRanges(); err != nil {
		return err
	}
	return r.readBaseTypes()
}

func systemSchema(name string) bool {
	return strings.HasPrefix(name, "pg_") || name == "information_schema"
}

func (t *typeInfo) acl() *aclSubject {
	return &aclSubject{target: grantTarget{on: "TYPE " + qualified(t.Schema, t.Name)}, owner: t.Owner, actual: t.Actual, base: t.Base0}
}

func (r *reader) addType(t *typeInfo, emit func(*node) string) *node {
	name := qualified(t.Schema, t.Name)
	n := r.graph.add(&node{
		key: key{classType, t.OID}, kind: "TYPE", schema: t.Schema, name: t.Name, owner: t.Owner, ref: "TYPE " + name,
		ownerSQL: "ALTER TYPE " + name + " OWNER TO " + quoteIdent(t.Owner) + ";\n",
		dropSQL:  "DROP TYPE IF EXISTS " + name + ";\n",
		emit:     emit,
	})
	r.subject(n, 0, n.ref, t.acl())
	return n
}

func enumSQL(t *typeInfo) string {
	labels := make([]string, len(t.Labels))
	for i, l := range t.Labels {
		labels[i] = "\n    " + quoteLiteral(l)
	}
	return "CREATE TYPE " + qualified(t.Schema, t.Name) + " AS ENUM (" + strings.Join(labels, ",") + "\n);\n"
}

func compositeSQL(t *typeInfo) string {
	var columns []string
	for _, c := range t.attributes {
		if c.Dropped {
			continue
		}
		s := "\n    " + quoteIdent(c.Name) + " " + c.Type
		if c.Collation != "" {
			s += " COLLATE " + c.Collation
		}
		columns = append(columns, s)
	}
	return "CREATE TYPE " + qualified(t.Schema, t.Name) + " AS (" + strings.Join(columns, ",") + "\n);\n"
}

func (r *reader) addDomain(t *typeInfo) {
	n := r.addType(t, func(n *node) string {
		s := "CREATE DOMAIN " + qualified(t.Schema, t.Name) + " AS " + t.BaseText
		if t.Collation != "" {
			s += " COLLATE " + t.Collation
		}
		if t.Default != nil {
			s += " DEFAULT " + *t.Default
		}
		named := false
		for _, p := range n.parts {
			named = named || p.kind == "NOT NULL"
		}
		if t.NotNull && !named {
			s += " NOT NULL"
		}
		for _, p := range n.parts {
			if !p.alone {
				s += "\n    " + p.emit(nil)
			}
		}
		return s + ";\n"
	})
	n.kind, n.ref = "DOMAIN", "DOMAIN "+qualified(t.Schema, t.Name)
	n.ownerSQL = "ALTER DOMAIN " + qualified(t.Schema, t.Name) + " OWNER TO " + quoteIdent(t.Owner) + ";\n"
	n.dropSQL = "DROP DOMAIN IF EXISTS " + qualified(t.Schema, t.Name) + ";\n"
	r.subjects[len(r.subjects)-1].ref = n.ref
}

// readRanges makes the entries of range types; their multirange types come
// with them.
func (r *reader) readRanges() error {
	rows, err := query[struct {
		OID                                                     uint32
		Subtype, Opclass, Collation, Canonical, Diff, MultiName string
		Multi                                                   uint32
	}](r, `
		select rg.rngtypid, format_type(rg.rngsubtype, null),
		       case when oc.opcdefault then '' else quote_ident(on_.nspname) || '.' || quote_ident(oc.opcname) end,
		       case when rg.rngcollation = 0 or rg.rngcollation = st.typcollation then '' else quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end,
		       case when rg.rngcanonical = 0 then '' else rg.rngcanonical::regproc::text end,
		       case when rg.rngsubdiff = 0 then '' else rg.rngsubdiff::regproc::text end,
		       `+r.since(140000, `quote_ident(mn.nspname) || '.' || quote_ident(mt.typname), mt.oid`, `'', 0::oid`)+`
		from pg_range rg
		join pg_type st on st.oid = rg.rngsubtype
		join pg_opclass oc on oc.oid = rg.rngsubopc
		join pg_namespace on_ on on_.oid = oc.opcnamespace
		left join pg_collation co on co.oid = rg.rngcollation
		left join pg_namespace cn on cn.oid = co.collnamespace
		`+r.since(140000, `join pg_type mt on mt.oid = rg.rngmultitypid join pg_namespace mn on mn.oid = mt.typnamespace`, ``)+`
		where rg.rngtypid >= $1`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for _, g := range rows {
		t := r.types[g.OID]
		if t == nil || systemSchema(t.Schema) {
			continue
		}
		if _, ok := r.member[key{classType, g.OID}]; ok {
			continue
		}
		if g.Multi != 0 {
			r.graph.alias[key{classType, g.Multi}] = key{classType, g.OID}
		}
		name := qualified(t.Schema, t.Name)
		n := r.addType(t, func(*node) string {
			s := "CREATE TYPE " + name + " AS RANGE (\n    SUBTYPE = " + g.Subtype
			// The server cuts the name that it makes up, up to 63 bytes, in the
			// middle of a letter (before 17): it will do so again.
			if g.MultiName != "" && utf8.ValidString(g.MultiName) {
				s += ",\n    MULTIRANGE_TYPE_NAME = " + g.MultiName
			}
			if g.Opclass != "" {
				s += ",\n    SUBTYPE_OPCLASS = " + g.Opclass
			}
			if g.Collation != "" {
				s += ",\n    COLLATION = " + g.Collation
			}
			if g.Canonical != "" {
				s += ",\n    CANONICAL = " + g.Canonical
			}
			if g.Diff != "" {
				s += ",\n    SUBTYPE_DIFF = " + g.Diff
			}
			return s + "\n);\n"
		})
		n.shell = shellOf(n)
		// From 17 on the grants on the range type are those on its multirange type.
		if m := r.types[g.Multi]; m != nil && r.version < 170000 && utf8.ValidString(m.Name) {
			r.addSubject(subject{
				key: subjectKey{classType, m.OID, 0}, node: n, ref: "TYPE " + qualified(m.Schema, m.Name), schema: m.Schema, tag: "TYPE " + m.Name, acl: m.acl(),
			})
		}
	}
	return nil
}

// shellOf returns the entry that declares a type before the functions that it
// is made of.
func shellOf(n *node) *node {
	name := qualified(n.schema, n.name)
	return &node{
		// The owner comes with the whole type: only the one who made a shell
		// may complete it.
		kind: "SHELL TYPE", schema: n.schema, name: n.name, ref: "TYPE " + name, owner: n.owner, section: PreData,
		emit: func(*node) string { return "CREATE TYPE " + name + ";\n" },
	}
}

// dropWithFunctions drops a type together with the functions that it is made
// of, which need it as it needs them, and with operators that are only named so
// far, and nothing else.
func dropWithFunctions(name string) string {
	// to_regtype raises an error for what a restore that stopped left of a type.
	return onlyIf("true", "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_type t ON d.refobjid IN (t.oid, t.typarray) WHERE t.oid = pg_catalog.to_regtype("+quoteLiteral(name)+
		") AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.classid <> 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'n'"+
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.objid AND o.oprcode::pg_catalog.oid = 0))"+
		" THEN RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist', MESSAGE = 'other objects than its functions depend on the type'; END IF;"+
		" EXCEPTION WHEN undefined_object THEN NULL; END; DROP TYPE IF EXISTS "+name+" CASCADE")
}

// readBaseTypes makes the entries of base types and of shell types that were
// never completed.
func (r *reader) readBaseTypes() error {
	rows, err := query[struct {
		OID                                                          uint32
		Length                                                       int16
		Input, Output, Receive, Send, ModIn, ModOut, Analyze, Subscr string
		Category, Delimiter, Align, Storage                          string
		Preferred, ByValue, Collatable, Defined                      bool
		Default                                                      *string
		Elem                                                         string
	}](r, `
		select t.oid, t.typlen, typinput::text, typoutput::text,
		       case when typreceive::oid = 0 then '' else typreceive::text end, case when typsend::oid = 0 then '' else typsend::text end,
		       case when typmodin::oid = 0 then '' else typmodin::text end, case when typmodout::oid = 0 then '' else typmodout::text end,
		       case when typanalyze::oid = 0 then '' else typanalyze::text end,
		       `+r.since(140000, `case when typsubscript::oid = 0 or typsubscript::oid in (6179, 6180) then '' else typsubscript::text end`, `''`)+`,
		       typcategory::text, typdelim::text, typalign::text, typstorage::text,
		       typispreferred, typbyval, typcollation <> 0, typisdefined, coalesce(pg_get_expr(typdefaultbin, 0), typdefault),
		       case when typelem = 0 then '' else format_type(typelem, null) end
		from pg_type t
		where t.oid >= $1 and (t.typtype = 'b' or not t.typisdefined)
		  and not exists (select from pg_type el where el.oid = t.typelem and el.typarray = t.oid)`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for _, b := range rows {
		t := r.types[b.OID]
		if t == nil || systemSchema(t.Schema) {
			continue
		}
		if _, ok := r.member[key{classType, b.OID}]; ok {
			continue
		}
		if !b.Defined {
			n := r.addType(t, nil)
			n.kind = "SHELL TYPE"
			n.emit = func(*node) string { return "CREATE TYPE " + qualified(t.Schema, t.Name) + ";\n" }
			continue
		}
		n := r.addType(t, func(*node) string {
			s := "CREATE TYPE " + qualified(t.Schema, t.Name) + " (\n    INTERNALLENGTH = "
			if b.Length < 0 {
				s += "variable"
			} else {
				s += itoa(int32(b.Length))
			}
			add := func(name, value string) {
				if value != "" {
					s += ",\n    " + name + " = " + value
				}
			}
			add("INPUT", b.Input)
			add("OUTPUT", b.Output)
			add("RECEIVE", b.Receive)
			add("SEND", b.Send)
			add("TYPMOD_IN", b.ModIn)
			add("TYPMOD_OUT", b.ModOut)
			add("ANALYZE", b.Analyze)
			add("SUBSCRIPT", b.Subscr)
			if b.Collatable {
				add("COLLATABLE", "true")
			}
			if b.Default != nil {
				add("DEFAULT", quoteLiteral(*b.Default))
			}
			add("ELEMENT", b.Elem)
			if b.Category != "U" {
				add("CATEGORY", quoteLiteral(b.Category))
			}
			if b.Preferred {
				add("PREFERRED", "true")
			}
			if b.Delimiter != "," {
				add("DELIMITER", quoteLiteral(b.Delimiter))
			}
			add("ALIGNMENT", map[string]string{"c": "char", "s": "int2", "i": "int4", "d": "double"}[b.Align])
			add("STORAGE", storageWord(b.Storage))
			if b.ByValue {
				s += ",\n    PASSEDBYVALUE"
			}
			return s + "\n);\n"
		})
		n.shell = shellOf(n)
	}
	return nil
}

func storageWord(letter string) string {
	switch letter {
	case "p":
		return "plain"
	case "e":
		return "external"
	case "m":
		return "main"
	default:
		return "extended"
	}
}

// finishTypes records the columns of composite types as subjects.
func (r *reader) finishTypes() error {
	for _, t := range r.types {
		n := r.graph.byKey[key{classType, t.OID}]
		if n == nil || t.Type != "c" {
			continue
		}
		for _, c := range t.attributes {
			if !c.Dropped {
				ref := "COLUMN " + qualified(t.Schema, t.Name) + "." + quoteIdent(c.Name)
				r.addSubject(subject{key: subjectKey{classRelation, t.Relation, int32(c.Num)}, node: n, ref: ref, schema: t.Schema, tag: "COLUMN " + t.Name + "." + c.Name})
			}
		}
	}
	return nil
}
