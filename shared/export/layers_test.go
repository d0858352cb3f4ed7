package export_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob/memory"
	"guarda/shared/export"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/verify"
)

// withLayers is a backup whose table has two layers over its first rows, made
// from three backups of the table's states: the rows in a layer are whole
// copies of small states, as if all had been touched.
func withLayers(t *testing.T, store *memory.Store, source string, key []string, states ...string) manifest.Listed {
	t.Helper()
	ctx := context.Background()
	var first *manifest.Manifest
	var header manifest.Header
	for i, sql := range states {
		pgtest.Exec(t, source, sql)
		r, err := backup.Execute(ctx, backup.Deps{Connect: connector(source), Store: store}, backup.Run{ID: uuid.NewString(), Source: "state"})
		if err != nil {
			t.Fatal(err)
		}
		l, err := manifest.Find(ctx, store, "state", r.BackupID)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := manifest.Open(ctx, store, l, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first, header = m, l.Header
			continue
		}
		first.Tables[0].Layers = append(first.Tables[0].Layers, manifest.Layer{BackupID: m.BackupID, SnapshotAt: m.SnapshotAt, Column: "at", Since: time.Unix(0, 0), Key: key, Chunk: m.Tables[0].Chunks[0]})
	}
	first.BackupID, first.Source = uuid.NewString(), "db"
	first.Folder = manifest.Folder("db", first.StartedAt, first.BackupID)
	header.BackupID, header.Source = first.BackupID, first.Source
	if _, err := manifest.Write(ctx, store, first, &header, nil); err != nil {
		t.Fatal(err)
	}
	l, err := manifest.Find(ctx, store, "db", first.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLayersTakeThePlaceOfOlderRows in a restore and in a script, with a key of
// several columns, an identity column and a generated one.
func TestLayersTakeThePlaceOfOlderRows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source := pgtest.New(t)
	store := memory.New()
	l := withLayers(t, store, source, []string{"id", "Part"}, `
		create table t (id int generated always as identity, "Part" text, at timestamptz default now(), v text, g text generated always as (v || '!') stored, primary key (id, "Part"));
		insert into t (id, "Part", v) overriding system value values (1, 'a', 'old'), (1, 'b', 'stays'), (2, 'a', 'old')`,
		`delete from t; insert into t (id, "Part", v) overriding system value values (1, 'a', 'new'), (3, 'a', 'new')`,
		`delete from t; insert into t (id, "Part", v) overriding system value values (3, 'a', 'newest'), (2, 'a', null)`)
	const rows = `select string_agg(id || "Part" || coalesce(g, '-'), ' ' order by id, "Part") from t`
	const want = "1anew! 1bstays! 2a- 3anewest!"
	restored, scripted := pgtest.New(t), pgtest.New(t)
	if _, err := restore.Run(ctx, restore.Deps{Connect: connector(restored), Store: store}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	var script bytes.Buffer
	if _, err := export.Plain(ctx, export.Deps{Store: store}, export.Options{}, l, &script); err != nil {
		t.Fatal(err)
	}
	if err := psql(t, scripted, script.Bytes()); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{"restored": restored, "scripted": scripted} {
		var got string
		if err := pgtest.Connect(t, dsn).QueryRow(ctx, rows).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if r, err := verify.Stored(ctx, verify.Deps{Store: store}, l); err != nil || r.Status != verify.OK || r.ChunksChecked != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
