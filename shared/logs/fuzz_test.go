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

	"github.com/klauspost/compress/zstd"

	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/logs"
)

// A cursor that is accepted says the same when it is written again.
func FuzzFeedCursor(f *testing.F) {
	for _, s := range []string{"0", "9!4,6@10.4", "12@3.1", "1!", "@", "-1", "9223372036854775808", "1@2", "1!2!3"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := logs.ParseFeedCursor(s, now)
		if err != nil {
			return
		}
		again, err := logs.ParseFeedCursor(c.Text(), now)
		if err != nil || again.Text() != c.Text() {
			t.Errorf("%q: %q, then %q, %v", s, c.Text(), again.Text(), err)
		}
		c.See([]int64{c.Done + 1}, now)
	})
}

// Masked text is UTF-8, has nothing left to mask, and metadata stays what it
// was: the same JSON but for texts and numbers.
func FuzzMask(f *testing.F) {
	for _, s := range []string{`{"a":"x@y.com","cpf":52998224725,"n":[1,-2.5e3,"4111 1111 1111 1111"]}`, `{"password" : "a","token":{"x":1}}`, "12 4111 1111-1111 1111 11.222.333/0001-81", `{"":""}`, `{"secret":-1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		for _, rule := range logs.MaskRules() {
			once := logs.Mask(s, []string{rule})
			if !utf8.ValidString(once) {
				t.Errorf("%s: %q: %q", rule, s, once)
			}
			if rule != logs.MaskToken && rule != logs.MaskEmail && logs.Mask(once, []string{rule}) != once {
				t.Errorf("%s: %q is not masked as a whole: %q", rule, s, once)
			}
		}
		b, err := logs.Parse([]byte(`{"level":"info","source":"a","message":"m","metadata":`+s+`}`), false, "")
		if err != nil || len(b.Entries) != 1 {
			return
		}
		before := shape(t, b.Entries[0].Metadata)
		store := &keeping{settings: &logs.Settings{Masking: map[string][]string{"a": logs.MaskRules()}, MaxAgeDays: 1}}
		in := &logs.Ingester{Store: store, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}
		if _, err := in.Take(context.Background(), b, logs.Sender{}); err != nil {
			t.Fatal(err)
		}
		if after := shape(t, store.entries[0].Metadata); after != before {
			t.Errorf("%q: %s became %s", s, before, after)
		}
	})
}

// shape is a document with every text and number taken out.
func shape(t *testing.T, doc []byte) string {
	t.Helper()
	if doc == nil {
		return ""
	}
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	var out func(v any) any
	out = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = out(v[k])
			}
		case []any:
			for i := range v {
				v[i] = out(v[i])
			}
		case string, float64:
			return 0
		}
		return v
	}
	raw, err := json.Marshal(out(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// What lies in the spool is stored or moved out of the way, whatever it is.
func FuzzSpool(f *testing.F) {
	f.Add([]byte("no batch"), false)
	f.Add([]byte(`{"format":1,"batch_id":"0b0e4a52-5f0a-4e39-9d0f-0123456789ab","masked":false,"entries":1}`+"\n"+
		`{"id":"0b0e4a52-5f0a-4e39-9d0f-0123456789ab","created_at":"2026-11-24T12:00:00Z","level":"info","source":"a","message":"m","user_id":"00000000-0000-0000-0000-000000000000"}`), true)
	f.Add([]byte(`{"format":1,"entries":-1}`), true)
	f.Add([]byte(`{"format":1,"entries":20000}`), true)
	pack, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, packed bool) {
		if packed {
			body = pack.EncodeAll(body, nil)
		}
		blobs := memory.New()
		if _, err := blobs.Put(context.Background(), "_logs/spool/1.ndjson.zst", bytes.NewReader(body), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		store := &keeping{settings: &logs.Settings{Masking: map[string][]string{"*": logs.MaskRules()}}}
		r, err := logs.Replay(context.Background(), blobs, store, slog.New(slog.DiscardHandler))
		if err != nil || r.Batches+r.Broken != 1 || r.Entries != len(store.entries) {
			t.Errorf("%+v, %v", r, err)
		}
		for o, err := range blobs.List(context.Background(), "_logs/") {
			if err != nil || r.Broken == 0 || !strings.HasPrefix(o.Key, "_logs/spool-broken/") {
				t.Errorf("left: %s, %v", o.Key, err)
			}
		}
	})
}
