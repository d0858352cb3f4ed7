package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/exportmeans"
	"guarda/functions/internal/logtest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/logs/export"
	"guarda/shared/postgres/exportstore"
	"guarda/shared/postgres/idempotencystore"
	"guarda/tests/contract"
)

type world struct {
	*logtest.World
	client  *contract.Client
	files   blob.Store
	runner  *export.Runner
	invoked []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: logtest.New(t), files: memory.New()}
	w.runner = exportmeans.New(w.Pool, func(context.Context) (blob.Store, error) { return w.files, nil }, clock.System{}, w.Log)
	w.client = &contract.Client{As: contract.Viewer, Handler: New(Deps{Log: w.Log, Store: exportstore.New(w.Pool), Runner: w.runner, Clock: clock.System{}, Zone: "America/Sao_Paulo", Patience: time.Hour,
		Answers: idempotencystore.New(w.Pool, clock.System{}), Invoke: func(_ context.Context, id string) error { w.invoked = append(w.invoked, id); return nil }})}
	return w
}

var base = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// fill writes n entries a second apart.
func (w *world) fill(t *testing.T, n int) {
	t.Helper()
	entries := make([]logs.Entry, n)
	for i := range entries {
		entries[i] = logs.Entry{CreatedAt: base.Add(time.Duration(i) * 7 * time.Second), Level: logs.Levels()[i%5], Source: []string{"api", "db"}[i%2],
			Message: fmt.Sprintf("=compressão nº %d, \"ok\" 😀", i), Metadata: fmt.Appendf(nil, `{"http":{"status":%d}}`, 200+i%3*100)}
	}
	var s logs.Sequence
	s.Identify(entries, time.Now())
	for len(entries) > 0 {
		part := entries[:min(len(entries), 10_000)]
		entries = entries[len(part):]
		if _, err := w.Store.Write(t.Context(), &logs.Batch{ID: uuid.New(), Entries: part}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) post(t *testing.T, body string) (v view, status int) {
	t.Helper()
	a := w.client.Do(t, http.MethodPost, "/api/logs/export", body)
	if a.Status >= 300 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v, a.Status
}

func (w *world) file(t *testing.T, id string) []byte {
	t.Helper()
	e, err := exportstore.New(w.Pool).Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.files.Get(t.Context(), e.Path, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const wide = `"date_range": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}`

func TestASmallExportIsMadeAtOnceAndHoldsWhatTheSearchFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 3000)
	v, status := w.post(t, `{"format": "csv", "filters": {"level": ["error", "warn"], "source": "api", "metadata": {"http": {"status": 200}}}, `+wide+`}`)
	if status != http.StatusOK || v.Status != export.Completed || v.DownloadURL == nil || v.ExpiresAt == nil {
		t.Fatalf("%d %+v", status, v)
	}
	got, err := csv.NewReader(bytes.NewReader(w.file(t, v.ExportID))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := w.Texts(`select concat_ws('|', to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), level, source, '''' || message, metadata, id)
		from guarda.advanced_logs where level in ('error', 'warn') and source = 'api' and metadata->'http'->>'status' = '200' order by created_at desc, id desc`)
	if len(got)-1 != len(want) || len(want) == 0 || *v.Rows != int64(len(want)) {
		t.Fatalf("%d records, %d rows, row_count %d", len(got)-1, len(want), *v.Rows)
	}
	for i, text := range want {
		r := got[i+1]
		if line := strings.Join([]string{r[0], r[1], r[2], r[3], r[4], r[8]}, "|"); line != text {
			t.Fatalf("record %d: %s instead of %s", i, line, text)
		}
	}
	last := w.Texts(`select concat_ws(' ', last_log_id, status, format, filters->>'source') from guarda.log_exports`)
	if want := got[len(got)-1][8] + " completed csv api"; last[0] != want {
		t.Errorf("recorded %q instead of %q", last[0], want)
	}
}

func TestALargeExportIsLeftToTheWorkerAndReportsItsProgress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, smallRows+500)
	v, status := w.post(t, `{"format": "ndjson", "gzip": true, `+wide+`}`)
	if status != http.StatusAccepted || v.Status != export.Pending || len(w.invoked) != 1 || w.invoked[0] != v.ExportID {
		t.Fatalf("%d %+v, invoked %v", status, v, w.invoked)
	}
	for range 2 { // an order that comes twice makes one file
		if err := w.runner.Do(t.Context(), v.ExportID, false); err != nil {
			t.Fatal(err)
		}
	}
	a := w.client.Do(t, http.MethodGet, "/api/logs/exports/"+v.ExportID, "")
	if err := json.Unmarshal(a.Body, &v); err != nil || v.Status != export.Completed || *v.Rows != smallRows+500 || *v.RowsExpected != smallRows+500 || !strings.HasSuffix(v.FileName, ".ndjson.gz") {
		t.Fatalf("%s %v", a.Body, err)
	}
	list := w.client.Do(t, http.MethodGet, "/api/logs/exports?limit=1", "")
	if !strings.Contains(string(list.Body), v.ExportID) {
		t.Errorf("it is not listed: %s", list.Body)
	}
}

func TestWhatCannotBeExportedIsSaidFieldByField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, field := range map[string]string{
		`{` + wide + `}`:                   "format",
		`{"format": "docx", ` + wide + `}`: "format",
		`{"format": "csv"}`:                "date_range",
		`{"format": "csv", "date_range": {"start": "2026-11-01"}}`:                      "date_range.end",
		`{"format": "csv", "date_range": {"start": "yesterday", "end": "2026-11-01"}}`:  "date_range.start",
		`{"format": "csv", "date_range": {"start": "2026-11-02", "end": "2026-11-01"}}`: "date_range.start",
		`{"format": "csv", "filters": {"colour": "red"}, ` + wide + `}`:                 "filters.colour",
		`{"format": "csv", "filters": {"level": "loud"}, ` + wide + `}`:                 "filters.level",
		`{"format": "csv", "filters": {"metadata": {"a": [1]}}, ` + wide + `}`:          "filters.metadata.a",
		`{"format": "csv", "columns": ["colour"], ` + wide + `}`:                        "columns",
		`{"format": "csv", "mask": ["everything"], ` + wide + `}`:                       "mask",
		`{"format": "csv", "timezone": "Mars/Olympus", ` + wide + `}`:                   "timezone",
	} {
		a := w.client.Do(t, http.MethodPost, "/api/logs/export", body)
		if a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), `"`+field+`"`) {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
		}
	}
}

