package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"guarda/functions/internal/logtest"
	"guarda/shared/clock"
	"guarda/shared/logs"
)

// coldQueries are searches of every kind.
var coldQueries = []string{
	"", "level=error", "level=error&level=critical&source=api", "source=old", "source=absent",
	"start_date=2026-11-20T07:13:11.5Z&end_date=2026-11-22T09:59:59.123456Z", "start_date=2026-11-21&end_date=2026-11-21",
	"search_term=compress%C3%A3o", "search_term=rar%C3%ADssimo", "search_term=inexistente", "search_term=backup+falha",
	"search_term=falha+or+chave+-servidor", "search_term=%22backup+falha%22", "search_term=-backup", "search_term=de+a+o",
	"search_term=backup&level=error&source=db", "user_id=5c0b0a52-5f0a-4e39-9d0f-0123456789ab", "session_id=s1&search_term=backup",
	"user_id=00000000-0000-4000-8000-000000000000", "metadata.status=400&metadata.http.route=/r1", "metadata.db.system=pg&level=warn", "metadata.status=4e2",
	"metadata.tags=t3", "metadata.steps.code=2&level=warn", "metadata.steps.code=-7&level=warn", "metadata.ok=true&level=info",
	"exclude_source=old&exclude_source=api&level=error", "exclude_pattern_id=5c0b0a52-5f0a-4e39-9d0f-00000000000a&level=warn", "exclude_metadata.http.route=/r1&level=error",
	"exclude_metadata.tags=t3&search_term=backup",
	"search_term=ACKUP+F&mode=substring", "search_term=%25&mode=substring", "search_term=backup.*+7[0-9]%2B%24&mode=regex",
	"pattern_id=5c0b0a52-5f0a-4e39-9d0f-00000000000a", "pattern_id=5c0b0a52-5f0a-4e39-9d0f-00000000000a&search_term=backup",
}

// answers asks for everything, page by page in both directions, with histogram
// and facets. What a cursor looks like is not compared, only where it leads.
func (w *world) answers(t *testing.T, queries []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	spans := []string{"start_date=2026-11-20T09:59:30.25Z&end_date=2026-11-22T10:00:41Z", "start_date=2026-11-20&end_date=2026-11-22", "start_date=2026-11-21T10:00:00Z&end_date=2026-11-21T10:00:50Z"}
	for _, query := range queries {
		for _, order := range []string{"desc", "asc"} {
			path := "/api/logs/search?limit=397&order=" + order + "&" + query
			var all []any
			for cursor := ""; ; {
				page := get[searchAnswer](t, w, path+cursor)
				all = append(all, page.Logs, page.TotalCount, page.Relation, page.HasMore, page.SearchedBackTo)
				if !page.HasMore {
					break
				}
				cursor = "&cursor=" + *page.NextCursor
			}
			raw, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			out[order+" "+query] = string(raw)
		}
		if strings.Contains(query, "_date") {
			continue
		}
		spans := spans
		if strings.Contains(query, "search_term") { // where the counts answer it matters where a range ends
			spans = spans[:1]
		}
		for _, span := range spans {
			for _, what := range []string{"histogram", "facets"} {
				a := w.client.Do(t, http.MethodGet, "/api/logs/"+what+"?"+span+"&"+query, "")
				if a.Status != 200 {
					t.Fatalf("%s %s: %d %s", what, query, a.Status, a.Body)
				}
				out[what+" "+span+" "+query] = string(a.Body)
			}
		}
	}
	return out
}

// same compares the answers of the later time with those of the former.
func same(t *testing.T, when string, got, want map[string]string) {
	t.Helper()
	for q, g := range got {
		if g != want[q] {
			t.Errorf("%s: %s:\n got %.600s\nwant %.600s", when, q, g, want[q])
		}
	}
}

