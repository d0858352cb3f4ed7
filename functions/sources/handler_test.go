package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/postgres"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/postgres/sourcestore"
	"guarda/shared/source"
	"guarda/tests/contract"
)

type fixture struct {
	t       *testing.T
	handler http.Handler
	dsn     string
}

// newFixture keeps sources in a real Postgres behind a transaction pooler.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, dsn: guardadb.New(t)}
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, f.dsn, "transaction"), postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	sealer, err := source.NewSealer(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	f.handler = New(Deps{
		Log: slog.New(slog.DiscardHandler), Sources: sourcestore.New(pool, clock.System{}), Answers: idempotencystore.New(pool, clock.System{}), Sealer: sealer,
		Connect: postgres.Connect, SessionMode: postgres.SessionMode,
	})
	return f
}

type answer struct {
	*httptest.ResponseRecorder
	m map[string]any
}

func (f *fixture) as(role auth.Role, method, path, body string, header ...string) answer {
	f.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r.WithContext(auth.WithIdentity(r.Context(), auth.Identity{UserID: "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11", Role: role})))
	r.Body = io.NopCloser(strings.NewReader(body))
	contract.Check(f.t, r, w.Code, w.Header(), w.Body.Bytes())
	a := answer{w, map[string]any{}}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.m); err != nil {
			f.t.Fatalf("%s %s: %s", method, path, w.Body)
		}
	}
	return a
}

func (f *fixture) do(method, path, body string, header ...string) answer {
	f.t.Helper()
	return f.as(auth.Admin, method, path, body, header...)
}

func (f *fixture) make(name, dsn, more string) answer {
	f.t.Helper()
	return f.do("POST", "/api/sources", fmt.Sprintf(`{"name":%q,"dsn":%q%s}`, name, dsn, more))
}

const someDSN = "postgres://ana:hunter2@db.example.com:5433/shop"

func TestSourcesAreMadeReadChangedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	made := f.make("shop", someDSN, `,"settings":{"jobs":4,"exclude":["audit.*"]},"kind":"rds"`)
	if made.Code != 201 || made.Header().Get("ETag") != `"v1"` || made.m["is_default"] != true || made.m["host"] != "db.example.com" || made.m["port"] != 5433.0 ||
		made.m["database"] != "shop" || made.m["username"] != "ana" || made.m["kind"] != "rds" || made.m["settings"].(map[string]any)["compression"] != "auto" {
		t.Fatalf("%d %v %s", made.Code, made.Header(), made.Body)
	}
	path := "/api/sources/" + made.m["id"].(string)
	if got := f.as(auth.Viewer, "GET", path, ""); got.Code != 200 || got.Body.String() != made.Body.String() || strings.Contains(got.Body.String(), "hunter2") {
		t.Errorf("get: %d %s", got.Code, got.Body)
	}
	change := `{"name":"shop-2","settings":{"jobs":1}}`
	if w := f.do("PUT", path, change); w.Code != 422 {
		t.Errorf("without If-Match: %d", w.Code)
	}
	if w := f.do("PUT", path, change, "If-Match", `"v9"`); w.Code != 412 {
		t.Errorf("another ETag: %d", w.Code)
	}
	changed := f.do("PUT", path, change, "If-Match", `"v1"`)
	if changed.Code != 200 || changed.Header().Get("ETag") != `"v2"` || changed.m["name"] != "shop-2" || changed.m["host"] != "db.example.com" || changed.m["kind"] != "rds" || changed.m["is_default"] != true {
		t.Errorf("changed: %d %v %s", changed.Code, changed.Header(), changed.Body)
	}
	if w := f.do("PUT", path, `{"name":"shop-2","dsn":"postgres://bob@other/db2"}`, "If-Match", `"v2"`); w.Code != 200 || w.m["host"] != "other" || w.m["username"] != "bob" {
		t.Errorf("with another dsn: %d %s", w.Code, w.Body)
	}
	if w := f.do("DELETE", path, ""); w.Code != 204 {
		t.Errorf("delete: %d %s", w.Code, w.Body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if w := f.do(method, path, ""); w.Code != 404 {
			t.Errorf("%s afterwards: %d", method, w.Code)
		}
	}
}

func TestStrictnessAndPlatformAreKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	settings := func(w answer) map[string]any { return w.m["settings"].(map[string]any) }
	if s := settings(f.make("plain", someDSN, "")); s["strict"] != false || s["preset"] != "auto" || len(s["managed_data"].([]any)) != 0 {
		t.Errorf("by default: %v", s)
	}
	made := f.make("strict", someDSN, `,"settings":{"strict":true,"preset":"supabase","managed_data":["auth","storage"]}`)
	got := f.do("GET", "/api/sources/"+made.m["id"].(string), "")
	if s := settings(got); s["strict"] != true || s["preset"] != "supabase" || fmt.Sprint(s["managed_data"]) != "[auth storage]" {
		t.Errorf("kept: %v", s)
	}
}

