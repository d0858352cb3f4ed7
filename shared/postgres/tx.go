package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Querier runs statements: a pool, a connection or a transaction.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// DB is what stores work on: a pool or a connection.
type DB interface {
	Querier
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// TxOptions describe a transaction. The zero value is read committed, tried
// once, with no time limit of its own.
type TxOptions struct {
	Isolation pgx.TxIsoLevel
	ReadOnly  bool
	// Attempts is how often the transaction is tried when the server answers
	// with a serialization failure or a deadlock; 0 is once. The function must
	// be fit to run again.
	Attempts int
	// StatementTimeout limits each statement, on the server. It is set for the
	// transaction only, so it works through a transaction pooler.
	StatementTimeout time.Duration
}

// Tx runs f in a transaction: committed when f returns nil, else rolled back.
func Tx(ctx context.Context, db DB, o TxOptions, f func(tx pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := once(ctx, db, o, f)
		if err == nil || attempt >= o.Attempts || !retryable(err) {
			return err
		}
		wait := time.Duration(attempt*10+rand.IntN(20*attempt)) * time.Millisecond
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func once(ctx context.Context, db DB, o TxOptions, f func(tx pgx.Tx) error) error {
	mode := pgx.ReadWrite
	if o.ReadOnly {
		mode = pgx.ReadOnly
	}
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: o.Isolation, AccessMode: mode})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// A rollback after a commit does nothing. It must happen even when ctx is done.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if o.StatementTimeout > 0 {
		if _, err := tx.Exec(ctx, "select pg_catalog.set_config('statement_timeout', $1, true)", fmt.Sprintf("%dms", o.StatementTimeout.Milliseconds())); err != nil {
			return fmt.Errorf("set the statement timeout: %w", err)
		}
	}
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
