package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
)

func TestMaskingHidesWhatProvesItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, in, want string }{
		{"email", "de joão.silva+x@exemplo.com.br para ana@b.co, a@b", "de [email] para [email], a@b"},
		{"cpf", "CPF 529.982.247-25 ou 52998224725; 529.982.247-26 e 111.111.111-11 não são", "CPF [cpf] ou [cpf]; 529.982.247-26 e 111.111.111-11 não são"},
		{"cpf", "pedido 152998224725 e a52998224725", "pedido 152998224725 e a52998224725"},
		{"cnpj", "11.222.333/0001-81, 11222333000181, 12.ABC.345/01DE-35; 11.222.333/0001-82 não", "[cnpj], [cnpj], [cnpj]; 11.222.333/0001-82 não"},
		{"card", "4111 1111 1111 1111, 5500-0000-0000-0004, 378282246310005; 4111111111111112 e 1795500000123 não", "[card], [card], [card]; 4111111111111112 e 1795500000123 não"},
		{"card", "2026-11-24 4111111111111111 pedido 12 4111 1111 1111 1111 1234 e 378282 246310005", "2026-11-24 [card] pedido 12 [card] 1234 e 378282 246310005"},
		{"card", "3782 822463 10005; em 1795521600124, 4111-1111-1111-1111-", "[card]; em 1795521600124, [card]-"},
		{"cpf", "000 529.982.247-25/529.982.247-25.", "000 [cpf]/[cpf]."},
		{"token", "Authorization: Bearer abc.def-123456 fim", "Authorization: [token] fim"},
		{"token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_DEF-123 e AKIAIOSFODNN7EXAMPLE", "[token] e [token]"},
		{"token", `postgres://user:s3gredo@db/x password="hunter22" senha=abcd1234`, `postgres[token]db/x [token]" [token]`},
		{"token", "a senha foi trocada e o token expirou", "a senha foi trocada e o token expirou"},
		{"email", "nada", "nada"},
	} {
		if got := logs.Mask(c.in, []string{c.rule}); got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
	if got := logs.Mask("a@b.com.br 529.982.247-25", logs.MaskRules()); got != "[email] [cpf]" {
		t.Errorf("all rules: %q", got)
	}
}