func TestAStoreThatFailsLeavesAnExportThatSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 10)
	w.files = nil
	w.runner.Files = func(context.Context) (blob.Store, error) { return nil, fmt.Errorf("no such bucket") }
	a := w.client.Do(t, http.MethodPost, "/api/logs/export", `{"format": "json", `+wide+`}`)
	if a.Status != http.StatusServiceUnavailable || strings.Contains(string(a.Body), "no such bucket") {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if got := w.Texts(`select status || ' ' || error_code from guarda.log_exports`); got[0] != "failed internal" {
		t.Errorf("recorded %q", got)
	}
}

func TestOldFilesGoAndTheirRecordStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 10)
	v, _ := w.post(t, `{"format": "pdf", `+wide+`}`)
	if b := w.file(t, v.ExportID); !bytes.HasPrefix(b, []byte("%PDF-1.7")) {
		t.Errorf("%.20q", b)
	}
	w.Texts(`update guarda.log_exports set expires_at = now() - interval '1 minute' returning id::text`)
	if n, err := w.runner.Clean(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	for o, err := range w.files.List(t.Context(), "") {
		t.Errorf("left: %v %v", o, err)
	}
	a := w.client.Do(t, http.MethodGet, "/api/logs/exports/"+v.ExportID, "")
	if !strings.Contains(string(a.Body), `"download_url":null`) {
		t.Errorf("%s", a.Body)
	}
}

func TestAnExportWhoseFunctionDiedIsTakenUpAgainButNotForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 10)
	store := exportstore.New(w.Pool)
	v, _ := w.post(t, `{"format": "csv", `+wide+`}`)
	for try := range 4 {
		w.Texts(`update guarda.log_exports set status = 'running', heartbeat_at = now() - interval '1 hour' returning id::text`)
		ids, err := store.Waiting(t.Context(), time.Now(), 10)
		if err != nil || len(ids) != 1 {
			t.Fatalf("waiting: %v %v", ids, err)
		}
		e, err := store.Claim(t.Context(), v.ExportID, time.Now())
		if err != nil || (e == nil) != (try >= 2) {
			t.Fatalf("try %d: %+v %v", try, e, err)
		}
		if e == nil {
			break
		}
	}
	if got := w.Texts(`select status from guarda.log_exports`); got[0] != "failed" {
		t.Errorf("it is %s", got)
	}
	w.failure(t, v.ExportID, "en", fault.FailureView{Code: fault.Unavailable, Message: "the export was cut off several times", Hint: "export a shorter range, or give the function export-worker more memory"})
	w.failure(t, v.ExportID, "pt-BR", fault.FailureView{Code: fault.Unavailable, Message: "a exportação foi interrompida várias vezes", Hint: "exporte um período menor ou dê mais memória à função export-worker"})
	// A row from before has the sentences only.
	w.Texts(`update guarda.log_exports set failure = null, error_message = 'it is 100% from before', error_hint = null returning id::text`)
	w.failure(t, v.ExportID, "pt-BR", fault.FailureView{Code: fault.Unavailable, Message: "it is 100% from before"})
}

