package backup_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/postgres/pgtest"
)

// newReader makes a role without any right of its own.
func newReader(t *testing.T, dsn string) (role, as string) {
	t.Helper()
	role = "reader_" + uuid.NewString()[:8]
	pgtest.Exec(t, dsn, fmt.Sprintf("create role %s login password 'x'", role))
	t.Cleanup(func() { pgtest.Exec(t, dsn, "drop owned by "+role+"; drop role "+role) })
	return role, pgtest.WithUser(t, dsn, role, "x")
}

func execute(t *testing.T, dsn string, store blob.Store, change func(*backup.Run)) *backup.Result {
	t.Helper()
	run := newRun()
	if change != nil {
		change(&run)
	}
	r, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(dsn), Store: store}, run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// secrets is a database of which a reader may read a part.
func secrets(t *testing.T, dsn, reader string) {
	t.Helper()
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		create table open_to_all (id serial primary key, note text); insert into open_to_all (note) values ('a'), ('b');
		grant select on open_to_all, open_to_all_id_seq to %[1]s;
		create table salaries (id int, amount int); insert into salaries values (1, 100);
		create sequence invoice_no; select nextval('invoice_no');
		create schema private; create function private.fee(int) returns int language sql immutable as 'select $1 / 10';
		create table guarded (id int); insert into guarded values (1), (2);
		alter table guarded enable row level security; create policy one on guarded using (id = 1); grant select on guarded to %[1]s;
		select lo_create(4711)`, reader))
}

func byName(l *ledger.Ledger) map[string]ledger.Item {
	found := map[string]ledger.Item{}
	for _, it := range l.Items {
		found[it.Kind+" "+it.Name] = it
	}
	return found
}

// TestWhatMayNotBeReadIsNamedWithItsGrant: after exactly the statements that
// the ledger names, the next backup is complete.
func TestWhatMayNotBeReadIsNamedWithItsGrant(t *testing.T) {
	t.Parallel()
	dsn, store := pgtest.New(t), memory.New()
	role, as := newReader(t, dsn)
	secrets(t, dsn, role)
	r := execute(t, as, store, nil)
	found := byName(r.Ledger)
	for what, want := range map[string]struct {
		rule             ledger.Rule
		privilege, grant string
		carried          bool
	}{
		"table rows public.salaries":       {ledger.NoPrivilege, "SELECT on table public.salaries", "GRANT SELECT ON TABLE public.salaries TO " + role + ";", false},
		"sequence value public.invoice_no": {ledger.NoPrivilege, "SELECT on sequence public.invoice_no", "GRANT SELECT ON SEQUENCE public.invoice_no TO " + role + ";", false},
		"schema private":                   {ledger.NoPrivilege, "USAGE on schema private", "GRANT USAGE ON SCHEMA private TO " + role + ";", true},
		"function private.fee(integer)":    {ledger.NoPrivilege, "USAGE on schema private", "GRANT USAGE ON SCHEMA private TO " + role + ";", true},
		"table rows public.guarded":        {ledger.RowSecurity, "BYPASSRLS or ownership of table public.guarded", "ALTER ROLE " + role + " BYPASSRLS;", false},
		"large object data 4711":           {ledger.NoPrivilege, "SELECT on large object 4711", "GRANT SELECT ON LARGE OBJECT 4711 TO " + role + ";", false},
	} {
		it, ok := found[what]
		if !ok || it.Status != ledger.Unreadable || it.Rule != want.rule || it.Privilege != want.privilege || it.Carried != want.carried || !slices.Equal(it.Grants, []string{want.grant}) {
			t.Errorf("%s: %+v", what, it)
		}
		delete(found, what)
		if !slices.ContainsFunc(r.Warnings, func(w fault.Warning) bool {
			return w.Code == "unreadable" && strings.HasSuffix(what, w.Object) && strings.Contains(w.Message, want.grant)
		}) {
			t.Errorf("no warning says %s: %+v", what, r.Warnings)
		}
	}
	if len(found) > 0 {
		t.Errorf("the ledger also has %+v", found)
	}
	if r.Status != "completed" || r.Tables != 1 || r.Coverage.Unreadable != 6 || r.Coverage.Lost != 0 {
		t.Errorf("%s, %d tables, %+v", r.Status, r.Tables, r.Coverage)
	}
	m := manifestOf(t, store, r.BackupID)
	if m.Ledger == nil || m.Ledger.Counts != r.Ledger.Counts || len(m.Ledger.Items) != 6 {
		t.Errorf("the manifest's ledger: %+v", m.Ledger)
	}
	// What the manifest keeps can be told in the reader's language.
	if it := byName(m.Ledger)["table rows public.guarded"].In(fault.Portuguese); it.Privilege != "BYPASSRLS ou ser dono da tabela public.guarded" ||
		it.Detail != "a segurança em nível de linha esconderia linhas, então nenhuma é copiada" {
		t.Errorf("in Portuguese: %+v", it)
	}
	const inPortuguese = "linhas da tabela public.salaries não está no backup: falta: SELECT na tabela public.salaries; para permitir a leitura: GRANT SELECT ON TABLE public.salaries TO "
	if !slices.ContainsFunc(m.Warnings, func(w fault.Warning) bool {
		return w.Code == "unreadable" && strings.HasPrefix(w.In(fault.Portuguese).Message, inPortuguese)
	}) {
		t.Errorf("in Portuguese: %+v", fault.WarningsIn(fault.Portuguese, m.Warnings))
	}
	if !slices.ContainsFunc(m.Entries, func(e manifest.Entry) bool { return e.Kind == "FUNCTION" && e.Name == "fee(integer)" }) {
		t.Error("the function, which the system catalogs show, is not in the backup")
	}
	for _, it := range r.Ledger.Items {
		for _, grant := range it.Grants {
			pgtest.Exec(t, dsn, grant)
		}
	}
	r = execute(t, as, store, func(r *backup.Run) { r.Strict = true })
	if len(r.Ledger.Items) > 0 || !r.Ledger.Complete() || r.Tables != 3 {
		t.Errorf("after the grants: %+v", r.Ledger.Items)
	}
}

func manifestOf(t *testing.T, store blob.Store, id string) *manifest.Manifest {
	t.Helper()
	l, err := manifest.Find(t.Context(), store, "", id)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Open(t.Context(), store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAStrictRunNamesEverythingAndCopiesNothing(t *testing.T) {
	t.Parallel()
	dsn, store := pgtest.New(t), memory.New()
	role, as := newReader(t, dsn)
	secrets(t, dsn, role)
	run := newRun()
	run.Strict = true
	_, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(as), Store: store}, run)
	if fault.CodeOf(err) != fault.Forbidden {
		t.Fatal(err)
	}
	for _, name := range []string{"public.salaries", "public.invoice_no", "private.fee(integer)", "public.guarded", "4711"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	for _, grant := range []string{"GRANT SELECT ON TABLE public.salaries", "GRANT SELECT ON SEQUENCE public.invoice_no", "GRANT USAGE ON SCHEMA private", "BYPASSRLS", "LARGE OBJECT 4711"} {
		if !strings.Contains(fault.HintOf(err), grant) {
			t.Errorf("%s is not in the hint: %s", grant, fault.HintOf(err))
		}
	}
	if left := objects(t, store); len(left) > 0 {
		t.Errorf("left in the store: %v", left)
	}
}

func TestCoverageThatWasLostIsNamed(t *testing.T) {
	t.Parallel()
	dsn, store := pgtest.New(t), memory.New()
	role, as := newReader(t, dsn)
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		create table a (id int); create table b (id int); create table never (id int); create sequence s; create table gone (id int);
		grant select on a, b, s, gone to %s`, role))
	if r := execute(t, as, store, nil); r.Coverage.Lost != 0 || r.Coverage.ComparedWith != nil {
		t.Errorf("the first backup: %+v", r.Coverage)
	}
	first := execute(t, as, store, nil)
	// A backup of one table is nothing to compare a whole one with.
	execute(t, as, store, func(r *backup.Run) { r.Tables = []string{"a"} })
	pgtest.Exec(t, dsn, fmt.Sprintf("revoke select on b, s from %s; drop table gone; create table fresh (id int)", role))
	r := execute(t, as, store, func(r *backup.Run) { r.Exclude = []string{"a"} })
	var lost []string
	for _, w := range r.Warnings {
		if w.Code == "coverage_lost" {
			lost = append(lost, w.Object)
		}
	}
	slices.Sort(lost)
	if want := []string{"public.a", "public.b", "public.s"}; !slices.Equal(lost, want) || r.Coverage.Lost != 3 || *r.Coverage.ComparedWith != first.BackupID {
		t.Errorf("lost %v, want %v; %+v", lost, want, r.Coverage)
	}
	if r = execute(t, as, store, func(r *backup.Run) { r.Exclude = []string{"a"} }); r.Coverage.Lost != 0 {
		t.Errorf("what was lost before is lost again: %+v", r.Ledger.Items)
	}
}

