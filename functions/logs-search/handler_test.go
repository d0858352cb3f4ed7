package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logtest"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/postgres/idempotencystore"
	"guarda/shared/postgres/logstore"
	"guarda/tests/contract"
)

type world struct {
	*logtest.World
	client *contract.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: logtest.New(t)}
	// On this clock no time passes: however busy the machine is, a search does
	// not end before it has looked at everything.
	w.Store = logstore.New(w.Pool, clock.At(clock.System{}.Now()))
	w.client = newClient(w)
	return w
}

func newClient(w *world) *contract.Client {
	return &contract.Client{As: contract.Viewer, Handler: New(Deps{Log: w.Log, Store: w.Store, Answers: idempotencystore.New(w.Pool, clock.System{}), Clock: clock.System{}})}
}

func get[T any](t *testing.T, w *world, path string) (v T) {
	t.Helper()
	a := w.client.Do(t, http.MethodGet, path, "")
	if a.Status != 200 {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return v
}

func (w *world) write(t *testing.T, entries ...logs.Entry) {
	t.Helper()
	var s logs.Sequence
	s.Identify(entries, time.Now())
	if _, err := w.Store.Write(context.Background(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
		t.Fatal(err)
	}
}

var base = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// pattern is the pattern of a quarter of the entries; the others have none.
const pattern = "8f14e45f-ceea-867a-9d0f-0123456789ab"

// fill writes entries of three days in uneven density: bursts, silences, one
// word in the oldest hour only.
func (w *world) fill(t *testing.T, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	words := []string{"compressão", "backup", "conexão", "usuário", "falha", "servidor", "tempo", "arquivo", "banco", "chave"}
	user := uuid.MustParse("5c0b0a52-5f0a-4e39-9d0f-0123456789ab")
	var entries []logs.Entry
	for i := range n {
		at := base.Add(time.Duration(r.Int64N(int64(72 * time.Hour))))
		if i%3 == 0 {
			at = base.Add(time.Duration(r.IntN(3))*24*time.Hour + 10*time.Hour + time.Duration(r.Int64N(int64(time.Minute))))
		}
		e := logs.Entry{CreatedAt: at.Truncate(time.Microsecond), Level: logs.Levels()[r.IntN(5)], Source: []string{"api", "worker", "db"}[r.IntN(3)],
			Message:  words[r.IntN(4)] + " " + words[r.IntN(len(words))] + " " + fmt.Sprint(r.IntN(1000)),
			Metadata: fmt.Appendf(nil, `{"status":%d,"http":{"route":"/r%d"},"db.system":"pg","tags":["t%d","x"],"ok":%t,"odd key":{"ratio":0.5},"steps":[{"code":-7},{"code":%d}]}`, 200+r.IntN(3)*100, r.IntN(4), i%7, i%2 == 0, i%3)}
		if i%4 == 0 {
			e.PatternID = uuid.MustParse(pattern)
		}
		if i%10 == 0 {
			e.UserID, e.SessionID = user, "s1"
		}
		entries = append(entries, e)
	}
	entries = append(entries, logs.Entry{CreatedAt: base.Add(3 * time.Minute), Level: logs.Critical, Source: "old", Message: "um evento raríssimo"})
	w.write(t, entries...)
	w.CountsAgree()
}

// Every query, page by page in both directions, gives what the plain statement
// gives, in its order; totals, histogram and facets agree with it.
func TestEveryQueryGivesWhatThePlainStatementGives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 1000)
	for name, c := range map[string]struct{ query, where string }{
		"all":                 {"", "true"},
		"level":               {"level=error", "level = 'error'"},
		"levels, source":      {"level=error&level=critical&source=api", "level in ('error', 'critical') and source = 'api'"},
		"rare source":         {"source=old", "source = 'old'"},
		"nothing":             {"source=absent", "false"},
		"range":               {"start_date=2026-11-21T07:13:11.5Z&end_date=2026-11-22T09:59:59.123456Z", "created_at >= '2026-11-21T07:13:11.5Z' and created_at < '2026-11-22T09:59:59.123456Z'"},
		"a day":               {"start_date=2026-11-21&end_date=2026-11-21", "created_at >= '2026-11-21T00:00:00Z' and created_at < '2026-11-22T00:00:00Z'"},
		"word":                {"search_term=compress%C3%A3o", "to_tsvector('portuguese', message) @@ websearch_to_tsquery('portuguese', 'compressão')"},
		"rare word":           {"search_term=rar%C3%ADssimo", "message like '%raríssimo%'"},
		"absent word":         {"search_term=inexistente", "false"},
		"two words":           {"search_term=backup+falha", "message like '%backup%' and message like '%falha%'"},
		"or, minus":           {"search_term=falha+or+chave+-servidor", "to_tsvector('portuguese', message) @@ websearch_to_tsquery('portuguese', 'falha or chave -servidor')"},
		"phrase":              {"search_term=%22backup+falha%22", "message like '%backup falha%'"},
		"only minus":          {"search_term=-backup", "message not like '%backup%'"},
		"stop words":          {"search_term=de+a+o", "false"},
		"word and filter":     {"search_term=backup&level=error&source=db", "message like '%backup%' and level = 'error' and source = 'db'"},
		"user":                {"user_id=5c0b0a52-5f0a-4e39-9d0f-0123456789ab", "user_id is not null"},
		"session, word":       {"session_id=s1&search_term=backup", "session_id = 's1' and message like '%backup%'"},
		"metadata":            {"metadata.status=500&metadata.http.route=/r1", "false"},
		"metadata number":     {"metadata.status=400&metadata.http.route=/r1", "metadata->>'status' = '400' and metadata->'http'->>'route' = '/r1'"},
		"dotted key":          {"metadata.db.system=pg&level=warn", "level = 'warn' and source <> 'old'"},
		"member of a list":    {"metadata.tags=t3", "metadata->'tags' @> '[\"t3\"]'"},
		"part of a member":    {"metadata.tags=t", "false"},
		"truth":               {"metadata.ok=true&level=info", "metadata->>'ok' = 'true' and level = 'info'"},
		"odd key, number":     {"metadata.odd%20key.ratio=0.50&level=debug", "level = 'debug' and source <> 'old'"},
		"in a list's members": {"metadata.steps.code=2&level=warn", "level = 'warn' and metadata->'steps' @> '[{\"code\": 2}]'"},
		"below zero":          {"metadata.steps.code=-7&level=warn", "level = 'warn' and source <> 'old'"},
		"odd value":           {"metadata.tags=%22%27%3B--%5C", "false"},
		"substring":           {"search_term=ACKUP+F&mode=substring", "message ilike '%ackup f%'"},
		"substring's spaces":  {"search_term=p+7+&mode=substring", "message like '%p 7 %'"},
		"a space before it":   {"search_term=+7&mode=substring", "message like '% 7%'"},
		"wildcards":           {"search_term=%25&mode=substring", "false"},
		"regex":               {"search_term=backup.*+7[0-9]%2B%24&mode=regex", "message ~* 'backup.* 7[0-9]+$'"},
		"not sources":         {"exclude_source=old&exclude_source=api&level=error", "source not in ('old', 'api') and level = 'error'"},
		"all but sources":     {"exclude_source=api&search_term=backup", "source <> 'api' and message like '%backup%'"},
		"a pattern":           {"pattern_id=" + pattern, "pattern_id is not null"},
		"not a pattern":       {"exclude_pattern_id=" + pattern, "pattern_id is null"},
		"not metadata":        {"exclude_metadata.http.route=/r1", "metadata->'http'->>'route' is distinct from '/r1'"},
		"both metadata":       {"metadata.status=400&exclude_metadata.http.route=/r1", "metadata->>'status' = '400' and metadata->'http'->>'route' is distinct from '/r1'"},
	} {
		for _, order := range []string{"desc", "asc"} {
			want := w.Texts(fmt.Sprintf(`select id::text from guarda.advanced_logs where %s order by created_at %s, id %[2]s`, c.where, order))
			var got []string
			path := "/api/logs/search?limit=397&order=" + order + "&" + c.query
			for cursor := ""; ; {
				page := get[searchAnswer](t, w, path+cursor)
				for _, l := range page.Logs {
					got = append(got, l.ID)
				}
				if page.TotalCount != int64(len(want)) || page.Relation != "eq" || page.SearchedBackTo != nil {
					t.Errorf("%s: %d hits (%s, %v), there are %d", name, page.TotalCount, page.Relation, page.SearchedBackTo, len(want))
				}
				if page.HasMore != (page.NextCursor != nil) {
					t.Errorf("%s: has_more and next_cursor disagree", name)
				}
				if !page.HasMore {
					break
				}
				cursor = "&cursor=" + *page.NextCursor
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: %d hits, the plain statement has %d", name, order, len(got), len(want))
			}
		}
		if strings.Contains(c.query, "_date") {
			continue
		}
		spans := []string{"start_date=2026-11-20T09:59:30.25Z&end_date=2026-11-22T10:00:41Z", "start_date=2026-11-20&end_date=2026-11-22", "start_date=2026-11-21T10:00:00Z&end_date=2026-11-21T10:00:50Z"}
		if strings.Contains(c.query, "search_term") { // where the counts answer it matters where a range ends
			spans = spans[:1]
		}
		for _, span := range spans {
			h := get[histogramAnswer](t, w, "/api/logs/histogram?"+span+"&"+c.query)
			f := get[facetsAnswer](t, w, "/api/logs/facets?"+span+"&"+c.query)
			w.agree(t, name+" "+span, c.where, h, f)
		}
	}
}

