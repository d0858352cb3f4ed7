package restore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// connect opens a session with the target.
func (x *restoration) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := x.Connect(ctx)
	if err != nil {
		return nil, pgsession.ConnectError(err)
	}
	// No waiting for the disk at each commit: a crash of the target means
	// restoring again in any case.
	sql := pgcatalog.SessionSQL + "SET synchronous_commit = off;\n"
	if x.m.Database.Encoding == "SQL_ASCII" {
		sql += "SET client_encoding = 'SQL_ASCII';\n"
	}
	if x.NoTablespaces {
		sql += "RESET default_tablespace;\n"
	}
	err = pgsession.Exec(ctx, conn, sql)
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
