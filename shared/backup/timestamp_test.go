package backup_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/restore"
)

const stamped = `create table events (id int primary key, s text, at timestamptz not null default now());
	insert into events select n, 'first', now() - interval '1 day' from generate_series(1, 5000) n;
	create table other as select * from events`

func (s *series) followed(t *testing.T, kind backup.Type, tables map[string]string) (*backup.Result, error) {
	t.Helper()
	run := newRun()
	run.Type, run.Timestamps = kind, tables
	return backup.Execute(context.Background(), backup.Deps{Connect: connector(s.dsn), Store: s.store, Keys: s.keys}, run)
}

// rows reads the first two columns of a chunk's rows, "1 first".
func (s *series) rows(t *testing.T, id string, c *manifest.Chunk) map[string]bool {
	t.Helper()
	ctx := context.Background()
	l, err := manifest.Find(ctx, s.store, "", id)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := manifest.Open(ctx, s.store, l, s.keys)
	if err != nil {
		t.Fatal(err)
	}
	in, err := manifest.OpenChunk(ctx, s.store, c, key)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(line, "\t")
		rows[fields[0]+" "+fields[1]] = true
	}
	return rows
}

// TestATableIsFollowedByATimestamp: each backup stores what was written since
// its base, also by a transaction that began before the base's snapshot and
// ended after it, and says that it does not see what was deleted.
func TestATableIsFollowedByATimestamp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSeries(t, stamped)
	follow := map[string]string{"public.events": "at"}
	late := pgtest.Connect(t, s.dsn)
	if _, err := late.PgConn().Exec(ctx, `begin; update events set s = 'late', at = now() where id = 7`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	full, err := s.followed(t, backup.Full, follow)
	if err != nil || len(full.Warnings) > 0 {
		t.Fatalf("%+v, %v", full, err)
	}
	if _, err := late.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, s.dsn, `update events set s = 'second', at = now() where id = 8; insert into events values (9000, 'new'); delete from events where id = 9`)
	first, err := s.followed(t, backup.Incremental, follow)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Warnings) != 1 || first.Warnings[0].Code != "deletes_invisible" || first.Warnings[0].Object != "public.events" {
		t.Errorf("warnings: %+v", first.Warnings)
	}
	noted := false
	for _, it := range first.Ledger.Items {
		noted = noted || it.Rule == "timestamp" && strings.Contains(it.Name, "events") && strings.Contains(it.Detail, "deleted")
	}
	if !noted {
		t.Errorf("the ledger says nothing of it: %+v", first.Ledger.Items)
	}
	m := s.manifest(t, first.BackupID)
	events := m.Tables[0]
	if m.Format != 2 || events.Name != "events" || len(events.Layers) != 1 || events.Rows != 5000 || events.Filter != "" || events.Chunks[0].BackupID != full.BackupID {
		t.Fatalf("%+v", events)
	}
	got := s.rows(t, first.BackupID, &events.Layers[0].Chunk)
	if len(got) != 3 || !got["7 late"] || !got["8 second"] || !got["9000 new"] {
		t.Errorf("the first layer has %v", got)
	}
	pgtest.Exec(t, s.dsn, `update events set s = 'third', at = now() where id = 8`)
	second, err := s.followed(t, backup.Incremental, follow)
	if err != nil {
		t.Fatal(err)
	}
	layers := s.manifest(t, second.BackupID).Tables[0].Layers
	if len(layers) != 2 || layers[0].BackupID != first.BackupID || layers[0].Chunk.BackupID != first.BackupID || layers[1].BackupID != second.BackupID || layers[1].Chunk.BackupID != "" {
		t.Fatalf("%+v", layers)
	}
	if got := s.rows(t, second.BackupID, &layers[1].Chunk); !got["8 third"] {
		t.Errorf("the second layer has %v", got)
	}
	// Restored, the layers are merged; what was deleted is there.
	target := pgtest.New(t)
	l, err := manifest.Find(ctx, s.store, "", second.BackupID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restore.Run(ctx, restore.Deps{Connect: connector(target), Store: s.store, Keys: s.keys}, restore.Options{}, l); err != nil {
		t.Fatal(err)
	}
	var state string
	if err := pgtest.Connect(t, target).QueryRow(ctx, `select string_agg(id || ' ' || s, ', ' order by id) || ' of ' || (select count(*) from events) from events where id in (6, 7, 8, 9, 9000)`).Scan(&state); err != nil {
		t.Fatal(err)
	}
	if want := "6 first, 7 late, 8 third, 9 first, 9000 new of 5001"; state != want {
		t.Errorf("restored: %s, want %s", state, want)
	}
	differential, err := s.followed(t, backup.Differential, follow)
	if err != nil {
		t.Fatal(err)
	}
	if layers := s.manifest(t, differential.BackupID).Tables[0].Layers; len(layers) != 1 || layers[0].BackupID != differential.BackupID {
		t.Errorf("%+v", layers)
	}
	// Without the setting the same table is compared by its rows' places, and
	// what the layers hid comes to light.
	compared := s.take(t, backup.Incremental)
	s.same(t, compared)
}

