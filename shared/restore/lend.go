package restore

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/sqltext"
)

// Some statements ask for rights in a schema that a role has only when the
// restore is complete, or had once: an object is given to an owner who may
// create in its schema, unless a superuser does it, while grants come last; and
// a grant is made in the name of a grantor, who may since have lost USAGE of
// the schema. They are lent the right for the transaction that needs it.

// loan is a right of a role in a schema.
type loan struct{ schema, role, privilege string }

func (l loan) sql(verb, to string) string {
	return verb + " " + l.privilege + " ON SCHEMA " + pgx.Identifier{l.schema}.Sanitize() + " " + to + " " + pgx.Identifier{l.role}.Sanitize() + ";\n"
}

// statements returns what makes an entry and gives it to its owner, with the
// rights lent that this takes.
func (x *restoration) statements(ctx context.Context, conn *pgx.Conn, e *pgcatalog.Entry) (string, error) {
	sql := e.SQL + e.OwnerSQL
	loans, err := x.loans(e)
	if err != nil {
		return "", err
	}
	for _, l := range loans {
		lacks, err := x.lacks(ctx, conn, l)
		if err != nil {
			return "", err
		}
		if lacks {
			sql = l.sql("GRANT", "TO") + sql + l.sql("REVOKE", "FROM")
		}
	}
	return sql, nil
}

// loans lists the rights that an entry takes and that the one who restores may
// have to lend.
func (x *restoration) loans(e *pgcatalog.Entry) ([]loan, error) {
	switch {
	case e.Schema == "":
		return nil, nil
	case e.Kind == "ACL":
		grantors, err := grantorsOf(e)
		var loans []loan
		for _, g := range grantors {
			loans = append(loans, loan{e.Schema, g, "USAGE"})
		}
		return loans, err
	case !x.super && e.OwnerSQL != "" && e.Owner != x.role:
		return []loan{{e.Schema, e.Owner, "CREATE"}}, nil
	}
	return nil, nil
}

// lacks asks the target. What is true of CREATE stays true until the grants are
// made, and is asked once.
func (x *restoration) lacks(ctx context.Context, conn *pgx.Conn, l loan) (bool, error) {
	if l.privilege == "CREATE" {
		if lacks, ok := x.lent.Load(l); ok {
			return lacks.(bool), nil
		}
	}
	row, err := pgsession.One(ctx, conn, `select exists (select from pg_catalog.pg_namespace n, pg_catalog.pg_roles r
		where n.nspname = `+quoteText(l.schema)+` and r.rolname = `+quoteText(l.role)+`
		  and not pg_catalog.has_schema_privilege(r.oid, n.oid, '`+l.privilege+`')
		  and pg_catalog.has_schema_privilege(n.oid, '`+l.privilege+` with grant option'))`)
	if err != nil {
		return false, pgsession.Explain(err, "look at the target")
	}
	x.lent.Store(l, row[0] == "t")
	return row[0] == "t", nil
}

// grantorsOf returns the roles in whose name an ACL entry grants, other than
// the owner.
func grantorsOf(e *pgcatalog.Entry) ([]string, error) {
	if e.Kind != "ACL" || !strings.Contains(e.SQL, "SET ROLE ") && !strings.Contains(e.SQL, "SET SESSION AUTHORIZATION ") {
		return nil, nil
	}
	tokens, err := sqltext.Tokens(e.SQL)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, statement := range sqltext.Statements(tokens) {
		var solid []sqltext.Token
		for _, t := range statement {
			if !t.Blank() {
				solid = append(solid, t)
			}
		}
		if len(solid) < 3 || !solid[0].Is("set") {
			continue
		}
		at := 2
		if solid[1].Is("session") {
			at = 3
		}
		if name, ok := solid[min(at, len(solid)-1)].Name(); ok {
			out = append(out, name)
		}
	}
	return out, nil
}
