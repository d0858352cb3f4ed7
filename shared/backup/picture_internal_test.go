package backup

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
	"guarda/shared/postgres/pgtest"
)

// A table that was made between the listing and the snapshot is locked after
// it; when it was truncated before its lock, the picture is no picture.
func TestATableThatTheListingMissedIsLockedOrRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile string
		want      error
	}{
		"left alone": {"select 1", nil},
		"truncated":  {"truncate late", errChanged},
		"rewritten":  {"alter table late alter n type bigint", errChanged},
		"vacuumed":   {"vacuum full late", errChanged},
		"replaced":   {"drop table late; create table late (n int)", errChanged},
		"renamed":    {"alter table late rename to later; create table late (n int)", errChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, dsn := t.Context(), pgtest.New(t)
			pgtest.Exec(t, dsn, `create table early (n int); create table late as select 1 as n; create table parts (n int) partition by range (n)`)
			p := &picture{conn: pgtest.Connect(t, dsn)}
			if err := begin(ctx, p.conn, time.Second, ""); err != nil {
				t.Fatal(err)
			}
			if err := lockTables(ctx, p.conn, []string{"public.early"}); err != nil {
				t.Fatal(err)
			}
			if err := p.export(ctx, pgtest.Connect(t, dsn)); err != nil {
				t.Fatal(err)
			}
			other := pgtest.Connect(t, dsn)
			if err := pgsession.Exec(ctx, other, c.meanwhile); err != nil {
				t.Fatal(err)
			}
			if err := p.lockMissed(ctx); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			for _, table := range []string{"early", "late", "parts"} {
				if !locked(ctx, t, other, table) {
					t.Errorf("%s is not locked", table)
				}
			}
		})
	}
}

func locked(ctx context.Context, t *testing.T, conn *pgx.Conn, table string) (held bool) {
	t.Helper()
	if err := conn.QueryRow(ctx, `select exists (select from pg_locks where relation = $1::text::regclass and mode = 'AccessShareLock' and granted)`, table).Scan(&held); err != nil {
		t.Fatal(err)
	}
	return held
}

// The end of the copying must not break off the question whether the picture
// is still there: its connection would go with it, right before the commit
// that proves the picture.
func TestThePictureOutlivesTheQuestionWhetherItIsThere(t *testing.T) {
	t.Parallel()
	p := &picture{conn: pgtest.Connect(t, pgtest.New(t))}
	if err := begin(t.Context(), p.conn, time.Second, ""); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		side, stop := context.WithTimeout(t.Context(), time.Millisecond+time.Duration(i)*7*time.Microsecond)
		err := p.beat(t.Context(), side, 10*time.Microsecond)
		stop()
		if err == nil {
			err = pgsession.Exec(t.Context(), p.conn, "select 1")
		}
		if err != nil {
			t.Fatalf("after %d copies: %v", i+1, err)
		}
	}
}

// A process that vanished without closing its connection must not keep its
// locks and its snapshot for hours.
func TestTheServerNoticesThatAProcessVanished(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.New(t))
	if err := begin(t.Context(), conn, time.Second, ""); err != nil {
		t.Fatal(err)
	}
	var idle, interval, count int
	if err := conn.QueryRow(t.Context(), `select current_setting('tcp_keepalives_idle')::int, current_setting('tcp_keepalives_interval')::int, current_setting('tcp_keepalives_count')::int`).
		Scan(&idle, &interval, &count); err != nil {
		t.Fatal(err)
	}
	if after := time.Duration(idle+interval*count) * time.Second; idle == 0 || after > 10*time.Minute {
		t.Errorf("it would take %s: idle %d, interval %d, count %d", after, idle, interval, count)
	}
}
