package backup_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/seal"
)

// series is a source with its backups.
type series struct {
	dsn   string
	store blob.Store
	keys  seal.KeyProvider
	keep  bool // backups go on with what was cut off
}

func newSeries(t *testing.T, sql string) *series {
	t.Helper()
	s := &series{dsn: pgtest.New(t), store: memory.New(), keys: testKey(t)}
	pgtest.Exec(t, s.dsn, sql)
	return s
}

// take makes a backup with ranges as small as they get.
func (s *series) take(t *testing.T, kind backup.Type) *backup.Result {
	t.Helper()
	run := newRun()
	run.Type, run.ChunkBytes, run.Keep = kind, 1, s.keep
	r, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys}, run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *series) manifest(t *testing.T, id string) *manifest.Manifest {
	t.Helper()
	l, err := manifest.Find(context.Background(), s.store, "", id)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Open(context.Background(), s.store, l, s.keys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// copied returns how many chunks with rows of a table a backup copied itself,
// and how many it refers to.
func (s *series) copied(t *testing.T, id, table string) (copied, reused int) {
	t.Helper()
	for _, m := range s.manifest(t, id).Tables {
		if m.Name != table {
			continue
		}
		for _, c := range m.Chunks {
			switch {
			case c.Object == "":
			case c.BackupID == "":
				copied++
			default:
				reused++
			}
		}
		return copied, reused
	}
	t.Fatalf("backup %s has no table %s", id, table)
	return 0, 0
}

const wide = `create table t (id int primary key, s text);
	insert into t select n, repeat(md5(n::text), 20) from generate_series(1, 1500) n;
	create table other as select * from t where id <= 100`

func TestAnUnchangedDatabaseStoresOnlyWhatDescribesIt(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	full := s.take(t, backup.Full)
	for _, kind := range []backup.Type{backup.Incremental, backup.Differential} {
		r := s.take(t, kind)
		if r.Type != kind || r.Chunks != full.Chunks || r.ChunksReused != full.Chunks || r.Rows != 1600 || len(r.Warnings) > 0 || r.BaseID == "" {
			t.Errorf("%s: %+v", kind, r)
		}
		for _, key := range objects(t, s.store) {
			if strings.HasPrefix(key, r.StorePath+"data/") {
				t.Errorf("%s stored %s", kind, key)
			}
		}
		s.same(t, r)
	}
}

// TestChangesWithAndWithoutATrace: after each change an incremental backup
// restores to the database as it is. refers says whether what did not change
// may be, and is, referred to.
func TestChangesWithAndWithoutATrace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, change, table string
		copies, refers        bool
	}{
		"updates":            {wide, `update t set s = 'x' where id = 7`, "t", true, true},
		"deletes":            {wide, `delete from t where id = 7`, "t", true, true},
		"inserts":            {wide, `insert into t values (5000, 'new')`, "t", true, true},
		"another table":      {wide, `update other set s = 'x' where id = 7`, "t", false, true},
		"truncate, reload":   {wide, `create temp table k as select * from t; truncate t; insert into t select * from k`, "t", true, false},
		"vacuum":             {wide, `delete from t where id % 2 = 0 and id < 100; vacuum t; insert into t select n, 'back' from generate_series(-90, -1) n`, "t", true, true},
		"vacuum full":        {wide, `vacuum full t`, "t", true, false},
		"cluster":            {wide, `cluster t using t_pkey`, "t", true, false},
		"alter type":         {wide, `alter table t alter id type bigint`, "t", true, false},
		"fast default":       {wide, `alter table t add added text default 'all of them'`, "t", true, false},
		"column dropped":     {wide, `alter table t add gone int; alter table t drop gone`, "t", false, true},
		"column renamed":     {wide, `alter table t rename s to text`, "t", true, false},
		"table renamed":      {wide, `alter table t rename to renamed`, "renamed", false, true},
		"schema changed":     {wide, `create schema elsewhere; alter table t set schema elsewhere`, "t", false, true},
		"dropped, recreated": {wide, `drop table t; ` + wide[:strings.Index(wide, "create table other")], "t", true, false},
		"enum label": {`create type mood as enum ('good', 'bad'); create table t as select 'good'::mood as m from generate_series(1, 9)`,
			`alter type mood rename value 'good' to 'better'`, "t", true, false},
		"enum in an array in a composite": {`create type mood as enum ('good', 'bad'); create type pair as (a mood[], b int); create table t as select row(array['good']::mood[], 1)::pair as p from generate_series(1, 9)`,
			`alter type mood rename value 'good' to 'better'`, "t", true, false},
		"composite": {`create type pair as (a int, b int); create table t as select row(1, 2)::pair as p from generate_series(1, 9)`,
			`alter type pair add attribute c int`, "t", true, false},
		"domain over an enum": {`create type mood as enum ('good', 'bad'); create domain feeling as mood; create table t as select 'good'::feeling as m from generate_series(1, 9)`,
			`alter type mood rename value 'good' to 'better'`, "t", true, false},
		"a name that a column shows": {`create table shown (i int); create table t as select 'shown'::regclass as r, array['shown'::regclass] as a from generate_series(1, 9)`,
			`alter table shown rename to hidden`, "t", true, false},
		"a name in a domain": {`create domain d as regclass; create table shown (i int); create table t as select 'shown'::regclass::d as r from generate_series(1, 9)`,
			`alter table shown rename to hidden`, "t", true, false},
		"a partition attached": {`create table p (id int, s text) partition by range (id); create table t (id int, s text); insert into t select n, 'x' from generate_series(1, 99) n`,
			`alter table p attach partition t for values from (0) to (100)`, "t", false, true},
		"a partition detached": {`create table p (id int, s text) partition by range (id); create table t partition of p for values from (0) to (100); insert into t select n, 'x' from generate_series(1, 99) n`,
			`alter table p detach partition t`, "t", false, true},
		"a sequence moved": {`create table t (id serial, s text); insert into t (s) select 'x' from generate_series(1, 99) n`,
			`select nextval('t_id_seq')`, "t", false, true},
		"unlogged and back": {wide, `alter table t set unlogged; alter table t set logged`, "t", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSeries(t, c.before)
			s.take(t, backup.Full)
			execEach(t, s.dsn, c.change)
			r := s.take(t, backup.Incremental)
			refers := c.refers && (!c.copies || ranges(t))
			if copied, reused := s.copied(t, r.BackupID, c.table); (copied > 0) != c.copies || (reused > 0) != refers {
				t.Errorf("%d chunks of the table were copied and %d referred to", copied, reused)
			}
			s.same(t, r)
		})
	}
}

