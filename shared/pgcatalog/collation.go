package pgcatalog

import "strings"

// readCollations makes the COLLATION and CONVERSION entries.
func (r *reader) readCollations() error {
	locale := r.since(170000, `coalesce(c.colllocale, '')`, r.since(150000, `coalesce(c.colliculocale, '')`, `''`))
	rows, err := query[struct {
		OID                                                          uint32
		Schema, Name, Owner, Provider, Collate, CType, Locale, Rules string
		Deterministic                                                bool
	}](r, `
		select c.oid, n.nspname, c.collname, pg_get_userbyid(c.collowner), c.collprovider::text,
		       coalesce(c.collcollate, ''), coalesce(c.collctype, ''), `+locale+`, `+r.since(160000, `coalesce(c.collicurules, '')`, `''`)+`, c.collisdeterministic
		from pg_collation c join pg_namespace n on n.oid = c.collnamespace
		where `+userSchema+` and `+noMember("pg_collation", "c.oid")+` order by c.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		c := &rows[i]
		name := qualified(c.Schema, c.Name)
		n := r.graph.add(&node{
			key: key{classCollation, c.OID}, kind: "COLLATION", schema: c.Schema, name: c.Name, owner: c.Owner, ref: "COLLATION " + name,
			ownerSQL: "ALTER COLLATION " + name + " OWNER TO " + quoteIdent(c.Owner) + ";\n",
			dropSQL:  "DROP COLLATION IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				provider := map[string]string{"c": "libc", "i": "icu", "b": "builtin", "d": "default"}[c.Provider]
				parts := []string{"provider = " + provider}
				if !c.Deterministic {
					parts = append(parts, "deterministic = false")
				}
				switch {
				case c.Locale != "":
					parts = append(parts, "locale = "+quoteLiteral(c.Locale))
				case c.Collate == c.CType:
					parts = append(parts, "locale = "+quoteLiteral(c.Collate))
				default:
					parts = append(parts, "lc_collate = "+quoteLiteral(c.Collate), "lc_ctype = "+quoteLiteral(c.CType))
				}
				if c.Rules != "" {
					parts = append(parts, "rules = "+quoteLiteral(c.Rules))
				}
				return "CREATE COLLATION " + name + " (" + strings.Join(parts, ", ") + ");\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return r.readConversions()
}

func (r *reader) readConversions() error {
	rows, err := query[struct {
		OID                                     uint32
		Schema, Name, Owner, From, To, Function string
		Default                                 bool
	}](r, `
		select c.oid, n.nspname, c.conname, pg_get_userbyid(c.conowner), pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
		       c.conproc::text, c.condefault
		from pg_conversion c join pg_namespace n on n.oid = c.connamespace
		where `+userSchema+` and `+noMember("pg_conversion", "c.oid")+` order by c.oid`)
	if err != nil {
		return err
	}
	for i := range rows {
		c := &rows[i]
		name := qualified(c.Schema, c.Name)
		n := r.graph.add(&node{
			key: key{classConversion, c.OID}, kind: "CONVERSION", schema: c.Schema, name: c.Name, owner: c.Owner, ref: "CONVERSION " + name,
			ownerSQL: "ALTER CONVERSION " + name + " OWNER TO " + quoteIdent(c.Owner) + ";\n",
			dropSQL:  "DROP CONVERSION IF EXISTS " + name + ";\n",
			emit: func(*node) string {
				word := ""
				if c.Default {
					word = "DEFAULT "
				}
				return "CREATE " + word + "CONVERSION " + name + " FOR " + quoteLiteral(c.From) + " TO " + quoteLiteral(c.To) + " FROM " + c.Function + ";\n"
			},
		})
		r.subject(n, 0, n.ref, nil)
	}
	return nil
}
