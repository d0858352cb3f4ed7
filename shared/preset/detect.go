package preset

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

// Querier runs queries: a *pgx.Conn or a pgx.Tx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Detected is what a database looks like.
type Detected struct {
	Name    string   // a preset
	Schemas []string // the database's schemas, sorted; Among picks the platform's
}

// Detect looks at the roles and schemas of the database that q is connected to.
func Detect(ctx context.Context, q Querier) (Detected, error) {
	type row struct {
		Role bool
		Name string
	}
	rows, err := q.Query(ctx, `
		select true, rolname::text from pg_catalog.pg_roles where rolname in ('supabase_admin', 'authenticator', 'rdsadmin', 'rds_superuser')
		union all select false, nspname::text from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
		order by 1, 2`)
	if err != nil {
		return Detected{}, fmt.Errorf("look for the platform: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return Detected{}, fmt.Errorf("look for the platform: %w", err)
	}
	var roles, schemas []string
	for _, f := range found {
		if f.Role {
			roles = append(roles, f.Name)
		} else {
			schemas = append(schemas, f.Name)
		}
	}
	d := Detected{Name: None}
	has := func(list []string, names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(list, n) })
	}
	switch {
	// The roles are the cluster's: a database beside Supabase's own has none of its schemas.
	case has(roles, "supabase_admin", "authenticator") && has(schemas, "auth", "storage"):
		d.Name = Supabase
	case has(roles, "rdsadmin", "rds_superuser"):
		d.Name = RDS
	}
	d.Schemas = schemas
	return d, nil
}

// Reason says what the database was told by; nothing for None.
func (d Detected) Reason() fault.Text {
	switch d.Name {
	case Supabase:
		return fault.Say("the roles supabase_admin and authenticator, the schemas auth and storage")
	case RDS:
		return fault.Say("the roles rdsadmin and rds_superuser")
	}
	return fault.Text{}
}

// Among returns those of the schemas that are the platform's.
func (p Preset) Among(schemas []string) []string {
	found := []string{}
	for _, s := range schemas {
		if p.Schema(s) {
			found = append(found, s)
		}
	}
	return found
}

// Choose returns the preset that a setting (see Check) and what was detected
// come to.
func Choose(setting string, d Detected) Preset {
	if setting == "" || setting == Auto {
		return Named(d.Name)
	}
	return Named(setting)
}

// Line says for people what was found and what is used: "" when there is
// nothing to say.
func Line(setting string, d Detected) string {
	used := Choose(setting, d).Name()
	switch {
	case used == None && d.Name == None:
		return ""
	case used == d.Name && used == Supabase:
		return fmt.Sprintf("this is a Supabase database (it has %s): what belongs to the platform is left out", d.Reason())
	case used == d.Name:
		return fmt.Sprintf("this is an Amazon RDS or Aurora database (it has %s): what belongs to the platform is left out", d.Reason())
	}
	return fmt.Sprintf("the preset is %s by choice; the database looks like %s", used, d.Name)
}
