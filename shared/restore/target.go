package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// target is the database that the restore fills.
type target struct {
	name     string // the database's
	beside   string // the database of Connect, where name is a new one
	made     bool   // by this restore
	setAside string // what beside is called since the swap
}

// prepareTarget makes the new database, if one is asked for, and leads
// connections to it.
func (x *restoration) prepareTarget(ctx context.Context) error {
	conn, err := x.Connect(ctx)
	if err != nil {
		return pgsession.ConnectError(err)
	}
	defer pgsession.Close(ctx, conn)
	row, err := pgsession.One(ctx, conn, "select pg_catalog.current_database(), pg_catalog.current_setting('server_version_num')")
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	x.target.name = row[0]
	if (x.Clean || x.Swap) && x.Confirm != x.target.name {
		return fault.New(fault.Precondition, "this changes what is in the database %q, and its name was not given to confirm that", x.target.name).
			Hint("if that is the right database, add --confirm with its name")
	}
	if x.NewDatabase == "" {
		return nil
	}
	x.target.beside, x.target.name = x.target.name, x.NewDatabase
	there, err := pgsession.One(ctx, conn, pgsession.OwnNames+"select exists (select from pg_catalog.pg_database where datname = "+quoteText(x.NewDatabase)+")")
	if err != nil {
		return pgsession.Explain(err, "look at the target")
	}
	switch {
	case there[0] == "t" && !x.Resume:
		return fault.New(fault.Conflict, "there is a database %q already", x.NewDatabase).
			Hint("choose another name, drop it, or go on with --resume if it holds part of this restore")
	case there[0] == "f" && x.Resume:
		return fault.New(fault.NotFound, "there is no restore to resume in the database %q", x.NewDatabase).Hint("restore without --resume")
	case there[0] == "f":
		if err := x.createDatabase(ctx, conn, row[1]); err != nil {
			return err
		}
	}
	name, connectTo := x.NewDatabase, x.ConnectTo
	x.Connect = func(ctx context.Context) (*pgx.Conn, error) { return connectTo(ctx, name) }
	return nil
}

func (x *restoration) createDatabase(ctx context.Context, conn *pgx.Conn, version string) error {
	d := x.m.Database
	var b strings.Builder
	fmt.Fprintf(&b, "create database %s template template0", pgx.Identifier{x.NewDatabase}.Sanitize())
	for _, o := range []struct{ word, value string }{{"encoding", d.Encoding}, {"lc_collate", d.Collate}, {"lc_ctype", d.CType}} {
		if o.value != "" {
			fmt.Fprintf(&b, " %s %s", o.word, quoteText(o.value))
		}
	}
	if version >= "150000" && d.LocaleProvider != "" { // template0's may be another
		fmt.Fprintf(&b, " locale_provider %s", d.LocaleProvider)
		if d.LocaleProvider != "libc" {
			fmt.Fprintf(&b, " %s_locale %s", d.LocaleProvider, quoteText(d.ICULocale))
		}
		if d.ICURules != "" {
			fmt.Fprintf(&b, " icu_rules %s", quoteText(d.ICURules))
		}
	}
	err := pgsession.Exec(ctx, conn, b.String())
	var pg *pgconn.PgError
	switch {
	case err == nil:
		x.target.made = true
		return nil
	case !errors.As(err, &pg):
		return pgsession.Explain(err, "make the database "+x.NewDatabase)
	case pg.Code == "42501":
		return fault.New(fault.Forbidden, "the role %q may not make a database", conn.Config().User).
			Hint("connect as a role with CREATEDB, or make the database by hand and restore into it").Because(pg)
	}
	return fault.New(fault.Conflict, "the database %q could not be made on the target server: %s", x.NewDatabase, pg.Message).
		Hint("make it by hand, with another locale if the server lacks that one, and restore into it").Because(pg)
}

// abandonTarget drops the database that a failed restore made, unless it is to
// be kept.
func (x *restoration) abandonTarget(ctx context.Context) {
	if !x.target.made || x.Keep {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := x.admin(ctx, "drop database if exists "+pgx.Identifier{x.target.name}.Sanitize()+" with (force)"); err != nil {
		x.Log.WarnContext(ctx, "the new database of the failed restore could not be dropped", "database", x.target.name, "error", err.Error())
	}
}

// admin runs statements, each on its own, from a database that they are not about.
func (x *restoration) admin(ctx context.Context, statements ...string) error {
	conn, err := x.ConnectTo(ctx, "postgres")
	if err != nil {
		if conn, err = x.ConnectTo(ctx, "template1"); err != nil {
			return pgsession.ConnectError(err)
		}
	}
	defer pgsession.Close(ctx, conn)
	for _, sql := range statements {
		if err := pgsession.Exec(ctx, conn, sql); err != nil {
			return pgsession.Explain(err, "change a database")
		}
	}
	return nil
}

// finishTarget gives the new database what belongs to the database as a whole,
// and swaps the names.
func (x *restoration) finishTarget(ctx context.Context) error {
	if x.NewDatabase == "" {
		return nil
	}
	d := x.m.Database
	if x.NoACL {
		d.ACL = d.DefaultACL
	}
	properties, owner := d.PropertiesSQL(x.target.name)
	if err := pgsession.Exec(ctx, x.conn, properties); err != nil {
		x.warn(fault.Warn("database_properties", x.target.name, "the settings and grants of the database could not be restored: %s", reason(err)))
	}
	if !x.NoOwner {
		if err := pgsession.Exec(ctx, x.conn, owner); err != nil {
			return x.stopped(err, "the owner of database "+x.target.name)
		}
	}
	if !x.Swap {
		return nil
	}
	pgsession.Close(ctx, x.conn)
	return x.swap(ctx)
}

func reason(err error) string {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return pg.Message
	}
	return err.Error()
}

// swap puts the target aside and gives its name to the new database. Whoever is
// connected to the target is disconnected: a database in use cannot be renamed.
func (x *restoration) swap(ctx context.Context) error {
	old, made := x.target.beside, x.target.name
	aside := old + "_before_" + x.Clock.Now().UTC().Format("20060102t150405")
	if over := len(aside) - 63; over > 0 {
		aside = old[:len(old)-over] + aside[len(old):]
	}
	quoted := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	end := func(name string) string {
		return pgsession.OwnNames + "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where datname = " + quoteText(name) + " and pid <> pg_catalog.pg_backend_pid()"
	}
	err := x.admin(ctx, "alter database "+quoted(old)+" allow_connections false", end(old),
		"alter database "+quoted(old)+" rename to "+quoted(aside))
	if err == nil {
		if err = x.admin(ctx, end(made), "alter database "+quoted(made)+" rename to "+quoted(old)); err != nil {
			err = errors.Join(err, x.admin(ctx, "alter database "+quoted(aside)+" rename to "+quoted(old)))
		}
	}
	if err != nil {
		x.Keep = true // what was restored is whole
		err = errors.Join(err, x.admin(ctx, "alter database "+quoted(old)+" allow_connections true"))
		return fault.New(fault.Conflict, "everything was restored into the database %q, which could not take the name of %q", made, old).
			Hint("rename them by hand when nobody is connected: alter database … rename to …").Because(err)
	}
	x.target.name, x.target.setAside = old, aside
	if err := x.admin(ctx, "alter database "+quoted(aside)+" allow_connections true"); err != nil {
		x.warn(fault.Warn("set_aside", aside, "the database that was put aside takes no connections: alter database … allow_connections true"))
	}
	return nil
}