// ranges says whether the server reads ranges of a table.
func ranges(t *testing.T) bool {
	t.Helper()
	return pgtest.Own(t).Major >= 14
}

// execEach runs statements one by one: VACUUM does not run among others.
func execEach(t *testing.T, dsn, sql string) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	for statement := range strings.SplitSeq(sql, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := conn.PgConn().Exec(context.Background(), statement).ReadAll(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// TestATransactionThatCommitsLateIsSeen: it is older than the base's snapshot,
// and the base cannot see it.
func TestATransactionThatCommitsLateIsSeen(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSeries(t, wide)
	late := pgtest.Connect(t, s.dsn)
	if _, err := late.PgConn().Exec(ctx, `begin; update t set s = 'late' where id = 1400; delete from other where id = 1`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	s.take(t, backup.Full)
	pgtest.Exec(t, s.dsn, `insert into other values (9000, 'between')`) // a younger transaction that the base's xmax is before
	if _, err := late.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	r := s.take(t, backup.Incremental)
	if copied, reused := s.copied(t, r.BackupID, "t"); copied == 0 || (reused == 0) == ranges(t) {
		t.Errorf("%d copied, %d reused", copied, reused)
	}
	s.same(t, r)
}

// TestADifferentialComparesWithTheLastFull, an incremental with the last of all.
func TestADifferentialComparesWithTheLastFull(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	full := s.take(t, backup.Full)
	pgtest.Exec(t, s.dsn, `update t set s = 'x' where id = 7`)
	first := s.take(t, backup.Incremental)
	second := s.take(t, backup.Incremental)
	third := s.take(t, backup.Differential)
	if first.BaseID != full.BackupID || second.BaseID != first.BackupID || third.BaseID != full.BackupID {
		t.Errorf("compared with %s, %s, %s", first.BaseID, second.BaseID, third.BaseID)
	}
	if copied, _ := s.copied(t, second.BackupID, "t"); copied != 0 {
		t.Errorf("the second incremental copied %d chunks again", copied)
	}
	if copied, _ := s.copied(t, third.BackupID, "t"); copied == 0 {
		t.Error("the differential copied nothing")
	}
	// References name who wrote an object, over however many backups.
	ids := map[string]bool{}
	for _, r := range s.manifest(t, second.BackupID).References() {
		ids[r.BackupID] = true
		if len(r.Objects) == 0 || r.Bytes == 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(ids) != 2 || !ids[full.BackupID] || !ids[first.BackupID] {
		t.Errorf("the second incremental refers to %v", ids)
	}
	for _, r := range []*backup.Result{first, second, third} {
		s.same(t, r)
	}
}

// TestATableThatGrewKeepsItsRanges: only the end is new.
func TestATableThatGrewKeepsItsRanges(t *testing.T) {
	t.Parallel()
	if !ranges(t) {
		t.Skip("before PostgreSQL 14 a table is one range")
	}
	s := newSeries(t, wide)
	s.take(t, backup.Full)
	for range 3 {
		pgtest.Exec(t, s.dsn, `insert into t select n, repeat('y', 500) from generate_series((select max(id) + 1 from t), (select max(id) + 1000 from t)) n`)
		r := s.take(t, backup.Incremental)
		copied, reused := s.copied(t, r.BackupID, "t")
		if reused < 7 || copied > 7 {
			t.Errorf("%d copied, %d reused", copied, reused)
		}
		s.same(t, r)
	}
	before := len(s.manifest(t, "latest").Tables[0].Chunks)
	execEach(t, s.dsn, `delete from t where id > 100; vacuum t`)
	r := s.take(t, backup.Incremental)
	if after := len(s.manifest(t, r.BackupID).Tables[0].Chunks); after >= before {
		t.Errorf("a table of a few blocks has %d ranges, before %d", after, before)
	}
	s.same(t, r)
}

// TestWhyABackupIsFullInstead: the reason is said.
func TestWhyABackupIsFullInstead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   backup.Type
		before func(t *testing.T, s *series)
		says   string
	}{
		"no backup":      {backup.Incremental, func(*testing.T, *series) {}, "there is no backup yet"},
		"no full backup": {backup.Differential, func(*testing.T, *series) {}, "there is no full backup yet"},
		"another database of the name": {backup.Incremental, func(t *testing.T, s *series) {
			s.take(t, backup.Full)
			s.dsn = pgtest.New(t)
			pgtest.Exec(t, s.dsn, wide)
		}, "another database"},
		"an unencrypted base": {backup.Incremental, func(t *testing.T, s *series) {
			keys := s.keys
			s.keys = nil
			s.take(t, backup.Full)
			s.keys = keys
		}, "not encrypted"},
		"an encrypted base": {backup.Incremental, func(t *testing.T, s *series) {
			s.take(t, backup.Full)
			s.keys = nil
		}, "is encrypted"},
		"another key": {backup.Incremental, func(t *testing.T, s *series) {
			s.take(t, backup.Full)
			keys, err := seal.KeyFromBytes(make([]byte, seal.KeySize), "")
			if err != nil {
				t.Fatal(err)
			}
			s.keys = keys
		}, "cannot be read"},
		"a damaged manifest": {backup.Incremental, func(t *testing.T, s *series) {
			r := s.take(t, backup.Full)
			if _, err := s.store.Put(context.Background(), manifest.Key(r.StorePath, true), strings.NewReader("x"), blob.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSeries(t, wide)
			c.before(t, s)
			r := s.take(t, c.kind)
			if r.Type != backup.Full || r.RequestedType != c.kind || r.BaseID != "" || r.ChunksReused != 0 || len(r.Warnings) != 1 ||
				r.Warnings[0].Code != "full_instead" || !strings.Contains(r.Warnings[0].Message, c.says) {
				t.Errorf("%+v", r)
			}
			s.same(t, r)
		})
	}
}

// TestWhatIsMissingOfABaseIsCopied: an object that somebody removed is not
// referred to.
func TestWhatIsMissingOfABaseIsCopied(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	full := s.take(t, backup.Full)
	removed := 0
	for _, key := range objects(t, s.store) {
		if strings.HasPrefix(key, full.StorePath+"data/") && removed < 2 {
			removed++
			if err := s.store.Delete(context.Background(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := s.take(t, backup.Incremental)
	if r.Chunks-r.ChunksReused != removed {
		t.Errorf("%d of %d chunks were reused, %d objects were missing", r.ChunksReused, r.Chunks, removed)
	}
	s.same(t, r)
}

// TestFingerprintsAreTheSameHoweverTheRangesAreCut, so that their sum is.
func TestFingerprintsAreTheSameHoweverTheRangesAreCut(t *testing.T) {
	t.Parallel()
	s := newSeries(t, wide)
	r := s.take(t, backup.Full)
	for _, m := range s.manifest(t, r.BackupID).Tables {
		seen := map[string]bool{}
		for _, c := range m.Chunks {
			if c.Fingerprint == "" || seen[c.Fingerprint] || !strings.HasPrefix(c.Fingerprint, fmt.Sprintf("1:%d:", c.Rows)) {
				t.Errorf("%s has the fingerprint %q for %d rows", m.Name, c.Fingerprint, c.Rows)
			}
			seen[c.Fingerprint] = true
		}
	}
}
