package restore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/preset"
)

// beside reports whether the target may hold other things than the backup.
func (x *restoration) beside() bool { return len(x.Tables) > 0 || len(x.ToSchema) > 0 || x.Clean }

// mayKeep reports whether an entry may find its object there already.
func (x *restoration) mayKeep(e *pgcatalog.Entry) bool {
	switch {
	case !x.beside():
		return false
	case e.Kind == "SCHEMA", e.Kind == "EXTENSION", e.Kind == "PROCEDURAL LANGUAGE":
		return true
	case len(x.Tables) > 0:
		return !x.choice.Asked(e)
	case len(x.ToSchema) > 0:
		for _, name := range x.ToSchema {
			if e.Schema == name {
				return false
			}
		}
		return true
	}
	return false
}

// checkRoom makes sure that what is to be restored is not there, or may be
// dropped.
func (x *restoration) checkRoom(ctx context.Context) error {
	switch {
	case x.Resume:
		return nil
	case x.Clean:
		return x.checkPartitions(ctx)
	case x.beside():
		return x.checkFree(ctx)
	}
	return x.checkEmpty(ctx)
}

// checkFree refuses a target that has what is to be restored.
func (x *restoration) checkFree(ctx context.Context) error {
	var relations []string
	for i := range x.choice.Entries {
		e := &x.choice.Entries[i]
		switch e.Kind {
		case "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE":
			if !x.mayKeep(e) {
				relations = append(relations, pgx.Identifier{e.Schema, e.Name}.Sanitize())
			}
		}
	}
	there, err := x.names(ctx, `select w from unnest($1::text[]) w where to_regclass(w) is not null order by 1`, relations)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fault.New(fault.Conflict, "the target database %q has %d of the things to restore already, such as %s", x.target.name, len(there), there[0]).
			Hint("nothing is overwritten: restore into another schema with --to-schema, into a new database with --to-new-database, or drop them first with --clean")
	}
	var names []string
	for _, name := range x.ToSchema {
		names = append(names, name)
	}
	full, err := x.names(ctx, `
		select n.nspname from pg_namespace n where n.nspname = any ($1::text[]) and exists (
			select from pg_depend d where d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid) order by 1`, names)
	if err != nil || len(full) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "the schema %q of the target is not empty", full[0]).Hint("choose another name, or restore with --clean")
}