func (w *world) agree(t *testing.T, name, where string, h histogramAnswer, f facetsAnswer) {
	t.Helper()
	ranged := fmt.Sprintf("%s and created_at >= '%s' and created_at < '%s'", where, h.Start.Format(time.RFC3339Nano), h.End.Format(time.RFC3339Nano))
	var got []string
	for _, b := range h.Buckets {
		for _, l := range logs.Levels() {
			if n, ok := b.Levels[l]; ok {
				got = append(got, fmt.Sprintf("%d %s %d", b.Start.Unix(), l, n))
			}
		}
	}
	want := w.Texts(fmt.Sprintf(`select format('%%s %%s %%s', b, level, count(*)) from (select (floor(extract(epoch from created_at) / %d) * %[1]d)::bigint as b, level from guarda.advanced_logs where %s) x
		group by b, level order by b, array_position(array['debug', 'info', 'warn', 'error', 'critical'], level::text)`, h.IntervalSeconds, ranged))
	if !slices.Equal(got, want) || !h.Exact {
		t.Errorf("%s: the histogram is %v, the rows are %v", name, got, want)
	}
	var facets []string
	for _, s := range f.Sources {
		facets = append(facets, fmt.Sprintf("%s %d", s.Value, s.Count))
	}
	if want := w.Texts(`select format('%s %s', source, count(*)) from guarda.advanced_logs where ` + ranged + ` group by source order by count(*) desc, source`); !slices.Equal(facets, want) || f.Total != h.Total {
		t.Errorf("%s: the sources are %v, the rows are %v", name, facets, want)
	}
}

func TestMatchesAreMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, logs.Entry{Level: logs.Error, Source: "a", Message: "😀 Falha na compressão do backup: falhou"}, logs.Entry{Level: logs.Error, Source: "a", Message: "<b>falha</b> em <x>"})
	page := get[searchAnswer](t, w, "/api/logs/search?search_term=falha")
	if got := fmt.Sprint(page.Logs[1].Highlights); got != "[[3 8] [34 40]]" {
		t.Errorf("words: %s", got)
	}
	page = get[searchAnswer](t, w, "/api/logs/search?search_term=COMPRESS%C3%83O&mode=substring")
	if got := fmt.Sprint(page.Logs[0].Highlights); got != "[[12 22]]" {
		t.Errorf("substring: %s", got)
	}
	page = get[searchAnswer](t, w, "/api/logs/search?search_term=%28falh%29a%7Cbackup%5B%3A%5D&mode=regex&order=asc")
	if got := fmt.Sprint(page.Logs[0].Highlights); got != "[[3 8] [26 33]]" {
		t.Errorf("regex: %s", got)
	}
	if _, err := w.Pool.Exec(t.Context(), `update guarda.log_settings set fold_accents = true`); err != nil {
		t.Fatal(err)
	}
	folding := newClient(w) // it has not read the settings yet
	a := folding.Do(t, http.MethodGet, "/api/logs/search?search_term=na+COMPRESSAO&mode=substring", "")
	if !strings.Contains(string(a.Body), `"highlights":[[9,22]]`) {
		t.Errorf("substring without accents: %s", a.Body)
	}
}

