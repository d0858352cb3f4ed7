package export

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/restore/choice"
	"guarda/shared/restore/sqltext"
)

// needs writes what looks at the server before anything is made on it: the
// roles, extensions and tablespaces that the script names belong to a server
// and not to a database. It ends the script with all that is missing and the
// way out, rather than in the middle at the first. With CreateRoles missing
// roles are made.
func (p *plain) needs() error {
	var written choice.Choice
	var extensions, spaces []string
	for i := range p.choice.Entries {
		e := &p.choice.Entries[i]
		if !p.wanted(e) {
			continue
		}
		written.Entries = append(written.Entries, *e)
		if e.Kind == "EXTENSION" {
			extensions = append(extensions, e.Name)
		}
		if e.Tablespace != "" && !slices.Contains(spaces, e.Tablespace) {
			spaces = append(spaces, e.Tablespace)
		}
	}
	slices.Sort(spaces)
	roles, err := written.Roles()
	if err != nil {
		return err
	}
	var body strings.Builder
	lack := func(names []string, present, message, hint string) {
		if len(names) == 0 {
			return
		}
		list := make([]string, len(names))
		for i, n := range names {
			list[i] = constant(n)
		}
		body.WriteString("  SELECT string_agg(quote_ident(n), ', ' ORDER BY n) INTO missing FROM unnest(ARRAY[" + strings.Join(list, ", ") + "]::text[]) n WHERE NOT EXISTS (" + present + ");\n" +
			"  IF missing IS NOT NULL THEN RAISE EXCEPTION '" + message + ": %', missing USING HINT = '" + hint + "'; END IF;\n")
	}
	if !p.CreateRoles {
		lack(roles, "SELECT FROM pg_roles WHERE rolname = n", "this server lacks roles that owners, grants, policies or user mappings name",
			"Make them, or export again with --create-roles, or without owners and grants with --no-owner --no-acl.")
	}
	lack(extensions, "SELECT FROM pg_available_extensions WHERE name = n", "this server does not offer extensions that the database uses", "Install their packages on the server.")
	lack(spaces, "SELECT FROM pg_tablespace WHERE spcname = n", "this server lacks tablespaces that tables or indexes are in", "Make them, or export again with --no-tablespaces.")
	if p.CreateRoles {
		for _, r := range roles {
			body.WriteString("  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = " + constant(r) + ") THEN CREATE ROLE " + pgx.Identifier{r}.Sanitize() + "; END IF;\n")
		}
	}
	if body.Len() == 0 {
		return nil
	}
	tag := "$needs$"
	for strings.Contains(body.String(), tag) {
		tag = tag[:len(tag)-1] + "_$"
	}
	safe, err := sqltext.ForPsql("DO " + tag + " DECLARE missing text; BEGIN\n" + body.String() + "END " + tag + ";\n")
	if err != nil {
		return err
	}
	p.text(safe + "\n")
	return nil
}

// constant writes a string so that it means the same under any setting.
func constant(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}
