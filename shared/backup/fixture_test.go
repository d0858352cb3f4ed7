package backup_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob/dir"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
	"guarda/shared/seal"
	"guarda/shared/verify"
)

// TestFormat1StaysReadable lists, verifies and restores the committed backups
// of store format 1.
func TestFormat1StaysReadable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	keys, err := seal.KeyFile("testdata/format-v1/key")
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]seal.KeyProvider{"plain": nil, "sealed": keys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir() // a copy: the store tidies its folder
			if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata/format-v1", name))); err != nil {
				t.Fatal(err)
			}
			store, err := dir.Open(folder, dir.Options{MustExist: true})
			if err != nil {
				t.Fatal(err)
			}
			all, err := manifest.List(ctx, store, "library")
			if err != nil || len(all) != 1 || all[0].Problem != nil || all[0].Header.Rows != 600 || all[0].Header.Encrypted != (keys != nil) {
				t.Fatalf("%+v, %v", all, err)
			}
			v, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, all[0])
			if err != nil || v.Status != verify.OK || v.Rows != 600 || v.TablesChecked != 3 {
				t.Fatalf("%+v, %v", v, err)
			}
			target := pgtest.New(t)
			r, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store, Keys: keys}, restore.Options{NoOwner: true, NoACL: true}, all[0])
			if err != nil || r.Rows != 600 {
				t.Fatalf("%+v, %v", r, err)
			}
			var total, lost string
			var next, wide int
			conn := pgtest.Connect(t, target)
			if err := conn.QueryRow(ctx, `select library.total()::text, (select count(*)::text from library.lost), (select count(*) from library.books where title_length > 40),
				nextval(pg_get_serial_sequence('library.books', 'id'))::int`).Scan(&total, &lost, &wide, &next); err != nil {
				t.Fatal(err)
			}
			if total != "134197.50" || lost != "167" || wide != 50 || next != 501 {
				t.Errorf("total %s, lost %s, %d wide titles, next id %d", total, lost, wide, next)
			}
		})
	}
}

// TestFormat2StaysReadable: the same for format 2, with a backup that refers to
// objects of an earlier one, a layer and a large object.
func TestFormat2StaysReadable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	keys, err := seal.KeyFile("testdata/format-v2/key")
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]seal.KeyProvider{"plain": nil, "sealed": keys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata/format-v2", name))); err != nil {
				t.Fatal(err)
			}
			store, err := dir.Open(folder, dir.Options{MustExist: true})
			if err != nil {
				t.Fatal(err)
			}
			all, err := manifest.List(ctx, store, "club")
			if err != nil || len(all) != 2 || all[0].Header.Type != "full" || all[1].Header.Type != "incremental" || all[1].Header.BaseID != all[0].Header.BackupID || all[1].Header.Format != 2 {
				t.Fatalf("%+v, %v", all, err)
			}
			// It was made before warnings could be told in other languages.
			m, _, err := manifest.Open(ctx, store, all[1], keys)
			if err != nil || len(m.Warnings) != 1 || !m.Warnings[0].Text.IsZero() ||
				!strings.HasPrefix(m.Warnings[0].In(fault.Portuguese).Message, "the rows of public.members are followed by ") {
				t.Errorf("warnings %+v, %v", m.Warnings, err)
			}
			for i, want := range []string{"300 members, 0 renamed, 4000 visits, the statutes", "301 members, 3 renamed, 3987 visits, the STATUTES"} {
				if v, err := verify.Stored(ctx, verify.Deps{Store: store, Keys: keys}, all[i]); err != nil || v.Status != verify.OK {
					t.Fatalf("%+v, %v", v, err)
				}
				target := pgtest.New(t)
				if _, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: store, Keys: keys}, restore.Options{NoOwner: true, NoACL: true}, all[i]); err != nil {
					t.Fatal(err)
				}
				var got string
				if err := pgtest.Connect(t, target).QueryRow(ctx, `select format('%s members, %s renamed, %s visits, %s', (select count(*) from members), (select count(*) from members where name = 'Renamed'),
					(select count(*) from visits), convert_from(lo_get(70001), 'UTF8'))`).Scan(&got); err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("backup %d restores to %s, want %s", i, got, want)
				}
			}
		})
	}
}