// Pages go on from where the one before ended, whatever comes in meanwhile:
// nothing that was there is missed or comes twice.
func TestPagesAreStableWhileEntriesComeIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 400)
	for _, query := range []string{"", "&search_term=backup", "&search_term=backup&mode=substring"} {
		where := "true"
		if query != "" {
			where = "message like '%backup%'"
		}
		for _, order := range []string{"desc", "asc"} {
			want := w.Texts(fmt.Sprintf(`select id::text from guarda.advanced_logs where %s order by created_at %s, id %[2]s`, where, order))
			before := map[string]bool{}
			for _, id := range want {
				before[id] = true
			}
			var got []string
			for cursor := ""; ; {
				page := get[searchAnswer](t, w, "/api/logs/search?limit=37&order="+order+query+cursor)
				for _, l := range page.Logs {
					if before[l.ID] {
						got = append(got, l.ID)
					}
				}
				if !page.HasMore {
					break
				}
				cursor = "&cursor=" + *page.NextCursor
				at := page.Logs[len(page.Logs)-1].CreatedAt
				w.write(t, logs.Entry{CreatedAt: at, Level: logs.Info, Source: "new", Message: "backup"}, logs.Entry{CreatedAt: at.Add(time.Second), Level: logs.Info, Source: "new", Message: "backup"},
					logs.Entry{CreatedAt: at.Add(-time.Second), Level: logs.Info, Source: "new", Message: "backup"})
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q %s: %d of what was there, want %d", query, order, len(got), len(want))
			}
		}
	}
}

