package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/postgres/userstore"
	"guarda/tests/contract"
)

const (
	userID   = "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11"
	password = "correct horse battery"
)

type fixture struct {
	t       *testing.T
	handler http.Handler
	now     *clock.Manual
	dsn     string
	users   *userstore.Store
	tokens  *auth.Tokens
}

// newFixture has one operator, in a real Postgres behind a transaction pooler.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, dsn: guardadb.New(t), now: clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, f.dsn, "transaction"), postgres.Options{MaxConns: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	f.users, f.tokens = userstore.New(pool), auth.NewTokens("0123456789abcdef0123456789abcdef", f.now)
	hash, err := auth.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.users.Add(t.Context(), auth.User{ID: userID, Email: "ana@example.com", Name: "Ana", PasswordHash: hash, Role: auth.Operator, Active: true}); err != nil {
		t.Fatal(err)
	}
	f.handler = New(Deps{Log: slog.New(slog.DiscardHandler), Login: &auth.Login{Users: f.users, Attempts: f.users, Tokens: f.tokens, Clock: f.now}})
	return f
}

func (f *fixture) login(email, password, address string) *httptest.ResponseRecorder {
	raw, _ := json.Marshal(map[string]string{"email": email, "password": password})
	r := httptest.NewRequest("POST", "/api/auth/login", strings.NewReader(string(raw)))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = address
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
	contract.Check(f.t, r, w.Code, w.Header(), w.Body.Bytes())
	return w
}

func (f *fixture) as(i auth.Identity, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r.WithContext(auth.WithIdentity(r.Context(), i)))
	contract.Check(f.t, r, w.Code, w.Header(), w.Body.Bytes())
	return w
}

func session(t *testing.T, w *httptest.ResponseRecorder) (s sessionView) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != 200 || err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return s
}

