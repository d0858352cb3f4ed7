package pgcatalog

import "guarda/shared/fault"

// readForeign makes the entries of foreign data wrappers, servers and user
// mappings; foreign tables are relations.
func (r *reader) readForeign() error {
	if err := r.readWrappers(); err != nil {
		return err
	}
	if err := r.readServers(); err != nil {
		return err
	}
	return r.readUserMappings()
}

func (r *reader) readWrappers() error {
	rows, err := query[struct {
		OID                             uint32
		Name, Owner, Handler, Validator string
		Options, Actual, Base           []string
	}](r, `
		select w.oid, w.fdwname, pg_get_userbyid(w.fdwowner),
		       case when w.fdwhandler = 0 then '' else w.fdwhandler::regproc::text end, case when w.fdwvalidator = 0 then '' else w.fdwvalidator::regproc::text end,
		       coalesce(w.fdwoptions, '{}'), coalesce(w.fdwacl, acldefault('F', w.fdwowner))::text[], acldefault('F', w.fdwowner)::text[]
		from pg_foreign_data_wrapper w order by w.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		w := &rows[i]
		name := quoteIdent(w.Name)
		k := key{classFDW, w.OID}
		acl := &aclSubject{target: grantTarget{on: "FOREIGN DATA WRAPPER " + name}, owner: w.Owner, actual: w.Actual, base: w.Base}
		if _, ok := r.member[k]; ok {
			r.memberSubject(k, "FOREIGN DATA WRAPPER "+name, "", acl)
			continue
		}
		n := r.graph.add(&node{
			key: k, kind: "FOREIGN DATA WRAPPER", name: w.Name, owner: w.Owner, ref: "FOREIGN DATA WRAPPER " + name,
			ownerSQL: "ALTER FOREIGN DATA WRAPPER " + name + " OWNER TO " + quoteIdent(w.Owner) + ";\n",
			dropSQL:  "DROP FOREIGN DATA WRAPPER IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				s := "CREATE FOREIGN DATA WRAPPER " + name
				if w.Handler != "" {
					s += " HANDLER " + w.Handler
				}
				if w.Validator != "" {
					s += " VALIDATOR " + w.Validator
				}
				return s + optionsSQL(w.Options) + ";\n"
			},
		})
		r.subject(n, 0, n.ref, acl)
	}
	return nil
}

func optionsSQL(options []string) string {
	if len(options) == 0 {
		return ""
	}
	return " OPTIONS (" + genericOptions(options) + ")"
}

func (r *reader) readServers() error {
	rows, err := query[struct {
		OID                                 uint32
		Name, Owner, Wrapper, Type, Version string
		Options, Actual, Base               []string
	}](r, `
		select s.oid, s.srvname, pg_get_userbyid(s.srvowner), w.fdwname, coalesce(s.srvtype, ''), coalesce(s.srvversion, ''),
		       coalesce(s.srvoptions, '{}'), coalesce(s.srvacl, acldefault('S', s.srvowner))::text[], acldefault('S', s.srvowner)::text[]
		from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw order by s.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		s := &rows[i]
		name := quoteIdent(s.Name)
		k := key{classServer, s.OID}
		acl := &aclSubject{target: grantTarget{on: "FOREIGN SERVER " + name}, owner: s.Owner, actual: s.Actual, base: s.Base}
		if _, ok := r.member[k]; ok {
			r.memberSubject(k, "SERVER "+name, "", acl)
			continue
		}
		n := r.graph.add(&node{
			key: k, kind: "SERVER", name: s.Name, owner: s.Owner, ref: "SERVER " + name,
			ownerSQL: "ALTER SERVER " + name + " OWNER TO " + quoteIdent(s.Owner) + ";\n",
			dropSQL:  "DROP SERVER IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				sql := "CREATE SERVER " + name
				if s.Type != "" {
					sql += " TYPE " + quoteLiteral(s.Type)
				}
				if s.Version != "" {
					sql += " VERSION " + quoteLiteral(s.Version)
				}
				return sql + " FOREIGN DATA WRAPPER " + quoteIdent(s.Wrapper) + optionsSQL(s.Options) + ";\n"
			},
		})
		r.subject(n, 0, n.ref, acl)
	}
	return nil
}

// readUserMappings reads pg_user_mapping, or for those who may not the view
// pg_user_mappings, which everybody may read and which shows options only to
// those who may see them. Whose options are hidden is told from the rights
// that the view asks for, not from the NULL.
func (r *reader) readUserMappings() error {
	sql := `
		select m.umid, m.srvid, m.srvname, m.usename, m.umuser = 0,
		       m.umoptions is null and not (coalesce(pg_has_role(s.srvowner, 'usage') and m.umuser = 0, false)
		         or (select rolsuper from pg_roles where rolname = current_user)
		         or m.umuser <> 0 and m.usename = current_user and (pg_has_role(s.srvowner, 'usage') or has_server_privilege(m.srvid, 'usage'))),
		       coalesce(m.umoptions, '{}')
		from pg_user_mappings m join pg_foreign_server s on s.oid = m.srvid order by m.umid`
	if r.mappings {
		sql = `
		select m.oid, s.oid, s.srvname, case when m.umuser = 0 then 'public' else pg_get_userbyid(m.umuser) end, m.umuser = 0, false, coalesce(m.umoptions, '{}')
		from pg_user_mapping m join pg_foreign_server s on s.oid = m.umserver order by m.oid`
	}
	rows, err := query[struct {
		OID, ServerOID uint32
		Server, User   string
		Public, Hidden bool
		Options        []string
	}](r, sql)
	if err != nil {
		return err
	}
	for i := range rows {
		m := &rows[i]
		user := quoteIdent(m.User)
		var roles []string
		if m.Public {
			user = "PUBLIC"
		} else {
			roles = []string{m.User}
		}
		if m.Hidden {
			r.leave(LeftOut{
				Kind: "USER MAPPING", Name: m.User + " on " + m.Server, Reason: Unreadable,
				Objects: []Address{{Class: classUserMapping, OID: m.OID}},
				Grant:   "GRANT SELECT ON pg_catalog.pg_user_mapping TO " + quoteIdent(r.role) + ";",
			}, fault.Say("its options; the mapping itself is carried"))
		}
		ref := "USER MAPPING FOR " + user + " SERVER " + quoteIdent(m.Server)
		r.graph.add(&node{
			key: key{classUserMapping, m.OID}, kind: "USER MAPPING", name: m.User + " SERVER " + m.Server, ref: ref, roles: roles,
			deps:    []key{{classServer, m.ServerOID}},
			dropSQL: "DROP USER MAPPING IF EXISTS FOR " + user + " SERVER " + quoteIdent(m.Server) + ";\n",
			emit:    func(*node) string { return "CREATE " + ref + optionsSQL(m.Options) + ";\n" },
		})
	}
	return nil
}