func TestAnEntryIsFoundByItsIdWithItsNeighbours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 200)
	given := logs.Entry{ID: uuid.MustParse("0b0e4a52-5f0a-4e39-9d0f-0123456789ab"), GivenID: true, CreatedAt: base.Add(40 * time.Hour), Level: logs.Info, Source: "api", Message: "x"}
	w.write(t, given)
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message) values ('info', 'hand', 'written by hand')`); err != nil {
		t.Fatal(err)
	}
	w.CountsAgree()
	for _, id := range w.Texts(`(select id::text from guarda.advanced_logs order by created_at limit 5) union select id::text from guarda.advanced_logs where source = 'hand' union select '0b0e4a52-5f0a-4e39-9d0f-0123456789ab'`) {
		if l := get[struct{ ID string }](t, w, "/api/logs/"+id); l.ID != id {
			t.Errorf("%s: %+v", id, l)
		}
	}
	c := get[contextAnswer](t, w, "/api/logs/"+given.ID.String()+"/context?before=3&after=2")
	var got []string
	for _, v := range append(append(c.Before, c.Log), c.After...) {
		got = append(got, v.ID)
	}
	want := w.Texts(`select id::text from (
		(select * from guarda.advanced_logs where source = 'api' and created_at < $1::timestamptz order by created_at desc, id desc limit 3) union all
		(select * from guarda.advanced_logs where source = 'api' and created_at >= $1::timestamptz order by created_at, id limit 3)) x order by created_at, id`, given.CreatedAt)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if a := w.client.Do(t, http.MethodGet, "/api/logs/0b0e4a52-5f0a-4e39-9d0f-000000000000", ""); a.Status != 404 {
		t.Errorf("unknown: %d", a.Status)
	}
}

func TestWrongQueriesAreRefusedByField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 5)
	for _, query := range []string{"level=loud", "limit=0", "limit=1001", "limit=x", "start_date=yesterday", "user_id=7", "cursor=x", "order=up", "start_date=2026-11-22&end_date=2026-11-21", "start_date=2026-11-22T00:00:00Z&end_date=2026-11-22T00:00:00Z", "metadata.=x", "start_date=2026-02-30", "mode=magic", "x=1", "search_term=%00", "search_term=%FF",
		"metadata.a=%FF", "exclude_metadata.a=%FF", "exclude_pattern_id=7", "exclude_source=%00", "search_term=(&mode=regex", "source=" + strings.Repeat("s", 101), "search_term=" + strings.Repeat("s", 1001)} {
		if a := w.client.Do(t, http.MethodGet, "/api/logs/search?"+query, ""); a.Status != 422 {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	for _, term := range []string{`'; drop table guarda.advanced_logs; --`, `"`, `\`, `a & b | ! (`, `%`, "' or '1'='1"} {
		for _, mode := range []string{"words", "substring"} {
			if a := w.client.Do(t, http.MethodGet, "/api/logs/search?mode="+mode+"&search_term="+url.QueryEscape(term), ""); a.Status != 200 {
				t.Errorf("%s: %d %s", term, a.Status, a.Body)
			}
		}
	}
	w.client.As = contract.Viewer
	w.client.As.Role = "nobody"
	if a := w.client.Do(t, http.MethodGet, "/api/logs/search", ""); a.Status != 403 {
		t.Errorf("without the permission: %d", a.Status)
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := contract.Replay(t, "logs-search", w.client.Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}

func TestSearchesAreSavedAndShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.users (id, email, name, role) values ($1::text::uuid, 'v@localhost', 'V', 'viewer'), ($2::text::uuid, 'o@localhost', 'O', 'operator')`, contract.Viewer.UserID, contract.Operator.UserID); err != nil {
		t.Fatal(err)
	}
	made := w.client.Do(t, http.MethodPost, "/api/logs/saved", `{"name":"erros","query":{"level":["error"]}}`)
	var s savedView
	if err := json.Unmarshal(made.Body, &s); err != nil || made.Status != 201 || !s.Own || s.Shared {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	if a := w.client.Do(t, http.MethodPost, "/api/logs/saved", `{"name":"erros","query":{}}`); a.Status != 409 {
		t.Errorf("the same name: %d", a.Status)
	}
	as := func(who auth.Identity, want int) {
		t.Helper()
		w.client.As = who
		if page := get[struct{ Items []savedView }](t, w, "/api/logs/saved"); len(page.Items) != want {
			t.Errorf("%s sees %d", who.Name, len(page.Items))
		}
	}
	as(contract.Operator, 0)
	if a := w.client.Do(t, http.MethodPut, "/api/logs/saved/"+s.ID, `{"name":"x","query":{}}`, "If-Match", made.Header.Get("ETag")); a.Status != 404 {
		t.Errorf("somebody else's: %d", a.Status)
	}
	as(contract.Viewer, 1)
	if a := w.client.Do(t, http.MethodPut, "/api/logs/saved/"+s.ID, `{"name":"erros","query":{"level":"error"},"shared":true}`, "If-Match", made.Header.Get("ETag")); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := w.client.Do(t, http.MethodPut, "/api/logs/saved/"+s.ID, `{"name":"erros","query":{}}`, "If-Match", made.Header.Get("ETag")); a.Status != 412 {
		t.Errorf("with an old version: %d", a.Status)
	}
	as(contract.Operator, 1)
	w.client.As = contract.Viewer
	if a := w.client.Do(t, http.MethodDelete, "/api/logs/saved/"+s.ID, ""); a.Status != 204 {
		t.Errorf("%d", a.Status)
	}
	as(contract.Viewer, 0)
}
