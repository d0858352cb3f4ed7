package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup"
	"guarda/shared/postgres/pgtest"
)

// TestRandomStepsAndABackupNowAndThen changes a database in every way that
// could fool a comparison, and makes an incremental, differential or full
// backup now and then; each is restored and compared with the source.
// GUARDA_TEST_STEPS says how many steps (thousands for a long run) and
// GUARDA_TEST_SEED which ones: without it they are the same each time.
func TestRandomStepsAndABackupNowAndThen(t *testing.T) {
	t.Parallel()
	steps, seed := setting(t, "GUARDA_TEST_STEPS", 40), setting(t, "GUARDA_TEST_SEED", 1)
	t.Logf("GUARDA_TEST_SEED=%d", seed)
	s := newSeries(t, randomSchema)
	w := &walk{t: t, random: rand.New(rand.NewPCG(uint64(seed), 0)), conn: pgtest.Connect(t, s.dsn), late: pgtest.Connect(t, s.dsn), names: map[int]string{}}
	for i := range randomTables {
		w.names[i] = fmt.Sprintf("t%d", i)
		w.sql(fmt.Sprintf(`create table t%d (like shape including all); insert into t%[1]d select n, repeat(md5(n::text), 5), 'good', row(n, 'x')::pair, 'd', n from generate_series(1, %d) n`, i, w.random.IntN(2000)))
	}
	w.sql("set lock_timeout = '50ms'")
	kinds := []backup.Type{backup.Incremental, backup.Incremental, backup.Incremental, backup.Differential, backup.Full}
	s.take(t, backup.Full)
	backups, reused, chunks := 0, 0, 0
	for step := 1; step <= steps && !t.Failed(); step++ {
		w.step()
		if w.random.IntN(8) > 0 && step < steps {
			continue
		}
		kind := kinds[w.random.IntN(len(kinds))]
		w.log = append(w.log, "-- "+string(kind))
		r := s.take(t, kind)
		if r.Type != kind {
			t.Errorf("%s became %s: %v", kind, r.Type, r.Warnings)
		}
		t.Run(fmt.Sprintf("after step %d", step), func(t *testing.T) { s.same(t, r) })
		if kind != backup.Full {
			backups, reused, chunks = backups+1, reused+r.ChunksReused, chunks+r.Chunks
		}
	}
	w.endLate()
	t.Logf("%d steps, %d of them skipped because of a lock; %d backups with a base referred to %d of %d chunks", steps, w.skipped, backups, reused, chunks)
	if t.Failed() {
		t.Logf("the last steps:\n%s", strings.Join(w.log[max(0, len(w.log)-40):], ";\n"))
	}
	if backups > 0 && reused == 0 {
		t.Error("nothing was ever referred to: the test proves little")
	}
}

const randomTables = 5

const randomSchema = `
	create type mood as enum ('good', 'bad', 'ugly');
	create type pair as (a int, b text);
	create domain dom as text;
	create table shape (id bigint primary key, s text, m mood, p pair, d dom, n int);
	create table parent (id bigint, s text) partition by range (id);
	create table part0 (id bigint, s text);
	create table part1 (id bigint, s text);
	insert into part0 select n, 'zero' from generate_series(0, 99) n;
	insert into part1 select n, 'one' from generate_series(100, 199) n;
	create table shown (r regclass);
	insert into shown values ('shape'), ('parent'), ('part0');
	create sequence counter;
	create materialized view summary as select count(*) from part0;
	create type span as range (subtype = mood);
	create table spans as select span('good', 'ugly') as r from generate_series(1, 50);
	create type inside as (a int);
	create table "row" (a int);
	create table rows as select row(n)::"row" as v, array[row(n)::inside] as w from generate_series(1, 50) n;
	create table child (more int) inherits (shape);
	do $$ begin
		if current_setting('server_version_num')::int >= 140000 then
			execute 'create table multi as select span_multirange(span(''good'', ''ugly'')) as r from generate_series(1, 50)';
		end if;
	end $$`

// walk changes a database at random.
type walk struct {
	t       *testing.T
	random  *rand.Rand
	conn    *pgx.Conn
	late    *pgx.Conn // has a transaction open now and then
	open    bool
	names   map[int]string // of the tables
	n       int            // makes names unique
	added   []string       // "table column": added with a fast default
	skipped int
	log     []string
}

