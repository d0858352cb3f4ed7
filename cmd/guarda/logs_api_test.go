package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// onAPI runs a command against an API that answers as told.
func onAPI(t *testing.T, h http.HandlerFunc, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return onAPIUntil(t.Context(), t, h, args...)
}

func onAPIUntil(ctx context.Context, t *testing.T, h http.HandlerFunc, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "gk_secret" && r.URL.Path != "/file" {
			problem(w, 401, "unauthenticated", "who are you")
			return
		}
		h(w, r)
	}))
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("gk_secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code = run(ctx, append([]string{"logs", args[0], "--api", server.URL, "--api-key-file", key}, args[1:]...), &out, &errOut)
	return code, out.String(), errOut.String()
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"success":false,"code":%q,"detail":%q,"hint":"do this","request_id":"r-1"}`, code, detail)
}

func entryJSON(i int) string {
	return fmt.Sprintf(`{"id":"x","level":"error","source":"web","message":"failure\n%d \u001b[2J","created_at":"2026-11-24T12:00:%02dZ"}`, i, i)
}

func TestSearchGoesThroughThePages(t *testing.T) {
	t.Parallel()
	var queries []string
	pages := func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.Query().Encode())
		at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		fmt.Fprintf(w, `{"logs":[%s,%s],"has_more":%t,"next_cursor":"%d"}`, entryJSON(at), entryJSON(at+1), at < 4, at+2)
	}
	code, out, errOut := onAPI(t, pages, "search", "disk full", "--level", "error,warn", "--metadata", "a.b=c=d", "--since", "2026-11-24", "--limit", "0")
	if code != 0 || strings.Count(out, "\n") != 6 || !strings.HasPrefix(out, "2026-11-24T12:00:00.000Z ERROR    web failure 0 \uFFFD[2J\n") {
		t.Errorf("%d %q %s", code, out, errOut)
	}
	if want := "level=error&level=warn&limit=1000&metadata.a.b=c%3Dd&search_term=disk+full&start_date=2026-11-24"; queries[0] != want {
		t.Errorf("asked %s, want %s", queries[0], want)
	}
	if code, out, _ = onAPI(t, pages, "search", "--limit", "2", "--json"); code != 0 || strings.Count(out, "\n") != 2 || !strings.HasPrefix(out, `{"id":"x"`) {
		t.Errorf("%d %q", code, out)
	}
}

// A search through every entry may take many requests: it goes on by itself,
// and tells whoever waits how far it is.
func TestASearchThatTakesLongSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	code, out, errOut := onAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"logs":[],"has_more":true,"next_cursor":"a","searched_back_to":"2026-11-24T10:00:00Z"}`)
		case "a":
			fmt.Fprintf(w, `{"logs":[%s],"has_more":true,"next_cursor":"b","searched_back_to":"2026-11-23T10:00:00Z"}`, entryJSON(1))
		default:
			fmt.Fprintf(w, `{"logs":[%s],"has_more":false,"next_cursor":null,"searched_back_to":null}`, entryJSON(2))
		}
	}, "search", "x", "--mode", "regex")
	if code != 0 || strings.Count(out, "\n") != 2 || errOut != "searched as far as 2026-11-24T10:00:00Z, going on\nsearched as far as 2026-11-23T10:00:00Z, going on\n" {
		t.Errorf("%d %q %q", code, out, errOut)
	}
}

func TestWhatTheAPICannotAnswerNowIsAskedAgain(t *testing.T) {
	t.Parallel()
	asked := 0
	code, out, errOut := onAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			problem(w, 503, "unavailable", "no database")
			return
		}
		fmt.Fprintf(w, `{"logs":[%s],"has_more":false}`, entryJSON(1))
	}, "search")
	if code != 0 || asked != 3 || strings.Count(out, "\n") != 1 {
		t.Errorf("%d after %d requests: %q %s", code, asked, out, errOut)
	}
	asked = 0
	code, _, errOut = onAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		problem(w, 403, "forbidden", "this identity may not do that")
	}, "search")
	if code != 1 || asked != 1 || !strings.Contains(errOut, "may not do that (request r-1)") || !strings.Contains(errOut, "hint: do this") {
		t.Errorf("%d after %d requests: %s", code, asked, errOut)
	}
	for _, args := range [][]string{{"search", "--metadata", "x"}, {"search", "--limit", "-1"}, {"export", "--format", "doc", "--output", "x"}, {"ingest", "-"}} {
		if code, _, errOut := onAPI(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }, args...); code != 2 {
			t.Errorf("%q: %d %s", args, code, errOut)
		}
	}
}

func TestATailGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var from []string
	code, out, errOut := onAPIUntil(ctx, t, func(w http.ResponseWriter, r *http.Request) {
		from = append(from, r.Header.Get("Last-Event-ID"))
		at := len(from)
		fmt.Fprintf(w, ": following\nretry: 1000\n\nid: c%d\nevent: log\ndata: %s\n\n", at, entryJSON(at))
		fmt.Fprint(w, "event: sampled\ndata: {\"dropped\":7}\n\n")
		fmt.Fprintf(w, "id: lost\nevent: log\ndata: %s", entryJSON(99)) // cut off
		if at == 3 {
			cancel()
		}
	}, "tail")
	if code != 130 || strings.Count(out, "\n") < 2 || strings.Contains(out, "99") || !strings.Contains(errOut, "7 entries are not shown") {
		t.Errorf("%d %q %s", code, out, errOut)
	}
	if len(from) < 3 || from[0] != "" || from[1] != "c1" || from[2] != "c2" {
		t.Errorf("followed from %q", from)
	}
}