// checkEmpty refuses a target that has objects of its own. What extensions own
// does not count: managed services install some in every database. Nor does
// what belongs to the target's platform, which makes it in every database too.
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
		select kind || ' ' || case when kind = 'schema' then quote_ident(name) else quote_ident(nspname) || '.' || quote_ident(name) end, count(*) over (), bool_or(nspname = $1) over ()
		from own o
		where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all ($2::text[])
		  and not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
		order by kind = 'schema', nspname = $1, 1 limit 1`
	var first string
	var count int64
	var broken bool
	platform, err := preset.Detect(ctx, x.conn)
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	err = x.conn.QueryRow(ctx, query, journalSchema, preset.Named(platform.Name).Among(platform.Schemas)).Scan(&first, &count, &broken)
	if err == pgx.ErrNoRows { //nolint:errorlint // pgx returns it as it is
		return x.checkNoLargeObjects(ctx)
	}
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if broken {
		return fault.New(fault.Conflict, "the target database %q holds part of a restore that stopped", x.target.name).
			Hint("go on with it with --resume, or begin again with --clean")
	}
	return fault.New(fault.Conflict, "the target database %q is not empty: it has %d objects, such as the %s", x.target.name, count, first).
		Hint("restore into a new database (--to-new-database, or create database … template template0); nothing is ever overwritten without --clean")
}

// checkNoLargeObjects: they would have the numbers of those in the backup.
func (x *restoration) checkNoLargeObjects(ctx context.Context) error {
	if x.choice.LargeObjects == nil {
		return nil
	}
	row, err := pgsession.One(ctx, x.conn, "select count(*) from pg_catalog.pg_largeobject_metadata")
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	if row[0] != "0" {
		return fault.New(fault.Conflict, "the target database %q is not empty: it has %s large objects", x.target.name, row[0]).
			Hint("restore into a new database with --to-new-database")
	}
	return nil
}

// dropsAtOnce bounds the locks of one transaction.
const dropsAtOnce = 500

// clean drops what is to be restored, what depends on it first, and nothing
// that the backup does not name: a DROP never cascades, so something else that
// depends on it stops the restore before anything is lost. Up to dropsAtOnce
// objects all go or none.
func (x *restoration) clean(ctx context.Context) error {
	if !x.Clean {
		return nil
	}
	var together []*pgcatalog.Entry
	for _, e := range x.choice.Drops() {
		if !e.NoTransaction {
			together = append(together, e)
		} else if err := pgsession.Exec(ctx, x.conn, e.DropSQL); err != nil {
			return x.cannotDrop(e, err)
		}
	}
	for batch := range slices.Chunk(together, dropsAtOnce) {
		if err := pgsession.Exec(ctx, x.conn, "begin"); err != nil {
			return pgsession.Explain(err, "begin")
		}
		for _, e := range batch {
			if err := x.drop(ctx, e); err != nil {
				_ = pgsession.Exec(context.WithoutCancel(ctx), x.conn, "rollback")
				return err
			}
		}
		if err := pgsession.Exec(ctx, x.conn, "commit"); err != nil {
			return pgsession.Explain(err, "commit")
		}
	}
	return pgsession.Explain(pgsession.Exec(ctx, x.conn, dropJournal), "drop the journal of an earlier restore")
}

// drop drops one object. Schemas and the like that hold something else stay.
func (x *restoration) drop(ctx context.Context, e *pgcatalog.Entry) error {
	if err := pgsession.Exec(ctx, x.conn, "savepoint object"); err != nil {
		return pgsession.Explain(err, "drop "+object(e))
	}
	if err := x.checkCascade(ctx, e); err != nil {
		return err
	}
	err := pgsession.Exec(ctx, x.conn, e.DropSQL)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		absent := []string{"42P01", "3F000", "42704", "42883", "42703"} // IF EXISTS does not cover what the object is on
		if !slices.Contains(absent, pg.Code) && (!x.mayKeep(e) || pg.Code != "2BP01") {
			return x.cannotDrop(e, err)
		}
		err = pgsession.Exec(ctx, x.conn, "rollback to object")
	}
	if err == nil {
		err = pgsession.Exec(ctx, x.conn, "release object")
	}
	return pgsession.Explain(err, "drop "+object(e))
}

func (x *restoration) cannotDrop(e *pgcatalog.Entry, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return pgsession.Explain(err, "drop "+object(e))
	}
	code := fault.Conflict
	if pg.Code == "42501" {
		code = fault.Forbidden
	}
	return fault.New(code, "%s cannot be dropped from the target: %s", object(e), pg.Message).
		Hint("something that is not restored now needs it: drop that yourself, or restore into a new database; %s", strings.TrimSpace(pg.Detail)).Because(pg)
}

// checkCascade refuses to drop a base type, which takes what its functions need
// with it and so has to cascade, while a column still has it.
func (x *restoration) checkCascade(ctx context.Context, e *pgcatalog.Entry) error {
	if !strings.Contains(e.DropSQL, "CASCADE") {
		return nil
	}
	users, err := x.names(ctx, `select distinct a.attrelid::regclass::text from pg_attribute a
		where a.atttypid in (select t.oid from pg_type t where to_regtype(($1::text[])[1]) in (t.oid, t.typelem)) and not a.attisdropped and a.attnum > 0`,
		[]string{pgx.Identifier{e.Schema, e.Name}.Sanitize()})
	if err != nil || len(users) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "%s cannot be dropped from the target: %s", object(e), "columns of "+strings.Join(users, ", ")+" have it").
		Hint("choose those tables too, or restore into a new database")
}

// checkPartitions: dropping a partitioned table drops its partitions, also those
// that the backup does not know.
func (x *restoration) checkPartitions(ctx context.Context) error {
	var tables []string
	for i := range x.choice.Entries {
		if e := &x.choice.Entries[i]; (e.Kind == "TABLE" || e.Kind == "FOREIGN TABLE") && (len(x.Tables) == 0 || x.choice.Asked(e)) {
			tables = append(tables, pgx.Identifier{e.Schema, e.Name}.Sanitize())
		}
	}
	others, err := x.names(ctx, `
		with named as (select to_regclass(w) as oid from unnest($1::text[]) w)
		select i.inhrelid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where c.relispartition and c.relkind in ('r', 'p', 'f') and i.inhparent in (select oid from named) and i.inhrelid not in (select oid from named where oid is not null) order by 1`, tables)
	if err != nil || len(others) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "cleaning would also drop partitions that are not restored: %s", strings.Join(others, ", ")).
		Hint("detach them first, choose them too with --tables, or restore into a new database")
}
