package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"guarda/functions/internal/logtest"
	"guarda/shared/auth"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/tests/contract"
)

type world struct {
	*logtest.World
	client *contract.Client
	blobs  *memory.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: logtest.New(t), blobs: memory.New()}
	in := &logs.Ingester{Store: w.Store, Clock: clock.System{}, Log: w.Log}
	w.client = &contract.Client{Handler: New(w.Log, in), As: contract.Operator}
	return w
}

func decode[T any](t *testing.T, a contract.Answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return v
}

// send posts any body without holding the request against the contract, which
// knows no encodings.
func (w *world) send(t *testing.T, path, contentType, encoding string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r = r.WithContext(auth.WithIdentity(t.Context(), contract.Operator))
	r.Header.Set("Content-Type", contentType)
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	rec := httptest.NewRecorder()
	w.client.Handler.ServeHTTP(rec, r)
	return rec
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func zstandard(b []byte) []byte {
	e, _ := zstd.NewWriter(nil)
	return e.EncodeAll(b, nil)
}

const one = `{"level":"error","source":"backup_system","message":"Falha na compressão do backup","metadata":{"error_code":"COMPRESSION_FAILED","file_size":1024000}}`

func TestOneEntryAnArrayAndLinesAreStoredInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", one))
	if !a.Success || a.Accepted != 1 {
		t.Errorf("%+v", a)
	}
	array := `[{"level":"info","source":"a","message":"m1"},{"level":"WARNING","source":"a","message":"m2"}]`
	lines := `{"level":"info","source":"a","message":"m3"}` + "\n\n" + `{"level":"fatal","source":"a","message":"m4"}` + "\n"
	for _, c := range []struct {
		contentType, encoding string
		body                  []byte
	}{
		{"application/json", "", []byte(array)}, {"application/x-ndjson", "", []byte(lines)}, {"application/json", "", []byte(lines)},
		{"application/json", "gzip", zipped([]byte(array))}, {"application/x-ndjson", "zstd", zstandard([]byte(lines))}, {"application/zstd", "", zstandard([]byte(array))},
		{"application/json", "", []byte("\ufeff" + array)},
		{"application/json", "gzip", []byte(array)}, // as API Gateway passes on what it decoded
	} {
		if got := w.send(t, "/api/logs", c.contentType, c.encoding, c.body); got.Code != 200 || !strings.Contains(got.Body.String(), `"accepted":2`) {
			t.Errorf("%s %s: %d %s", c.contentType, c.encoding, got.Code, got.Body)
		}
	}
	got := w.Texts(`select level || ' ' || message from guarda.advanced_logs order by created_at, id`)
	want := []string{"error Falha na compressão do backup", "info m1", "warn m2", "info m3", "critical m4", "info m3", "critical m4", "info m1", "warn m2", "info m3", "critical m4", "info m1", "warn m2", "info m1", "warn m2", "info m1", "warn m2"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
}

func TestABadEntryIsRejectedByIndexAndTheRestIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `[{"level":"info","source":"a","message":"good"},{"level":"loud","source":"a","message":"x"},7,{"source":"a","message":"x"},` +
		`{"level":"info","source":"a","message":"a\u0000b"},{"level":"info","source":"a","message":"x","metadata":[]},{"level":"info","source":"a","message":"x","extra":1},` +
		`{"level":"info","source":"` + strings.Repeat("s", 101) + `","message":"x"},{"level":"info","source":"a","message":3},{"level":"info","source":"a","message":"x","id":"7"},` +
		`{"level":"info","source":"a","message":"x","metadata":{"a":"\u0000"}},{"level":"info","source":"a","message":"x","metadata":{"n":1e999999}},` +
		`{"level":"info","source":"a","message":"x","created_at":"1999-01-01"},{"level":"info","source":"a","message":"x","created_at":"2126-01-01T00:00:00Z"},` +
		`{"level":"info","source":"a","message":"lone \ud800 half","metadata":{"k":"\udc00"}},{"level":"info","source":"a","message":"   "}]`
	a := decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", body, "Accept-Language", "pt-BR"))
	var got []string
	for _, r := range a.Rejections {
		got = append(got, fmt.Sprintf("%d %s %s", r.Index, r.Field, r.Code))
	}
	want := []string{"1 level not_allowed", "2  type", "3 level required", "4 message nul", "5 metadata type", "6 extra unknown", "7 source too_long", "8 message type", "9 id invalid",
		"10 metadata nul", "11 metadata out_of_range", "15 message required", "12 created_at out_of_range", "13 created_at out_of_range"}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || a.Accepted != 2 || a.Rejected != 14 || a.Success {
		t.Errorf("%q\n%+v", got, a)
	}
	if stored := w.Texts(`select message || coalesce(metadata->>'k', '') from guarda.advanced_logs order by created_at`); !slices.Equal(stored, []string{"good", "lone \uFFFD half\uFFFD"}) {
		t.Errorf("%q", stored)
	}
	w.CountsAgree()
}

func TestAnIdSentTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const id = "0b0e4a52-5f0a-4e39-9d0f-0123456789ab"
	entry := func(more string) string {
		return `{"id":"` + id + `","level":"info","source":"a","message":"once"` + more + `}`
	}
	first := decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", "["+entry("")+","+entry("")+"]"))
	second := decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", entry(`,"created_at":"2026-11-20T10:00:00Z"`)))
	if first.Accepted != 1 || first.Duplicates != 1 || second.Accepted != 0 || second.Duplicates != 1 {
		t.Errorf("%+v %+v", first, second)
	}
	keyed := func() receipt {
		return decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", one, "Idempotency-Key", "k1"))
	}
	if a, b := keyed(), keyed(); a.BatchID != b.BatchID || b.Accepted != 1 {
		t.Errorf("%+v %+v", a, b)
	}
	if n := w.Texts(`select count(*)::text from guarda.advanced_logs`); n[0] != "2" {
		t.Errorf("%v rows", n)
	}
	w.CountsAgree()
}

// Exporters send a request again when no answer came (OTLP, "Data duplication"),
// and say no key: the same bytes of the same sender are the same request,
// unless their times are so coarse that another one may look like it.
func TestAnOTLPRequestSentAgainIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(nanos, text string) []byte {
		return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"` + nanos + `","body":{"stringValue":"` + text + `"}},{"body":{"stringValue":"` + text + `"}}]}]}]}`)
	}
	now := time.Now().Truncate(time.Millisecond)
	fine, coarse := fmt.Sprint(now.Add(456*time.Microsecond).UnixNano()), fmt.Sprint(now.UnixNano())
	post := func(as auth.Identity, key, encoding string, b []byte) int {
		r := httptest.NewRequest(http.MethodPost, "/v1/logs", bytes.NewReader(b))
		r = r.WithContext(auth.WithIdentity(t.Context(), as))
		for name, v := range map[string]string{"Content-Type": "application/json", "Content-Encoding": encoding, "Idempotency-Key": key} {
			if v != "" {
				r.Header.Set(name, v)
			}
		}
		rec := httptest.NewRecorder()
		w.client.Handler.ServeHTTP(rec, r)
		return rec.Code
	}
	other := contract.Operator
	other.UserID = "99999999-9999-4999-8999-999999999999"
	for _, s := range []int{
		post(contract.Operator, "", "", body(fine, "again")), post(contract.Operator, "", "gzip", zipped(body(fine, "again"))), // once
		post(other, "", "", body(fine, "again")),                                                                     // somebody else's
		post(contract.Operator, "1", "", body(fine, "again")), post(contract.Operator, "2", "", body(fine, "again")), // meant
		post(contract.Operator, "2", "", body(fine, "again")),                                                            // once
		post(contract.Operator, "", "", body(coarse, "coarse")), post(contract.Operator, "", "", body(coarse, "coarse")), // nobody can tell
	} {
		if s != 200 {
			t.Fatalf("status %d", s)
		}
	}
	if got := w.Texts(`select message || ' ' || count(*) from guarda.advanced_logs group by message order by 1`); !slices.Equal(got, []string{"again 8", "coarse 4"}) {
		t.Errorf("%q", got)
	}
	if s := post(contract.Operator, strings.Repeat("k", 201), "", body(fine, "again")); s != 422 {
		t.Errorf("a key that is too long: %d", s)
	}
}

func TestWhatCannotBeReadHasTheRightStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bomb := zipped(bytes.Repeat([]byte(" "), logs.MaxBody+100))
	for name, c := range map[string]struct {
		contentType, encoding string
		body                  []byte
		status                int
	}{
		"no JSON":           {"application/json", "", []byte(`{"level":`), 400},
		"nothing":           {"application/json", "", nil, 400},
		"a number":          {"application/json", "", []byte(`7`), 400},
		"two arrays":        {"application/json", "", []byte(`[][]`), 400},
		"invalid UTF-8":     {"application/json", "", []byte("{\"level\":\"info\",\"source\":\"a\",\"message\":\"\xff\"}"), 400},
		"NUL":               {"application/json", "", []byte(`{"level":"info","source":"a","message":"\u0000"}`), 422},
		"a raw NUL":         {"application/json", "", []byte("{\"level\":\"info\",\"source\":\"a\",\"message\":\"\x00\"}"), 400},
		"wrong type":        {"application/json", "", []byte(`{"level":1,"source":"a","message":"x"}`), 422},
		"a form":            {"application/x-www-form-urlencoded", "", []byte(`a=b`), 415},
		"another charset":   {"application/json; charset=latin1", "", []byte(one), 415},
		"gzip, unsaid":      {"application/json", "", zipped([]byte(one)), 400},
		"brotli":            {"application/json", "br", []byte(one), 415},
		"cut off gzip":      {"application/json", "gzip", zipped([]byte(one))[:40], 400},
		"damaged zstd":      {"application/x-ndjson", "zstd", []byte("(\xb5/\xfdnothing"), 400},
		"gzip bomb":         {"application/json", "gzip", bomb, 413},
		"zstd bomb":         {"application/x-ndjson", "zstd", zstandard(bytes.Repeat([]byte(" "), logs.MaxBody+100)), 413},
		"oversized":         {"application/json", "", bytes.Repeat([]byte(" "), maxEncoded+1), 413},
		"too many":          {"application/json", "", []byte("[" + strings.Repeat("1,", logs.MaxEntries+1) + "1]"), 413},
		"oversized message": {"application/json", "", []byte(`{"level":"info","source":"a","message":"` + strings.Repeat("m", logs.MaxMessage+1) + `"}`), 422},
		"deep":              {"application/json", "", []byte(`{"level":"info","source":"a","message":"x","metadata":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`), 422},
		"very deep":         {"application/json", "", []byte(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), 400},
	} {
		if got := w.send(t, "/api/logs", c.contentType, c.encoding, c.body); got.Code != c.status {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	w.client.As = contract.Viewer
	if got := w.client.Do(t, http.MethodPost, "/api/logs", one); got.Status != 403 {
		t.Errorf("a viewer: %d", got.Status)
	}
}

func TestAKeyThatSendsTooMuchWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Pool.Exec(t.Context(), `update guarda.log_settings set key_limit = 1`); err != nil {
		t.Fatal(err)
	}
	four := `[` + strings.Repeat(`{"level":"info","source":"a","message":"m"},`, 3) + `{"level":"info","source":"a","message":"m"}]`
	if got := w.client.Do(t, http.MethodPost, "/api/logs", four); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	got := w.client.Do(t, http.MethodPost, "/api/logs", one)
	if got.Status != 429 || got.Header.Get("Retry-After") == "" || got.Header.Get("Retry-After") == "0" {
		t.Errorf("%d %v", got.Status, got.Header)
	}
	w.client.As = contract.Admin
	if got := w.client.Do(t, http.MethodPost, "/api/logs", one); got.Status != 200 {
		t.Errorf("somebody else: %d", got.Status)
	}
	if n := w.Texts(`select count(*)::text from guarda.advanced_logs`); n[0] != "5" {
		t.Errorf("%v rows", n)
	}
}

// A time outside of what is kept is the sender's mistake, by name; what
// retention would drop at once is refused, by level and source.
func TestTimesOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Pool.Exec(t.Context(), `update guarda.log_retention set days = 30; insert into guarda.log_retention (level, days) values ('debug', 2); insert into guarda.log_retention (source) values ('audit')`); err != nil {
		t.Fatal(err)
	}
	old := time.Now().UTC().AddDate(0, 0, -5).Format(time.RFC3339)
	older := time.Now().UTC().AddDate(0, 0, -40).Format(time.RFC3339)
	for _, c := range []struct{ at, level, source, code string }{
		{`"0000-01-01T00:00:00Z"`, "info", "a", "type"}, {`"9999-12-31T23:59:59Z"`, "info", "a", "out_of_range"}, {`"9999-12-31T23:59:59-14:00"`, "info", "a", "type"}, {`"10000-01-01T00:00:00Z"`, "info", "a", "type"},
		{`"2026-13-40T00:00:00Z"`, "info", "a", "type"}, {`"yesterday"`, "info", "a", "type"}, {`-1`, "info", "a", "type"}, {`1e20`, "info", "a", "type"}, {`9223372036854775807`, "info", "a", "out_of_range"}, {`0`, "info", "a", "out_of_range"},
		{`true`, "info", "a", "type"}, {`[]`, "info", "a", "type"}, {`""`, "info", "a", "type"},
		{`"` + old + `"`, "debug", "a", "out_of_range"}, {`"` + old + `"`, "info", "a", ""}, {`"` + older + `"`, "info", "a", "out_of_range"}, {`"` + older + `"`, "debug", "audit", ""},
	} {
		got := w.client.Do(t, http.MethodPost, "/api/logs", `[{"level":"`+c.level+`","source":"`+c.source+`","message":"m","created_at":`+c.at+`}]`)
		if c.code == "" && got.Status != 200 || c.code != "" && (got.Status != 422 || !strings.Contains(string(got.Body), `"field":"[0].created_at","code":"`+c.code+`"`)) {
			t.Errorf("%s %s %s: %d %s", c.at, c.level, c.source, got.Status, got.Body)
		}
	}
	w.CountsAgree()
}

// A key may have a limit of its own.
func TestAKeysOwnLimitCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const user, id = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.users (id, email, name, role) values ($1::text::uuid, 'k@x', 'K', 'operator')`, user); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.api_keys (id, user_id, name, public_id, secret_hash, role, logs_per_minute) values ($1::text::uuid, $2::text::uuid, 'k', 'k', sha256('k'), 'operator', 1)`, id, user); err != nil {
		t.Fatal(err)
	}
	w.client.As = auth.Identity{UserID: user, Role: auth.Operator, APIKeyID: id}
	statuses := []int{w.client.Do(t, http.MethodPost, "/api/logs", "["+one+","+one+"]").Status, w.client.Do(t, http.MethodPost, "/api/logs", one).Status}
	if !slices.Equal(statuses, []int{200, 429}) {
		t.Errorf("%v", statuses)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/logs", strings.NewReader(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"e"}]}]}]}`))
	r = r.WithContext(auth.WithIdentity(t.Context(), w.client.As))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.client.Handler.ServeHTTP(rec, r)
	if rec.Code != 429 || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), `"code":8`) {
		t.Errorf("OTLP: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

// Whoever reads all days for long keeps a new day's partition from being
// attached: the batch is put aside instead of making everybody wait.
func TestALongReaderDoesNotMakeEverybodyWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := func(context.Context) (blob.Store, error) { return w.blobs, nil }
	w.client.Handler = New(w.Log, &logs.Ingester{Store: w.Store, Clock: clock.System{}, Log: w.Log, Spool: &logs.BlobSpool{Open: opened, Clock: clock.System{}}})
	reader, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), `select count(*) from guarda.advanced_logs`); err != nil {
		t.Fatal(err)
	}
	got := w.client.Do(t, http.MethodPost, "/api/logs", `{"level":"info","source":"a","message":"old","created_at":"2026-01-02T03:04:05Z"}`)
	if got.Status != 202 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := logs.Replay(t.Context(), w.blobs, w.Store, w.Log); err != nil || r.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := w.Texts(`select message from guarda.advanced_logs_20260102`); !slices.Equal(got, []string{"old"}) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
}

func TestSupabasesDrainIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `[{"event_message":"connection authorized","id":"5c0b0a52-5f0a-4e39-9d0f-0123456789ab","timestamp":1795500000123456,"identifier":"db-shop",
		"metadata":[{"parsed":[{"error_severity":"FATAL","user_name":"u"}],"host":"db-1"}]},{"event_message":"plain","timestamp":1795500000123457}]`
	a := decode[receipt](t, w.client.Do(t, http.MethodPost, "/api/logs", body))
	if a.Accepted != 2 {
		t.Fatalf("%+v", a)
	}
	// As a custom endpoint gets it: objects, gzip, a source in the URL.
	custom := `[{"event_message":"","id":"6c0b0a52-5f0a-4e39-9d0f-0123456789ab","metadata":{"level":"warning","function_id":"f","region":null},"timestamp":1795500000123458},
		{"event_message":"deadlock detected","id":"7c0b0a52-5f0a-4e39-9d0f-0123456789ab","metadata":{"host":"db-1","parsed":{"error_severity":"ERROR","sql_state_code":"40P01"}},"timestamp":"2026-11-24T06:40:00.123459Z"}]`
	for range 2 {
		if got := w.send(t, "/api/logs?source=edge", "application/json", "gzip", zipped([]byte(custom))); got.Code != 200 || !strings.Contains(got.Body.String(), `"rejected":0`) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
	got := w.Texts(`select level || '|' || source || '|' || message || '|' || coalesce(metadata->'metadata'->0->>'host', '') || '|' || extract(epoch from created_at)::text from guarda.advanced_logs order by created_at`)
	if want := []string{"critical|db-shop|connection authorized|db-1|1795500000.123456", "info|supabase|plain||1795500000.123457", "warn|edge| ||1795500000.123458", "error|edge|deadlock detected||1795502400.123459"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := contract.Replay(t, "logs-ingest", w.client.Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
	if got := w.Texts(`select level || ' ' || message from guarda.advanced_logs order by created_at`); len(got) != 2 || got[1] != "error Falha na compressão do backup" {
		t.Errorf("%q", got)
	}
}

// The protocol's status codes: what is worth sending again is 429 or 503.
func TestOTLPIsAnsweredInItsOwnEncoding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	example, err := os.ReadFile("../../shared/logs/otlp/testdata/logs.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.send(t, "/v1/logs", "application/json", "gzip", zipped(example)); got.Code != 200 || got.Body.String() != "{}" || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	if got := w.Texts(`select source || ' ' || level || ' ' || message from guarda.advanced_logs`); !slices.Equal(got, []string{"my.service info Example log record"}) {
		t.Errorf("%q", got)
	}
	partial := w.send(t, "/v1/logs", "application/json", "", []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a\u0000"}},{"body":{"stringValue":"b"}}]}]}]}`))
	if partial.Code != 200 || !strings.Contains(partial.Body.String(), `"rejectedLogRecords":"1"`) {
		t.Errorf("%d %s", partial.Code, partial.Body)
	}
	for name, c := range map[string]struct {
		contentType string
		body        []byte
		status      int
		answer      string
	}{
		"nothing":        {"application/x-protobuf", nil, 200, ""},
		"malformed":      {"application/x-protobuf", []byte("hello"), 400, "\x08\x03\x12"},
		"malformed JSON": {"application/json", []byte(`{`), 400, `"code":3`},
		"oversized":      {"application/x-protobuf", make([]byte, maxEncoded+1), 413, "\x08\x08\x12"},
		"another type":   {"text/plain", []byte("x"), 415, "unsupported_media"},
	} {
		if got := w.send(t, "/v1/logs", c.contentType, "", c.body); got.Code != c.status || !strings.Contains(got.Body.String(), c.answer) {
			t.Errorf("%s: %d %q", name, got.Code, got.Body)
		}
	}
}