func TestLoginGivesATokenThatSaysWhoIsCalling(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := session(t, f.login(" Ana@Example.com ", password, "203.0.113.9"))
	if s.User.ID != userID || s.User.Role != auth.Operator || len(s.User.Permissions) == 0 || !s.ExpiresAt.Equal(f.now.Now().Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	i, err := f.tokens.Verify(s.Token)
	if err != nil {
		t.Fatal(err)
	}
	if me := f.as(i, "GET", "/api/auth/me"); me.Code != 200 || !strings.Contains(me.Body.String(), `"email":"ana@example.com"`) || !strings.Contains(me.Body.String(), "backup.run") {
		t.Errorf("me: %d %s", me.Code, me.Body)
	}
}

func TestUnknownUserAndWrongPasswordAnswerTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pgtest.Exec(t, f.dsn, `insert into guarda.users (email, name, role, active, password_hash) select 'gone@example.com', 'x', 'admin', false, password_hash from guarda.users;
		insert into guarda.users (email, name, role) values ('sso@example.com', 'x', 'admin')`)
	texts := map[string]bool{}
	for n, email := range []string{"ana@example.com", "nobody@example.com", "gone@example.com", "sso@example.com"} {
		p := "wrong password!"
		if email == "gone@example.com" {
			p = password
		}
		w := f.login(email, p, "203.0.113."+strconv.Itoa(n))
		var problem map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != 401 {
			t.Errorf("%s: %d %s", email, w.Code, w.Body)
		}
		delete(problem, "request_id")
		texts[fmt.Sprint(problem)] = true
	}
	if len(texts) != 1 {
		t.Errorf("the answers differ: %v", texts)
	}
	for _, body := range []string{`{}`, `{"email":"a"}`, `{"email":"a","password":"b","x":1}`} {
		r := httptest.NewRequest("POST", "/api/auth/login", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if f.handler.ServeHTTP(w, r); w.Code != 422 {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for n := range 5 {
		if w := f.login("ana@example.com", "wrong password!", "203.0.113.9"); w.Code != 401 {
			t.Fatalf("attempt %d: %d", n+1, w.Code)
		}
	}
	w := f.login("ana@example.com", password, "203.0.113.9")
	if w.Code != 429 || w.Header().Get("Retry-After") != "30" {
		t.Errorf("the sixth, with the right password: %d %v", w.Code, w.Header())
	}
	session(t, f.login("ana@example.com", password, "198.51.100.7")) // from elsewhere she can
	f.now.Advance(31 * time.Second)
	if w := f.login("ana@example.com", "wrong password!", "203.0.113.9"); w.Code != 401 {
		t.Errorf("after the block: %d", w.Code)
	}
	if w := f.login("ana@example.com", password, "203.0.113.9"); w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("the next block is not twice as long: %d %v", w.Code, w.Header())
	}
	f.now.Advance(61 * time.Second)
	session(t, f.login("ana@example.com", password, "203.0.113.9"))
	for n := range 5 { // success forgets the failures
		if w := f.login("ana@example.com", "wrong password!", "203.0.113.9"); w.Code != 401 {
			t.Errorf("attempt %d after success: %d", n+1, w.Code)
		}
	}
}

func TestManyAttemptsAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var wg sync.WaitGroup
	var tried atomic.Int32
	for range 20 {
		wg.Go(func() {
			switch w := f.login("ana@example.com", "wrong password!", "203.0.113.9"); w.Code {
			case 401:
				tried.Add(1)
			case 429:
			default:
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if n := tried.Load(); n > 5 {
		t.Errorf("%d passwords were tried", n)
	}
}

func TestOneAddressCannotTryManyEmails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for n := range 30 {
		subjectLimit(t, f, n)
	}
	if w := f.login("fresh@example.com", "wrong password!", "203.0.113.9"); w.Code != 429 {
		t.Errorf("the 31st e-mail: %d", w.Code)
	}
}

func subjectLimit(t *testing.T, f *fixture, n int) {
	t.Helper()
	if w := f.login(fmt.Sprintf("user%d@example.com", n), "wrong password!", "203.0.113.9"); w.Code != 401 {
		t.Errorf("e-mail %d: %d", n, w.Code)
	}
}

func TestRefreshKnowsThePersonOfNow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	i, err := f.tokens.Verify(session(t, f.login("ana@example.com", password, "203.0.113.9")).Token)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, f.dsn, "update guarda.users set role = 'viewer'")
	f.now.Advance(50 * time.Minute)
	s := session(t, f.as(i, "POST", "/api/auth/refresh"))
	if s.User.Role != auth.Viewer || !s.ExpiresAt.Equal(f.now.Now().Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	if again, err := f.tokens.Verify(s.Token); err != nil || again.AuthTime != i.AuthTime {
		t.Errorf("refreshing prolongs the session: %+v, %v", again, err)
	}
	f.now.Advance(7 * 24 * time.Hour)
	if w := f.as(i, "POST", "/api/auth/refresh"); w.Code != 401 {
		t.Errorf("after seven days: %d", w.Code)
	}
	f.now.Set(time.Date(2026, 11, 24, 12, 1, 0, 0, time.UTC))
	pgtest.Exec(t, f.dsn, "update guarda.users set active = false")
	if w := f.as(i, "POST", "/api/auth/refresh"); w.Code != 401 {
		t.Errorf("deactivated: %d", w.Code)
	}
	i.APIKeyID = "k"
	if w := f.as(i, "POST", "/api/auth/refresh"); w.Code != 403 {
		t.Errorf("with an API key: %d", w.Code)
	}
}

func TestAPIKeysAreFoundWithTheLesserRole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, id, hash := auth.NewAPIKey()
	if _, err := f.users.AddAPIKey(t.Context(), userstore.NewKey{UserID: userID, Name: "ci", PublicID: id, Hash: hash, Role: auth.Admin}); err != nil {
		t.Fatal(err)
	}
	a := &auth.Authenticator{Tokens: f.tokens, Keys: f.users, Clock: f.now}
	i, err := a.Authenticate(context.Background(), "", key)
	if err != nil || i.Role != auth.Operator || i.UserID != userID || i.APIKeyID == "" {
		t.Errorf("%+v, %v", i, err)
	}
	conn := pgtest.Connect(t, f.dsn)
	var used time.Time
	if err := conn.QueryRow(t.Context(), "select last_used_at from guarda.api_keys").Scan(&used); err != nil || !used.Equal(f.now.Now()) {
		t.Errorf("last used at %v, %v", used, err)
	}
	pgtest.Exec(t, f.dsn, "update guarda.api_keys set revoked_at = now()")
	if _, err := a.Authenticate(context.Background(), "", key); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("revoked: %v", err)
	}
}
