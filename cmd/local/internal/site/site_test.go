package site_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"guarda/cmd/local/internal/site"
)

func get(t *testing.T, h http.Handler, path string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	resp := w.Result()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestPagesFallBackToTheClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"dist/index.html": "the client", "dist/assets/app-1a2b.js": "script", "dist/favicon.svg": "icon", "secret": "secret"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := site.Pages(filepath.Join(dir, "dist"))
	for _, c := range []struct {
		path, body, cache string
		status            int
	}{
		{"/", "the client", "no-cache", 200}, {"/admin/backup/history", "the client", "no-cache", 200}, {"/admin/backup/restore/v1.2", "the client", "no-cache", 200},
		{"/assets/app-1a2b.js", "script", "public, max-age=31536000, immutable", 200}, {"/favicon.svg", "icon", "no-cache", 200},
		{"/assets/app-gone.js", "404 page not found\n", "", 404}, {"/robots.txt", "404 page not found\n", "", 404}, {"/../secret", "the client", "no-cache", 200},
	} {
		resp, body := get(t, h, c.path)
		if resp.StatusCode != c.status || body != c.body || resp.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %q, cache %q", c.path, resp.StatusCode, body, resp.Header.Get("Cache-Control"))
		}
	}
	if resp, body := get(t, site.Pages(filepath.Join(dir, "nowhere")), "/"); resp.StatusCode != 503 || !strings.Contains(body, "make build") {
		t.Errorf("without a build: %d %s", resp.StatusCode, body)
	}
}

func TestTheContractIsReadable(t *testing.T) {
	t.Parallel()
	const contract = "../../../../infra/openapi.yaml"
	resp, page := get(t, site.Docs(contract), "/api/docs")
	if resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, page)
	}
	for _, want := range []string{"/api/backup/execute", "ExecuteRequest", "Waits up to 25 seconds", "no identity needed", "<code>Idempotency-Key</code>", "light-dark("} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if m := regexp.MustCompile(`(?:src|href)="(https?:[^"]+)"`).FindString(page); m != "" {
		t.Errorf("the page loads %s", m)
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+m[1]+`"`) {
			t.Errorf("the link #%s leads nowhere", m[1])
		}
	}
	if _, raw := get(t, site.Contract(contract), "/api/openapi.yaml"); !strings.HasPrefix(raw, "openapi:") {
		t.Errorf("the contract begins with %.40q", raw)
	}
	if resp, _ := get(t, site.Docs("nowhere.yaml"), "/api/docs"); resp.StatusCode != 500 {
		t.Errorf("without a contract: %d", resp.StatusCode)
	}
}
