// Package pgsession is what the engine's sessions with a database have in
// common: statements through the simple protocol, errors that say what to do,
// and the refusal of poolers that do not hold a session.
package pgsession

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
)

const closeTimeout = 5 * time.Second

// OwnNames before statements of the same call, outside a transaction, makes
// names in them mean the server's own functions and operators: a database's
// search_path may lead to others of the same names first. It holds for the
// call, so that a pooled session is left as it was.
const OwnNames = "set local search_path = '';\n"

// Exec runs SQL without results through the simple protocol, which leaves no
// prepared statement behind.
func Exec(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// One runs a query that gives one row of text, through the simple protocol.
func One(ctx context.Context, conn *pgx.Conn, sql string) ([]string, error) {
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	last := results[len(results)-1]
	if len(last.Rows) != 1 {
		return nil, fmt.Errorf("%d rows instead of one", len(last.Rows))
	}
	var row []string
	for _, v := range last.Rows[0] {
		row = append(row, string(v))
	}
	return row, nil
}

// Close ends a connection also when ctx has ended.
func Close(ctx context.Context, conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}

// ConnectError explains why a database cannot be reached. It never shows the
// password, which neither host nor cause hold.
func ConnectError(err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	if ctxErr := (*pgconn.ParseConfigError)(nil); errors.As(err, &ctxErr) {
		return fault.New(fault.Invalid, "the connection string cannot be read").
			Hint("write it as postgres://user:password@host:5432/database; characters such as @ or / in the password are written as %%40 or %%2F")
	}
	host, user, database := "?", "?", "?"
	var ce *pgconn.ConnectError
	if errors.As(err, &ce) && ce.Config != nil {
		host, user, database = fmt.Sprintf("%s:%d", ce.Config.Host, ce.Config.Port), ce.Config.User, ce.Config.Database
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "28P01", "28000":
			return fault.New(fault.Forbidden, "the server at %s refuses the user %q", host, user).
				Hint("check the user name and the password in the connection string").Because(pg)
		case "3D000":
			return fault.New(fault.NotFound, "there is no database %q at %s", database, host).
				Hint("check the database name at the end of the connection string").Because(pg)
		case "42501":
			return fault.New(fault.Forbidden, "the user %q may not connect to the database %q", user, database).
				Hint("grant connect on database %s to %s", pgx.Identifier{database}.Sanitize(), pgx.Identifier{user}.Sanitize()).Because(pg)
		case "53300":
			return fault.New(fault.Unavailable, "the server at %s has no connection left", host).
				Hint("close other connections, use fewer jobs, or raise max_connections").Because(pg).RetryAfter(30)
		case "57P03":
			return fault.New(fault.Unavailable, "the server at %s is starting or stopping", host).
				Hint("try again in a moment").Because(pg).RetryAfter(10)
		}
		return fault.New(fault.Unavailable, "the server at %s does not take the connection", host).
			Hint("see the server's answer").Because(pg)
	}
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Canceled, "the run was stopped while connecting").Because(err)
	}
	return fault.New(fault.Unavailable, "the database server at %s cannot be reached", host).
		Hint("check host and port in the connection string, that the server runs, and that no firewall is in between").Because(rootCause(err)).RetryAfter(10)
}

// rootCause is the innermost error, which has no connection string around it.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			if many, ok := err.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) > 0 {
				next = many.Unwrap()[0]
			} else {
				return err
			}
		}
		err = next
	}
}

// Explain explains an error that the server answered a statement with.
// Errors that are explained already stay as they are.
func Explain(err error, doing string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return answered(pg, doing)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Canceled, "the run was stopped").Because(err)
	}
	return fault.New(fault.Unavailable, "the connection to the database was lost (%s)", doing).
		Hint("see whether the server or the network went down, then try again").Because(err)
}

func answered(pg *pgconn.PgError, doing string) error {
	switch {
	case pg.Code == "42501" && strings.Contains(pg.Message, "row-level security"):
		return fault.New(fault.Forbidden, "row security would hide rows (%s)", doing).
			Hint("connect as the owner of the tables, or as a role with BYPASSRLS: alter role … bypassrls").Because(pg)
	case pg.Code == "42501":
		return fault.New(fault.Forbidden, "the server denies a privilege (%s)", doing).
			Hint("grant what the server's answer names").Because(pg)
	case pg.Code == "40001" && strings.Contains(pg.Message, "recovery"):
		return fault.New(fault.Unavailable, "the standby cancelled the backup in favour of replaying changes (%s)", doing).
			Hint("set hot_standby_feedback = on or raise max_standby_streaming_delay on the standby, or back up the primary").Because(pg)
	case pg.Code == "55P03" || pg.Code == "40P01":
		return fault.New(fault.Unavailable, "a table is locked by somebody who changes it, or waits to (%s)", doing).
			Hint("wait until that is done, or end it; pg_locks and pg_stat_activity show who it is").Because(pg)
	case pg.Code == "53200" && strings.Contains(pg.Hint, "max_locks_per_transaction"):
		return fault.New(fault.Exhausted, "the server has no room for the locks on all tables").
			Hint("raise max_locks_per_transaction on the server, or choose fewer tables").Because(pg)
	case strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08"):
		return fault.New(fault.Unavailable, "the server ended the connection (%s)", doing).
			Hint("see the server's log, then try again").Because(pg)
	case strings.HasPrefix(pg.Code, "53"):
		return fault.New(fault.Exhausted, "the server has run out of a resource (%s)", doing).
			Hint("see the server's answer").Because(pg)
	case pg.Code == "22P05":
		return fault.New(fault.Invalid, "the database has text that its own encoding knows and UTF-8 does not (%s)", doing).
			Hint("mend that text (the server's answer shows the bytes), or leave the table out with --exclude").Because(pg)
	case pg.Code == "XX001" || pg.Code == "XX002":
		return fault.New(fault.Corrupt, "the server's own data is damaged (%s)", doing).
			Hint("the server cannot read a table or index: check its disk, restore that table from an older backup, or leave it out with --exclude").Because(pg)
	}
	return fault.New(fault.Internal, "the server answered with an error (%s)", doing).
		Hint("see the server's answer").Because(pg)
}
