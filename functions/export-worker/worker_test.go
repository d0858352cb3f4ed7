package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"guarda/functions/internal/exportmeans"
	"guarda/functions/internal/logtest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/clock"
	"guarda/shared/logs"
	"guarda/shared/logs/export"
	"guarda/shared/postgres/exportstore"
	"guarda/tests/contract"
)

// TestTheSampleEventMakesAnExportOnce: an order may come twice.
func TestTheSampleEventMakesAnExportOnce(t *testing.T) {
	t.Parallel()
	var order Order
	contract.Event(t, "export-worker", &order)
	w := logtest.New(t)
	files := memory.New()
	store := exportstore.New(w.Pool)
	worker := &Worker{Runner: exportmeans.New(w.Pool, func(context.Context) (blob.Store, error) { return files, nil }, clock.System{}, w.Log), Waiting: store.Waiting}
	now := time.Now().UTC()
	id, err := store.Create(t.Context(), &export.Export{Format: export.CSV, Filters: json.RawMessage(`{}`), CreatedAt: now,
		Query: logs.Query{Start: now.Add(-time.Hour), End: now}})
	if err != nil {
		t.Fatal(err)
	}
	w.Texts(`update guarda.log_exports set id = '` + order.ExportID + `' where id = '` + id + `' returning id::text`)
	for range 2 {
		if _, err := worker.Do(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	}
	e, err := store.Get(t.Context(), order.ExportID)
	if err != nil || e.Status != export.Completed || e.Attempt != 1 || e.Path == "" {
		t.Errorf("%+v %v", e, err)
	}
	var objects int
	for _, err := range files.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		objects++
	}
	if objects != 1 {
		t.Errorf("%d files", objects)
	}
}
