package restore_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/blob/s3/s3test"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/seal"
	"guarda/tests/shop"
)

func connector(dsn string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }
}

func backUp(t *testing.T, dsn string, store blob.Store, keys seal.KeyProvider) manifest.Listed {
	t.Helper()
	ctx := context.Background()
	r, err := backup.Execute(ctx, backup.Deps{Connect: connector(dsn), Store: store, Keys: keys}, backup.Run{ID: uuid.NewString(), Source: "db"})
	if err != nil {
		t.Fatalf("back up: %v", err)
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var restricted = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`)

func dump(t *testing.T, dsn string) string {
	t.Helper()
	out, err := exec.Command(pgtest.Program(t, "pg_dump"), dsn).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return restricted.ReplaceAllString(string(out), "")
}

func sameDump(t *testing.T, a, b string) {
	t.Helper()
	left, right := strings.Split(dump(t, a), "\n"), strings.Split(dump(t, b), "\n")
	for i := range left {
		if i >= len(right) || left[i] != right[i] {
			t.Errorf("the dumps differ in line %d:\n%s\n---\n%s", i+1, strings.Join(left[max(0, i-5):min(len(left), i+8)], "\n"),
				strings.Join(right[max(0, min(i, len(right))-5):min(len(right), i+8)], "\n"))
			return
		}
	}
	if len(right) != len(left) {
		t.Errorf("the dump of the restored database has %d more lines", len(right)-len(left))
	}
}

// tableHashes reads each table's content hash in a database.
func tableHashes(t *testing.T, dsn string, m *manifest.Manifest) map[string]string {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.PgConn().Exec(context.Background(), "set extra_float_digits = 3; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set search_path = ''").ReadAll(); err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for _, table := range m.Tables {
		var columns []string
		for _, c := range table.Columns {
			columns = append(columns, pgx.Identifier{c}.Sanitize())
		}
		list := ""
		if len(columns) > 0 {
			list = "(" + strings.Join(columns, ",") + ")"
		}
		var lines contenthash.Lines
		if _, err := conn.PgConn().CopyTo(context.Background(), &lines, fmt.Sprintf("copy %s%s to stdout", pgx.Identifier{table.Schema, table.Name}.Sanitize(), list)); err != nil {
			t.Fatalf("%s: %v", table.FullName(), err)
		}
		sum, err := lines.Sum()
		if err != nil {
			t.Fatal(err)
		}
		hashes[table.FullName()] = fmt.Sprintf("%s %d", sum, sum.Rows)
	}
	return hashes
}

func loadShop(t *testing.T) string {
	t.Helper()
	dsn := pgtest.New(t)
	if err := shop.Load(context.Background(), pgtest.Connect(t, dsn)); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// TestTheSampleShopComesBack is the main job: everything, encrypted, through
// memory and through a real S3 server.
func TestTheSampleShopComesBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source := loadShop(t)
	keys, err := seal.KeyFromBytes(bytes.Repeat([]byte{7}, seal.KeySize), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(t *testing.T) blob.Store{
		"memory": func(*testing.T) blob.Store { return memory.New() },
		"s3":     func(t *testing.T) blob.Store { return s3test.Store(t, "backups") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			l := backUp(t, source, store, keys)
			target := pgtest.New(t)
			var phases []restore.PhaseName
			r, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store, Keys: keys,
				Report: func(_ context.Context, p restore.Progress) error {
					if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
						phases = append(phases, p.Phase)
					}
					return nil
				}}, restore.Options{Jobs: 3}, l)
			if err != nil {
				t.Fatalf("restore: %v (%s)", err, fault.HintOf(err))
			}
			m, _, err := manifest.Open(ctx, store, l, keys)
			if err != nil {
				t.Fatal(err)
			}
			if r.Rows != l.Header.Rows || r.Rows < 200_000 || r.Tables != len(m.Tables) || r.Bytes != l.Header.RawBytes {
				t.Errorf("restored %d rows, %d tables, %d bytes; the backup has %d, %d, %d", r.Rows, r.Tables, r.Bytes, l.Header.Rows, len(m.Tables), l.Header.RawBytes)
			}
			if got := fmt.Sprint(phases); got != "[preflight schema data indexes finish done]" {
				t.Errorf("phases: %s", got)
			}
			restored := tableHashes(t, target, m)
			for _, table := range m.Tables {
				if want := fmt.Sprintf("%s %d", table.ContentHash, table.Rows); restored[table.FullName()] != want {
					t.Errorf("%s: content hash %s, want %s", table.FullName(), restored[table.FullName()], want)
				}
			}
			sameDump(t, source, target)
		})
	}
}

// TestWhatAnalyzeCannotReadIsNamed: a child that is a foreign table whose
// wrapper does nothing.
func TestWhatAnalyzeCannotReadIsNamed(t *testing.T) {
	t.Parallel()
	wrapper := "w_" + uuid.NewString()[:8]
	source := pgtest.New(t)
	pgtest.Exec(t, source, `create foreign data wrapper `+wrapper+`; create server far foreign data wrapper `+wrapper+`;
		create table parent (id int); create foreign table child () inherits (parent) server far;
		create table other (id int); insert into other select generate_series(1, 100)`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	r, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store}, restore.Options{}, l)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Code != "not_analyzed" || !strings.Contains(r.Warnings[0].Object, "parent") {
		t.Errorf("%+v", r.Warnings)
	}
	if n := count(t, target, "select count(*) from pg_stats where tablename = 'other'"); n != 1 {
		t.Error("the other table has no statistics")
	}
}

// TestAnEventTriggersCommentComesAfterIt: event triggers are made last, and
// what is about them after them.
func TestAnEventTriggersCommentComesAfterIt(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	name := "et_" + uuid.NewString()[:8]
	pgtest.Exec(t, source, `create function noted() returns event_trigger language plpgsql as 'begin end';
		create event trigger `+name+` on ddl_command_end execute function noted(); comment on event trigger `+name+` is 'watches'`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	if _, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	sameDump(t, source, target)
}