// TestALayerComesOnlyOnTopOfTheSameTable: a table that was emptied or changed
// is copied whole.
func TestALayerComesOnlyOnTopOfTheSameTable(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"truncated": `truncate events; insert into events values (1, 'again')`,
		"recreated": `drop table events; create table events (id int primary key, s text, at timestamptz not null default now())`,
		"altered":   `alter table events add added text default 'x'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSeries(t, stamped)
			follow := map[string]string{"events": "at"}
			if _, err := s.followed(t, backup.Full, follow); err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, s.dsn, change)
			r, err := s.followed(t, backup.Incremental, follow)
			if err != nil || len(r.Warnings) > 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			for _, table := range s.manifest(t, r.BackupID).Tables {
				if len(table.Layers) > 0 {
					t.Errorf("%s has layers", table.Name)
				}
			}
			s.same(t, r)
		})
	}
}

// TestNobodyCanSaySinceWhen: with a prepared transaction open, or the sessions
// of others hidden, a base is no base for a layer.
func TestNobodyCanSaySinceWhen(t *testing.T) {
	t.Parallel()
	s := newSeries(t, stamped)
	follow := map[string]string{"events": "at"}
	name := s.dsn[strings.LastIndex(s.dsn, "/")+1:]
	pgtest.Exec(t, s.dsn, `begin; update other set s = 'x' where id = 1; prepare transaction '`+name+`'`)
	if _, err := s.followed(t, backup.Full, follow); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, s.dsn, `commit prepared '`+name+`'`)
	pgtest.Exec(t, s.dsn, `delete from events where id = 1`)
	r, err := s.followed(t, backup.Incremental, follow)
	if err != nil {
		t.Fatal(err)
	}
	if m := s.manifest(t, r.BackupID); len(m.Tables[0].Layers) > 0 || m.Server.Watermark == nil {
		t.Errorf("%+v", m.Tables[0])
	}
	s.same(t, r)
}

// TestWhatARowThatIsGoneMayBreakIsNamed when the backup is made: at restore it
// would be too late.
func TestWhatARowThatIsGoneMayBreakIsNamed(t *testing.T) {
	t.Parallel()
	s := newSeries(t, `create table users (id int primary key);
		create table events (id int primary key, email text unique, owner int references users, at timestamptz not null default now());
		create index events_at on events (at)`)
	follow := map[string]string{"events": "at"}
	if _, err := s.followed(t, backup.Full, follow); err != nil {
		t.Fatal(err)
	}
	r, err := s.followed(t, backup.Incremental, follow)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "such a row may keep events_email_key, events_owner_fkey from being made") {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestWhatCannotBeFollowedIsRefused(t *testing.T) {
	t.Parallel()
	s := newSeries(t, stamped+`;
		create table dated (id int primary key, at date not null, note timestamptz);
		create schema twice; create table twice.events (id int primary key, at timestamptz not null)`)
	for name, c := range map[string]struct{ table, column, says string }{
		"no such table":  {"nothing", "at", "is not in the backup"},
		"an unclear one": {"events", "at", "several tables"},
		"no primary key": {"other", "at", "no primary key"},
		"no such column": {"dated", "when", "no column when"},
		"not a time":     {"dated", "at", "no timestamp"},
		"nullable":       {"dated", "note", "may be null"},
	} {
		for _, kind := range []backup.Type{backup.Full, backup.Incremental} {
			_, err := s.followed(t, kind, map[string]string{c.table: c.column})
			if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) || fault.HintOf(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if left := objects(t, s.store); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := s.followed(t, backup.Full, nil); errors.Is(err, io.EOF) || err != nil {
		t.Error(err)
	}
}
