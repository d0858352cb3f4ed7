package pgcatalog

import (
	"strings"
)

// readOperators makes the entries of operators, operator classes and families,
// access methods, casts and transforms.
func (r *reader) readOperators() error {
	for _, step := range []func() error{
		r.readOperatorEntries, r.readFamilies, r.readClasses, r.readAccessMethods, r.readCasts, r.readTransforms,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) readOperatorEntries() error {
	rows, err := query[struct {
		OID                                              uint32
		Schema, Name, Owner, Kind, Left, Right, Function string
		Commutator, Negator, Restrict, Join              string
		Merges, Hashes                                   bool
	}](r, `
		select o.oid, n.nspname, o.oprname, pg_get_userbyid(o.oprowner), o.oprkind::text,
		       case when o.oprleft = 0 then '' else format_type(o.oprleft, null) end, case when o.oprright = 0 then '' else format_type(o.oprright, null) end,
		       o.oprcode::text,
		       coalesce('OPERATOR(' || quote_ident(cn.nspname) || '.' || c.oprname || ')', ''),
		       coalesce('OPERATOR(' || quote_ident(gn.nspname) || '.' || g.oprname || ')', ''),
		       case when o.oprrest::oid = 0 then '' else o.oprrest::text end, case when o.oprjoin::oid = 0 then '' else o.oprjoin::text end,
		       o.oprcanmerge, o.oprcanhash
		from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
		left join pg_operator c on c.oid = o.oprcom left join pg_namespace cn on cn.oid = c.oprnamespace
		left join pg_operator g on g.oid = o.oprnegate left join pg_namespace gn on gn.oid = g.oprnamespace
		where `+userSchema+` and o.oprcode::oid <> 0 and `+noMember("pg_operator", "o.oid")+` order by o.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		o := &rows[i]
		left, right := o.Left, o.Right
		if left == "" {
			left = "NONE"
		}
		if right == "" {
			right = "NONE"
		}
		name := quoteIdent(o.Schema) + "." + o.Name
		n := r.graph.add(&node{
			key: key{classOperator, o.OID}, kind: "OPERATOR", schema: o.Schema, name: o.Name, owner: o.Owner,
			ref:      "OPERATOR " + name + " (" + left + ", " + right + ")",
			ownerSQL: "ALTER OPERATOR " + name + " (" + left + ", " + right + ") OWNER TO " + quoteIdent(o.Owner) + ";\n",
			dropSQL:  "DROP OPERATOR IF EXISTS " + name + " (" + left + ", " + right + ");\n",
			emit: func(*node) string {
				s := "CREATE OPERATOR " + name + " (\n    FUNCTION = " + o.Function
				add := func(name, value string) {
					if value != "" {
						s += ",\n    " + name + " = " + value
					}
				}
				add("LEFTARG", o.Left)
				add("RIGHTARG", o.Right)
				add("COMMUTATOR", o.Commutator)
				add("NEGATOR", o.Negator)
				if o.Merges {
					s += ",\n    MERGES"
				}
				if o.Hashes {
					s += ",\n    HASHES"
				}
				add("RESTRICT", o.Restrict)
				add("JOIN", o.Join)
				return s + "\n);\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

// familyMember is a row of pg_amop or pg_amproc.
type familyMember struct {
	Catalog, OID, Family uint32
	Class                uint32 // the class it came with; 0 for one added to the family
	SQL                  string
}

func (m familyMember) key() key { return key{m.Catalog, m.OID} }

func (r *reader) familyMembers() (byFamily, byClass map[uint32][]familyMember, err error) {
	rows, err := query[familyMember](r, `
		select 2602::oid, a.oid, a.amopfamily, coalesce(d.refobjid, 0),
		       'OPERATOR ' || a.amopstrategy || ' ' || quote_ident(n.nspname) || '.' || o.oprname || '(' || format_type(a.amoplefttype, null) || ',' || format_type(a.amoprighttype, null) || ')'
		       || case when a.amopsortfamily <> 0 then ' FOR ORDER BY ' || (select quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) from pg_opfamily f join pg_namespace fn on fn.oid = f.opfnamespace where f.oid = a.amopsortfamily) else '' end
		from pg_amop a join pg_operator o on o.oid = a.amopopr join pg_namespace n on n.oid = o.oprnamespace
		left join pg_depend d on d.classid = 'pg_amop'::regclass and d.objid = a.oid and d.refclassid = 'pg_opclass'::regclass and d.deptype = 'i'
		where a.oid >= 16384 and `+noMember("pg_amop", "a.oid")+`
		union all
		select 2603::oid, a.oid, a.amprocfamily, coalesce(d.refobjid, 0),
		       'FUNCTION ' || a.amprocnum || ' (' || format_type(a.amproclefttype, null) || ', ' || format_type(a.amprocrighttype, null) || ') ' || a.amproc::oid::regprocedure::text
		from pg_amproc a
		left join pg_depend d on d.classid = 'pg_amproc'::regclass and d.objid = a.oid and d.refclassid = 'pg_opclass'::regclass and d.deptype = 'i'
		where a.oid >= 16384 and `+noMember("pg_amproc", "a.oid")+`
		order by 5`)
	if err != nil {
		return nil, nil, err
	}
	byFamily, byClass = map[uint32][]familyMember{}, map[uint32][]familyMember{}
	for _, m := range rows {
		if m.Class != 0 {
			byClass[m.Class] = append(byClass[m.Class], m)
		} else {
			byFamily[m.Family] = append(byFamily[m.Family], m)
		}
	}
	return byFamily, byClass, nil
}

func (r *reader) readFamilies() error {
	rows, err := query[struct {
		OID                         uint32
		Schema, Name, Owner, Method string
	}](r, `
		select f.oid, n.nspname, f.opfname, pg_get_userbyid(f.opfowner), am.amname
		from pg_opfamily f join pg_namespace n on n.oid = f.opfnamespace join pg_am am on am.oid = f.opfmethod
		where `+noMember("pg_opfamily", "f.oid")+` order by f.oid`)
	if err != nil {
		return err
	}
	byFamily, _, err := r.familyMembers()
	if err != nil {
		return err
	}
	for family, loose := range byFamily {
		if _, ok := r.member[key{classOpfamily, family}]; !ok {
			continue
		}
		for _, m := range loose {
			r.graph.alias[m.key()] = key{classOpfamily, family}
		}
	}
	for i := range rows {
		f := &rows[i]
		name := qualified(f.Schema, f.Name) + " USING " + quoteIdent(f.Method)
		self := key{classOpfamily, f.OID}
		ref := "OPERATOR FAMILY " + name
		if !systemSchema(f.Schema) {
			n := r.graph.add(&node{
				key: self, kind: "OPERATOR FAMILY", schema: f.Schema, name: f.Name, owner: f.Owner, ref: ref,
				ownerSQL: "ALTER " + ref + " OWNER TO " + quoteIdent(f.Owner) + ";\n",
				dropSQL:  "DROP OPERATOR FAMILY IF EXISTS " + name + ";\n",
				emit:     func(*node) string { return "CREATE " + ref + ";\n" },
			})
			r.subject(n, 0, n.ref, nil)
		}
		if loose := byFamily[f.OID]; len(loose) > 0 {
			// Members added to the family on their own may name what the
			// family's classes need, so they come after. A built-in family
			// can have some too; pg_dump loses those.
			r.graph.add(&node{
				key:  key{6, f.OID}, // class 6 is no catalog: free for loose members
				kind: "OPERATOR FAMILY", schema: f.Schema, name: f.Name, ref: ref + " ADD", owner: f.Owner, deps: []key{self},
				emit: func(*node) string {
					lines := make([]string, len(loose))
					for i, m := range loose {
						lines[i] = "\n    " + m.SQL
					}
					return "ALTER OPERATOR FAMILY " + name + " ADD" + strings.Join(lines, ",") + ";\n"
				},
			})
			for _, m := range loose {
				r.graph.alias[m.key()] = key{6, f.OID}
			}
		}
	}
	return nil
}

func (r *reader) readClasses() error {
	rows, err := query[struct {
		OID                                        uint32
		Schema, Name, Owner, Method, Type, Storage string
		Default                                    bool
		Family                                     uint32
		FamilySchema, FamilyName                   string
	}](r, `
		select c.oid, n.nspname, c.opcname, pg_get_userbyid(c.opcowner), am.amname, format_type(c.opcintype, null),
		       case when c.opckeytype = 0 then '' else format_type(c.opckeytype, null) end, c.opcdefault, c.opcfamily, fn.nspname, f.opfname
		from pg_opclass c join pg_namespace n on n.oid = c.opcnamespace join pg_am am on am.oid = c.opcmethod
		join pg_opfamily f on f.oid = c.opcfamily join pg_namespace fn on fn.oid = f.opfnamespace
		where `+userSchema+` and `+noMember("pg_opclass", "c.oid")+` order by c.oid`)
	if err != nil {
		return err
	}
	_, byClass, err := r.familyMembers()
	if err != nil {
		return err
	}
	for class, members := range byClass {
		for _, m := range members {
			r.graph.alias[m.key()] = key{classOpclass, class}
		}
	}
	for i := range rows {
		c := &rows[i]
		members := byClass[c.OID]
		self := key{classOpclass, c.OID}
		name := qualified(c.Schema, c.Name) + " USING " + quoteIdent(c.Method)
		n := r.graph.add(&node{
			key: self, kind: "OPERATOR CLASS", schema: c.Schema, name: c.Name, owner: c.Owner, ref: "OPERATOR CLASS " + name,
			deps:     []key{{classOpfamily, c.Family}},
			ownerSQL: "ALTER OPERATOR CLASS " + name + " OWNER TO " + quoteIdent(c.Owner) + ";\n",
			dropSQL:  "DROP OPERATOR CLASS IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				s := "CREATE OPERATOR CLASS " + qualified(c.Schema, c.Name) + "\n    "
				if c.Default {
					s += "DEFAULT "
				}
				s += "FOR TYPE " + c.Type + " USING " + quoteIdent(c.Method) + " FAMILY " + qualified(c.FamilySchema, c.FamilyName) + " AS"
				var lines []string
				if c.Storage != "" || len(members) == 0 {
					storage := c.Storage
					if storage == "" {
						storage = c.Type
					}
					lines = append(lines, "\n    STORAGE "+storage)
				}
				for _, m := range members {
					lines = append(lines, "\n    "+m.SQL)
				}
				return s + strings.Join(lines, ",") + ";\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

func (r *reader) readAccessMethods() error {
	rows, err := query[struct {
		OID                 uint32
		Name, Type, Handler string
	}](r, `
		select a.oid, a.amname, case a.amtype when 't' then 'TABLE' else 'INDEX' end, a.amhandler::text
		from pg_am a where a.oid >= $1 and `+noMember("pg_am", "a.oid"), uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for i := range rows {
		a := &rows[i]
		ref := "ACCESS METHOD " + quoteIdent(a.Name)
		n := r.graph.add(&node{
			key: key{classAccessMethod, a.OID}, kind: "ACCESS METHOD", name: a.Name, ref: ref,
			dropSQL: "DROP ACCESS METHOD IF EXISTS " + quoteIdent(a.Name) + ";\n",
			emit:    func(*node) string { return "CREATE " + ref + " TYPE " + a.Type + " HANDLER " + a.Handler + ";\n" },
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

func (r *reader) readCasts() error {
	rows, err := query[struct {
		OID                                       uint32
		Source, Target, Context, Method, Function string
	}](r, `
		select c.oid, format_type(c.castsource, null), format_type(c.casttarget, null), c.castcontext::text, c.castmethod::text,
		       case when c.castfunc = 0 then '' else (select quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
		            from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = c.castfunc) end
		from pg_cast c where c.oid >= $1 and `+noMember("pg_cast", "c.oid")+`
		  and not exists (select from pg_range rg where `+r.since(140000, `(c.castsource, c.casttarget) = (rg.rngtypid, rg.rngmultitypid)`, `false`)+`)
		order by c.oid`, uint32(firstNormalOID))
	if err != nil {
		return err
	}
	for i := range rows {
		c := &rows[i]
		name := "(" + c.Source + " AS " + c.Target + ")"
		n := r.graph.add(&node{
			key: key{classCast, c.OID}, kind: "CAST", name: name, ref: "CAST " + name,
			dropSQL: "DROP CAST IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				s := "CREATE CAST " + name
				switch c.Method {
				case "b":
					s += " WITHOUT FUNCTION"
				case "i":
					s += " WITH INOUT"
				default:
					s += " WITH FUNCTION " + c.Function
				}
				switch c.Context {
				case "a":
					s += " AS ASSIGNMENT"
				case "i":
					s += " AS IMPLICIT"
				}
				return s + ";\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}

func (r *reader) readTransforms() error {
	rows, err := query[struct {
		OID                      uint32
		Type, Language, From, To string
	}](r, `
		select t.oid, format_type(t.trftype, null), l.lanname,
		       case when t.trffromsql::oid = 0 then '' else t.trffromsql::oid::regprocedure::text end,
		       case when t.trftosql::oid = 0 then '' else t.trftosql::oid::regprocedure::text end
		from pg_transform t join pg_language l on l.oid = t.trflang where `+noMember("pg_transform", "t.oid"))
	if err != nil {
		return err
	}
	for i := range rows {
		t := &rows[i]
		name := "FOR " + t.Type + " LANGUAGE " + quoteIdent(t.Language)
		n := r.graph.add(&node{
			key: key{classTransform, t.OID}, kind: "TRANSFORM", name: name, ref: "TRANSFORM " + name,
			dropSQL: "DROP TRANSFORM IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				var parts []string
				if t.From != "" {
					parts = append(parts, "FROM SQL WITH FUNCTION "+t.From)
				}
				if t.To != "" {
					parts = append(parts, "TO SQL WITH FUNCTION "+t.To)
				}
				return "CREATE TRANSFORM " + name + " (" + strings.Join(parts, ", ") + ");\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}
