package backup_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
)

// passwordRefused returns what pgx says when a server answers 28P01.
func passwordRefused(t *testing.T) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		server := pgproto3.NewBackend(conn, conn)
		if _, err := server.ReceiveStartupMessage(); err != nil {
			return
		}
		server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "u"`})
		_ = server.Flush()
	}()
	_, err = pgx.Connect(context.Background(), "postgres://u:hidden@"+listener.Addr().String()+"/db?sslmode=disable")
	if err == nil {
		t.Fatal("connected")
	}
	return err
}

// sumOfBalances adds up the second column of all rows in a backup.
func sumOfBalances(t *testing.T, store blob.Store, id string) int64 {
	t.Helper()
	ctx := context.Background()
	l, err := manifest.Find(ctx, store, "", id)
	if err != nil {
		t.Fatal(err)
	}
	m, key, err := manifest.Open(ctx, store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, table := range m.Tables {
		for i := range table.Chunks {
			if table.Chunks[i].Object == "" {
				continue
			}
			r, err := manifest.OpenChunk(ctx, store, &table.Chunks[i], key)
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(r)
			for lines.Scan() {
				balance, err := strconv.ParseInt(strings.Split(lines.Text(), "\t")[1], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += balance
			}
			if err := errors.Join(lines.Err(), r.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sum
}
