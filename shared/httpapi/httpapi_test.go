package httpapi_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
)

type problem struct {
	Success   *bool                                   `json:"success"`
	Type      string                                  `json:"type"`
	Title     string                                  `json:"title"`
	Status    int                                     `json:"status"`
	Code      string                                  `json:"code"`
	Detail    string                                  `json:"detail"`
	Hint      string                                  `json:"hint"`
	RequestID string                                  `json:"request_id"`
	BackupID  string                                  `json:"backup_id"`
	Errors    []struct{ Field, Code, Message string } `json:"errors"`
}

func problemOf(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("not a problem: %s", w.Body)
	}
	if w.Header().Get("Content-Type") != "application/problem+json; charset=utf-8" || p.Success == nil || *p.Success || p.Status != w.Code || p.RequestID == "" {
		t.Errorf("not a whole problem: %d %v %s", w.Code, w.Header(), w.Body)
	}
	return p
}

func router() *httpapi.Router { return httpapi.NewRouter(slog.New(slog.DiscardHandler)) }

type inner struct {
	Deep int `json:"deep"`
}

type body struct {
	Name  string         `json:"name"`
	Count *int           `json:"count"`
	Ratio float64        `json:"ratio"`
	Flag  bool           `json:"flag"`
	List  []string       `json:"list"`
	Inner inner          `json:"inner"`
	Many  []inner        `json:"many"`
	Map   map[string]int `json:"map"`
	At    time.Time      `json:"at"`
	Raw   json.RawMessage
}

func post(h http.Handler, contentType, text string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/x", strings.NewReader(text))
	r.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decoder() http.Handler {
	rt := router()
	rt.Handle("POST /x", func(w http.ResponseWriter, r *http.Request) error {
		v, err := httpapi.Decode[body](r)
		if err != nil {
			return err
		}
		return httpapi.JSON(w, 200, v)
	})
	return rt
}

func TestDecodeTellsEveryWrongFieldWithItsPath(t *testing.T) {
	t.Parallel()
	w := post(decoder(), "application/json", `{"name": 1, "Name": "x", "count": 1.5, "ratio": "a", "flag": "true", "list": [1, "b"],
		"inner": {"deep": "x", "deeper": 1}, "many": [{"deep": 1}, {"deep": true}], "map": {"k": "v"}, "at": "yesterday", "nil": null}`)
	p := problemOf(t, w)
	if w.Code != 422 || p.Code != "invalid" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	want := []string{"Name unknown", "at type", "count type", "flag type", "inner.deep type", "inner.deeper unknown", "list[0] type", "many[1].deep type", "map.k type", "name type", "nil unknown", "ratio type"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDecodeTellsSyntaxFromMeaning(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	for _, c := range []struct {
		contentType, text string
		status            int
	}{
		{"application/json", `{"name": "ok", "count": null, "at": "2026-11-24T00:00:00Z"}`, 200},
		{"application/json; charset=UTF-8", `{}`, 200},
		{"application/json", `{"name": "ok"`, 400},
		{"application/json", `{"name": ok}`, 400},
		{"application/json", `{} {}`, 400},
		{"application/json", `{}x`, 400},
		{"application/json", "", 400},
		{"application/json", deep, 400},
		{"application/json", `[]`, 422},
		{"application/json", `null`, 422},
		{"application/json", `{"name": null}`, 422},
		{"application/json", `{"name": "a\u0000b"}`, 422},
		{"application/json", `{"count": 99999999999999999999}`, 422},
		{"application/json", `{"name": "` + strings.Repeat("x", httpapi.MaxBody) + `"}`, 413},
		{"text/plain", `{}`, 415},
		{"", `{}`, 415},
		{"application/json; charset=latin1", `{}`, 415},
	} {
		w := post(decoder(), c.contentType, c.text)
		if w.Code != c.status {
			t.Errorf("%q %.40q: %d, want %d: %.200s", c.contentType, c.text, w.Code, c.status, w.Body)
		}
		if c.status >= 400 {
			problemOf(t, w)
		}
	}
}

func TestProblemsSpeakTheCallersLanguage(t *testing.T) {
	t.Parallel()
	pt := problemOf(t, post(decoder(), "application/json", "", "Accept-Language", "pt-BR"))
	en := problemOf(t, post(decoder(), "application/json", "", "Accept-Language", "en"))
	if pt.Detail != "a requisição não tem corpo" || pt.Title != "Requisição malformada" || en.Detail != "the request has no body" {
		t.Errorf("pt %+v\nen %+v", pt, en)
	}
}

func TestRouterTellsPathsMethodsAndPanicsApart(t *testing.T) {
	t.Parallel()
	rt := router()
	rt.Handle("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) error {
		return httpapi.JSON(w, 200, r.PathValue("id"))
	})
	rt.Handle("DELETE /things/{id}", func(w http.ResponseWriter, _ *http.Request) error { return httpapi.NoContent(w) })
	rt.Handle("POST /panic", func(http.ResponseWriter, *http.Request) error { panic("secret cause") })
	rt.Handle("GET /internal", func(http.ResponseWriter, *http.Request) error { return errors.New("secret cause") })
	rt.Handle("GET /away", func(http.ResponseWriter, *http.Request) error {
		return httpapi.WithBackupID(fault.New(fault.Unavailable, "the database cannot be reached").RetryAfter(7), "b1")
	})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/things/7", 200}, {"DELETE", "/things/7", 204}, {"POST", "/things/7", 405}, {"GET", "/nothing", 404},
		{"POST", "/panic", 500}, {"GET", "/internal", 500}, {"GET", "/away", 503},
	} {
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.status)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, w.Header())
		}
		if strings.Contains(w.Body.String(), "secret cause") {
			t.Errorf("%s %s shows the cause: %s", c.method, c.path, w.Body)
		}
		switch c.path {
		case "/things/7":
			if c.status == 405 && w.Header().Get("Allow") != "DELETE, GET" {
				t.Errorf("Allow is %q", w.Header().Get("Allow"))
			}
		case "/away":
			if p := problemOf(t, w); w.Header().Get("Retry-After") != "7" || p.BackupID != "b1" {
				t.Errorf("away: %v %+v", w.Header(), p)
			}
		}
	}
}

