package pgsession

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
)

// RefusePooler makes sure that a is one server session for as long as it is
// open. b is a second connection to the same address; both are outside a
// transaction.
//
// A pooler in transaction mode gives each transaction of a client whichever
// server session is free. It shows in one of three ways: two statements of a
// run in different sessions; a transaction of b runs in the session that a
// used; or a, whose session b's transaction holds, gets another one. A pooler
// in session mode shows none of them.
//
// In a busy pool other clients come in between, and one round in eight shows
// none of them either: there are as many rounds as make that less likely than
// one in ten million.
//
// Poolers make up the process id that they announce at connect, so a
// connection whose announced id is the session's own is direct, and spared
// the repetitions.
func RefusePooler(ctx context.Context, a, b *pgx.Conn) error {
	rounds := 8
	for round := range rounds {
		before, err := sessionID(ctx, a)
		if err != nil {
			return err
		}
		if round == 0 && before == strconv.FormatUint(uint64(a.PgConn().PID()), 10) {
			rounds = 1
		}
		other, err := One(ctx, b, "begin; set local idle_in_transaction_session_timeout = 0; "+sessionIDQuery)
		if err != nil {
			return err
		}
		after, err := sessionID(ctx, a)
		if err != nil {
			return err
		}
		if err := Exec(ctx, b, "rollback"); err != nil {
			return err
		}
		if before != after || before == other[0] {
			return poolerError(a)
		}
		if rounds == 1 {
			return nil
		}
	}
	return nil
}

const sessionIDQuery = "select pg_catalog.pg_backend_pid()"

func sessionID(ctx context.Context, conn *pgx.Conn) (string, error) {
	row, err := One(ctx, conn, sessionIDQuery)
	if err != nil {
		return "", err
	}
	return row[0], nil
}

func poolerError(conn *pgx.Conn) error {
	if conn.Config().Port == 6543 {
		return fault.New(fault.Invalid, "the database is behind a connection pooler in transaction mode, and a session of its own is needed").
			Hint("use Supabase's session pooler or direct connection: the same host with port 5432 instead of 6543")
	}
	return fault.New(fault.Invalid, "the database is behind a connection pooler in transaction mode, and a session of its own is needed").
		Hint("use the server's own address and port (often 5432), or the pooler in session mode (pool_mode = session)")
}
