// Package postgres connects to PostgreSQL in the way that Guarda's functions
// need: few connections, nothing that a transaction-mode pooler would break,
// and errors that say what to do.
//
// Queries run in pgx's exec mode: parameters have the type of their Go value
// (a string is text), so a statement casts where the column has another one
// ($1::uuid, $2::jsonb). Nothing is prepared, no session state is set.
package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/fault"
)

// connectTimeout bounds an attempt to connect, so that a function can still
// answer within API Gateway's 29 s.
const connectTimeout = 8 * time.Second

// Options describe a pool. The zero value is right for a function.
type Options struct {
	MaxConns        int32  // 0 is 2: a Lambda process answers one request at a time
	ApplicationName string // shown in pg_stat_activity; "" is "guarda"
	Tracer          pgx.QueryTracer
}

// ParseDSN reads a URL or key=value connection string. Errors never hold the
// string itself: it has a password.
func ParseDSN(dsn string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, invalidDSN()
	}
	prepare(cfg, "guarda")
	return cfg, nil
}

func prepare(cfg *pgx.ConnConfig, application string) {
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity = 0
	cfg.DescriptionCacheCapacity = 0
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > connectTimeout {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = application
	}
}

func invalidDSN() error {
	return fault.New(fault.Invalid, "the connection string of the database cannot be read").
		Hint("write postgres://user:password@host:port/database, with special characters of the password percent-encoded")
}

// Connect opens one connection, in exec mode too; its errors say what to do.
func Connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	cfg, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, Explain(err, "connect")
	}
	return conn, nil
}

// Open makes a pool. It does not connect yet: the first query does, and an
// unreachable server shows there.
func Open(ctx context.Context, dsn string, o Options) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, invalidDSN()
	}
	if o.ApplicationName == "" {
		o.ApplicationName = "guarda"
	}
	if o.MaxConns == 0 {
		o.MaxConns = 2
	}
	prepare(cfg.ConnConfig, o.ApplicationName)
	cfg.ConnConfig.Tracer = o.Tracer
	cfg.MaxConns = o.MaxConns
	cfg.MinConns = 0
	cfg.MaxConnLifetime = 30 * time.Minute
	// A function sleeps between requests and its connections may die
	// meanwhile; the pool pings one that was idle for a second before use.
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.PingTimeout = 3 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, Explain(err, "open the connection pool")
	}
	return pool, nil
}
