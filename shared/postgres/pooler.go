package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
)

// SessionMode makes sure that conn is one server session for as long as it is
// open, as advisory locks need, and is a fault.Invalid with the way out when
// it leads through a pooler in transaction mode. conn must be outside a
// transaction.
//
// A connection whose announced process id is the session's own is direct. Else
// a second connection is made and both are compared (see
// pgsession.RefusePooler). Where the address gives no second connection the
// question stays open and the answer is nil.
func SessionMode(ctx context.Context, conn *pgx.Conn) error {
	var own int64
	if err := conn.QueryRow(ctx, "select pg_catalog.pg_backend_pid()::int8").Scan(&own); err != nil {
		return Explain(err, "look at the session")
	}
	if uint32(own) == conn.PgConn().PID() {
		return nil
	}
	probe, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	second, err := pgx.ConnectConfig(probe, conn.Config())
	if err != nil {
		return nil //nolint:nilerr // one connection is all there is: nothing to compare with
	}
	defer second.Close(context.WithoutCancel(ctx))
	err = pgsession.RefusePooler(probe, conn, second)
	if err != nil && fault.As(err) == nil {
		if second.IsClosed() && ctx.Err() == nil {
			return nil // as above: a session pool of one, which never served the second
		}
		return Explain(err, "look at the session")
	}
	return err
}
