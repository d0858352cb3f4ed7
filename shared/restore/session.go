package restore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// settings of a session that restores: what the values were written with, no
// limits of time, and no waiting for the disk at each commit (a crash of the
// target means restoring again in any case). What the target's database or role
// sets does not matter. The last two came with versions 14 and 17.
const settings = `
set search_path = '';
set default_transaction_read_only = off;
set default_transaction_isolation = 'read committed';
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set standard_conforming_strings = on;
set check_function_bodies = false;
set xmloption = content;
set client_min_messages = warning;
set row_security = off;
set synchronous_commit = off;
set datestyle = 'ISO';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set array_nulls = on;
set transform_null_equals = off;
select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings where name in ('idle_session_timeout', 'transaction_timeout');
`

// connect opens a session with the target.
func (x *restoration) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := x.Connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	encoding := "UTF8"
	if x.m.Database.Encoding == "SQL_ASCII" {
		encoding = "SQL_ASCII"
	}
	err = pgsession.Exec(ctx, conn, settings+"set client_encoding = '"+encoding+"';")
	if err == nil {
		err = x.setMonetary(ctx, conn)
	}
	if err != nil {
		pgsession.Close(ctx, conn)
		return nil, pgsession.Explain(err, "prepare the session")
	}
	return conn, nil
}

// setMonetary lets the session read values of the type money as they were
// written.
func (x *restoration) setMonetary(ctx context.Context, conn *pgx.Conn) error {
	locale := x.m.Server.Monetary
	if locale == "" || !x.choice.HoldsMoney() {
		return nil
	}
	err := pgsession.Exec(ctx, conn, "set lc_monetary = "+quoteText(locale))
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == "22023" {
		return fault.New(fault.Conflict, "the backup's values of the type money are written as in the locale %q, which the target server does not have", locale).
			Hint("install that locale on the target server: read under another one the amounts would be others").Because(pg)
	}
	return err
}

// connectFirst opens the session for what is done one by one, and makes sure
// that it is one.
func (x *restoration) connectFirst(ctx context.Context) error {
	a, err := x.Connect(ctx)
	if err != nil {
		return pgsession.ConnectError(err)
	}
	defer pgsession.Close(ctx, a)
	b, err := x.Connect(ctx)
	if err != nil {
		return pgsession.ConnectError(err)
	}
	defer pgsession.Close(ctx, b)
	if err := pgsession.RefusePooler(ctx, a, b); err != nil {
		return pgsession.Explain(err, "look for a connection pooler")
	}
	x.conn, err = x.connect(ctx)
	return err
}
