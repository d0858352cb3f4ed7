package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgserver"
	"guarda/tests/shop"
)

// The databases of the private server.
const (
	metadataDatabase = "guarda"
	sampleDatabase   = "shop"
)

// startPostgres starts the private server and makes its databases. Where the
// state names a port it is used again, so that connection strings that people
// wrote down, and the source that is registered, stay right.
func startPostgres(ctx context.Context, s *state) (*pgserver.Server, error) {
	dir, err := s.postgresDir()
	if err != nil {
		return nil, err
	}
	if err := capLog(filepath.Join(dir, "postgres.log")); err != nil {
		return nil, err
	}
	cfg := pgserver.Config{Dir: dir, Password: s.secrets.PostgresPassword, Settings: map[string]string{"max_connections": "200"}}
	cfg.Port, _ = strconv.Atoi(s.read("postgres-port")) // none at the first start
	server, err := pgserver.Start(ctx, cfg)
	if err != nil && cfg.Port != 0 && ctx.Err() == nil {
		cfg.Port = 0 // perhaps something else has taken it
		server, err = pgserver.Start(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	if err := s.write("postgres-port", fmt.Sprintln(server.Port())); err != nil {
		_ = server.Stop()
		return nil, err
	}
	for _, name := range []string{metadataDatabase, sampleDatabase} {
		if err := createDatabase(ctx, server.URL("postgres"), name); err != nil {
			_ = server.Stop()
			return nil, err
		}
	}
	return server, nil
}

func createDatabase(ctx context.Context, url, name string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to make the database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("make the database %s: %w", name, err)
	}
	return nil
}

// loadSample fills the sample database if it is empty.
func loadSample(ctx context.Context, url string) (loaded bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, fmt.Errorf("connect to the sample database: %w", err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select to_regclass('shop.orders') is not null").Scan(&there); err != nil || there {
		return false, err
	}
	return true, shop.Load(ctx, conn)
}

// capLog starts a log anew, keeping the old one, when it has grown large.
func capLog(path string) error {
	if st, err := os.Stat(path); err != nil || st.Size() < 32<<20 {
		return nil
	}
	return os.Rename(path, path+".old")
}