// failure checks how the failure of an export is shown to a reader of a
// language, alone and in the list.
func (w *world) failure(t *testing.T, id, language string, want fault.FailureView) {
	t.Helper()
	var one view
	var list struct{ Items []view }
	a := w.client.Do(t, http.MethodGet, "/api/logs/exports/"+id, "", "Accept-Language", language)
	b := w.client.Do(t, http.MethodGet, "/api/logs/exports", "", "Accept-Language", language)
	if err := errors.Join(json.Unmarshal(a.Body, &one), json.Unmarshal(b.Body, &list)); err != nil {
		t.Fatal(err)
	}
	if one.Error == nil || *one.Error != want || len(list.Items) != 1 || *list.Items[0].Error != want {
		t.Errorf("%s: %s, in the list %s", language, a.Body, b.Body)
	}
}

// pausing calls during after the first entry and then waits until the export
// is stopped.
type pausing struct {
	export.Entries
	during func()
}

func (p pausing) Stream(ctx context.Context, q *logs.Query, words logs.TextSearch, f func(*logs.Row) error) error {
	first := true
	return p.Entries.Stream(ctx, q, words, func(r *logs.Row) error {
		if first {
			first = false
			p.during()
			<-ctx.Done()
			return ctx.Err()
		}
		return f(r)
	})
}

func (w *world) objects(t *testing.T) (keys []string) {
	t.Helper()
	for o, err := range w.files.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestACanceledExportStopsAndLeavesNoFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, smallRows+1)
	v, _ := w.post(t, `{"format": "csv", `+wide+`}`)
	cancel := func() int {
		return w.client.Do(t, http.MethodPost, "/api/logs/exports/"+v.ExportID+"/cancel", "").Status
	}
	w.runner.Every = 10 * time.Millisecond
	plain := w.runner.Entries
	w.runner.Entries = pausing{plain, func() {
		own := w.client.As
		w.client.As = contract.Viewer
		w.client.As.UserID = uuid.NewString()
		if status := cancel(); status != http.StatusForbidden {
			t.Errorf("somebody else: %d", status)
		}
		w.client.As = own
		if status := cancel(); status != http.StatusAccepted {
			t.Errorf("cancel: %d", status)
		}
	}}
	if err := w.runner.Do(t.Context(), v.ExportID, false); err != nil {
		t.Fatal(err)
	}
	if got := w.Texts(`select concat_ws(' ', status, error_code) from guarda.log_exports`); got[0] != "failed canceled" {
		t.Errorf("recorded %q", got)
	}
	w.failure(t, v.ExportID, "pt-BR", fault.FailureView{Code: fault.Canceled, Message: "a exportação foi cancelada"})
	if status := cancel(); status != http.StatusConflict {
		t.Errorf("cancel again: %d", status)
	}
	w.runner.Entries = plain
	if err := w.runner.Do(t.Context(), v.ExportID, false); err != nil {
		t.Fatal(err)
	}
	if left := w.objects(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A function that was taken for dead and is not must not spoil what the one
// that took its place makes.
func TestAFunctionThatWasGivenUpLeavesTheExportToTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, smallRows+1)
	v, _ := w.post(t, `{"format": "csv", `+wide+`}`)
	slow := *w.runner
	slow.Every = 10 * time.Millisecond
	slow.Entries = pausing{w.runner.Entries, func() {
		for w.Texts(`select status from guarda.log_exports`)[0] != "completed" { // a heartbeat may come in between
			w.Texts(`update guarda.log_exports set heartbeat_at = now() - interval '1 hour' returning id::text`)
			if err := w.runner.Do(t.Context(), v.ExportID, false); err != nil {
				t.Error(err)
				return
			}
		}
	}}
	if err := slow.Do(t.Context(), v.ExportID, false); err != nil {
		t.Fatal(err)
	}
	if got := w.Texts(`select concat_ws(' ', status, row_count, error_code) from guarda.log_exports`); got[0] != fmt.Sprint("completed ", smallRows+1) {
		t.Errorf("recorded %q", got)
	}
	if n := bytes.Count(w.file(t, v.ExportID), []byte("\r\n")); n != smallRows+2 || len(w.objects(t)) != 1 {
		t.Errorf("%d lines in %v", n, w.objects(t))
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 10)
	if got := contract.Replay(t, "logs-export", w.client.Handler); got.StatusCode != http.StatusOK {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
