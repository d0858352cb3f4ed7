package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/pgtest"
)

func TestSessionModeTellsPoolersApart(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	for _, c := range []struct {
		name, dsn string
		ok        bool
	}{
		{"direct", dsn, true},
		{"session", pgtest.PgBouncer(t, dsn, "session"), true},
		{"transaction", pgtest.PgBouncer(t, dsn, "transaction"), false},
	} {
		conn, err := postgres.Connect(t.Context(), c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		for range 3 { // also when the pool is warm
			err = postgres.SessionMode(t.Context(), conn)
			if c.ok && err != nil || !c.ok && fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%s: %v", c.name, err)
			}
			if !c.ok && !strings.Contains(fault.HintOf(err), "5432") {
				t.Errorf("the hint gives no way out: %q", fault.HintOf(err))
			}
		}
	}
}

func TestTransactionPoolerIsRefusedWhileItIsBusy(t *testing.T) {
	t.Parallel()
	dsn := pgtest.PgBouncer(t, pgtest.New(t), "transaction")
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = pool.Exec(ctx, "select pg_sleep(0.002)")
			}
		})
	}
	for range 10 {
		conn, err := postgres.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := postgres.SessionMode(t.Context(), conn); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("a busy transaction pooler passes for a session: %v", err)
		}
		conn.Close(t.Context())
	}
	stop()
	wg.Wait()
}

func TestMigrationsRefuseATransactionPooler(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	_, err := migrations.Up(t.Context(), pgtest.PgBouncer(t, dsn, "transaction"))
	if fault.CodeOf(err) != fault.Invalid || fault.HintOf(err) == "" {
		t.Errorf("through a transaction pooler: %v", err)
	}
	if r, err := migrations.Up(t.Context(), pgtest.PgBouncer(t, dsn, "session")); err != nil || len(r.Applied) == 0 {
		t.Errorf("through a session pooler: %+v, %v", r, err)
	}
}

func TestPoolWorksThroughATransactionPooler(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, pgtest.New(t), "transaction"), postgres.Options{MaxConns: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			var n int
			var s string
			err := pool.QueryRow(t.Context(), "select $1::int, $2::jsonb->>'k', pg_sleep(0.001)::text", i, fmt.Sprintf(`{"k":"v%d"}`, i)).Scan(&n, &s, nil)
			if err != nil || n != i || s != fmt.Sprintf("v%d", i) {
				t.Errorf("got %d, %q, %v", n, s, err)
			}
		})
	}
	wg.Wait()
}

func TestStatementTimeoutEndsWithItsTransaction(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, pgtest.New(t), "transaction"), postgres.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	err = postgres.Tx(t.Context(), pool, postgres.TxOptions{StatementTimeout: 50 * time.Millisecond}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "select pg_sleep(5)")
		return err
	})
	if err = postgres.Explain(err, "sleep"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a statement over its time: %v", err)
	}
	var left string
	if err := pool.QueryRow(t.Context(), "show statement_timeout").Scan(&left); err != nil || left != "0" {
		t.Errorf("afterwards the timeout is %s, %v", left, err)
	}
}

func TestTxIsTriedAgainAfterASerializationFailure(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, "create table counter (n int); insert into counter values (0)")
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := postgres.Tx(t.Context(), pool, postgres.TxOptions{Isolation: pgx.Serializable, Attempts: 50}, func(tx pgx.Tx) error {
				var n int
				if err := tx.QueryRow(t.Context(), "select n from counter").Scan(&n); err != nil {
					return err
				}
				_, err := tx.Exec(t.Context(), "update counter set n = $1", n+1)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := pool.QueryRow(t.Context(), "select n from counter").Scan(&n); err != nil || n != 8 {
		t.Errorf("the counter is %d, %v", n, err)
	}
}

func TestTxRollsBackOnErrorAndPanic(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, "create table kept (n int)")
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	boom := errors.New("boom")
	insert := func(after func() error) error {
		return postgres.Tx(t.Context(), pool, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "insert into kept values (1)"); err != nil {
				return err
			}
			return after()
		})
	}
	if err := insert(func() error { return boom }); !errors.Is(err, boom) {
		t.Errorf("the error is %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = insert(func() error { panic("boom") })
	}()
	var n int
	if err := pool.QueryRow(t.Context(), "select count(*) from kept").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows are left, %v", n, err)
	}
}

func TestConnectionErrorsSayWhatToDoAndNeverThePassword(t *testing.T) {
	t.Parallel()
	good := pgtest.New(t)
	pgtest.Exec(t, good, `do $$ begin if not exists (select from pg_roles where rolname = 'not_to_log_in') then create role not_to_log_in nologin; end if; end $$`)
	u, err := url.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	closed := *u
	closed.Host = "127.0.0.1:1"
	const password = "hunter2-s3cret"
	for name, c := range map[string]struct {
		dsn  string
		code fault.Code
	}{
		"closed port":    {pgtest.WithUser(t, closed.String(), "postgres", password), fault.Unavailable},
		"other database": {pgtest.WithDatabase(t, pgtest.WithUser(t, good, "postgres", password), "no_such_database"), fault.Unavailable},
		"refused user":   {pgtest.WithUser(t, good, "not_to_log_in", password), fault.Unavailable},
		"malformed":      {"postgres://u:" + password + "@h:port/x", fault.Invalid},
	} {
		_, err := postgres.Connect(t.Context(), c.dsn)
		if fault.CodeOf(err) != c.code || fault.HintOf(err) == "" {
			t.Errorf("%s: %q (hint %q): %v", name, fault.CodeOf(err), fault.HintOf(err), err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

func TestMissingTablesPointToTheMigration(t *testing.T) {
	t.Parallel()
	conn, err := postgres.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "select from guarda.users")
	if err = postgres.Explain(err, "list users"); !strings.Contains(fault.HintOf(err), "migrate") || !strings.HasPrefix(err.Error(), "list users: ") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}
