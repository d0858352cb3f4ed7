package backup

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"guarda/shared/backup/contenthash"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/seal"
)

func hashOf(t *testing.T, text []byte) contenthash.Sum {
	t.Helper()
	var l contenthash.Lines
	_, _ = l.Write(text)
	sum, err := l.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestRangesAddUpToTheTable cuts a table at every kind of edge: inside, at its
// end, behind it, in a stretch of deleted rows.
func TestRangesAddUpToTheTable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table t as select n, repeat(chr(97 + n % 26), n % 300) as s, case when n % 5 = 0 then E'tab\there, newline\nthere, \\ and \u00e7' end as odd from generate_series(1, 20000) n;
		delete from t where n between 5000 and 9000`)
	conn := pgtest.Connect(t, dsn)
	var whole bytes.Buffer
	if _, err := conn.PgConn().CopyTo(ctx, &whole, "copy t to stdout"); err != nil {
		t.Fatal(err)
	}
	want := hashOf(t, whole.Bytes())
	table := &pgcatalog.Table{OID: 7, Schema: "public", Name: "t", Columns: []string{"n", "s", "odd"}}
	for name, edges := range map[string][]int64{
		"one": {-1}, "each block of the first": {1, 2, 3, 4, -1}, "deleted rows": {100, 120, 130, 140, -1}, "behind the end": {1_000_000, 2_000_000, -1},
	} {
		store := memory.New()
		key := seal.NewDataKey()
		w := &copier{conn: conn, store: store, folder: "s/f/", key: key, compression: seal.Auto, live: &live{}}
		var got contenthash.Sum
		from, objects := int64(0), 0
		for i, to := range edges {
			r, err := w.copy(ctx, table, &Chunk{No: i + 1, TableOID: 7, Schema: "public", Table: "t", FromBlock: from, ToBlock: to})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if (r.ObjectKey == "") != (r.Rows == 0) {
				t.Errorf("%s: %d rows in the object %q", name, r.Rows, r.ObjectKey)
			}
			sum, err := contenthash.Parse(r.ContentHash, r.Rows)
			if err != nil {
				t.Fatal(err)
			}
			got.Add(sum)
			if r.ObjectKey != "" {
				objects++
				if read := readBack(t, store, r, key); hashOf(t, read) != sum {
					t.Errorf("%s: chunk %d reads back differently", name, i)
				}
			}
			from = to
		}
		if got != want {
			t.Errorf("%s: the chunks have %v, the table %v", name, got, want)
		}
		if n := countObjects(t, store); n != objects {
			t.Errorf("%s: %d objects in the store, %d named", name, n, objects)
		}
		if w.live.bytes.Load() != 0 || w.live.rows.Load() != 0 {
			t.Errorf("%s: %d bytes and %d rows are still counted as being copied", name, w.live.bytes.Load(), w.live.rows.Load())
		}
	}
}

func readBack(t *testing.T, store blob.Store, r *ChunkResult, key *seal.DataKey) []byte {
	t.Helper()
	in, err := manifest.OpenChunk(context.Background(), store, &manifest.Chunk{Object: r.ObjectKey, Rows: r.Rows, RawBytes: r.RawBytes,
		StoredBytes: r.StoredBytes, SHA256: r.SHA256, ContentHash: r.ContentHash, Encoding: r.Encoding, ToBlock: -1}, key)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func countObjects(t *testing.T, store blob.Store) int {
	t.Helper()
	n := 0
	for _, err := range store.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestEveryCompressionReadsBackAndNamesItself(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table plain as select n, 'the same words again and again' as s from generate_series(1, 60000) n;
		create table noise as select string_agg(encode(sha256((n || ':' || m)::text::bytea), 'base64'), '') as s from generate_series(1, 400) n, generate_series(1, 100) m group by n`)
	conn := pgtest.Connect(t, dsn)
	for _, c := range []struct {
		table       string
		compression seal.Compression
		encoding    string
		suffix      string
	}{
		{"plain", seal.Auto, "zstd", ".copy.zst"},
		{"plain", seal.Zstd, "zstd", ".copy.zst"},
		{"plain", seal.Gzip, "gzip", ".copy.gz"},
		{"plain", seal.Brotli, "brotli", ".copy.br"},
		{"plain", seal.None, "none", ".copy"},
		{"noise", seal.Zstd, "zstd", ".copy.zst"},
	} {
		for _, key := range []*seal.DataKey{nil, seal.NewDataKey()} {
			store := memory.New()
			table := &pgcatalog.Table{OID: 7, Schema: "public", Name: c.table, Columns: []string{"s"}}
			w := &copier{conn: conn, store: store, folder: "s/f/", key: key, compression: c.compression, live: &live{}}
			r, err := w.copy(ctx, table, &Chunk{No: 1, TableOID: 7, ToBlock: -1})
			if err != nil {
				t.Fatalf("%s %s: %v", c.table, c.compression, err)
			}
			suffix := c.suffix
			if key != nil {
				suffix += ".sealed"
			}
			if r.Encoding != c.encoding || !strings.HasSuffix(r.ObjectKey, suffix) {
				t.Errorf("%s %s: encoding %s, key %s", c.table, c.compression, r.Encoding, r.ObjectKey)
			}
			if text := readBack(t, store, r, key); int64(len(text)) != r.RawBytes {
				t.Errorf("%s %s: %d bytes read, %d written", c.table, c.compression, len(text), r.RawBytes)
			}
		}
	}
}

