package main

import (
	"fmt"
	"slices"
	"testing"

	"guarda/functions/internal/logtest"
	"guarda/shared/clock"
	"guarda/shared/postgres/patternstore"
	"guarda/tests/contract"
)

func TestEntriesThatCameByOtherWaysGetTheirPattern(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message)
		select 'info', 'sql', (array['order ' || n || ' paid', 'stock of item ' || n || ' is low', 'cache flushed'])[1 + n % 3] from generate_series(1, 12000) n`); err != nil {
		t.Fatal(err)
	}
	var e event
	contract.Event(t, "pattern-analyzer", &e)
	run := newHandler(patternstore.New(w.Pool, clock.System{}), clock.System{}, w.Log)
	got, err := run(t.Context(), e)
	if err != nil || got.(result).Assigned != 12000 {
		t.Fatalf("%+v, %v", got, err)
	}
	again, err := run(t.Context(), e)
	if err != nil || again.(result).Assigned != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	want := []string{"4000 cache flushed", "4000 order <*> paid", "4000 stock of item <*> is low"}
	if got := w.Texts(`select match_count || ' ' || template from guarda.log_patterns where merged_into is null order by 1`); !slices.Equal(got, want) {
		t.Errorf("patterns: %q", got)
	}
	if got := w.Texts(`select count(*)::text from guarda.advanced_logs where pattern_id is null`)[0]; got != fmt.Sprint(0) {
		t.Errorf("%s entries have none", got)
	}
	w.CountsAgree()
}