func TestMaskingReadsMetadata(t *testing.T) {
	t.Parallel()
	s := &logs.Settings{Masking: map[string][]string{"*": logs.MaskRules()}, MaxAgeDays: 1}
	store := &keeping{settings: s}
	in := &logs.Ingester{Store: store, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}
	b, err := logs.Parse([]byte(`{"level":"info","source":"a","message":"m","session_id":"x@y.com","metadata":{"cpf":52998224725,"card" : [4111111111111111, 1795521600124],"n":-1.5e3,
		"db_password": "x","nested":{"accessToken":7,"token":{"name":"ok"},"API-Key":null},"t":"a@b.com.br \"q\"","senha":true}}`), false, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Take(t.Context(), b, logs.Sender{}); err != nil {
		t.Fatal(err)
	}
	want := `{"cpf":"[cpf]","card" : ["[card]", 1795521600124],"n":-1.5e3,
		"db_password": "[token]","nested":{"accessToken":"[token]","token":{"name":"ok"},"API-Key":null},"t":"[email] \"q\"","senha":true}`
	if got := store.entries[0]; string(got.Metadata) != want || got.SessionID != "[email]" {
		t.Errorf("%s %s", got.Metadata, got.SessionID)
	}
}

// keeping is a store that takes everything.
type keeping struct {
	settings *logs.Settings
	entries  []logs.Entry
}

func (k *keeping) Write(_ context.Context, b *logs.Batch) (logs.Written, error) {
	k.entries = append(k.entries, b.Entries...)
	return logs.Written{Accepted: len(b.Entries)}, nil
}
func (k *keeping) LogSettings(context.Context) (*logs.Settings, error) { return k.settings, nil }
func (k *keeping) Spend(context.Context, string, string, int, int) (time.Duration, error) {
	return 0, nil
}

func TestNamesAreReadAsJSONHasThem(t *testing.T) {
	t.Parallel()
	b, err := logs.Parse([]byte(`[{"\u006cevel":"info","source":"a","source":"b","message":"m"},{"level":"info","source":"a","message":"m","`+strings.Repeat("é", 4000)+`":1}]`), false, "")
	if err != nil || len(b.Entries) != 1 || b.Entries[0].Source != "b" || len(b.Rejections) != 1 || len(b.Rejections[0].Field) > 100 || !utf8.ValidString(b.Rejections[0].Field) {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestLevelsHaveTheirUsualNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]logs.Level{"WARNING": logs.Warn, "Fatal": logs.Critical, "trace": logs.Debug, "notice": logs.Info, "ERR": logs.Error, "loud": "", "": ""} {
		if got := logs.LevelOf(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTimesAreReadInEveryUsualForm(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)
	for in, w := range map[string]time.Time{
		`"2026-11-24T12:00:00.123456789Z"`: want, `"2026-11-24T09:00:00.123456-03:00"`: want, `"2026-11-24 12:00:00.123456"`: want, `1795521600123456`: want, `1795521600123456789`: want,
		`1795521600.123456`: want, `1795521600`: want.Truncate(time.Second), `1795521600123`: want.Truncate(time.Millisecond), `"2026-11-24"`: want.Truncate(24 * time.Hour),
	} {
		b, err := logs.Parse([]byte(`{"level":"info","source":"a","message":"m","created_at":`+in+`}`), false, "")
		if err != nil || len(b.Entries) != 1 || !b.Entries[0].CreatedAt.Equal(w) {
			t.Errorf("%s: %+v, %v", in, b, err)
		}
	}
}

func TestIdsGrowWithTimeAndSayIt(t *testing.T) {
	t.Parallel()
	var s logs.Sequence
	entries := make([]logs.Entry, 70_000)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s.Identify(entries[:35_000], now)
	s.Identify(entries[35_000:], now)
	for i := range entries {
		e := &entries[i]
		if at, ok := logs.TimeOf(e.ID); !ok || !at.Equal(e.CreatedAt.Truncate(time.Millisecond)) || i > 0 && (!entries[i-1].CreatedAt.Before(e.CreatedAt) || bytes.Compare(entries[i-1].ID[:8], e.ID[:8]) >= 0) {
			t.Fatalf("entry %d: %v %v", i, e.ID, e.CreatedAt)
		}
	}
	for i := range entries { // as loggers with a resolution of a second have it
		entries[i] = logs.Entry{CreatedAt: now}
	}
	s.Identify(entries, now)
	for i := 1; i < len(entries); i++ {
		if bytes.Compare(entries[i-1].ID[:], entries[i].ID[:]) >= 0 {
			t.Fatalf("entries %d and %d of one time: %v %v", i-1, i, entries[i-1].ID, entries[i].ID)
		}
	}
	if _, ok := logs.TimeOf(uuid.New()); ok {
		t.Error("a random id says a time")
	}
}

func TestTheMostSpecificRetentionRuleCounts(t *testing.T) {
	t.Parallel()
	s := logs.Settings{Retention: []logs.RetentionRule{{Days: 90}, {Level: logs.Debug, Days: 7}, {Source: "audit", Days: 0}, {Source: "audit", Level: logs.Debug, Days: 30}}}
	for _, c := range []struct {
		source string
		level  logs.Level
		want   int
	}{{"a", logs.Info, 90}, {"a", logs.Debug, 7}, {"audit", logs.Info, 0}, {"audit", logs.Debug, 30}} {
		if got := s.Keep(c.source, c.level); got != c.want {
			t.Errorf("%s %s: %d", c.source, c.level, got)
		}
	}
}

func TestFeedCursorsSurvive(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var c logs.FeedCursor
	c.See([]int64{1, 2, 5, 3, 9}, now)
	c.Part, c.Offset = 10, 4
	got, err := logs.ParseFeedCursor(c.Text(), now)
	if err != nil || c.Text() != "9!4,6,7,8@10.4" || got.Text() != c.Text() {
		t.Errorf("%s, %s, %v", c.Text(), got.Text(), err)
	}
	c.See([]int64{11}, now.Add(2*time.Minute))
	if len(c.Missing()) != 1 || c.Missing()[0] != 10 {
		t.Errorf("numbers are waited for too long: %v", c.Missing())
	}
}

// What is accepted fits Postgres: UTF-8 without NUL, metadata that is an object
// for every JSON reader, within the limits; what is refused is the sender's
// fault. One object is read as encoding/json reads it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"level":"info","source":"a","message":"m"}`, `[{"level":"info","source":"a","message":"m","metadata":{"a":[1,2.5e3,"\u00e9\ud83d\ude00"]}}]`, "{\"a\":1}\n{\"b\":2}", `[[[`,
		`{"level":"info","source":"a","message":"\u0000"}`, "\xff", `{"event_message":"x","timestamp":1795500000123456,"metadata":[{"level":"error"}]}`, `{"metadata":{"a":1e99999}}`, "[]", " ", `{"message":"\ud800"}`} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		b, err := logs.Parse(bytes.Clone(body), lines, "")
		if err != nil {
			if fault.CodeOf(err).HTTPStatus() >= 500 {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if len(b.Entries) > b.Sent {
			t.Fatalf("%q: %d entries of %d", body, len(b.Entries), b.Sent)
		}
		for _, e := range b.Entries {
			var doc map[string]any
			if e.Metadata != nil && json.Unmarshal(e.Metadata, &doc) != nil {
				t.Errorf("%q: metadata %q", body, e.Metadata)
			}
			for _, s := range []string{e.Message, e.Source, e.SessionID, string(e.Metadata)} {
				if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
					t.Errorf("%q: %q", body, s)
				}
			}
			if logs.LevelOf(string(e.Level)) != e.Level || len(e.Message) > logs.MaxMessage || e.Message == "" {
				t.Errorf("%q: %+v", body, e)
			}
		}
		if !lines && json.Valid(body) && b.Sent == 1 && body[0] == '{' && len(b.Entries) == 1 && utf8.Valid(body) && !bytes.Contains(body, []byte("event_message")) {
			var want struct{ Message, Source string }
			if err := json.Unmarshal(body, &want); err == nil && !bytes.Contains(bytes.ToLower(body), []byte(`u`)) && want.Message != b.Entries[0].Message && bytes.Count(bytes.ToLower(body), []byte(`"message"`)) == 1 {
				t.Errorf("%q: %q, encoding/json reads %q", body, b.Entries[0].Message, want.Message)
			}
		}
	})
}

