package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// preflight looks at the target before anything is written. Each check that
// fails names what is in the way and the way out.
func (x *restoration) preflight(ctx context.Context) error {
	for _, check := range []func(context.Context) error{x.checkServer, x.checkEmpty, x.checkExtensions, x.checkRoles} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *restoration) checkServer(ctx context.Context) error {
	var version int
	var encoding string
	var recovering bool
	const query = `select current_setting('server_version_num')::int, pg_encoding_to_char(encoding), pg_is_in_recovery()
		from pg_database where datname = current_database()`
	if err := x.conn.QueryRow(ctx, query).Scan(&version, &encoding, &recovering); err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if recovering {
		return fault.New(fault.Conflict, "the target server is a standby and cannot be written to").
			Hint("restore into the primary")
	}
	if from := x.m.Server.VersionNum; version/10000 < from/10000 {
		return fault.New(fault.Conflict, "the backup was made on PostgreSQL %d, the target is PostgreSQL %d", from/10000, version/10000).
			Hint("restore into the same major version or a newer one")
	}
	if want := x.m.Database.Encoding; want != "" && encoding != want {
		return fault.New(fault.Conflict, "the backed-up database has the encoding %s, the target %s", want, encoding).
			Hint("make the target with: create database … template template0 encoding '%s'", want)
	}
	return nil
}

// checkEmpty refuses a target that has objects of its own. What extensions own
// does not count: managed services install some in every database.
func (x *restoration) checkEmpty(ctx context.Context) error {
	const query = `
		with own as (
			select c.oid, 'pg_class'::regclass as class, case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind, n.nspname, c.relname as name
			from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
			union all
			select p.oid, 'pg_proc'::regclass, 'function', n.nspname, p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
			union all
			select t.oid, 'pg_type'::regclass, 'type', n.nspname, t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
			where t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')
			union all
			select n.oid, 'pg_namespace'::regclass, 'schema', n.nspname, n.nspname from pg_namespace n where n.nspname <> 'public'
		)
		select kind || ' ' || case when kind = 'schema' then quote_ident(name) else quote_ident(nspname) || '.' || quote_ident(name) end, count(*) over ()
		from own o
		where nspname !~ '^pg_' and nspname <> 'information_schema'
		  and not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
		order by kind = 'schema', 1 limit 1`
	var first string
	var count int64
	err := x.conn.QueryRow(ctx, query).Scan(&first, &count)
	if err == pgx.ErrNoRows { //nolint:errorlint // pgx returns it as it is
		return nil
	}
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	return fault.New(fault.Conflict, "the target database %q is not empty: it has %d objects, such as the %s", x.conn.Config().Database, count, first).
		Hint("restore into a new database (create database … template template0); nothing is ever overwritten")
}

func (x *restoration) checkExtensions(ctx context.Context) error {
	var wanted []string
	for _, e := range x.entries {
		if e.Kind == "EXTENSION" {
			wanted = append(wanted, e.Name)
		}
	}
	missing, err := x.names(ctx, `select w from unnest($1::text[]) w where not exists (select from pg_available_extensions a where a.name = w) order by 1`, wanted)
	if err != nil || len(missing) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "the target server does not have these extensions: %s", strings.Join(missing, ", ")).
		Hint("install their packages on the target server")
}

// checkRoles makes sure that the roles that owners and grants name exist, or
// makes them when that was asked for, and that the restoring role may give
// objects to the owners.
func (x *restoration) checkRoles(ctx context.Context) error {
	missing, err := x.names(ctx, `select w from unnest($1::text[]) w where w <> 'public' and not exists (select from pg_roles r where r.rolname = w) order by 1`, x.rolesNeeded())
	if err != nil {
		return err
	}
	if len(missing) > 0 && !x.CreateRoles {
		return fault.New(fault.Conflict, "the target server does not have these roles, which owners and grants name: %s", strings.Join(missing, ", ")).
			Hint("make them there, or restore with --create-roles (without login), or leave them out with --no-owner --no-acl")
	}
	for _, role := range missing {
		if _, err := x.conn.Exec(ctx, "create role "+pgx.Identifier{role}.Sanitize()+" nologin"); err != nil {
			return fault.New(fault.Forbidden, "the role %s could not be made on the target server", role).
				Hint("connect as a role with CREATEROLE, or make it by hand").Because(err)
		}
		x.warn(manifest.Warning{Code: "role_created", Object: role,
			Message: fmt.Sprintf("the role %s was made without login and password", role)})
	}
	return x.checkOwners(ctx)
}

// rolesNeeded returns the roles that what is restored names.
func (x *restoration) rolesNeeded() []string {
	var roles []string
	for _, e := range x.entries {
		if e.OwnerSQL != "" && !x.NoOwner {
			roles = append(roles, e.Owner)
		}
		roles = append(roles, e.Roles...)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// checkOwners makes sure that the restoring role may give objects away.
func (x *restoration) checkOwners(ctx context.Context) error {
	if x.NoOwner {
		return nil
	}
	var owners []string
	for _, e := range x.entries {
		if e.Owner != "" && e.OwnerSQL != "" && !slices.Contains(owners, e.Owner) {
			owners = append(owners, e.Owner)
		}
	}
	foreign, err := x.names(ctx, `select w from unnest($1::text[]) w where exists (select from pg_roles where rolname = w) and not pg_has_role(w::name, 'MEMBER') order by 1`, owners)
	if err != nil || len(foreign) == 0 {
		return err
	}
	return fault.New(fault.Forbidden, "the role %q may not give objects to %s", x.conn.Config().User, strings.Join(foreign, ", ")).
		Hint("restore as a superuser or a member of those roles, or with --no-owner")
}

func (x *restoration) names(ctx context.Context, query string, wanted []string) ([]string, error) {
	rows, err := x.conn.Query(ctx, query, wanted)
	if err != nil {
		return nil, pgsession.Explain(err, "look at the target")
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, pgsession.Explain(err, "look at the target")
	}
	return found, nil
}
