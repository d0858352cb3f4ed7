package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

// SessionMode makes sure that conn is one server session for as long as it is
// open, as advisory locks need, and is a fault.Invalid with the way out when
// it leads through a pooler in transaction mode. conn must be outside a
// transaction.
//
// Poolers make up the process id that they announce at connect, so a
// connection whose announced id is the session's own is direct. Otherwise a
// second connection is made: in transaction mode its transaction runs in the
// session that conn just used, or conn is moved to another one meanwhile.
// Where the address gives no second connection the question stays open and
// the answer is nil. shared/backup/pgsession does the same for the engine's
// pairs of connections.
func SessionMode(ctx context.Context, conn *pgx.Conn) error {
	first, err := backend(ctx, conn)
	if err != nil {
		return Explain(err, "look at the session")
	}
	if first == conn.PgConn().PID() {
		return nil
	}
	probe, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	second, err := pgx.ConnectConfig(probe, conn.Config())
	if err != nil {
		return nil //nolint:nilerr // one connection is all there is: nothing to compare with
	}
	defer second.Close(context.WithoutCancel(ctx))
	for range 3 {
		tx, err := second.Begin(probe)
		if err != nil {
			return nil //nolint:nilerr // as above: a session pool of one
		}
		var other, after uint32
		if other, err = backend(probe, tx); err == nil && other != first {
			after, err = backend(probe, conn)
		}
		_ = tx.Rollback(probe)
		if err != nil {
			return Explain(err, "look at the session")
		}
		if other == first || after != first {
			return fault.New(fault.Invalid, "the connection leads through a pooler in transaction mode, and this work needs a session").
				Hint("use a direct connection, or the pooler in session mode (Supabase: port 5432 instead of 6543)")
		}
	}
	return nil
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func backend(ctx context.Context, q rowQuerier) (pid uint32, err error) {
	var id int64
	err = q.QueryRow(ctx, "select pg_catalog.pg_backend_pid()::int8").Scan(&id)
	return uint32(id), err
}