// fillCold writes what fill writes, and entries that only their columns tell
// apart: of one moment, written by hand, with metadata of every kind.
func (w *world) fillCold(t *testing.T) {
	t.Helper()
	w.fill(t, 900)
	if _, err := w.Pool.Exec(t.Context(), `
		insert into guarda.advanced_logs (level, source, message, metadata, created_at, session_id) select 'info', 'hand', 'falha ' || n, case n % 4 when 0 then null when 1 then '{}' when 2 then '{"status": 400.0, "a": [1, {"b": null}], "x": "é\"\\"}' else '[1, 2]'::jsonb end, timestamptz '2026-11-20 15:00:00.123456Z', case n % 3 when 0 then '' when 1 then 's1' end from generate_series(1, 200) n;
		update guarda.advanced_logs set pattern_id = '5c0b0a52-5f0a-4e39-9d0f-00000000000a' where message like 'falha backup%';
		update guarda.advanced_logs set pattern_id = '5c0b0a52-5f0a-4e39-9d0f-00000000000b' where message like 'backup falha%';
		insert into guarda.log_patterns (id, template, merged_into, source, level)
			select ('5c0b0a52-5f0a-4e39-9d0f-00000000000' || c)::uuid, c, m::uuid, 'api', 'info' from (values ('a', null), ('b', '5c0b0a52-5f0a-4e39-9d0f-00000000000a')) v (c, m)`); err != nil {
		t.Fatal(err)
	}
	w.CountsAgree()
}

// archive is an object store for them, in which a day has several segments.
func (w *world) archive(t *testing.T) *logtest.Archive {
	t.Helper()
	a := logtest.NewArchive(t, w.World)
	a.Keeper.PieceRows = 130
	return a
}

// Every query gives the same answer, byte for byte, once all entries are hot,
// once the older half is archived, once all are, and with late entries beside
// the archived ones of their day.
func TestEveryQueryGivesTheSameAnswerFromBothTiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillCold(t)
	a := w.archive(t)
	hot := w.answers(t, coldQueries)
	ids := w.Texts(`select id::text from guarda.advanced_logs order by created_at, id`)
	contexts := w.contexts(t, ids)

	var some []string // of every kind
	for i := 0; i < len(coldQueries); i += 2 {
		some = append(some, coldQueries[i])
	}
	some = append(some, "level=error", "search_term=backup+falha")
	a.Until(t, base.Add(36*time.Hour)) // the first day and a half
	if n := w.Texts(`select count(*)::text from guarda.log_segments where state = 'live'`); n[0] == "0" || n[0] == "1" {
		t.Fatalf("%s segments", n[0])
	}
	same(t, "half archived", w.answers(t, some), hot)
	a.Until(t, base.Add(96*time.Hour))
	if n := w.Texts(`select count(*)::text from guarda.advanced_logs where created_at < '2026-11-23'`); n[0] != "0" {
		t.Fatalf("%s are still hot", n[0])
	}
	same(t, "archived", w.answers(t, coldQueries), hot)
	for id, c := range w.contexts(t, ids) {
		if c != contexts[id] {
			t.Errorf("the context of %s:\n got %.400s\nwant %.400s", id, c, contexts[id])
		}
	}

	// Late entries come to archived days, are found, and are archived in turn.
	var late []logs.Entry
	for i := range 100 {
		late = append(late, logs.Entry{CreatedAt: base.Add(time.Duration(i) * 42 * time.Minute), Level: logs.Error, Source: "api", Message: fmt.Sprintf("backup atrasado %d", i), Metadata: []byte(`{"status":400}`)})
	}
	w.write(t, late...)
	mixed := w.answers(t, some)
	if mixed["desc search_term=backup+falha"] != hot["desc search_term=backup+falha"] || mixed["desc level=error"] == hot["desc level=error"] {
		t.Error("late entries are not told from the others")
	}
	a.Until(t, base.Add(96*time.Hour))
	same(t, "late entries archived", w.answers(t, some), mixed)
}

