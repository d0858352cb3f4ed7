package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"guarda/shared/postgres/pgtest"
)

func (f *fixture) test(dsn, settings string) (ok bool, status map[string]string, all string) {
	f.t.Helper()
	made := f.make("s"+strings.ToLower(strings.ReplaceAll(f.t.Name(), "/", ""))[:20], dsn, `,"settings":{`+settings+`}`)
	if made.Code != 201 {
		f.t.Fatalf("%d %s", made.Code, made.Body)
	}
	path := "/api/sources/" + made.m["id"].(string)
	w := f.do("POST", path+"/test", "")
	if w.Code != 200 {
		f.t.Fatalf("%d %s", w.Code, w.Body)
	}
	status = map[string]string{}
	for _, c := range w.m["checks"].([]any) {
		m := c.(map[string]any)
		status[m["name"].(string)] = m["status"].(string)
	}
	f.do("DELETE", path, "")
	return w.m["ok"].(bool), status, w.Body.String()
}

func TestSourceTestNamesWhatABackupWouldStumbleOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `
		create table plain (n serial primary key);
		create schema "Odd one"; create table "Odd one".hidden (n int);
		create table guarded (n int); alter table guarded enable row level security;
		do $$ begin if not exists (select from pg_roles where rolname = 'guarda_test_reader') then create role guarda_test_reader login; end if; end $$;
		grant select on plain, guarded to guarda_test_reader`)

	ok, status, all := f.test(dsn, "")
	if !ok || status["connect"] != "ok" || status["version"] != "ok" || status["session"] != "ok" || status["privileges"] != "ok" || status["row_security"] != "ok" ||
		!strings.Contains(all, `"server_version":"1`) || strings.Contains(all, `"size_bytes":null`) {
		t.Errorf("a good source: %s", all)
	}

	reader := pgtest.WithUser(t, dsn, "guarda_test_reader", "x")
	if ok, status, all = f.test(reader, ""); !ok || status["privileges"] != "warning" || status["row_security"] != "warning" || !strings.Contains(all, `\"Odd one\".hidden`) {
		t.Errorf("a poor reader of a source that need not be complete: %s", all)
	}
	ok, status, all = f.test(reader, `"strict":true`)
	if ok || status["privileges"] != "failed" || status["row_security"] != "failed" || !strings.Contains(all, `\"Odd one\".hidden`) || !strings.Contains(all, "plain_n_seq") ||
		!strings.Contains(all, `grant usage on schema \"Odd one\" to guarda_test_reader`) || !strings.Contains(all, "public.guarded") || !strings.Contains(all, "BYPASSRLS") {
		t.Errorf("a poor reader: %s", all)
	}

	ok, status, all = f.test(pgtest.PgBouncer(t, dsn, "transaction"), "")
	if ok || status["session"] != "failed" || status["connect"] != "ok" {
		t.Errorf("a transaction pooler: %s", all)
	}

	ok, status, all = f.test("postgres://ana:hunter2@127.0.0.1:1/shop", "")
	if ok || status["connect"] != "failed" || status["privileges"] != "skipped" || strings.Contains(all, "hunter2") {
		t.Errorf("a closed port: %s", all)
	}
}

func TestTablesComeLargestFirstPageByPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dsn := pgtest.New(t)
	pgtest.Exec(t, dsn, `
		create table big as select g, repeat('x', 500) from generate_series(1, 2000) g;
		create table middle as select g from generate_series(1, 2000) g;
		create table empty_a (n int); create table empty_b (n int);
		create table parted (n int) partition by range (n); create table parted_1 partition of parted for values from (0) to (10);
		create view not_a_table as select 1; analyze big`)
	id := f.make("shop", dsn, "").m["id"].(string)
	var got []string
	next := ""
	for {
		w := f.do("GET", "/api/sources/"+id+"/tables?limit=2"+next, "")
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, item := range w.m["items"].([]any) {
			m := item.(map[string]any)
			got = append(got, m["name"].(string)+" "+m["kind"].(string))
			if m["name"] == "big" && m["row_estimate"] != 2000.0 {
				t.Errorf("big: %v", m)
			}
		}
		if w.m["has_more"] != true {
			break
		}
		next = "&cursor=" + url.QueryEscape(w.m["next_cursor"].(string))
	}
	want := []string{"big table", "middle table", "empty_a table", "empty_b table", "parted partitioned table", "parted_1 partition"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	w := f.do("GET", "/api/sources/"+id+"/tables?search=C.EMPTY_", "")
	if items := w.m["items"].([]any); len(items) != 2 {
		t.Errorf("search: %s", w.Body)
	}
	away := f.make("away", "postgres://ana:hunter2@127.0.0.1:1/shop", "").m["id"].(string)
	if w := f.do("GET", "/api/sources/"+away+"/tables", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("a source that is away: %d %v %s", w.Code, w.Header(), w.Body)
	}
}