func TestExcludedTablesAreNamedWithTheirRule(t *testing.T) {
	t.Parallel()
	dsn, store := pgtest.New(t), memory.New()
	pgtest.Exec(t, dsn, `
		create table kept (id int primary key); create table big_one (id int primary key, k int references kept); create table big_two (id serial);
		create view on_big as select * from big_two`)
	r := execute(t, dsn, store, func(r *backup.Run) { r.Exclude = []string{"big_*"} })
	found := byName(r.Ledger)
	for what, rule := range map[string]ledger.Rule{"table public.big_one": ledger.ByExclude, "table public.big_two": ledger.ByExclude, "view public.on_big": ledger.NeedsExcluded} {
		if it := found[what]; it.Status != ledger.Excluded || it.Rule != rule || it.Objects < 3 {
			t.Errorf("%s: %+v", what, it)
		}
	}
	r = execute(t, dsn, store, func(r *backup.Run) { r.Tables = []string{"kept"} })
	if it := byName(r.Ledger)["table public.big_one"]; it.Status != ledger.Excluded || it.Rule != ledger.ByTables {
		t.Errorf("%+v", it)
	}
	if r.Ledger.Total() != r.Ledger.Objects || r.Ledger.Unsupported+r.Ledger.Unreadable > 0 {
		t.Errorf("%+v", r.Ledger)
	}
}