func (w *walk) step() {
	w.n++
	t := w.names[w.random.IntN(randomTables)]
	some := fmt.Sprintf("id %% %d = %d", 2+w.random.IntN(200), w.random.IntN(2)) // scattered
	if w.random.IntN(2) == 0 {
		from := w.random.IntN(2000)
		some = fmt.Sprintf("id between %d and %d", from, from+w.random.IntN(100)) // together
	}
	steps := []func(){
		func() { w.sql("update " + t + " set s = s || '.' where " + some) },
		func() { w.sql("update " + t + " set n = n + 1 where " + some) },
		func() { w.sql("delete from " + t + " where " + some) },
		func() {
			w.sql(fmt.Sprintf("insert into %s (id, s) select coalesce((select max(id) from %[1]s), 0) + n, repeat(md5(n::text), %d) from generate_series(1, %d) n", t, w.random.IntN(8), w.random.IntN(400)))
		},
		func() { // refused or rolled back: dead rows only
			w.sql("begin; update " + t + " set s = 'never' where " + some + "; rollback")
		},
		func() { // rows of subtransactions
			w.sql("begin; savepoint a; update " + t + " set s = 'a' where " + some + "; savepoint b; delete from " + t + " where " + some + "; rollback to b; commit")
		},
		func() {
			w.sql("begin; create temp table k on commit drop as select * from " + t + "; truncate " + t + "; insert into " + t + " select * from k; commit")
		},
		func() { w.sql("truncate " + t) },
		func() { w.sql("vacuum " + t) },
		func() { w.sql("vacuum (freeze) " + t) },
		func() { w.sql("vacuum full " + t) },
		func() { w.sql("cluster " + t + " using " + t + "_pkey") },
		func() { w.sql("analyze " + t) },
		func() { w.sql("alter table " + t + " alter n type bigint") },
		func() { w.sql("alter table " + t + " alter n type int using n::int") },
		func() {
			column := fmt.Sprintf("c%d", w.n)
			if w.sql("alter table " + t + " add " + column + " text default 'fast " + column + "'") {
				w.added = append(w.added, t+" "+column)
			}
		},
		func() {
			if len(w.added) > 0 {
				table, column, _ := strings.Cut(w.added[0], " ")
				w.added = w.added[1:]
				w.sql("alter table if exists " + table + " drop column if exists " + column)
			}
		},
		func() { w.sql("alter table " + t + " add gone int; alter table " + t + " drop gone") },
		func() { w.rename("mood", "good", "bad", "ugly") },
		func() { // two labels take each other's place
			w.sql("begin; alter type mood rename value 'good' to 'x'; alter type mood rename value 'ugly' to 'good'; alter type mood rename value 'x' to 'ugly'; commit")
		},
		func() { w.sql(fmt.Sprintf(`alter table "row" add a%d int`, w.n)) },
		func() { w.sql(fmt.Sprintf("alter type inside add attribute a%d int", w.n)) },
		func() { w.sql(fmt.Sprintf("insert into child (id, s, more) values (%d, 'child', 1)", 1_000_000+w.n)) },
		func() {
			w.sql("begin; select count(*) from (select from " + t + " where " + some + " for update) l; commit")
		},
		func() { w.sql("update " + t + " set id = id + 1000000 where " + some + " and id < 1000000") },
		func() { w.sql("delete from " + t + " where id > 150; vacuum " + t) }, // cuts the table off at its end
		func() { w.sql("begin; truncate " + t + "; rollback") },
		func() { w.sql("alter table " + t + " drop n; alter table " + t + " add n int") },
		func() {
			column := fmt.Sprintf("g%d", w.n)
			if w.sql(fmt.Sprintf("alter table %s add %s bigint generated always as (id * %d) stored", t, column, w.n)) {
				w.added = append(w.added, t+" "+column)
			}
		},
		func() { // a computed column becomes one that has to be copied
			column := fmt.Sprintf("e%d", w.n)
			w.sql("begin; alter table " + t + " add " + column + " bigint generated always as (id * 2) stored; alter table " + t + " alter " + column + " drop expression; commit")
		},
		func() {
			w.sql(fmt.Sprintf("alter table %s set (fillfactor = %d); alter table %[1]s alter s set storage external", t, 50+w.random.IntN(50)))
		},
		func() { // two tables take each other's name
			i, j := w.random.IntN(randomTables), w.random.IntN(randomTables)
			if a, b := w.names[i], w.names[j]; i != j && w.sql("begin; alter table "+a+" rename to x; alter table "+b+" rename to "+a+"; alter table x rename to "+b+"; alter index "+a+"_pkey rename to x; alter index "+b+"_pkey rename to "+a+"_pkey; alter index x rename to "+b+"_pkey; commit") {
				w.names[i], w.names[j] = b, a
				for k, added := range w.added {
					switch table, column, _ := strings.Cut(added, " "); table {
					case a:
						w.added[k] = b + " " + column
					case b:
						w.added[k] = a + " " + column
					}
				}
			}
		},
		func() { w.sql(fmt.Sprintf("alter type mood add value 'mood%d'", w.n)) },
		func() { w.sql(fmt.Sprintf("alter type pair add attribute a%d int", w.n)) },
		func() { w.sql(fmt.Sprintf("alter domain dom add constraint c%d check (value <> '%[1]d')", w.n)) },
		func() { w.sql("alter table parent attach partition part0 for values from (0) to (100)") },
		func() { w.sql("alter table parent detach partition part0") },
		func() { w.sql("alter table parent attach partition part1 for values from (100) to (200)") },
		func() { w.sql("alter table parent detach partition part1") },
		func() { w.sql("update part1 set s = s || '1'") },
		func() {
			w.sql("drop table " + t + "; create table " + t + " (like shape including all); insert into " + t + " (id, s) select n, 'again' from generate_series(1, 300) n")
		},
		func() {
			i := w.random.IntN(randomTables)
			name := fmt.Sprintf("r%d", w.n)
			if w.sql("alter table " + w.names[i] + " rename to " + name + "; alter index " + w.names[i] + "_pkey rename to " + name + "_pkey") {
				for j, a := range w.added {
					if column, ok := strings.CutPrefix(a, w.names[i]+" "); ok {
						w.added[j] = name + " " + column
					}
				}
				w.names[i] = name
			}
		},
		func() { // a name that a column shows
			w.sql("insert into shown values ('" + t + "')")
		},
		func() { w.sql("alter sequence counter restart " + strconv.Itoa(w.n)) },
		func() { w.sql("select nextval('counter'), nextval('counter')") },
		func() { w.sql("refresh materialized view summary") },
		func() { w.sql("alter table " + t + " set unlogged") },
		func() { w.sql("alter table " + t + " set logged") },
		func() { w.sql(fmt.Sprintf("create index on %s (s) where id %% %d = 0", t, w.n)) },
		func() {
			w.beginLate("update " + t + " set s = 'late' where " + some + "; delete from part0 where id = " + strconv.Itoa(w.n%100))
		},
		func() { w.endLate() },
		func() { // prepared: belongs to no session
			if w.sql("begin; update " + t + " set s = 'prepared' where " + some + fmt.Sprintf("; prepare transaction 'walk %d %s'", w.n, strings.ReplaceAll(w.conn.Config().Database, "'", ""))) {
				w.sql(fmt.Sprintf("commit prepared 'walk %d %s'", w.n, w.conn.Config().Database))
			}
		},
	}
	steps[w.random.IntN(len(steps))]()
}

