package dirhttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/blobtest"
	"guarda/shared/blob/dir"
	"guarda/shared/blob/dir/dirhttp"
	"guarda/shared/clock"
)

// serve returns a store in an empty folder whose links work.
func serve(t *testing.T, c clock.Clock) *dir.Store {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	store, err := dir.Open(t.TempDir(), dir.Options{SigningKey: []byte("0123456789abcdef"), BaseURL: server.URL + "/files/", Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	handler = http.StripPrefix("/files", dirhttp.Handler(store))
	return store
}

func TestConformance(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	blobtest.Run(t, func(t *testing.T) blob.Store { return serve(t, clock.At(now)) }, blobtest.Options{
		Expired: func(t *testing.T, s blob.Store, key string) string {
			// The store's clock stands still, so a link made an hour ago by a
			// store with the same key and address is one that has expired.
			link, err := s.(*dir.Store).At(clock.At(now.Add(-time.Hour))).SignedURL(t.Context(), key, blob.SignOptions{TTL: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			return link
		},
	})
}

func TestLinkWorksUntilItsLastSecond(t *testing.T) {
	t.Parallel()
	c := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	s := serve(t, c)
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	link, err := s.SignedURL(t.Context(), "a", blob.SignOptions{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	status := func(method, link, language string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, link, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", language)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	c.Advance(59 * time.Second)
	if code, _ := status("GET", link, "en"); code != 200 {
		t.Errorf("after 59 s of 60: %d", code)
	}
	if code, _ := status("POST", link, "en"); code != 405 {
		t.Errorf("POST: %d", code)
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if code, text := status("GET", link, "en"); code != 404 || strings.Contains(text, "/") {
		t.Errorf("a link to a deleted object: %d, %q", code, text)
	}
	c.Advance(time.Second)
	if code, text := status("GET", link, "pt-BR"); code != 403 || !strings.Contains(text, "o link expirou") {
		t.Errorf("after 60 s of 60: %d, %q", code, text)
	}
}
