package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/preset"
	"guarda/shared/restore/choice"
)

// preflight looks at the target before anything is written. Each check that
// fails names what is in the way and the way out.
func (x *restoration) preflight(ctx context.Context) error {
	for _, check := range []func(context.Context) error{
		x.checkServer, x.checkConnections, x.checkExtensions, x.checkTablespaces, x.checkPrivileges, x.checkRoom, x.checkOthersTables, x.checkRoles, x.checkGrantors, x.clean, x.openJournal,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *restoration) checkServer(ctx context.Context) error {
	var version int
	var has pgcatalog.Database
	var recovering bool
	// As JSON, the row has the columns that its version has.
	const query = `select current_setting('server_version_num')::int, pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
			case r ->> 'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end, coalesce(r ->> 'datlocale', r ->> 'daticulocale', ''), coalesce(r ->> 'daticurules', ''),
			pg_is_in_recovery()
		from pg_database d cross join lateral to_jsonb(d) r where d.datname = current_database()`
	if err := x.conn.QueryRow(ctx, query).Scan(&version, &has.Encoding, &has.Collate, &has.CType, &has.LocaleProvider, &has.ICULocale, &has.ICURules, &recovering); err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if recovering {
		return fault.New(fault.Conflict, "the target server is a standby and cannot be written to").
			Hint("restore into the primary")
	}
	d := x.m.Database
	if d.Encoding != "" && has.Encoding != d.Encoding {
		return fault.New(fault.Conflict, "the backed-up database has the encoding %s, the target %s", d.Encoding, has.Encoding).
			Hint("restore with --to-new-database, or make the target with: create database … template template0 encoding '%s'", d.Encoding)
	}
	if before, now := sorting(d), sorting(has); d.Collate != "" && before != now {
		x.warn(fault.Warn("locale_differs", "", "the backed-up database sorts text by %s, the target by %s: the order of rows may differ", before, now))
	}
	return x.checkFeatures(version / 10000)
}

// sorting says by what a database sorts text and tells letters, in the server's
// words.
func sorting(d pgcatalog.Database) string {
	by := d.LocaleProvider
	if by == "" { // of an old backup
		by = "libc"
	}
	if d.ICULocale != "" {
		by += " " + d.ICULocale
	}
	if d.ICURules != "" {
		by += " ICU_RULES"
	}
	return fmt.Sprintf("%s, LC_COLLATE %s, LC_CTYPE %s", by, d.Collate, d.CType)
}

// checkFeatures looks for what a target of an older major version cannot have.
func (x *restoration) checkFeatures(target int) error {
	from := x.m.Server.VersionNum / 10000
	if target >= from {
		return nil
	}
	missing, err := x.choice.ForVersion(target)
	if err != nil || len(missing) == 0 {
		return err
	}
	if x.WithoutUnsupported {
		for _, m := range missing {
			x.warn(m.Text().Warning("left_out", m.Object))
		}
		return nil
	}
	var list []fault.Text
	for _, m := range missing[:min(len(missing), 20)] {
		list = append(list, m.Text())
	}
	if more := len(missing) - len(list); more > 0 {
		list = append(list, fault.Say("and %d more", more))
	}
	return fault.New(fault.Conflict, "the backup was made on PostgreSQL %d, and %d of its objects cannot be made on the target's PostgreSQL %d: %s", from, len(missing), target, fault.Join("; ", list...)).
		Hint("restore into version %d or newer, or leave them out with --without-unsupported", from)
}

// checkConnections makes sure that there is room for the jobs.
func (x *restoration) checkConnections(ctx context.Context) error {
	var free, role, database int
	const query = `
		select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		         - (select count(*) from pg_stat_activity where backend_type = 'client backend'),
		       case when r.rolsuper or r.rolconnlimit < 0 then 1000000 else r.rolconnlimit - (select count(*) from pg_stat_activity a where a.usesysid = r.oid) end,
		       case when r.rolsuper or d.datconnlimit < 0 then 1000000 else d.datconnlimit - (select count(*) from pg_stat_activity a where a.datid = d.oid) end
		from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()`
	if err := x.conn.QueryRow(ctx, query).Scan(&free, &role, &database); err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if room := min(free, role, database); room < x.Jobs {
		return fault.New(fault.Exhausted, "the target has room for %d more connections, and %d jobs need as many", max(0, room), x.Jobs).
			Hint("use fewer --jobs, or raise the limit of the server, the database or the role")
	}
	return nil
}

func (x *restoration) checkExtensions(ctx context.Context) error {
	var wanted []string
	for _, e := range x.choice.Entries {
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

func (x *restoration) checkTablespaces(ctx context.Context) error {
	var wanted []string
	for _, e := range x.choice.Entries {
		if e.Tablespace != "" {
			wanted = append(wanted, e.Tablespace)
		}
	}
	slices.Sort(wanted)
	missing, err := x.names(ctx, `select w from unnest($1::text[]) w where not exists (select from pg_tablespace t where t.spcname = w) order by 1`, slices.Compact(wanted))
	if err != nil || len(missing) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "the target server does not have these tablespaces: %s", strings.Join(missing, ", ")).
		Hint("make them there, or restore with --no-tablespaces")
}

// checkPrivileges makes sure that the role may make what it is to make, as far
// as one can tell beforehand.
func (x *restoration) checkPrivileges(ctx context.Context) error {
	var create, public bool
	const query = `select r.rolname, r.rolsuper, has_database_privilege(current_database(), 'create'), coalesce((select has_schema_privilege(n.oid, 'create') from pg_namespace n where n.nspname = 'public'), false)
		from pg_roles r where r.rolname = current_user`
	if err := x.conn.QueryRow(ctx, query).Scan(&x.role, &x.super, &create, &public); err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if x.super {
		return nil
	}
	var special []fault.Text
	for i := range x.choice.Entries {
		e := &x.choice.Entries[i]
		switch e.Kind {
		case "SCHEMA":
			if !create && strings.HasPrefix(e.SQL, "CREATE") {
				return fault.New(fault.Forbidden, "the role %q may not make schemas in the target", x.conn.Config().User).
					Hint("grant create on database … to that role, or restore as the database's owner")
			}
		case "TABLE", "VIEW", "FUNCTION", "SEQUENCE", "TYPE":
			if e.Schema == "public" && !public {
				return fault.New(fault.Forbidden, "the role %q may not make anything in the target's schema public", x.conn.Config().User).
					Hint("grant create on schema public to that role, or restore as the database's owner")
			}
		case "ACCESS METHOD", "EVENT TRIGGER", "FOREIGN DATA WRAPPER", "OPERATOR CLASS", "OPERATOR FAMILY", "SUBSCRIPTION":
			special = append(special, objectText(e))
		}
	}
	if len(special) > 0 {
		x.warn(fault.Warn("needs_superuser", "", "these usually need a superuser: %s", fault.Join(", ", special[:min(len(special), 20)]...)))
	}
	return nil
}

// checkOthersTables makes sure that tables whose rows are in the backup but
// which no entry makes (an extension's, the platform's) are in the target.
func (x *restoration) checkOthersTables(ctx context.Context) error {
	extensions := slices.ContainsFunc(x.choice.Entries, func(e choice.Entry) bool { return e.Kind == "EXTENSION" })
	var wanted []string
	for _, t := range x.choice.Tables {
		if !x.choice.Makes(t.OID) {
			wanted = append(wanted, pgx.Identifier{t.Schema, t.Name}.Sanitize())
		}
	}
	missing, err := x.names(ctx, `select w from unnest($1::text[]) w where to_regclass(w) is null order by 1`, wanted)
	if err != nil || len(missing) == 0 || extensions { // an extension may still make them
		return err
	}
	return fault.New(fault.Conflict, "the backup has rows of these tables, which it does not make and the target does not have: %s", strings.Join(missing, ", ")).
		Hint("restore into a database of the same platform, or choose other tables with --tables")
}

// checkRoles makes sure that the roles that owners and grants name exist, or
// makes them when that was asked for, and that the restoring role may give
// objects to the owners.
func (x *restoration) checkRoles(ctx context.Context) error {
	named, err := x.choice.Roles()
	if err != nil {
		return err
	}
	missing, err := x.names(ctx, `select w from unnest($1::text[]) w where not exists (select from pg_roles r where r.rolname = w) order by 1`, named)
	if err != nil {
		return err
	}
	if missing, err = x.leavePlatform(missing); err != nil {
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
		if !x.super { // to give it what is its own
			if _, err := x.conn.Exec(ctx, "grant "+pgx.Identifier{role}.Sanitize()+" to current_user"); err != nil {
				return pgsession.Explain(err, "become a member of the role "+role)
			}
		}
		x.warn(fault.Warn("role_created", role, "the role %s was made without login and password", role))
	}
	return x.checkOwners(ctx)
}

// leavePlatform takes the roles out that belong to the managed platform that
// the backup is from: nobody makes those anywhere else.
func (x *restoration) leavePlatform(missing []string) ([]string, error) {
	if x.m.Ledger == nil {
		return missing, nil
	}
	platform := preset.Named(x.m.Ledger.Preset.Name)
	var gone, rest []string
	for _, role := range missing {
		if platform.PlatformRole(role) {
			gone = append(gone, role)
		} else {
			rest = append(rest, role)
		}
	}
	if len(gone) > 0 {
		names := strings.Join(gone, ", ")
		x.warn(fault.Warn("platform_roles", names, "the target is not the platform that the backup is from: what these roles own is left to the restoring role, and their grants are left out: %s", names))
	}
	return rest, x.choice.WithoutRoles(gone)
}

// checkOwners makes sure that the restoring role may give objects away. A role
// without superuser rights that just made them is made a member of them.
func (x *restoration) checkOwners(ctx context.Context) error {
	if err := x.leavePublic(ctx); err != nil {
		return err
	}
	foreign, err := x.foreign(ctx, x.choice.Owners())
	if err != nil || len(foreign) == 0 {
		return err
	}
	return fault.New(fault.Forbidden, "the role %q may not give objects to %s", x.conn.Config().User, strings.Join(foreign, ", ")).
		Hint("restore as a superuser or a member of those roles, or with --no-owner")
}

// leavePublic leaves the schema public to its owner where he is the backup's
// too, or where the restoring role cannot give it away: before version 15 it is
// a superuser's in every database.
func (x *restoration) leavePublic(ctx context.Context) error {
	at := slices.IndexFunc(x.choice.Entries, func(e choice.Entry) bool { return e.Kind == "SCHEMA" && e.Name == "public" && e.OwnerSQL != "" })
	if at < 0 {
		return nil
	}
	e := &x.choice.Entries[at]
	owner, err := x.names(ctx, `select pg_get_userbyid(n.nspowner) from pg_namespace n where n.nspname = any ($1::text[])`, []string{"public"})
	if err != nil || len(owner) == 0 {
		return err
	}
	foreign, err := x.foreign(ctx, []string{owner[0], e.Owner})
	if err != nil {
		return err
	}
	switch {
	case owner[0] == e.Owner:
	case len(foreign) > 0 && !x.super:
		x.warn(fault.Warn("owner_kept", "public", "the schema public stays with %s: the restoring role may not give it to %s", owner[0], e.Owner))
	default:
		return nil
	}
	e.OwnerSQL = ""
	return nil
}

// checkGrantors makes sure that the restoring role may grant in the name of
// those who granted what others had given them.
func (x *restoration) checkGrantors(ctx context.Context) error {
	var grantors []string
	for i := range x.choice.Entries {
		more, err := grantorsOf(&x.choice.Entries[i])
		if err != nil {
			return err
		}
		grantors = append(grantors, more...)
	}
	slices.Sort(grantors)
	foreign, err := x.foreign(ctx, slices.Compact(grantors))
	if err != nil || len(foreign) == 0 {
		return err
	}
	return fault.New(fault.Forbidden, "the role %q may not grant in the name of %s", x.role, strings.Join(foreign, ", ")).
		Hint("restore as a superuser or a member of those roles, or with --no-acl")
}

// foreign returns those of the roles that the restoring role may not act for.
func (x *restoration) foreign(ctx context.Context, roles []string) ([]string, error) {
	return x.names(ctx, `select w from unnest($1::text[]) w where exists (select from pg_roles where rolname = w)
		and not pg_has_role(w::name, case when current_setting('server_version_num')::int < 160000 then 'MEMBER' else 'SET' end) order by 1`, roles)
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
