package main

import (
	"slices"
	"testing"
	"time"
)

// A file of entries is the same byte by byte once all of them are hot, once a
// part is archived, and once all are.
func TestAnExportIsTheSameFromBothTiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 30_000) // two days and a half
	a := w.Archive(t, w.files)
	a.Keeper.PieceRows = 4000
	formats := []string{"csv", "ndjson", "json", "parquet"}
	export := func() (out []string) {
		t.Helper()
		for _, format := range formats {
			for _, filters := range []string{`{"search_term": "compressão 1234 or 29000"}`, `{"level": "error", "metadata": {"http": {"status": 300}}, "source": "db"}`} {
				v, _ := w.post(t, `{"format": "`+format+`", "filters": `+filters+`, `+wide+`}`)
				out = append(out, string(w.file(t, v.ExportID)))
			}
		}
		v, _ := w.post(t, `{"format": "ndjson", `+wide+`}`)
		if err := w.runner.Do(t.Context(), v.ExportID, false); err != nil {
			t.Fatal(err)
		}
		return append(out, string(w.file(t, v.ExportID)))
	}
	want := export()
	for _, until := range []time.Duration{36 * time.Hour, 96 * time.Hour} {
		a.Until(t, base.Add(until))
		if got := export(); !slices.Equal(got, want) {
			for i := range got {
				t.Errorf("archived %v: file %d has %d bytes instead of %d", until, i, len(got[i]), len(want[i]))
			}
		}
	}
	if n := w.Texts(`select count(*)::text from guarda.advanced_logs`); n[0] != "0" {
		t.Errorf("%s entries are still hot", n[0])
	}
}
