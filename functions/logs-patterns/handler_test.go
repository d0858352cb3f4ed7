package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logtest"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/postgres/patternstore"
	"guarda/tests/contract"
)

type fixture struct {
	*logtest.World
	t        *testing.T
	now      time.Time
	patterns *patternstore.Store
	client   *contract.Client
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	w := logtest.New(t)
	f := &fixture{World: w, t: t, now: clock.System{}.Now(), patterns: patternstore.New(w.Pool, clock.System{})}
	w.Store.Patterns = f.patterns
	f.client = &contract.Client{As: contract.Admin, Handler: New(Deps{Log: w.Log, Logs: w.Store, Patterns: f.patterns, Clock: clock.System{}})}
	return f
}

func (f *fixture) write(source string, level logs.Level, age time.Duration, messages ...string) {
	f.t.Helper()
	b := &logs.Batch{ID: uuid.New()}
	for _, m := range messages {
		b.Entries = append(b.Entries, logs.Entry{ID: uuid.New(), CreatedAt: f.now.Add(-age).Truncate(time.Microsecond), Level: level, Source: source, Message: m})
	}
	if _, err := f.Store.Write(f.t.Context(), b); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) list(query string) listAnswer {
	f.t.Helper()
	a := f.client.Do(f.t, "GET", "/api/logs/patterns?"+query, "")
	if a.Status != 200 {
		f.t.Fatalf("%s: %d %s", query, a.Status, a.Body)
	}
	var out listAnswer
	if err := json.Unmarshal(a.Body, &out); err != nil {
		f.t.Fatal(err)
	}
	return out
}

func counts(a listAnswer) (out []string) {
	for _, v := range a.Items {
		out = append(out, fmt.Sprint(v.Count, " ", v.Template))
	}
	return out
}

func repeated(n int, format string) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

func TestPatternsOfARangeAddUpToItsEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("web", logs.Info, time.Hour, repeated(30, "request %d served")...)
	f.write("web", logs.Error, 2*time.Hour, repeated(10, "request %d failed")...)
	f.write("db", logs.Error, 3*time.Hour, repeated(5, "lock on row %d timed out")...)
	f.write("db", logs.Error, 48*time.Hour, repeated(7, "lock on row %d timed out")...)
	if _, err := f.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message) values ('warn', 'sql', 'by hand')`); err != nil {
		t.Fatal(err)
	}
	a := f.list("")
	if !slices.Equal(counts(a), []string{"30 request <*> served", "10 request <*> failed", "5 lock on row <*> timed out"}) || a.Total != 46 || a.WithNone != 1 || !a.Exact {
		t.Errorf("%q %+v", counts(a), a)
	}
	var sum int64
	var shares float64
	for _, v := range a.Items {
		sum += v.Count
		shares += v.Share
		var n int64
		for _, c := range v.Trend.Counts {
			n += c
		}
		if n != v.Count {
			t.Errorf("the trend of %q adds up to %d of %d", v.Template, n, v.Count)
		}
	}
	if sum+a.WithNone != a.Total || shares < 0.97 || shares > 0.98 {
		t.Errorf("counts add up to %d, shares to %v", sum, shares)
	}
	if got := counts(f.list("level=error&source=db&start_date=" + url.QueryEscape(f.now.Add(-72*time.Hour).Format(time.RFC3339)))); !slices.Equal(got, []string{"12 lock on row <*> timed out"}) {
		t.Errorf("filtered: %q", got)
	}
	if got := counts(f.list("q=FAILED&sort=last_seen")); !slices.Equal(got, []string{"10 request <*> failed"}) {
		t.Errorf("searched: %q", got)
	}
}

func TestPagesOfPatternsCountTheSameEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i, m := range []string{"alpha", "beta", "gamma", "delta", "epsilon"} {
		f.write("a", logs.Info, time.Minute, slices.Repeat([]string{m}, i+1)...)
	}
	var got []string
	query := "limit=2"
	for {
		a := f.list(query)
		got = append(got, counts(a)...)
		if !a.HasMore {
			break
		}
		f.write("a", logs.Info, -time.Hour, "alpha", "alpha", "alpha", "alpha") // comes later: no page moves
		query = "limit=2&cursor=" + *a.NextCursor
	}
	if !slices.Equal(got, []string{"5 epsilon", "4 delta", "3 gamma", "2 beta", "1 alpha"}) {
		t.Errorf("pages: %q", got)
	}
	a := f.list("limit=2")
	if w := f.client.Do(t, "GET", "/api/logs/patterns?sort=surge&cursor="+*a.NextCursor, ""); w.Status != 422 {
		t.Errorf("a cursor of another order: %d", w.Status)
	}
}

func TestAPatternIsShownAndMuted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("sshd", logs.Warn, time.Minute, "session closed for user ana")
	f.write("sshd", logs.Warn, time.Minute, "it rains")
	for _, user := range []string{"bruno", "carla", "davi", "elena"} {
		f.write("sshd", logs.Warn, time.Minute, "session closed for user "+user)
	}
	if _, err := f.patterns.Unite(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := f.list("q=session").Items[0].ID
	var d detail
	get := func(method, id, body string) int {
		t.Helper()
		a := f.client.Do(t, method, "/api/logs/patterns/"+id, body)
		d = detail{}
		if err := json.Unmarshal(a.Body, &d); err != nil {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return a.Status
	}
	if code := get("GET", id, ""); code != 200 || d.Template != "session closed for user <*>" || len(d.MergedIDs) == 0 || d.Sample == nil || d.Sample.Message != "session closed for user ana" || d.Share < 0.8 || d.Share > 0.9 {
		t.Fatalf("%d %+v", code, d)
	}
	if want := (condition{"log_pattern_surge", map[string]string{"pattern_id": id}}); d.Links.Logs != "/api/logs/search?pattern_id="+id || !reflect.DeepEqual(d.Links.Conditions[0], want) {
		t.Errorf("links: %+v", d.Links)
	}
	if code := get("GET", d.MergedIDs[0], ""); code != 200 || d.ID != id {
		t.Errorf("by an id that was merged: %d %s, want %s", code, d.ID, id)
	}
	if code := get("PATCH", d.MergedIDs[0], `{"muted":true}`); code != 200 || !d.Muted || d.ID != id {
		t.Errorf("muted: %d %+v", code, d)
	}
	if got := counts(f.list("muted=true")); !slices.Equal(got, []string{"5 session closed for user <*>"}) {
		t.Errorf("muted ones: %q", got)
	}
	if got := counts(f.list("muted=false")); !slices.Equal(got, []string{"1 it rains"}) {
		t.Errorf("others: %q", got)
	}
	if code := get("PATCH", id, `{"muted":false}`); code != 200 || d.Muted {
		t.Errorf("no longer muted: %d %+v", code, d)
	}
	f.client.As = contract.Viewer
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PATCH", "/" + id, `{"muted":true}`, 403},
		{"GET", "/" + uuid.NewString(), "", 404},
		{"GET", "/nonsense", "", 422},
		{"GET", "?status=old", "", 422},
		{"GET", "?sort=name", "", 422},
		{"GET", "?start_date=2026-11-25T00:00:00Z&end_date=2026-11-24T00:00:00Z", "", 422},
		{"GET", "?start_date=2026-11-24&end_date=2026-11-24", "", 200},
		{"GET", "?limit=0", "", 422},
		{"GET", "?what=1", "", 422},
	} {
		if a := f.client.Do(t, c.method, "/api/logs/patterns"+c.path, c.body); a.Status != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, a.Status, c.want)
		}
	}
	f.client.As = contract.Admin
	if a := f.client.Do(t, "PATCH", "/api/logs/patterns/"+id, `{}`); a.Status != 422 {
		t.Errorf("a change of nothing: %d", a.Status)
	}
}

func TestNewAndSurgingPatternsAreFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for day := range 6 {
		f.write("app", logs.Info, time.Duration(day)*24*time.Hour+20*time.Minute, repeated(8, "heartbeat %d received")...)
	}
	f.write("app", logs.Info, 6*24*time.Hour, "started at port 80")
	f.write("app", logs.Error, 10*time.Minute, repeated(50, "worker %d ran out of memory")...)
	if _, err := f.patterns.Judge(t.Context(), f.now); err != nil {
		t.Fatal(err)
	}
	if got := counts(f.list("status=new")); !slices.Equal(got, []string{"50 worker <*> ran out of memory"}) {
		t.Errorf("new: %q", got)
	}
	surging := f.list("status=surging&sort=surge")
	if got := counts(surging); !slices.Equal(got, []string{"50 worker <*> ran out of memory"}) {
		t.Fatalf("surging: %q", got)
	}
	if s := surging.Items[0].Surge; s.RecentCount != 50 || s.Median == nil || *s.Median != 0 || s.Since == nil || *s.Score < 6 {
		t.Errorf("surge: %+v", s)
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	if got := contract.Replay(t, "logs-patterns", newFixture(t).client.Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
