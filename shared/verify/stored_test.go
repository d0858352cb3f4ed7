package verify_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/blobfault"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/seal"
	"guarda/shared/verify"
)

func key(t *testing.T, b byte) seal.KeyProvider {
	t.Helper()
	keys, err := seal.KeyFromBytes(bytes.Repeat([]byte{b}, seal.KeySize), "")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// made is a small backup and how its store looks.
type made struct {
	store blob.Store
	keys  seal.KeyProvider
	l     manifest.Listed
	m     *manifest.Manifest
}

func makeBackup(t *testing.T, keys seal.KeyProvider, compression seal.Compression) made {
	t.Helper()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table a as select n, md5(n::text) s from generate_series(1, 3000) n; create table b as select n, md5((n + 7)::text) s from a; create table empty (n int)`)
	store := memory.New()
	r, err := backup.Execute(ctx, backup.Deps{Store: store, Keys: keys, Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }},
		backup.Run{ID: uuid.NewString(), Source: "db", Compression: compression})
	if err != nil {
		t.Fatal(err)
	}
	l, err := manifest.Find(ctx, store, "db", r.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Open(ctx, store, l, keys)
	if err != nil {
		t.Fatal(err)
	}
	return made{store, keys, l, m}
}

func (b made) object(t *testing.T, table string) string {
	t.Helper()
	for _, x := range b.m.Tables {
		if x.Name == table {
			return x.Chunks[0].Object
		}
	}
	t.Fatalf("no table %s", table)
	return ""
}

func (b made) bytes(t *testing.T, key string) []byte {
	t.Helper()
	r, err := b.store.Get(context.Background(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (b made) put(t *testing.T, key string, raw []byte) {
	t.Helper()
	if _, err := b.store.Put(context.Background(), key, bytes.NewReader(raw), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (b made) verify() (*verify.Result, error) {
	return verify.Stored(context.Background(), verify.Deps{Store: b.store, Keys: b.keys}, b.l)
}

// TestEveryDamageIsFound, and all of it is, not only the first.
func TestEveryDamageIsFound(t *testing.T) {
	t.Parallel()
	var backups []made
	for _, compression := range []seal.Compression{seal.Zstd, seal.None} {
		for _, keys := range []seal.KeyProvider{nil, key(t, 1)} {
			backups = append(backups, makeBackup(t, keys, compression))
		}
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, b made)
		codes  string // of the mismatches, by object
	}{
		"nothing": {func(*testing.T, made) {}, ""},
		"a missing object": {func(t *testing.T, b made) {
			_ = b.store.Delete(context.Background(), b.object(t, "a"))
		}, "a:not_found"},
		"two missing objects and a script": {func(t *testing.T, b made) {
			_ = b.store.Delete(context.Background(), b.object(t, "a"), b.object(t, "b"), b.m.Files[0].Key)
		}, "a:not_found b:not_found schema:not_found"},
		"a changed bit": {func(t *testing.T, b made) {
			raw := b.bytes(t, b.object(t, "a"))
			raw[len(raw)/2] ^= 4
			b.put(t, b.object(t, "a"), raw)
		}, "a:corrupt"},
		"a cut object": {func(t *testing.T, b made) {
			raw := b.bytes(t, b.object(t, "b"))
			b.put(t, b.object(t, "b"), raw[:len(raw)-1])
		}, "b:corrupt"},
		"an empty object": {func(t *testing.T, b made) { b.put(t, b.object(t, "b"), nil) }, "b:corrupt"},
		"a longer object": {func(t *testing.T, b made) {
			b.put(t, b.object(t, "b"), append(b.bytes(t, b.object(t, "b")), 'x'))
		}, "b:corrupt"},
		"swapped objects": {func(t *testing.T, b made) {
			left, right := b.bytes(t, b.object(t, "a")), b.bytes(t, b.object(t, "b"))
			b.put(t, b.object(t, "a"), right)
			b.put(t, b.object(t, "b"), left)
		}, "a:corrupt b:corrupt"},
	} {
		for _, b := range backups {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := b.copy(t)
				c.damage(t, b)
				r, err := b.verify()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, m := range r.Mismatches {
					what := strings.TrimPrefix(m.Table, "public.")
					if what == "" {
						what = "schema"
					}
					got = append(got, what+":"+m.Code)
					if m.Message == "" || m.Object == "" {
						t.Errorf("a mismatch without words: %+v", m)
					}
				}
				if list := strings.Join(got, " "); list != c.codes || (r.Status == verify.OK) != (c.codes == "") {
					t.Errorf("%s: %q, want %q", r.Status, list, c.codes)
				}
				if r.ChunksChecked != 3 || r.TablesChecked != 3 {
					t.Errorf("%d chunks of %d tables were looked at", r.ChunksChecked, r.TablesChecked)
				}
			})
		}
	}
}

// copy is the same backup in a store of its own.
func (b made) copy(t *testing.T) made {
	t.Helper()
	other := b
	other.store = memory.New()
	for o, err := range b.store.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		other.put(t, o.Key, b.bytes(t, o.Key))
	}
	return other
}

func TestTheManifestItselfIsProved(t *testing.T) {
	t.Parallel()
	for _, keys := range []seal.KeyProvider{nil, key(t, 1)} {
		b := makeBackup(t, keys, seal.Auto)
		raw := b.bytes(t, b.l.Header.Manifest.Key)
		raw[len(raw)/2] ^= 1
		b.put(t, b.l.Header.Manifest.Key, raw)
		if _, err := b.verify(); fault.CodeOf(err) != fault.Corrupt {
			t.Errorf("a changed manifest: %v", err)
		}
	}
}

func TestTheKeyMustBeTheRightOne(t *testing.T) {
	t.Parallel()
	b := makeBackup(t, key(t, 1), seal.Auto)
	b.keys = key(t, 2)
	if _, err := b.verify(); fault.CodeOf(err) != fault.Forbidden || fault.HintOf(err) == "" {
		t.Errorf("another key: %v", err)
	}
	b.keys = nil
	if _, err := b.verify(); fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "--key-file") {
		t.Errorf("no key: %v, hint: %s", err, fault.HintOf(err))
	}
}

// TestAStoreThatCannotBeReachedIsNotADamagedBackup.
func TestAStoreThatCannotBeReachedIsNotADamagedBackup(t *testing.T) {
	t.Parallel()
	b := makeBackup(t, nil, seal.Auto)
	b.store = blobfault.New(t, b.store, blobfault.Fault{On: blobfault.Get, Key: "/data/", Times: -1})
	if r, err := b.verify(); fault.CodeOf(err) != fault.Unavailable || r != nil {
		t.Errorf("%+v, %v", r, err)
	}
}