func TestWrongInputIsToldFieldByField(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for body, want := range map[string][]string{
		`{}`: {"name", "dsn"},
		`{"name":"No","dsn":"x","kind":"mysql","settings":{"jobs":0,"compression":"lzma","lock_timeout_seconds":0,"exclude":[""]}}`: {"name", "kind", "dsn", "settings.jobs", "settings.compression", "settings.lock_timeout_seconds", "settings.exclude"},
		`{"name":"a","dsn":"postgres://u@h/d?passfile=/x"}`:                                                                         {"dsn"},
		`{"name":"a","dsn":"postgres://u@h/d","settings":{"preset":"azure","managed_data":[""]}}`:                                   {"settings.preset", "settings.managed_data"},
		`{"name":"a","dsn":"postgres://u@h/d","settings":{"preset":"supabase","managed_data":["auth","vault"]}}`:                    {"settings.managed_data"},
		`{"name":"a","dsn":"postgres://u@h/d","version":1}`:                                                                         {"version"},
		`{"name":"a","dsn":"postgres://u@h/d","settings":{"jobs":"2","x":1}}`:                                                       {"settings.jobs", "settings.x"},
	} {
		w := f.do("POST", "/api/sources", body)
		var got []string
		for _, e := range w.m["errors"].([]any) {
			got = append(got, e.(map[string]any)["field"].(string))
		}
		if w.Code != 422 || !slices.Equal(got, want) {
			t.Errorf("%s: %d %v", body, w.Code, got)
		}
	}
	if w := f.do("GET", "/api/sources/7", ""); w.Code != 422 {
		t.Errorf("an id that is none: %d", w.Code)
	}
	if w := f.do("GET", "/api/sources?colour=red", ""); w.Code != 422 {
		t.Errorf("an unknown parameter: %d", w.Code)
	}
}

func TestPermissionsAreChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const id = "/api/sources/6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11"
	for _, c := range []struct{ method, path, missing string }{
		{"POST", "/api/sources", "sources.write"}, {"PUT", id, "sources.write"}, {"DELETE", id, "sources.write"}, {"POST", id + "/test", "sources.test"},
	} {
		if w := f.as(auth.Operator, c.method, c.path, "{}"); w.Code != 403 || !strings.Contains(w.m["detail"].(string), c.missing) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if w := f.as(auth.Viewer, "GET", "/api/sources", ""); w.Code != 200 {
		t.Errorf("a viewer may list: %d", w.Code)
	}
}

func TestThereIsOneDefaultSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, second := f.make("first", someDSN, ""), f.make("second", someDSN, "")
	if first.m["is_default"] != true || second.m["is_default"] != false {
		t.Errorf("the first one is not the default: %s %s", first.Body, second.Body)
	}
	one, two := "/api/sources/"+first.m["id"].(string), "/api/sources/"+second.m["id"].(string)
	if w := f.do("PUT", one, `{"name":"first","is_default":false}`, "If-Match", `"v1"`); w.Code != 409 {
		t.Errorf("no default at all: %d", w.Code)
	}
	if w := f.do("DELETE", one, ""); w.Code != 409 {
		t.Errorf("the default is removed while there are others: %d", w.Code)
	}
	if w := f.do("PUT", two, `{"name":"second","is_default":true}`, "If-Match", `"v1"`); w.Code != 200 || w.m["is_default"] != true {
		t.Errorf("another default: %d %s", w.Code, w.Body)
	}
	if w := f.do("GET", one, ""); w.m["is_default"] != false || w.Header().Get("ETag") != `"v2"` {
		t.Errorf("the one before: %v %s", w.Header(), w.Body)
	}
	if w := f.make("third", someDSN, `,"is_default":true`); w.Code != 201 || f.do("GET", two, "").m["is_default"] != false {
		t.Errorf("a new default: %d", w.Code)
	}
	if w := f.make("first", someDSN, ""); w.Code != 409 {
		t.Errorf("a name that is taken: %d", w.Code)
	}
}

func TestSourceWithARunIsNotRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.make("shop", someDSN, "").m["id"].(string)
	pgtest.Exec(t, f.dsn, `insert into guarda.backup_executions (source_id, status) values ('`+id+`', 'running')`)
	if w := f.do("DELETE", "/api/sources/"+id, ""); w.Code != 409 {
		t.Errorf("while a run is going: %d %s", w.Code, w.Body)
	}
	pgtest.Exec(t, f.dsn, `update guarda.backup_executions set status = 'completed'`)
	if w := f.do("DELETE", "/api/sources/"+id, ""); w.Code != 204 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestListGoesPageByPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"b", "a_1", "a-1", "a1", "c"} {
		f.make(name, someDSN, "")
	}
	var got []string
	next := ""
	for {
		w := f.do("GET", "/api/sources?limit=2"+next, "")
		for _, s := range w.m["items"].([]any) {
			got = append(got, s.(map[string]any)["name"].(string))
		}
		if w.m["has_more"] != true {
			if w.m["next_cursor"] != nil {
				t.Errorf("the last page has a cursor: %s", w.Body)
			}
			break
		}
		next = "&cursor=" + url.QueryEscape(w.m["next_cursor"].(string))
	}
	if want := []string{"a-1", "a1", "a_1", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestCreatingTwiceWithOneKeyMakesOneSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	body := fmt.Sprintf(`{"name":"shop","dsn":%q}`, someDSN)
	first, second := f.do("POST", "/api/sources", body, "Idempotency-Key", "k"), f.do("POST", "/api/sources", body, "Idempotency-Key", "k")
	if first.Code != 201 || second.Code != 201 || first.Body.String() != second.Body.String() || second.Header().Get("ETag") != `"v1"` {
		t.Errorf("%d %s, %d %s", first.Code, first.Body, second.Code, second.Body)
	}
}
