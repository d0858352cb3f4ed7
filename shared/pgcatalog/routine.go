package pgcatalog

import (
	"strings"
	"unicode/utf8"

	"guarda/shared/fault"
)

// readRoutines makes the FUNCTION, PROCEDURE and AGGREGATE entries.
func (r *reader) readRoutines() error {
	rows, err := query[struct {
		OID                       uint32
		Schema, Name, Owner, Kind string
		Types, Identity           string
		Definition                *string
		Actual, Base              []string
	}](r, `
		select p.oid, n.nspname, p.proname, pg_get_userbyid(p.proowner), p.prokind::text, oidvectortypes(p.proargtypes),
		       pg_get_function_identity_arguments(p.oid), case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
		       coalesce(p.proacl, acldefault('f', p.proowner))::text[], acldefault('f', p.proowner)::text[]
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where p.oid >= $1 and (`+userSchema+`) and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')`,
		uint32(firstNormalOID))
	if err != nil {
		return err
	}
	word := map[string]string{"f": "FUNCTION", "w": "FUNCTION", "p": "PROCEDURE", "a": "AGGREGATE"}
	for _, p := range rows {
		kind := word[p.Kind]
		identity := p.Identity
		if kind == "AGGREGATE" && identity == "" {
			identity = "*"
		}
		name := qualified(p.Schema, p.Name)
		signature := name + "(" + identity + ")"
		on := kind + " " + signature
		if kind == "AGGREGATE" {
			on = "FUNCTION " + name + "(" + p.Types + ")"
		}
		acl := &aclSubject{target: grantTarget{on: on}, owner: p.Owner, actual: p.Actual, base: p.Base}
		k := key{classProc, p.OID}
		if _, ok := r.member[k]; ok {
			r.memberSubject(k, kind+" "+signature, p.Schema, acl)
			continue
		}
		n := r.graph.add(&node{
			key: k, kind: kind, schema: p.Schema, name: p.Name, tag: p.Name + "(" + p.Types + ")", owner: p.Owner,
			ref:      kind + " " + signature,
			ownerSQL: "ALTER " + kind + " " + signature + " OWNER TO " + quoteIdent(p.Owner) + ";\n",
			dropSQL:  "DROP " + kind + " IF EXISTS " + signature + ";\n",
		})
		r.subject(n, 0, n.ref, acl)
		if kind == "AGGREGATE" {
			continue
		}
		if p.Definition == nil {
			return changed(kind, p.Schema, n.tag)
		}
		definition := strings.TrimSuffix(*p.Definition, "\n") + ";\n"
		n.emit = func(*node) string { return definition }
	}
	if err := r.readConstructors(); err != nil {
		return err
	}
	return r.readAggregates()
}

