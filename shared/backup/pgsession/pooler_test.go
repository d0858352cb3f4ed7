package pgsession_test

import (
	"context"
	"strings"
	"testing"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

func refuse(t *testing.T, dsn string) error {
	t.Helper()
	return pgsession.RefusePooler(context.Background(), pgtest.Connect(t, dsn), pgtest.Connect(t, dsn))
}

func TestADirectConnectionPasses(t *testing.T) {
	t.Parallel()
	if err := refuse(t, pgtest.New(t)); err != nil {
		t.Error(err)
	}
}

// TestPgBouncer: transaction mode is refused, whatever the pool's size, in use
// or idle; session mode passes.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	for name, c := range map[string]struct {
		mode   string
		size   int
		busy   int // other clients with an open transaction
		refuse bool
	}{
		"transaction mode":                 {"transaction", 20, 0, true},
		"transaction mode, a tight pool":   {"transaction", 2, 0, true},
		"transaction mode, others at work": {"transaction", 20, 4, true},
		"statement mode":                   {"statement", 20, 0, true},
		"session mode":                     {"session", 20, 0, false},
		"session mode, others at work":     {"session", 20, 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.PgBouncerOf(t, server, c.mode, c.size)
			for range c.busy {
				conn := pgtest.Connect(t, dsn)
				if err := pgsession.Exec(context.Background(), conn, "begin; select 1"); err != nil {
					t.Fatal(err)
				}
			}
			for range c.busy { // and servers that wait in the pool
				conn := pgtest.Connect(t, dsn)
				if err := pgsession.Exec(context.Background(), conn, "select 1"); err != nil {
					t.Fatal(err)
				}
			}
			err := refuse(t, dsn)
			if c.mode == "statement" && err != nil && fault.As(err) == nil {
				return // the pooler refuses BEGIN by itself
			}
			if (err != nil) != c.refuse {
				t.Fatalf("%v", err)
			}
			if c.refuse && (fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "5432")) {
				t.Errorf("%v, hint: %s", err, fault.HintOf(err))
			}
		})
	}
}
