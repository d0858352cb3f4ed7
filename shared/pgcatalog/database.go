package pgcatalog

import (
	"strings"
)

// DatabaseSetting is a setting that goes with the database, for everybody or
// for one role.
type DatabaseSetting struct {
	Role  string `json:"role,omitempty"` // "" for everybody
	Name  string `json:"name"`
	Value string `json:"value"`
}

// PropertiesSQL gives the database called name (unquoted) what belongs to the
// database as a whole: settings, connection limit, comment and grants, and,
// for the caller to leave out, its owner. pg_dump carries these only with
// --create; they change nothing inside the database.
func (d Database) PropertiesSQL(name string) (properties, owner string) {
	var b strings.Builder
	ref := "DATABASE " + quoteIdent(name)
	for _, s := range d.Settings {
		target := "ALTER " + ref
		if s.Role != "" {
			target = "ALTER ROLE " + quoteIdent(s.Role) + " IN " + ref
		}
		b.WriteString(target + " SET " + settingName(s.Name) + " TO " + settingValue(s.Name, s.Value) + ";\n")
	}
	if d.ConnectionLimit >= 0 {
		b.WriteString("ALTER " + ref + " CONNECTION LIMIT " + itoa(d.ConnectionLimit) + ";\n")
	}
	if d.Template {
		b.WriteString("ALTER " + ref + " IS_TEMPLATE true;\n")
	}
	if d.Comment != "" {
		b.WriteString("COMMENT ON " + ref + " IS " + quoteLiteral(d.Comment) + ";\n")
	}
	grants, _ := aclSQL(grantTarget{on: ref, all: "CTc"}, d.Owner, d.ACL, d.DefaultACL)
	b.WriteString(grants)
	return b.String(), "ALTER " + ref + " OWNER TO " + quoteIdent(d.Owner) + ";\n"
}

func settingName(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = quoteIdent(parts[i])
	}
	return strings.Join(parts, ".")
}

// settingValue writes a value. The settings that hold lists of names are
// stored as such a list, quoted as identifiers; every element is a constant.
func settingValue(name, value string) string {
	switch strings.ToLower(name) {
	case "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries", "shared_preload_libraries", "unix_socket_directories":
	default:
		return quoteLiteral(value)
	}
	var out []string
	var b strings.Builder
	quoted, any := false, false
	flush := func() {
		if any {
			out = append(out, quoteLiteral(b.String()))
		}
		b.Reset()
		any = false
	}
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"' && quoted && i+1 < len(value) && value[i+1] == '"':
			b.WriteByte('"')
			i++
		case c == '"':
			quoted, any = !quoted, true
		case c == ',' && !quoted:
			flush()
		case (c == ' ' || c == '\t') && !quoted:
		default:
			b.WriteByte(c)
			any = true
		}
	}
	flush()
	if len(out) == 0 {
		return "''"
	}
	return strings.Join(out, ", ")
}

// readDatabase reads what describes the database itself.
func (r *reader) readDatabase() error {
	rows, err := query[struct {
		OID                                   uint32
		Name, Owner, Encoding, Collate, CType string
		Provider, Locale, Rules               string
		Limit                                 int32
		Template                              bool
		Comment                               string
		ACL, DefaultACL                       []string
	}](r, `
		select d.oid, d.datname, pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
		       `+r.since(150000, `case d.datlocprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end`, `'libc'`)+`,
		       `+r.since(170000, `coalesce(d.datlocale, '')`, r.since(150000, `coalesce(d.daticulocale, '')`, `''`))+`, `+r.since(160000, `coalesce(d.daticurules, '')`, `''`)+`,
		       d.datconnlimit, d.datistemplate, coalesce(shobj_description(d.oid, 'pg_database'), ''),
		       coalesce(d.datacl, acldefault('d', d.datdba))::text[], acldefault('d', d.datdba)::text[]
		from pg_database d where d.datname = current_database()`)
	if err != nil {
		return err
	}
	d := rows[0]
	settings, err := query[DatabaseSetting](r, `
		select coalesce(pg_get_userbyid(nullif(s.setrole, 0)), ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
		from pg_db_role_setting s, unnest(s.setconfig) with ordinality u (c, n)
		where s.setdatabase = $1 order by 1, n`, d.OID)
	if err != nil {
		return err
	}
	r.cat.Database = Database{
		OID: d.OID, Name: d.Name, Owner: d.Owner, Encoding: d.Encoding, Collate: d.Collate, CType: d.CType,
		LocaleProvider: d.Provider, ICULocale: d.Locale, ICURules: d.Rules, Settings: settings, ConnectionLimit: d.Limit, Template: d.Template,
		Comment: d.Comment, ACL: d.ACL, DefaultACL: d.DefaultACL,
	}
	return nil
}