func (w *world) contexts(t *testing.T, ids []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for i := 0; i < len(ids); i += 61 {
		for _, scope := range []string{"source", "session", "all"} {
			a := w.client.Do(t, http.MethodGet, "/api/logs/"+ids[i]+"/context?before=7&after=5&scope="+scope, "")
			if a.Status != 200 {
				t.Fatalf("%s: %d %s", ids[i], a.Status, a.Body)
			}
			out[ids[i]+" "+scope] = string(a.Body)
		}
	}
	return out
}

// A range that touches no archived day asks nothing of the object store.
func TestHotSearchesDoNotAskTheObjectStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillCold(t)
	a := w.archive(t)
	a.Until(t, base.Add(24*time.Hour))
	before := a.Blobs.Calls("get")
	for _, q := range []string{"search_term=backup", "level=error", ""} {
		get[searchAnswer](t, w, "/api/logs/search?start_date=2026-11-21&"+q)
	}
	if got := a.Blobs.Calls("get"); got != before {
		t.Errorf("%d requests to the object store", got-before)
	}
}

// When the object store is away, what Postgres has is answered, with a notice;
// what only the store has is an error that says so.
func TestAStoreThatIsAwayIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillCold(t)
	a := w.archive(t)
	a.Until(t, base.Add(36*time.Hour))
	a.Away(t)
	var page searchAnswer
	status, found := 200, 0
	for cursor := ""; status == 200; cursor = "&cursor=" + *page.NextCursor {
		a := w.client.Do(t, http.MethodGet, "/api/logs/search?search_term=backup&limit=1000"+cursor, "")
		if status = a.Status; status != 200 {
			break
		}
		if err := json.Unmarshal(a.Body, &page); err != nil || !page.HasMore || page.SearchedBackTo == nil || page.Relation != "gte" {
			t.Fatalf("%d hits, back to %v, %v", len(page.Logs), page.SearchedBackTo, page.Relation)
		}
		found += len(page.Logs)
	}
	// What is newer than anything archived is all there.
	if want := w.Texts(`select count(*)::text from guarda.advanced_logs where message ilike '%backup%' and created_at > (select max(high) from guarda.log_segments)`); status != 503 || fmt.Sprint(found) != want[0] {
		t.Errorf("%d, %d hits of %s", status, found, want[0])
	}
	h := get[histogramAnswer](t, w, "/api/logs/histogram?start_date=2026-11-20&end_date=2026-11-22&search_term=backup")
	if h.Exact || h.CountedBackTo == nil {
		t.Errorf("the histogram says that it is exact")
	}
}

// A search whose time is up among archived entries says how far it got, and its
// cursor goes on from there until everything was found, once.
func TestASearchGoesOnWhereItsTimeWasUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillCold(t)
	a := w.archive(t)
	// Each request gets through a minute or so: a few hours with the busiest minute.
	const span = "start_date=2026-11-21T09:00:00Z&end_date=2026-11-21T11:30:00Z"
	want := w.Texts(`select id::text from guarda.advanced_logs where message ilike '%backup%' and created_at >= '2026-11-21 09:00Z' and created_at < '2026-11-21 11:30Z' order by created_at desc, id desc`)
	a.Until(t, base.Add(96*time.Hour))
	w.client.Handler = New(Deps{Log: w.Log, Store: a.Slow(), Clock: clock.System{}})
	var got []string
	short := 0
	for path, cursor := "/api/logs/search?mode=substring&search_term=backup&limit=1000&"+span, ""; ; {
		page := get[searchAnswer](t, w, path+cursor)
		for _, l := range page.Logs {
			got = append(got, l.ID)
		}
		if page.SearchedBackTo != nil {
			short++
		}
		if !page.HasMore {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	if short < 3 || len(want) < 30 || !slices.Equal(got, want) {
		t.Errorf("%d hits of %d, cut short %d times", len(got), len(want), short)
	}
}