func TestAllowNamesTheMissingPermission(t *testing.T) {
	t.Parallel()
	rt := router()
	rt.Handle("GET /x", httpapi.Allow(auth.SourcesWrite, func(w http.ResponseWriter, _ *http.Request) error { return httpapi.NoContent(w) }))
	for role, want := range map[auth.Role]int{"": 401, auth.Viewer: 403, auth.Operator: 403, auth.Admin: 204} {
		r := httptest.NewRequest("GET", "/x", nil)
		if role != "" {
			r = r.WithContext(auth.WithIdentity(r.Context(), auth.Identity{UserID: "u", Role: role}))
		}
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		if w.Code != want || want == 403 && !strings.Contains(problemOf(t, w).Detail, "sources.write") {
			t.Errorf("%q: %d %s", role, w.Code, w.Body)
		}
	}
}

func TestQueryRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	const id = "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11"
	type last struct {
		Name string `json:"name"`
		N    int    `json:"n"`
	}
	good := httpapi.EncodeCursor("things", last{"ação", 3})
	for query, wrong := range map[string][]string{
		"":                                nil,
		"limit=1000&active=true&id=" + id: nil,
		"cursor=" + good:                  nil,
		"limit=0":                         {"limit"},
		"limit=1001":                      {"limit"},
		"limit=x":                         {"limit"},
		"limit=1&limit=2":                 {"limit"},
		"nope=1&also=2":                   {"also", "nope"},
		"active=yes":                      {"active"},
		"id=7":                            {"id"},
		"at=yesterday":                    {"at"},
		"status=done&status=lost":         {"status"},
		"cursor=abc":                      {"cursor"},
		"cursor=" + httpapi.EncodeCursor("others", last{}): {"cursor"},
		"cursor=" + good + "&text=toolong":                 {"text"},
	} {
		q := httpapi.NewQuery(httptest.NewRequest("GET", "/x?"+query, nil))
		q.Limit(50)
		q.Bool("active")
		q.UUID("id")
		q.Time("at")
		q.Each("status", "done", "failed")
		q.Text("text", 3)
		var l last
		if q.Cursor("things", &l) && (l.Name != "ação" || l.N != 3) {
			t.Errorf("the cursor holds %+v", l)
		}
		err := q.Err()
		var got []string
		if err != nil {
			for _, f := range fault.As(err).Fields {
				got = append(got, f.Name)
			}
		}
		if !slices.Equal(got, wrong) {
			t.Errorf("%q: wrong are %v, want %v", query, got, wrong)
		}
	}
}

func TestIfMatchNeedsAnETagOfOurs(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]struct {
		version int64
		code    fault.Code
	}{
		`"v12"`: {12, ""}, `W/"v12"`: {12, ""}, "": {0, fault.Invalid}, `v12`: {0, fault.Precondition}, `"12"`: {0, fault.Precondition},
		`*`: {0, fault.Precondition}, `"v0"`: {0, fault.Precondition}, `"v-1"`: {0, fault.Precondition}, `"v1", "v2"`: {0, fault.Precondition},
	} {
		r := httptest.NewRequest("PUT", "/x", nil)
		r.Header.Set("If-Match", header)
		got, err := httpapi.IfMatch(r)
		if got != want.version || fault.CodeOf(err) != want.code {
			t.Errorf("%s: %d, %v", header, got, err)
		}
	}
}

func TestPageTellsWhetherThereIsMore(t *testing.T) {
	t.Parallel()
	name := func(s string) string { return s }
	if p := httpapi.NewPage[string](nil, 2, "k", name); p.HasMore || p.NextCursor != nil || p.Items == nil {
		t.Errorf("empty: %+v", p)
	}
	if p := httpapi.NewPage([]string{"a", "b"}, 2, "k", name); p.HasMore || len(p.Items) != 2 {
		t.Errorf("exactly full: %+v", p)
	}
	p := httpapi.NewPage([]string{"a", "b", "c"}, 2, "k", name)
	var last string
	if !p.HasMore || len(p.Items) != 2 || httpapi.DecodeCursor("k", *p.NextCursor, &last) != nil || last != "b" {
		t.Errorf("more: %+v after %q", p, last)
	}
}
