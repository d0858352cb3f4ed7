package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logtest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
	"guarda/tests/contract"
)

func write(t *testing.T, w *logtest.World, entries ...logs.Entry) {
	t.Helper()
	var s logs.Sequence
	s.Identify(entries, time.Now())
	if _, err := w.Store.Write(context.Background(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, w *logtest.World, blobs blob.Store) result {
	t.Helper()
	var e event
	contract.Event(t, "logs-keeper", &e)
	got, err := newHandler(w.Store, blobs, clock.System{}, w.Log)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return got.(result)
}

func TestBatchesThatWaitAreStoredOnceAndMasked(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	blobs := memory.New()
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.log_masking values ('*', array['email'])`); err != nil {
		t.Fatal(err)
	}
	spool := &logs.BlobSpool{Clock: clock.System{}, Open: func(context.Context) (blob.Store, error) { return blobs, nil }}
	var s logs.Sequence
	for _, masked := range []bool{false, true} {
		b := &logs.Batch{ID: uuid.New(), Entries: []logs.Entry{{Level: logs.Info, Source: "a", Message: "de x@y.com", Metadata: []byte(`{"to":"z@y.com","n":1}`)}}}
		s.Identify(b.Entries, time.Now())
		for range 2 { // its sender heard nothing and put it aside again
			if err := spool.Put(t.Context(), b, masked); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := blobs.Put(t.Context(), "_logs/spool/0000-broken.ndjson.zst", strings.NewReader("no batch"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if r := run(t, w, blobs).Replayed; r.Batches != 4 || r.Broken != 1 {
		t.Errorf("%+v", r)
	}
	if got := w.Texts(`select message || ' ' || (metadata->>'to') from guarda.advanced_logs order by created_at`); !slices.Equal(got, []string{"de [email] [email]", "de x@y.com z@y.com"}) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
	if _, err := blobs.Stat(t.Context(), "_logs/spool-broken/0000-broken.ndjson.zst"); err != nil {
		t.Errorf("what cannot be read is gone: %v", err)
	}
	if r := run(t, w, blobs).Replayed; r.Batches != 0 {
		t.Errorf("again: %+v", r)
	}
}

func TestRetentionDropsDaysAndDeletesByLevelAndSource(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	if _, err := w.Pool.Exec(t.Context(), `update guarda.log_retention set days = 30; insert into guarda.log_retention (level, days) values ('debug', 3); insert into guarda.log_retention (source, days) values ('keep', 20)`); err != nil {
		t.Fatal(err)
	}
	var entries []logs.Entry
	for _, age := range []int{1, 5, 25, 40} {
		for _, source := range []string{"a", "keep"} {
			for _, level := range []logs.Level{logs.Debug, logs.Error} {
				entries = append(entries, logs.Entry{CreatedAt: time.Now().UTC().AddDate(0, 0, -age), Level: level, Source: source, Message: fmt.Sprint(age)})
			}
		}
	}
	write(t, w, entries...)
	k := run(t, w, memory.New()).Kept
	if len(k.DaysDropped) != 1 || k.Merged == 0 {
		t.Errorf("%+v", k)
	}
	got := w.Texts(`select source || ' ' || level || ' ' || message from guarda.advanced_logs order by message::int, source, level`)
	want := []string{"a debug 1", "a error 1", "keep debug 1", "keep error 1", "a error 5", "keep debug 5", "keep error 5", "a error 25"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
	if days := w.Texts(`select d::text from guarda.log_days() d where d > (now() at time zone 'UTC')::date order by 1`); len(days) != 3 {
		t.Errorf("made ahead: %v", days)
	}
	if again := run(t, w, memory.New()).Kept; again.Expired != 0 || again.Merged != 0 || len(again.DaysMade) != 0 {
		t.Errorf("a second run: %+v", again)
	}
	w.CountsAgree()
}

func TestAPlainInsertOfAnyDayIsCountedAndMovesToItsPartition(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message, created_at) select 'info', 'sql', 'm', timestamptz '2026-03-01 12:00:00Z' + n * interval '1 hour' from generate_series(1, 20) n`); err != nil {
		t.Fatal(err)
	}
	w.CountsAgree()
	write(t, w, logs.Entry{CreatedAt: time.Date(2026, 3, 1, 13, 30, 0, 0, time.UTC), Level: logs.Info, Source: "a", Message: "m"})
	if n := w.Texts(`select (select count(*) from guarda.advanced_logs_20260301) || ' ' || (select count(*) from guarda.advanced_logs_default)`); !slices.Equal(n, []string{"12 9"}) {
		t.Errorf("%v", n)
	}
	if _, err := w.Pool.Exec(t.Context(), `update guarda.advanced_logs set pattern_id = gen_random_uuid() where id in (select id from guarda.advanced_logs limit 5); delete from guarda.advanced_logs where created_at > '2026-03-01 20:00Z'`); err != nil {
		t.Fatal(err)
	}
	w.CountsAgree()
	// Retention knows partitions only, so the keeper leaves nothing in the default one.
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message, created_at) values ('info', 'sql', 'beyond', 'infinity'), ('info', 'sql', 'old', '2001-02-03 04:05Z')`); err != nil {
		t.Fatal(err)
	}
	if made := run(t, w, memory.New()).Kept.DaysMade; !slices.Contains(made, "2001-02-03") {
		t.Errorf("%v", made)
	}
	if left := w.Texts(`select message from guarda.advanced_logs_default`); !slices.Equal(left, []string{"beyond"}) {
		t.Errorf("left in the default partition: %q", left)
	}
	if _, err := w.Pool.Exec(t.Context(), `delete from guarda.advanced_logs where created_at = 'infinity'; delete from guarda.log_counts where bucket = 'infinity'`); err != nil {
		t.Fatal(err)
	}
	w.CountsAgree()
}

// Words are found as the configured text search says; another one, with or
// without accents, becomes active when the keeper has built its index.
func TestPortugueseIsFoundAsTheTextSearchIsSet(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	for _, m := range []string{"Falha na compressão do backup", "comprimindo arquivos", "compressao sem acento", "comprimir tudo", "nada disso"} {
		write(t, w, logs.Entry{Level: logs.Info, Source: "a", Message: m})
	}
	find := func(words logs.TextSearch, term string) string {
		t.Helper()
		found, err := w.Store.Search(t.Context(), &logs.Query{Term: term, OldestTop: true}, logstore.SearchOptions{Limit: 10, Words: words, Budget: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, h := range found.Hits {
			first, _, _ := strings.Cut(strings.TrimPrefix(h.Message, "Falha na "), " ")
			out = append(out, fmt.Sprintf("%s%v", first, h.Highlights))
		}
		return strings.Join(out, " ")
	}
	expect := func(words logs.TextSearch, want map[string]string) {
		t.Helper()
		for term, w := range want {
			if got := find(words, term); got != w {
				t.Errorf("%+v %s: %s, want %s", words, term, got, w)
			}
		}
	}
	portuguese := logs.TextSearch{Config: "portuguese"}
	expect(portuguese, map[string]string{"compressão": "compressão[[9 19]]", "compressao": "compressao[[0 10]]", "comprimindo": "comprimindo[[0 11]] comprimir[[0 9]]", "COMPRESSÕES": ""})
	for _, c := range []struct {
		words logs.TextSearch
		want  map[string]string
	}{
		{logs.TextSearch{Config: "portuguese", Fold: true}, map[string]string{"compressão": "compressão[[9 19]] compressao[[0 10]]", "compressao": "compressão[[9 19]] compressao[[0 10]]", "comprimindo": "comprimindo[[0 11]] comprimir[[0 9]]"}},
		{logs.TextSearch{Config: "simple"}, map[string]string{"compressão": "compressão[[9 19]]", "comprimindo": "comprimindo[[0 11]]", "na": "compressão[[6 8]]"}},
		{portuguese, map[string]string{"comprimindo": "comprimindo[[0 11]] comprimir[[0 9]]"}},
	} {
		if err := w.Store.WantWords(t.Context(), c.words); err != nil {
			t.Fatal(err)
		}
		run(t, w, memory.New())
		s, err := w.Store.LogSettings(t.Context())
		if err != nil || s.Words() != c.words || s.Wanted != nil {
			t.Fatalf("%+v, %v", s, err)
		}
		expect(s.Words(), c.want)
	}
	// The index is used, also in partitions that came later.
	write(t, w, logs.Entry{CreatedAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Level: logs.Info, Source: "a", Message: "Compressão antiga"})
	plan := ""
	tx, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), `set local enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.Query(t.Context(), `explain select from guarda.advanced_logs_20260201 where to_tsvector('portuguese', guarda.fold_accents(message)) @@ websearch_to_tsquery('portuguese', guarda.fold_accents('compressão'))`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line
	}
	rows.Close()
	if !strings.Contains(plan, "Bitmap Index Scan") {
		t.Errorf("the folded index is not used:\n%s", plan)
	}
	if err := w.Store.WantWords(t.Context(), logs.TextSearch{Config: "klingon"}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an unknown configuration: %v", err)
	}
}