// TestAutoDoesNotCompressNoise: random bytes only cost time.
func TestAutoDoesNotCompressNoise(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 200_000)
	x := uint64(1)
	for i := range noise {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	if c, _, err := choose(noise); err != nil || c != seal.None {
		t.Errorf("noise: %s, %v", c, err)
	}
	if c, level, err := choose(bytes.Repeat([]byte("words\t"), 1000)); err != nil || c != seal.Zstd || level != 1 {
		t.Errorf("words: %s %d, %v", c, level, err)
	}
}

// brokenStore takes some bytes of an object and fails.
type brokenStore struct {
	*memory.Store
	after int64
}

func (b brokenStore) Put(ctx context.Context, key string, body io.Reader, o blob.PutOptions) (blob.Object, error) {
	_, _ = io.CopyN(io.Discard, body, b.after)
	return blob.Object{}, fault.New(fault.Exhausted, "the disk of the store %s is full", "x")
}

// TestTheStoresErrorIsTheOneThatIsTold, not that of the connection that was
// broken off because of it.
func TestTheStoresErrorIsTheOneThatIsTold(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table t as select md5(n::text) as s from generate_series(1, 200000) n`)
	table := &pgcatalog.Table{OID: 7, Schema: "public", Name: "t", Columns: []string{"s"}}
	for _, after := range []int64{0, 1, 100_000, 2_000_000} {
		w := &copier{conn: pgtest.Connect(t, dsn), store: brokenStore{memory.New(), after}, folder: "s/f/", compression: seal.None, live: &live{}}
		if _, err := w.copy(context.Background(), table, &Chunk{No: 1, TableOID: 7, ToBlock: -1}); fault.CodeOf(err) != fault.Exhausted {
			t.Errorf("failing after %d bytes: %v", after, err)
		}
	}
}

func TestTheSourcesErrorLeavesNoObject(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `create table t as select n from generate_series(1, 300000) n;
		create function fails(n int) returns text language plpgsql as $$ begin if n > 290000 then raise 'no more'; end if; return n; end $$`)
	store := memory.New()
	table := &pgcatalog.Table{OID: 7, Schema: "public", Name: "t", Columns: []string{"n"}, Filter: "public.fails(n) <> ''"}
	w := &copier{conn: pgtest.Connect(t, dsn), store: store, folder: "s/f/", compression: seal.None, live: &live{}}
	_, err := w.copy(context.Background(), table, &Chunk{No: 1, TableOID: 7, ToBlock: -1})
	if err == nil || !strings.Contains(err.Error(), "no more") || !strings.Contains(err.Error(), "public.t") {
		t.Errorf("the error is %v", err)
	}
	if n := countObjects(t, store); n != 0 {
		t.Errorf("%d objects were left", n)
	}
}