func TestLinesAreSentInBatchesThatCanBeSentAgain(t *testing.T) {
	t.Parallel()
	var input strings.Builder
	input.WriteString("plain text \x00 \xff\n\n{\"message\":\"as it is\",\"level\":\"warn\"}\n{broken\n")
	for i := range 7000 {
		fmt.Fprintf(&input, "line %d\n", i)
	}
	file := filepath.Join(t.TempDir(), "in.log")
	if err := os.WriteFile(file, []byte(input.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var keys []string
	var entries []map[string]string
	take := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		z, err := zstd.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		defer z.Close()
		raw, err := io.ReadAll(z)
		if err != nil || r.Header.Get("Content-Type") != "application/x-ndjson" || r.URL.Query().Get("source") != "app" {
			t.Error(err, r.Header, r.URL)
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		n := 0
		for line := range bytes.Lines(raw) {
			var e map[string]string
			if err := json.Unmarshal(line, &e); err != nil {
				t.Error(err)
			}
			entries = append(entries, e)
			n++
		}
		fmt.Fprintf(w, `{"success":false,"accepted":%d,"duplicates":0,"rejected":1,"rejections":[{"index":1,"field":"level","code":"x","message":"no"}]}`, n-1)
	}
	code, out, errOut := onAPI(t, take, "ingest", file, "--source", "app")
	if code != 1 || out != "7001 entries stored, 0 stored before, 2 rejected\n" || !strings.HasPrefix(errOut, "line 3: level: no\n") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if len(entries) != 7003 || entries[0]["message"] != "plain text \uFFFD \uFFFD" || entries[0]["level"] != "info" || entries[0]["source"] != "app" ||
		entries[1]["level"] != "warn" || entries[2]["message"] != "{broken" || entries[7002]["message"] != "line 6999" {
		t.Errorf("%d entries, %v", len(entries), entries[:3])
	}
	first := keys
	keys = nil
	if code, _, _ := onAPI(t, take, "ingest", file, "--source", "app"); code != 1 || len(first) != 2 || first[0] == first[1] || strings.Join(keys, " ") != strings.Join(first, " ") {
		t.Errorf("keys %q, and again %q", first, keys)
	}
}

func TestAnExportIsWaitedForAndWrittenWhole(t *testing.T) {
	t.Parallel()
	output := filepath.Join(t.TempDir(), "out.csv")
	var request string
	length := "9"
	serve := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/logs/export":
			raw, _ := io.ReadAll(r.Body)
			request = string(raw)
			w.WriteHeader(202)
			fmt.Fprint(w, `{"export_id":"e1","status":"running","download_url":null}`)
		case "/api/logs/exports/e1":
			fmt.Fprint(w, `{"export_id":"e1","status":"completed","download_url":"/file?s=1","row_count":2}`)
		case "/file":
			if r.Header.Get("X-API-Key") != "" {
				t.Error("the key was sent with a signed link")
			}
			w.Header().Set("Content-Length", length)
			fmt.Fprint(w, "a,b\n1,2\n\n")
		}
	}
	code, _, errOut := onAPI(t, serve, "export", "disk", "--format", "csv", "--output", output, "--level", "error", "--since", "2026-11-01", "--until", "2026-11-02")
	got, err := os.ReadFile(output)
	if code != 0 || err != nil || string(got) != "a,b\n1,2\n\n" {
		t.Errorf("%d %q %v %s", code, got, err, errOut)
	}
	if want := `{"date_range":{"end":"2026-11-02","start":"2026-11-01"},"filters":{"level":["error"],"search_term":"disk"},"format":"csv"}`; request != want {
		t.Errorf("asked for %s, want %s", request, want)
	}
	length = "100" // the connection breaks before
	other := filepath.Join(filepath.Dir(output), "other.csv")
	if code, _, _ := onAPI(t, serve, "export", "--format", "csv", "--output", other); code != 1 {
		t.Errorf("a cut file: exit code %d", code)
	}
	if left, _ := os.ReadDir(filepath.Dir(output)); len(left) != 1 {
		t.Errorf("a cut file leaves %v", left)
	}
	code, _, errOut = onAPI(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"export_id":"e1","status":"failed","download_url":null,"error":{"code":"exhausted","message":"the disk is full","hint":"empty it"}}`)
	}, "export", "--format", "csv", "--output", other)
	if code != 1 || !strings.Contains(errOut, "the disk is full") || !strings.Contains(errOut, "hint: empty it") {
		t.Errorf("a failed export: %d %s", code, errOut)
	}
}

func TestAnInterruptedExportIsCanceled(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	canceled := false
	code, _, _ := onAPIUntil(ctx, t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/logs/exports/e1/cancel":
			canceled = r.Method == http.MethodPost
		case "/api/logs/exports/e1":
			interrupt()
		}
		fmt.Fprint(w, `{"export_id":"e1","status":"running","download_url":null}`)
	}, "export", "--format", "csv", "--output", filepath.Join(t.TempDir(), "x"), "--since", "2026-11-01", "--until", "2026-11-02")
	if code != 130 || !canceled {
		t.Errorf("exit %d, canceled %t", code, canceled)
	}
}