// readConstructors makes the functions and casts that range types bring along
// stand for their type. Default privileges may have given such a function
// grants of its own; pg_dump loses them, and a role from which execution was
// revoked could call it in the restored database. It is named after its type,
// as it will be: where the type was renamed or moved since, it was not.
func (r *reader) readConstructors() error {
	// The functions of a multirange type are made in the schema of its range type.
	schema := "t.typnamespace"
	if r.version >= 140000 {
		schema = "coalesce((select o.typnamespace from pg_range g join pg_type o on o.oid = g.rngtypid where g.rngmultitypid = t.oid), t.typnamespace)"
	}
	rows, err := query[struct {
		Class, OID, Type          uint32
		Schema, Name, Args, Owner string
		Actual, Base              []string
	}](r, `
		select d.classid, d.objid, d.refobjid, n.nspname, t.typname, coalesce(pg_get_function_identity_arguments(p.oid), ''),
		       coalesce(pg_get_userbyid(p.proowner), ''), p.proacl::text[], acldefault('f', p.proowner)::text[]
		from pg_depend d
		join pg_type t on t.oid = d.refobjid
		join pg_namespace n on n.oid = `+schema+`
		left join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
		where d.classid in ('pg_proc'::regclass, 'pg_cast'::regclass) and d.refclassid = 'pg_type'::regclass and d.deptype = 'i' and d.objid >= $1`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for _, c := range rows {
		k := key{c.Class, c.OID}
		if r.isMember(k.class, k.oid) {
			continue
		}
		r.graph.alias[k] = key{classType, c.Type}
		// Nothing can name the functions of a multirange whose name the server cut inside a letter.
		if n := r.graph.find(k); n != nil && c.Actual != nil && utf8.ValidString(c.Name) {
			signature := qualified(c.Schema, c.Name) + "(" + c.Args + ")"
			r.addSubject(subject{
				key: subjectKey{c.Class, c.OID, 0}, node: n, ref: "FUNCTION " + signature, schema: c.Schema, tag: "FUNCTION " + c.Name,
				acl: &aclSubject{target: grantTarget{on: "FUNCTION " + signature}, owner: c.Owner, actual: c.Actual, base: c.Base},
			})
		}
	}
	return nil
}

// changed is the error for an object that was dropped while it was read.
func changed(kind, schema, name string) error {
	return fault.New(fault.Conflict, "%s %s was changed or dropped while the catalog was read", kind, qualified(schema, name)).
		Hint("run again, without changes to the schema meanwhile")
}

func (r *reader) readAggregates() error {
	rows, err := query[struct {
		OID                                            uint32
		Args                                           string
		Trans, TransType                               string
		Space                                          int32
		Final, Combine, Serial, Deserial               string
		MTrans, MInv, MTransType, MFinal               string
		MSpace                                         int32
		Init, MInit                                    *string
		FinalExtra, MFinalExtra, Hypothetical          bool
		FinalModify, MFinalModify, DefFinal, DefMFinal string
		SortOp, Parallel                               string
	}](r, `
		select a.aggfnoid::oid, pg_get_function_arguments(a.aggfnoid), a.aggtransfn::text, format_type(a.aggtranstype, null), a.aggtransspace,
		       case when a.aggfinalfn::oid = 0 then '' else a.aggfinalfn::text end, case when a.aggcombinefn::oid = 0 then '' else a.aggcombinefn::text end,
		       case when a.aggserialfn::oid = 0 then '' else a.aggserialfn::text end, case when a.aggdeserialfn::oid = 0 then '' else a.aggdeserialfn::text end,
		       case when a.aggmtransfn::oid = 0 then '' else a.aggmtransfn::text end, case when a.aggminvtransfn::oid = 0 then '' else a.aggminvtransfn::text end,
		       case when a.aggmtranstype = 0 then '' else format_type(a.aggmtranstype, null) end,
		       case when a.aggmfinalfn::oid = 0 then '' else a.aggmfinalfn::text end, a.aggmtransspace, a.agginitval, a.aggminitval,
		       a.aggfinalextra, a.aggmfinalextra, a.aggkind = 'h', a.aggfinalmodify::text, a.aggmfinalmodify::text,
		       case when a.aggkind = 'n' then 'r' else 'w' end, case when a.aggkind = 'n' then 'r' else 'w' end,
		       coalesce((select 'operator(' || quote_ident(n.nspname) || '.' || o.oprname || ')' from pg_operator o join pg_namespace n on n.oid = o.oprnamespace where o.oid = a.aggsortop), ''),
		       p.proparallel::text
		from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid
		where a.aggfnoid::oid >= $1`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	modify := map[string]string{"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}
	for _, a := range rows {
		n := r.graph.byKey[key{classProc, a.OID}]
		if n == nil {
			continue
		}
		args := a.Args
		if args == "" {
			args = "*"
		}
		var s strings.Builder
		s.WriteString("CREATE AGGREGATE " + qualified(n.schema, n.name) + "(" + args + ") (\n    SFUNC = " + a.Trans + ",\n    STYPE = " + a.TransType)
		add := func(name, value string) {
			if value != "" {
				s.WriteString(",\n    " + name + " = " + value)
			}
		}
		if a.Space != 0 {
			add("SSPACE", itoa(a.Space))
		}
		if a.Init != nil {
			add("INITCOND", quoteLiteral(*a.Init))
		}
		add("FINALFUNC", a.Final)
		if a.FinalExtra {
			s.WriteString(",\n    FINALFUNC_EXTRA")
		}
		if a.Final != "" && a.FinalModify != a.DefFinal {
			add("FINALFUNC_MODIFY", modify[a.FinalModify])
		}
		add("COMBINEFUNC", a.Combine)
		add("SERIALFUNC", a.Serial)
		add("DESERIALFUNC", a.Deserial)
		if a.MTrans != "" {
			add("MSFUNC", a.MTrans)
			add("MINVFUNC", a.MInv)
			add("MSTYPE", a.MTransType)
		}
		if a.MSpace != 0 {
			add("MSSPACE", itoa(a.MSpace))
		}
		if a.MInit != nil {
			add("MINITCOND", quoteLiteral(*a.MInit))
		}
		add("MFINALFUNC", a.MFinal)
		if a.MFinalExtra {
			s.WriteString(",\n    MFINALFUNC_EXTRA")
		}
		if a.MFinal != "" && a.MFinalModify != a.DefMFinal {
			add("MFINALFUNC_MODIFY", modify[a.MFinalModify])
		}
		add("SORTOP", a.SortOp)
		if a.Hypothetical {
			s.WriteString(",\n    HYPOTHETICAL")
		}
		switch a.Parallel {
		case "s":
			add("PARALLEL", "safe")
		case "r":
			add("PARALLEL", "restricted")
		}
		s.WriteString("\n);\n")
		n.emit = func(*node) string { return s.String() }
	}
	return nil
}

// readLanguages makes the PROCEDURAL LANGUAGE entries of those that came
// without an extension.
func (r *reader) readLanguages() error {
	rows, err := query[struct {
		OID                        uint32
		Name, Owner                string
		Trusted                    bool
		Handler, Inline, Validator string
		Actual, Base               []string
	}](r, `
		select l.oid, l.lanname, pg_get_userbyid(l.lanowner), l.lanpltrusted,
		       case when l.lanplcallfoid = 0 then '' else l.lanplcallfoid::regproc::text end,
		       case when l.laninline = 0 then '' else l.laninline::regproc::text end,
		       case when l.lanvalidator = 0 then '' else l.lanvalidator::regproc::text end,
		       coalesce(l.lanacl, acldefault('l', l.lanowner))::text[], acldefault('l', l.lanowner)::text[]
		from pg_language l where l.lanispl`)
	if err != nil {
		return err
	}
	for _, l := range rows {
		k := key{classLanguage, l.OID}
		ref := "LANGUAGE " + quoteIdent(l.Name)
		acl := &aclSubject{target: grantTarget{on: ref}, owner: l.Owner, actual: l.Actual, base: l.Base}
		if _, ok := r.member[k]; ok {
			r.memberSubject(k, ref, "", acl)
			continue
		}
		n := r.graph.add(&node{
			key: k, kind: "PROCEDURAL LANGUAGE", name: l.Name, owner: l.Owner, ref: ref,
			ownerSQL: "ALTER " + ref + " OWNER TO " + quoteIdent(l.Owner) + ";\n",
			dropSQL:  "DROP PROCEDURAL LANGUAGE IF EXISTS " + quoteIdent(l.Name) + ";\n",
			emit: func(*node) string {
				s := "CREATE "
				if l.Trusted {
					s += "TRUSTED "
				}
				s += "PROCEDURAL " + ref + " HANDLER " + l.Handler
				if l.Inline != "" {
					s += " INLINE " + l.Inline
				}
				if l.Validator != "" {
					s += " VALIDATOR " + l.Validator
				}
				return s + ";\n"
			},
		})
		r.subject(n, 0, n.ref, acl)
	}
	return nil
}
