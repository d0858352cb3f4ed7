package pgcatalog

// readTextSearch makes the entries of text search parsers, templates,
// dictionaries and configurations.
func (r *reader) readTextSearch() error {
	type row struct {
		OID                 uint32
		Schema, Name, Owner string
		Body                string
	}
	function := func(name, column string) string {
		return `case when ` + column + `::oid = 0 then '' else ', ` + name + ` = ' || ` + column + `::text end`
	}
	kinds := []struct {
		class uint32
		kind  string
		sql   string
	}{
		{classTSParser, "TEXT SEARCH PARSER", `
			select p.oid, n.nspname, p.prsname, '', 'START = ' || p.prsstart::text || ', GETTOKEN = ' || p.prstoken::text || ', END = ' || p.prsend::text
			       || ` + function("HEADLINE", "p.prsheadline") + ` || ', LEXTYPES = ' || p.prslextype::text
			from pg_ts_parser p join pg_namespace n on n.oid = p.prsnamespace where ` + userSchema + ` and ` + noMember("pg_ts_parser", "p.oid") + ` order by 1`},
		{classTSTemplate, "TEXT SEARCH TEMPLATE", `
			select t.oid, n.nspname, t.tmplname, '', 'LEXIZE = ' || t.tmpllexize::text || ` + function("INIT", "t.tmplinit") + `
			from pg_ts_template t join pg_namespace n on n.oid = t.tmplnamespace where ` + userSchema + ` and ` + noMember("pg_ts_template", "t.oid") + ` order by 1`},
		{classTSDict, "TEXT SEARCH DICTIONARY", `
			select d.oid, n.nspname, d.dictname, pg_get_userbyid(d.dictowner),
			       'TEMPLATE = ' || quote_ident(tn.nspname) || '.' || quote_ident(t.tmplname) || case when d.dictinitoption is null then '' else ', ' || d.dictinitoption end
			from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace
			join pg_ts_template t on t.oid = d.dicttemplate join pg_namespace tn on tn.oid = t.tmplnamespace
			where ` + userSchema + ` and ` + noMember("pg_ts_dict", "d.oid") + ` order by 1`},
		{classTSConfig, "TEXT SEARCH CONFIGURATION", `
			select c.oid, n.nspname, c.cfgname, pg_get_userbyid(c.cfgowner), 'PARSER = ' || quote_ident(pn.nspname) || '.' || quote_ident(p.prsname)
			from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
			join pg_ts_parser p on p.oid = c.cfgparser join pg_namespace pn on pn.oid = p.prsnamespace
			where ` + userSchema + ` and ` + noMember("pg_ts_config", "c.oid") + ` order by 1`},
	}
	mappings, err := r.textSearchMappings()
	if err != nil {
		return err
	}
	for _, k := range kinds {
		rows, err := query[row](r, k.sql)
		if err != nil {
			return err
		}
		for i := range rows {
			o := &rows[i]
			name := qualified(o.Schema, o.Name)
			n := &node{
				key: key{k.class, o.OID}, kind: k.kind, schema: o.Schema, name: o.Name, owner: o.Owner, ref: k.kind + " " + name,
				dropSQL: "DROP " + k.kind + " IF EXISTS " + name + ";\n",
				emit: func(*node) string {
					s := "CREATE " + k.kind + " " + name + " (" + o.Body + ");\n"
					if k.class == classTSConfig {
						for _, m := range mappings[o.OID] {
							s += "ALTER TEXT SEARCH CONFIGURATION " + name + " ADD MAPPING FOR " + quoteIdent(m.Token) + " WITH " + m.Dictionaries + ";\n"
						}
					}
					return s
				},
			}
			if o.Owner != "" {
				n.ownerSQL = "ALTER " + k.kind + " " + name + " OWNER TO " + quoteIdent(o.Owner) + ";\n"
			}
			r.graph.add(n)
			r.subject(n, 0, n.ref, nil)
		}
	}
	return nil
}

type textSearchMapping struct {
	Config              uint32
	Token, Dictionaries string
}

func (r *reader) textSearchMappings() (map[uint32][]textSearchMapping, error) {
	rows, err := query[textSearchMapping](r, `
		select m.mapcfg, t.alias, string_agg(quote_ident(n.nspname) || '.' || quote_ident(d.dictname), ', ' order by m.mapseqno)
		from pg_ts_config_map m
		join pg_ts_config c on c.oid = m.mapcfg
		join pg_ts_dict d on d.oid = m.mapdict join pg_namespace n on n.oid = d.dictnamespace
		cross join lateral ts_token_type(c.cfgparser) t
		where t.tokid = m.maptokentype and m.mapcfg >= $1
		group by m.mapcfg, m.maptokentype, t.alias order by m.mapcfg, m.maptokentype`, uint32(firstNormalOID))
	if err != nil {
		return nil, err
	}
	out := map[uint32][]textSearchMapping{}
	for _, m := range rows {
		out[m.Config] = append(out[m.Config], m)
	}
	return out, nil
}
