package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/functions/internal/logtest"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
	"guarda/tests/contract"
)

// What a text search finds is what PostgreSQL's configuration says: Portuguese
// words by their stems, with accents unless the setting takes them off.
func TestTheTextSearchIsASettingThatWorksWithItsIndex(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	c := &contract.Client{Handler: New(w.Log, w.Store), As: contract.Admin}
	messages := []string{"Compressão do backup", "compressao sem acento", "comprimindo o arquivo", "o arquivo foi comprimido", "compressões demais"}
	var entries []logs.Entry
	for _, m := range messages {
		entries = append(entries, logs.Entry{Level: logs.Info, Source: "api", Message: m})
	}
	var s logs.Sequence
	s.Identify(entries, time.Now())
	if _, err := w.Store.Write(t.Context(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
		t.Fatal(err)
	}
	find := func(term string) (found []string) {
		t.Helper()
		settings, err := w.Store.LogSettings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		page, err := w.Store.Search(t.Context(), &logs.Query{Term: term, OldestTop: true}, logstore.SearchOptions{Limit: 10, Words: settings.Words(), Budget: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page.Hits {
			found = append(found, h.Message)
			if len(h.Highlights) != 1 {
				t.Errorf("%s: %q is marked at %v", term, h.Message, h.Highlights)
			}
		}
		return found
	}
	set := func(config string, fold string) {
		t.Helper()
		tag := c.Do(t, http.MethodGet, "/api/settings/logs", "").Header.Get("ETag")
		a := c.Do(t, http.MethodPut, "/api/settings/logs", `{"text_search":{"config":"`+config+`","fold_accents":`+fold+`},"entries_per_minute":500,"retention":[{"days":null}],"masking":{}}`, "If-Match", tag)
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	check := func(setting string, want map[string][]string) {
		t.Helper()
		for term, list := range want {
			if got := find(term); !slices.Equal(got, list) {
				t.Errorf("%s: %s finds %q, want %q", setting, term, got, list)
			}
		}
	}
	stems := map[string][]string{
		"compressão":  {messages[0]},
		"compressao":  {messages[1]},
		"comprimindo": {messages[2], messages[3]},
	}
	check("portuguese", stems)

	set("portuguese", "true")
	check("portuguese, while the other index is being built", stems)
	if _, err := w.Store.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("portuguese without accents", map[string][]string{
		"compressão":  {messages[0], messages[1]},
		"compressao":  {messages[0], messages[1]},
		"COMPRESSÃO":  {messages[0], messages[1]},
		"comprimindo": {messages[2], messages[3]},
	})
	if plan := plan(t, w); !strings.Contains(plan, "_gin_folded") {
		t.Errorf("the search does not use its index: %s", plan)
	}

	set("simple", "false")
	if _, err := w.Store.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("simple", map[string][]string{"compressão": {messages[0]}, "comprimindo": {messages[2]}, "comprimir": nil})
	if _, err := w.Store.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.Texts(`select relname::text from pg_class where relkind = 'I' and relname like 'idx_advanced_logs_message%' order by 1`); !slices.Equal(got, []string{"idx_advanced_logs_message_gin", "idx_advanced_logs_message_gin_simple"}) {
		t.Errorf("the indexes are %v: those that no search uses any more slow down every entry", got)
	}
}

// plan is how PostgreSQL finds words without accents, when it must not read
// everything (of five rows it would).
func plan(t *testing.T, w *logtest.World) string {
	t.Helper()
	tx, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `set local enable_seqscan = off; set local enable_indexscan = off`); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.Query(t.Context(), `explain select 1 from guarda.advanced_logs where to_tsvector('portuguese', guarda.fold_accents(message)) @@ websearch_to_tsquery('portuguese', guarda.fold_accents('compressão'))`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