// rename gives a label another name, which changes no row.
func (w *walk) rename(kind string, labels ...string) {
	label := labels[w.random.IntN(len(labels))]
	name := label + "!"
	if !w.sql(fmt.Sprintf("alter type %s rename value '%s' to '%s'", kind, label, name)) {
		w.sql(fmt.Sprintf("alter type %s rename value '%s' to '%s'", kind, name, label))
	}
}

// sql runs statements, each in a transaction of its own unless they say
// otherwise. A step that the database does not take now is no step.
func (w *walk) sql(text string) bool {
	w.log = append(w.log, text)
	ctx := context.Background()
	for statement := range strings.SplitSeq(text, ";") {
		_, err := w.conn.PgConn().Exec(ctx, statement).ReadAll()
		if err == nil {
			continue
		}
		var pg *pgconn.PgError
		if !errors.As(err, &pg) {
			w.t.Fatalf("%s: %v", statement, err)
		}
		w.skipped++
		w.log = append(w.log, "-- "+pg.Message)
		_, _ = w.conn.PgConn().Exec(ctx, "rollback").ReadAll()
		switch pg.Code {
		case "55P03", "40P01", "42P01", "42P17", "42809", "55000", "42710", "42P07", "22023", "42703", "0A000", "2BP01", "55006", "23514", "42P16", "428C9", "23505":
			return false
		}
		w.t.Fatalf("%s: %v", statement, err)
	}
	return true
}

func (w *walk) beginLate(text string) {
	if w.open {
		return
	}
	w.log = append(w.log, "-- in another session: begin; "+text)
	if _, err := w.late.PgConn().Exec(context.Background(), "begin; "+text).ReadAll(); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	w.open = true
}

func (w *walk) endLate() {
	if !w.open {
		return
	}
	w.open = false
	w.log = append(w.log, "-- in another session: commit")
	if _, err := w.late.PgConn().Exec(context.Background(), "commit").ReadAll(); err != nil {
		w.t.Fatal(err)
	}
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	if os.Getenv(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
