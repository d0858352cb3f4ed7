package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
)

// SQLSTATE codes that callers ask for (PostgreSQL manual, appendix A).
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// Explain turns what a query or a connection attempt answered into an error
// that says what to do, with doing ("list sources") in front of it. Errors
// that it knows nothing about keep their chain (pgx.ErrNoRows too) and have no
// code, so they show as internal. No error holds a password.
func Explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	if fault.As(err) != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if f := explain(err); f != nil {
		return fmt.Errorf("%s: %w", doing, f.Because(err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func explain(err error) *fault.Error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return explainState(pg)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Canceled, "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fault.New(fault.Unavailable, "the database did not answer in time").
			Hint("check that the address is right and that a firewall or security group lets the connection through").RetryAfter(5)
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return fault.New(fault.Unavailable, "the database cannot be reached").
			Hint("check that the server runs, and the host and port of the connection string").RetryAfter(5)
	}
	return nil
}

func explainState(pg *pgconn.PgError) *fault.Error {
	switch pg.Code {
	case "28P01", "28000":
		return fault.New(fault.Unavailable, "the database refuses the user or the password").
			Hint("check the user and password of the connection string, and pg_hba.conf")
	case "3D000":
		return fault.New(fault.Unavailable, "the database server has no database of that name").
			Hint("check the name at the end of the connection string")
	case "53300":
		return fault.New(fault.Unavailable, "the database has no free connection").
			Hint("wait a moment; if it stays so, raise max_connections or use a pooler").RetryAfter(3)
	case "53100", "53200":
		return fault.New(fault.Exhausted, "the database server is out of disk or memory").
			Hint("free or add space on the database server")
	case "57P01", "57P02", "57P03":
		return fault.New(fault.Unavailable, "the database is starting or stopping").RetryAfter(3)
	case "57014":
		return fault.New(fault.Unavailable, "the database took too long and the query was cancelled").RetryAfter(5)
	case "25006":
		return fault.New(fault.Unavailable, "the database takes only reads at the moment").
			Hint("point the connection string at the primary server").RetryAfter(10)
	case "55P03":
		return fault.New(fault.Unavailable, "the database could not get a lock in time").RetryAfter(3)
	case "42P01", "3F000":
		return fault.New(fault.Unavailable, "a table is missing in the database").
			Hint("run the migrate function: it makes Guarda's tables")
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "08": // connection exceptions; PgBouncer answers with 08P01 when its server is away
		return fault.New(fault.Unavailable, "the database cannot be reached").
			Hint("check that the server runs, and the host and port of the connection string").RetryAfter(5)
	}
	return nil
}

// IsUnique reports whether err says that a row with the same key is there
// already; constraint names the index, "" any.
func IsUnique(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == uniqueViolation && (constraint == "" || pg.ConstraintName == constraint)
}

// IsForeignKey reports whether err says that a row refers to one that is not
// there, or is referred to.
func IsForeignKey(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == foreignKeyViolation
}

func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == serializationFailure || pg.Code == deadlockDetected)
}
