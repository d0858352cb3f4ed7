package restore_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

// TestWhatKeepsABackupFromBeingRestored: each cause is named with a way out
// before anything is made.
func TestWhatKeepsABackupFromBeingRestored(t *testing.T) {
	t.Parallel()
	owner := "owner_" + uuid.NewString()[:8]
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create role "+owner+"; create table t (id int); insert into t values (1); alter table t owner to "+owner)
	store := memory.New()
	l := backUp(t, source, store, nil)
	pgtest.Exec(t, source, "drop owned by "+owner+" cascade; drop role "+owner)
	for name, c := range map[string]struct {
		before string // run in the target
		o      restore.Options
		code   fault.Code
		says   string
		hint   string
		target string
	}{
		"a table is there":      {before: "create table mine (id int)", code: fault.Conflict, says: "public.mine", hint: "create database"},
		"a schema is there":     {before: "create schema mine", code: fault.Conflict, says: "schema mine", hint: "create database"},
		"a function is there":   {before: "create function mine() returns int language sql as 'select 1'", code: fault.Conflict, says: "mine", hint: "create database"},
		"a type is there":       {before: "create type mine as enum ('a')", code: fault.Conflict, says: "mine", hint: "create database"},
		"a role is missing":     {code: fault.Conflict, says: owner, hint: "--create-roles"},
		"no such table":         {o: restore.Options{Tables: []string{"nothing"}}, code: fault.Invalid, says: "nothing"},
		"a name is cut off":     {o: restore.Options{NewDatabase: strings.Repeat("é", 32)}, code: fault.Invalid, says: "63 bytes", hint: "shorter"},
		"an unreachable target": {target: "postgres://u:hidden@127.0.0.1:1/x", code: fault.Unavailable, says: "127.0.0.1:1", hint: "host and port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := c.target
			if target == "" {
				target = pgtest.New(t)
				pgtest.Exec(t, target, "select 1; "+c.before)
			}
			_, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), ConnectTo: beside(t, target), Store: store}, c.o, l)
			if fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || !strings.Contains(fault.HintOf(err), c.hint) || fault.HintOf(err) == "" {
				t.Errorf("%v\nhint: %s\nwant %s, %q, %q", err, fault.HintOf(err), c.code, c.says, c.hint)
			}
			if c.target == "" && c.before == "" {
				if n := count(t, target, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"); n != 0 {
					t.Errorf("%d relations were made", n)
				}
			}
		})
	}
	t.Run("with --create-roles", func(t *testing.T) {
		target := pgtest.New(t)
		t.Cleanup(func() { pgtest.Exec(t, target, "drop owned by "+owner+"; drop role "+owner) })
		r, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store}, restore.Options{CreateRoles: true}, l)
		if err != nil || len(r.Warnings) != 1 || r.Warnings[0].Object != owner {
			t.Fatalf("%+v, %v", r, err)
		}
		if n := count(t, target, "select count(*) from pg_class where relname = 't' and relowner = '"+owner+"'::regrole"); n != 1 {
			t.Error("the table did not get its owner")
		}
	})
	t.Run("with --no-owner", func(t *testing.T) {
		target := pgtest.New(t)
		if _, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store}, restore.Options{NoOwner: true}, l); err != nil {
			t.Fatal(err)
		}
		if n := count(t, target, "select count(*) from t"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func count(t *testing.T, dsn, sql string) (n int) {
	t.Helper()
	if err := pgtest.Connect(t, dsn).QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDamagedRowsAreNotKept: the restore names the object and fails, and no
// row of the damaged chunk is in the table.
func TestDamagedRowsAreNotKept(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create table t as select n, md5(n::text) s from generate_series(1, 50000) n")
	for name, damage := range map[string]func(t *testing.T, store blob.Store, c *manifest.Chunk) blob.Store{
		"a missing object": func(_ *testing.T, store blob.Store, c *manifest.Chunk) blob.Store {
			_ = store.Delete(ctx, c.Object)
			return store
		},
		"a changed last byte": func(t *testing.T, store blob.Store, c *manifest.Chunk) blob.Store {
			r, err := store.Get(ctx, c.Object, 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := io.ReadAll(r)
			raw[len(raw)-1] ^= 1
			if _, err := store.Put(ctx, c.Object, bytes.NewReader(raw), blob.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			return store
		},
		"a connection that ends early": func(t *testing.T, store blob.Store, c *manifest.Chunk) blob.Store {
			return blobfault.New(t, store, blobfault.Fault{On: blobfault.Get, Key: c.Object, AfterBytes: 1000, Truncate: true, Times: -1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var store blob.Store = memory.New()
			l := backUp(t, source, store, nil)
			m, _, err := manifest.Open(ctx, store, l, nil)
			if err != nil {
				t.Fatal(err)
			}
			store = damage(t, store, &m.Tables[0].Chunks[0])
			target := pgtest.New(t)
			_, err = restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store}, restore.Options{}, l)
			if code := fault.CodeOf(err); code != fault.Corrupt && code != fault.NotFound || !strings.Contains(err.Error(), "data/") {
				t.Errorf("%v", err)
			}
			if n := count(t, target, "select count(*) from t"); n != 0 {
				t.Errorf("%d rows of a damaged chunk are in the table", n)
			}
		})
	}
}

// TestAStoreThatStuttersIsAskedAgain.
func TestAStoreThatStuttersIsAskedAgain(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create table t as select n, md5(n::text) s from generate_series(1, 50000) n")
	inner := memory.New()
	l := backUp(t, source, inner, nil)
	store := blobfault.New(t, inner, blobfault.Fault{On: blobfault.Get, Key: "/data/", AfterBytes: 100_000, Times: 2})
	target := pgtest.New(t)
	r, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store}, restore.Options{}, l)
	if err != nil || r.Rows != 50000 || r.Bytes != l.Header.RawBytes {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := count(t, target, "select count(*) from t"); n != 50000 {
		t.Errorf("%d rows", n)
	}
}

// TestAStatementThatFailsStopsTheRestore and names its object.
func TestAStatementThatFailsStopsTheRestore(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	// The restored copy breaks the constraint: the function answers differently there.
	pgtest.Exec(t, source, `create function there() returns boolean language sql immutable as 'select true';
		create table t (id int); insert into t values (1), (2);
		create unique index t_there on t ((case when there() then id else 0 end))`)
	store := memory.New()
	l := backUp(t, source, store, nil)
	target := pgtest.New(t)
	_, err := restore.Run(context.Background(), restore.Deps{Connect: connector(target), Store: store, Report: func(ctx context.Context, p restore.Progress) error {
		if p.Phase == restore.PhaseIndexes {
			pgtest.Exec(t, target, "create or replace function public.there() returns boolean language sql immutable as 'select false'")
		}
		return nil
	}}, restore.Options{}, l)
	if err == nil || !strings.Contains(err.Error(), "t_there") || !strings.Contains(err.Error(), "index") || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

// TestARestoreCanBeStopped.
func TestARestoreCanBeStopped(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, "create table t (id int primary key); insert into t values (1)")
	store := memory.New()
	l := backUp(t, source, store, nil)
	for _, phase := range []restore.PhaseName{restore.PhaseSchema, restore.PhaseData, restore.PhaseIndexes, restore.PhaseFinish} {
		target := pgtest.New(t)
		ctx, cancel := context.WithCancel(context.Background())
		r, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store, Report: func(_ context.Context, p restore.Progress) error {
			if p.Phase == phase {
				cancel()
			}
			return nil
		}}, restore.Options{}, l)
		cancel()
		if fault.CodeOf(err) != fault.Canceled || r != nil {
			t.Errorf("stopped in %s: %v", phase, err)
		}
	}
}