// The scanner accepts what encoding/json accepts and nothing else.
func FuzzOneDocument(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0,0.5,1E+3,"\\\"\/\b\f\n\r\t\u12aB",true,false,null,{}]}`, `{"a":01}`, `{"a":.5}`, `{"a":1.}`, `{"a":"\x"}`, `{"a":}`, `{,}`, `{"a":1,}`, "{\"a\":\"\t\"}", `{"a" : [ ] }`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		doc := `{"m":` + s + `}`
		_, err := logs.Parse([]byte(doc), false, "")
		if valid := json.Valid([]byte(doc)); valid != (err == nil) && !strings.Contains(s, "\n") {
			t.Errorf("%q: valid %v, %v", doc, valid, err)
		}
	})
}

func FuzzCloudWatch(f *testing.F) {
	f.Add([]byte(`{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/x","logStream":"s","logEvents":[{"id":"1","timestamp":1795521600123,"message":"{\"level\":\"INFO\",\"msg\":\"m\",\"function\":\"f\",\"n\":1}"}]}`))
	f.Add([]byte(`{"messageType":"CONTROL_MESSAGE","logEvents":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := logs.CloudWatch(body, "backup_system")
		if err != nil {
			if fault.CodeOf(err).HTTPStatus() >= 500 {
				t.Fatal(err)
			}
			return
		}
		for _, e := range b.Entries {
			if e.Message == "" || e.Source == "" || e.Level == "" || !json.Valid(e.Metadata) || strings.IndexByte(e.Message, 0) >= 0 || !utf8.ValidString(e.Message) {
				t.Errorf("%q: %+v %s", body, e, e.Metadata)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00"), "gzip")
	f.Add([]byte("(\xb5/\xfd\x04\x00"), "zstd")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		out, err := logs.Decode(body, encoding)
		if err != nil && fault.CodeOf(err).HTTPStatus() >= 500 || len(out) > logs.MaxBody {
			t.Errorf("%q: %d bytes, %v", body, len(out), err)
		}
	})
}
