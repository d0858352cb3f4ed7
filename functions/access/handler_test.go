package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/postgres/userstore"
	"guarda/tests/contract"
)

type fixture struct {
	*contract.Client
	store *userstore.Store
	now   *clock.Manual
	auth  *auth.Authenticator
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dsn := guardadb.New(t)
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	f := &fixture{store: userstore.New(pool), now: clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	if err := f.store.Add(t.Context(), auth.User{ID: contract.Admin.UserID, Email: contract.Admin.Email, Name: "A", Role: auth.Admin, Active: true}); err != nil {
		t.Fatal(err)
	}
	f.auth = &auth.Authenticator{Tokens: auth.NewTokens(strings.Repeat("k", 32), f.now), Keys: f.store, Clock: f.now}
	f.Client = &contract.Client{Handler: New(slog.New(slog.DiscardHandler), f.store, f.now), As: contract.Admin}
	return f
}

type made struct {
	ID, Key, Prefix string
}

func (f *fixture) make(t *testing.T, body string, header ...string) made {
	t.Helper()
	a := f.Do(t, http.MethodPost, "/api/access/api-keys", body, header...)
	var m made
	if err := json.Unmarshal(a.Body, &m); err != nil || a.Status != 201 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return m
}

func TestAKeyWorksUntilItIsRevokedOrExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sender := f.make(t, `{"name":"shop's logs","role":"sender","logs_per_minute":500}`)
	short := f.make(t, `{"name":"for an hour","role":"viewer","expires_at":"2026-11-24T13:00:00Z"}`)
	i, err := f.auth.Authenticate(t.Context(), "", sender.Key)
	if err != nil || i.Role != auth.Sender || !i.Can(auth.LogsWrite) || i.Can(auth.LogsRead) {
		t.Errorf("%+v %v", i, err)
	}
	if _, err := f.auth.Authenticate(t.Context(), "", short.Key); err != nil {
		t.Error(err)
	}
	list := f.Do(t, http.MethodGet, "/api/access/api-keys", "")
	if s := string(list.Body); list.Status != 200 || strings.Contains(s, sender.Key) || !strings.Contains(s, sender.Prefix) || !strings.Contains(s, `"last_used_at":"2026-11-24T12:00:00Z"`) {
		t.Errorf("%d %s", list.Status, s)
	}
	for range 2 { // a second time changes nothing
		if a := f.Do(t, http.MethodDelete, "/api/access/api-keys/"+sender.ID, ""); a.Status != 204 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	f.now.Advance(time.Hour)
	for _, m := range []made{sender, short} {
		if _, err := f.auth.Authenticate(t.Context(), "", m.Key); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s still works: %v", m.Prefix, err)
		}
	}
}

func TestKeysAreListedInPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	want := map[string]bool{}
	for range 5 {
		want[f.make(t, `{"name":"x","role":"viewer"}`).ID] = true
	}
	cursor, pages := "", 0
	for {
		a := f.Do(t, http.MethodGet, "/api/access/api-keys?limit=2"+cursor, "")
		var page struct {
			Items []made
			Next  *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		pages++
		for _, m := range page.Items {
			if !want[m.ID] {
				t.Errorf("%s comes twice", m.ID)
			}
			delete(want, m.ID)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if pages != 3 || len(want) != 0 {
		t.Errorf("%d pages, %d keys missing", pages, len(want))
	}
}

func TestWhatMakesNoKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for body, status := range map[string]int{
		`{"name":"","role":"viewer"}`: 422,
		`{"name":"x","role":"root"}`:  422,
		`{"name":"x"}`:                422,
		`{"name":"x","role":"viewer","expires_at":"2026-11-24T12:00:00Z"}`: 422,
		`{"name":"x","role":"viewer","logs_per_minute":0}`:                 422,
		`{"name":"x","role":"viewer","secret":"mine"}`:                     422,
		`{"name":`: 400,
	} {
		if a := f.Do(t, http.MethodPost, "/api/access/api-keys", body); a.Status != status {
			t.Errorf("%s: %d, want %d: %s", body, a.Status, status, a.Body)
		}
	}
	f.make(t, `{"name":"x","role":"viewer"}`, "Idempotency-Key", "once")
	if a := f.Do(t, http.MethodPost, "/api/access/api-keys", `{"name":"x","role":"viewer"}`, "Idempotency-Key", "once"); a.Status != 409 {
		t.Errorf("sent again: %d", a.Status)
	}
	if a := f.Do(t, http.MethodDelete, "/api/access/api-keys/99999999-9999-4999-8999-999999999999", ""); a.Status != 404 {
		t.Errorf("unknown: %d", a.Status)
	}
	f.As = contract.Operator
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if a := f.Do(t, method, "/api/access/api-keys", ""); a.Status != 403 {
			t.Errorf("%s by an operator: %d", method, a.Status)
		}
	}
	if got := contract.Replay(t, "access", f.Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
