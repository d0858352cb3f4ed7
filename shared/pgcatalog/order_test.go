package pgcatalog_test

import (
	"slices"
	"strings"
	"testing"

	"guarda/shared/pgcatalog"
	"guarda/shared/postgres/pgtest"
)

func entry(t testing.TB, c *pgcatalog.Catalog, kind, name string) pgcatalog.Entry {
	t.Helper()
	for _, e := range c.Entries {
		if e.Kind == kind && e.Name == name {
			return e
		}
	}
	t.Fatalf("no %s %s among %q", kind, name, names(c))
	return pgcatalog.Entry{}
}

func TestALoopThatNothingBreaksIsNamed(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	if s.Major < 14 {
		t.Skip("before PostgreSQL 14 the server knows of no loop between functions")
	}
	source := s.New(t)
	pgtest.Exec(t, source, `
		create function a() returns int begin atomic select 1; end;
		create function b() returns int begin atomic select a(); end;
		create or replace function a() returns int begin atomic select b(); end;
		create function apart() returns int begin atomic select 1; end`)
	c := read(t, source, pgcatalog.Options{})
	if len(c.LeftOut) != 1 || c.LeftOut[0].Reason != pgcatalog.Unsupported || c.LeftOut[0].Kind != "FUNCTION" ||
		!strings.Contains(c.LeftOut[0].Detail, "FUNCTION public.") || len(c.LeftOut[0].Objects) == 0 {
		t.Errorf("left out: %+v", c.LeftOut)
	}
	position := map[int]int{}
	for i, e := range c.Entries {
		position[e.ID] = i
	}
	for i, e := range c.Entries {
		for _, d := range e.DependsOn {
			if at, ok := position[d]; !ok || at >= i {
				t.Errorf("%s %s needs entry %d, which does not stand before it", e.Kind, e.Name, d)
			}
		}
	}
}

func TestEntriesOfPostDataWaitOnlyForWhatTheyNeed(t *testing.T) {
	t.Parallel()
	source := pgtest.New(t)
	pgtest.Exec(t, source, `
		create table a (id int primary key, v int);
		create table b (id int primary key, a int references a, v int);
		alter table a add foreign key (v) references b;
		create index a_v on a (v); create index b_v on b (v);
		create function f() returns trigger language plpgsql as $$ begin return new; end $$;
		create table p (id int, k int, primary key (id, k)) partition by list (k);
		create table p1 partition of p for values in (1);
		create table r (id int, k int, foreign key (id, k) references p);
		create trigger down after insert on p for each row execute function f()`)
	c := read(t, source, pgcatalog.Options{})
	oid := func(table string) uint32 { return entry(t, c, "TABLE", table).Table }
	needs := func(kind, name string) []string {
		var out []string
		for _, d := range entry(t, c, kind, name).DependsOn {
			for _, e := range c.Entries {
				if e.ID == d {
					out = append(out, e.Kind+" "+e.Name)
				}
			}
		}
		slices.Sort(out)
		return out
	}
	for _, tc := range []struct {
		kind, name string
		needs      []string
		locks      []uint32
	}{
		{"INDEX", "a_v", []string{"TABLE a"}, nil},
		{"FK CONSTRAINT", "a a_v_fkey", []string{"CONSTRAINT b b_pkey", "TABLE a", "TABLE b"}, []uint32{oid("b")}},
		{"FK CONSTRAINT", "b b_a_fkey", []string{"CONSTRAINT a a_pkey", "TABLE a", "TABLE b"}, []uint32{oid("a")}},
		{"FK CONSTRAINT", "r r_id_k_fkey", []string{"CONSTRAINT p p_pkey", "INDEX ATTACH p1_pkey", "TABLE p", "TABLE r"}, []uint32{oid("p"), oid("p1")}},
		{"TRIGGER", "p down", []string{"FUNCTION f()", "TABLE p"}, []uint32{oid("p1")}},
	} {
		if got := needs(tc.kind, tc.name); !slices.Equal(got, tc.needs) {
			t.Errorf("%s %s waits for %q, want %q", tc.kind, tc.name, got, tc.needs)
		}
		if got := entry(t, c, tc.kind, tc.name).Locks; !slices.Equal(got, tc.locks) {
			t.Errorf("%s %s locks %v, want %v", tc.kind, tc.name, got, tc.locks)
		}
	}
}
