package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"guarda/functions/internal/logtest"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres/idempotencystore"
	"guarda/tests/contract"
)

func TestAnErasureIsAskedForOnceAndFoundByWhomItIsAbout(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	c := &contract.Client{As: contract.Admin, Handler: New(w.Log, w.Store, idempotencystore.New(w.Pool, clock.System{}))}
	const body = `{"user_id":"A11CE000-0000-4000-8000-000000000001","reason":"pedido 17"}`
	var first view
	for range 2 { // sent twice with one key
		a := c.Do(t, http.MethodPost, "/api/logs/erasures", body, "Idempotency-Key", "k1")
		if err := json.Unmarshal(a.Body, &first); err != nil || a.Status != 202 || first.State != "pending" || first.UserID == nil || first.RequestedBy != "admin@localhost" {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	c.Do(t, http.MethodPost, "/api/logs/erasures", `{"session_id":"s1"}`)
	for query, n := range map[string]int{"": 2, "?user_id=a11ce000-0000-4000-8000-000000000001": 1, "?user_id=a11ce000-0000-4000-8000-000000000002": 0, "?session_id=s1": 1} {
		var page struct{ Items []view }
		a := c.Do(t, http.MethodGet, "/api/logs/erasures"+query, "")
		if err := json.Unmarshal(a.Body, &page); err != nil || len(page.Items) != n {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	var page struct {
		Next string `json:"next_cursor"`
	}
	a := c.Do(t, http.MethodGet, "/api/logs/erasures?limit=1", "")
	if err := json.Unmarshal(a.Body, &page); err != nil {
		t.Fatal(err)
	}
	if a := c.Do(t, http.MethodGet, "/api/logs/erasures?limit=1&cursor="+page.Next, ""); !strings.Contains(string(a.Body), first.ID) {
		t.Errorf("the second page: %s", a.Body)
	}
	if a := c.Do(t, http.MethodGet, "/api/logs/erasures/"+first.ID, ""); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := c.Do(t, http.MethodGet, "/api/logs/erasures/a11ce000-0000-4000-8000-000000000001", ""); a.Status != 404 {
		t.Errorf("unknown: %d", a.Status)
	}
	// Why the last run did not get on is kept for readers of every language.
	e, err := w.Store.Erasure(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	why := fault.New(fault.Unavailable, "the database is starting or stopping").Failure()
	e.LastError = &why
	if err := w.Store.SaveErasure(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	says := func(language, want string) {
		t.Helper()
		a := c.Do(t, http.MethodGet, "/api/logs/erasures/"+first.ID, "", "Accept-Language", language)
		var v view
		if err := json.Unmarshal(a.Body, &v); err != nil || v.LastError == nil || *v.LastError != want {
			t.Errorf("%s: %s", language, a.Body)
		}
	}
	says("en", "the database is starting or stopping")
	says("pt-BR", "o banco de dados está iniciando ou parando")
	w.Texts(`update guarda.log_erasures set last_failure = null, last_error = 'from before' where last_error is not null returning id::text`)
	says("pt-BR", "from before")
	for _, bad := range []string{`{}`, `{"user_id":"x"}`, `{"user_id":""}`, `{"session_id":"` + strings.Repeat("s", 256) + `"}`, `{"session_id":"s","reason":"` + strings.Repeat("r", 501) + `"}`, `{"email":"a@b"}`} {
		if a := c.Do(t, http.MethodPost, "/api/logs/erasures", bad); a.Status != 422 {
			t.Errorf("%.60s: %d %s", bad, a.Status, a.Body)
		}
	}
	if got := contract.Replay(t, "logs-erasures", c.Handler); got.StatusCode != 202 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
	for _, who := range []string{"operator", "viewer"} {
		if c.As = contract.Operator; who == "viewer" {
			c.As = contract.Viewer
		}
		if a := c.Do(t, http.MethodPost, "/api/logs/erasures", body); a.Status != 403 {
			t.Errorf("a %s: %d", who, a.Status)
		}
		if a := c.Do(t, http.MethodGet, "/api/logs/erasures", ""); a.Status != 403 {
			t.Errorf("a %s: %d", who, a.Status)
		}
	}
}
