package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
)

type idempotent struct {
	handler http.Handler
	calls   atomic.Int32
	now     *clock.Manual
	next    func(w http.ResponseWriter, n int32) error // nil: 201 with the number of the call
}

// newIdempotent is a route that counts its calls, its keys kept in a real
// Postgres behind a transaction pooler.
func newIdempotent(t *testing.T) *idempotent {
	t.Helper()
	dsn := guardadb.New(t)
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, dsn, "transaction"), postgres.Options{MaxConns: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	i := &idempotent{now: clock.At(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))}
	rt := router()
	h := httpapi.Idempotent(idempotencystore.New(pool, i.now), slog.New(slog.DiscardHandler), func(w http.ResponseWriter, _ *http.Request) error {
		n := i.calls.Add(1)
		if i.next != nil {
			return i.next(w, n)
		}
		w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, n))
		return httpapi.JSON(w, 201, n)
	})
	rt.Handle("POST /x", h)
	rt.Handle("POST /y", h)
	i.handler = rt
	return i
}

func (i *idempotent) send(user, path, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Idempotency-Key", key)
	r = r.WithContext(auth.WithIdentity(context.Background(), auth.Identity{UserID: user, Role: auth.Admin}))
	w := httptest.NewRecorder()
	i.handler.ServeHTTP(w, r)
	return w
}

func TestSameKeyAndBodyGetTheFirstAnswer(t *testing.T) {
	t.Parallel()
	i := newIdempotent(t)
	first, second := i.send("a", "/x", "k", "{}"), i.send("a", "/x", "k", "{}")
	if first.Code != 201 || second.Code != 201 || first.Body.String() != second.Body.String() || second.Header().Get("ETag") != `"v1"` || second.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %d %s, second %d %s %v", first.Code, first.Body, second.Code, second.Body, second.Header())
	}
	if other := i.send("a", "/x", "k", `{"other":1}`); other.Code != 409 {
		t.Errorf("another body: %d", other.Code)
	}
	for _, fresh := range []*httptest.ResponseRecorder{i.send("b", "/x", "k", "{}"), i.send("a", "/y", "k", "{}"), i.send("a", "/x", "k2", "{}"), i.send("a", "/x", "", "{}"), i.send("a", "/x", "", "{}")} {
		if fresh.Header().Get("Idempotent-Replayed") != "" || fresh.Code != 201 {
			t.Errorf("another caller, path or key: %d %v", fresh.Code, fresh.Header())
		}
	}
	if n := i.calls.Load(); n != 6 {
		t.Errorf("%d calls", n)
	}
	i.now.Advance(25 * time.Hour)
	if late := i.send("a", "/x", "k", "{}"); late.Header().Get("Idempotent-Replayed") != "" {
		t.Error("an answer is kept longer than a day")
	}
	for _, key := range []string{"ch\xe1ve", "\x00", "tab\t"} {
		if odd := i.send("a", "/x", key, "{}"); odd.Code != 422 || !strings.Contains(odd.Body.String(), "Idempotency-Key") {
			t.Errorf("the key %q: %d %s", key, odd.Code, odd.Body)
		}
	}
	if long := i.send("a", "/x", strings.Repeat("k", 201), "{}"); long.Code != 422 {
		t.Errorf("a key that is too long: %d", long.Code)
	}
}

func TestManyAtOnceAreCarriedOutOnce(t *testing.T) {
	t.Parallel()
	i := newIdempotent(t)
	release := make(chan struct{})
	i.next = func(w http.ResponseWriter, n int32) error {
		<-release
		return httpapi.JSON(w, 201, n)
	}
	var wg sync.WaitGroup
	var created, busy atomic.Int32
	for range 12 {
		wg.Go(func() {
			w := i.send("a", "/x", "k", "{}")
			switch {
			case w.Code == 201:
				created.Add(1)
			case w.Code == 409 && w.Header().Get("Retry-After") != "":
				if busy.Add(1) == 11 {
					close(release)
				}
			default:
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if i.calls.Load() != 1 || created.Load() != 1 {
		t.Errorf("%d calls, %d created, %d busy", i.calls.Load(), created.Load(), busy.Load())
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	t.Parallel()
	i := newIdempotent(t)
	i.next = func(w http.ResponseWriter, n int32) error {
		switch n {
		case 1:
			return fault.New(fault.Unavailable, "the database cannot be reached")
		case 2:
			panic("boom")
		}
		return httpapi.JSON(w, 201, n)
	}
	for n, want := range []int{503, 500, 201, 201} {
		if w := i.send("a", "/x", "k", "{}"); w.Code != want {
			t.Errorf("attempt %d: %d %s", n+1, w.Code, w.Body)
		}
	}
	if n := i.calls.Load(); n != 3 {
		t.Errorf("%d calls", n)
	}
}

// A process that dies leaves its claim behind; it counts until its lease ends.
func TestClaimOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	dsn := guardadb.New(t)
	pool, err := postgres.Open(t.Context(), pgtest.PgBouncer(t, dsn, "transaction"), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	now := clock.At(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	s := idempotencystore.New(pool, now)
	dead := httpapi.Claim{Scope: "s", Key: "k", Attempt: "00000000-0000-4000-8000-000000000001", Lease: 40 * time.Second, Keep: time.Hour}
	alive := dead
	alive.Attempt = "00000000-0000-4000-8000-000000000002"
	if _, err := s.Claim(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), alive); fault.CodeOf(err) != fault.Conflict || fault.As(err).Retry != 40 {
		t.Errorf("while the lease runs: %v", err)
	}
	now.Advance(41 * time.Second)
	if answer, err := s.Claim(t.Context(), alive); answer != nil || err != nil {
		t.Fatalf("after it: %v, %v", answer, err)
	}
	if err := s.Finish(t.Context(), dead, httpapi.StoredResponse{Status: 200}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the dead one comes back and stores: %v", err)
	}
	if err := s.Abandon(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), alive, httpapi.StoredResponse{Status: 201, Headers: map[string][]string{"A": {`q"\x`}}, Body: []byte{0, 255}}); err != nil {
		t.Fatal(err)
	}
	third := dead
	third.Attempt = "00000000-0000-4000-8000-000000000003"
	answer, err := s.Claim(t.Context(), third)
	if err != nil || answer == nil || answer.Status != 201 || string(answer.Body) != "\x00\xff" || answer.Headers["A"][0] != `q"\x` {
		t.Errorf("the kept answer: %+v, %v", answer, err)
	}
}
