package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"guarda/shared/execution"
	"guarda/shared/httpapi"
	"guarda/shared/postgres/backupstore"
)

// recentRuns is how many runs of a source the summary shows.
const recentRuns = 30

type summaryStore interface {
	SourceViews(ctx context.Context) ([]backupstore.SourceView, error)
	Recent(ctx context.Context, n int) (map[string][]*execution.Execution, error)
	LastSuccesses(ctx context.Context) (map[string]*execution.Execution, error)
	NextRuns(ctx context.Context) (map[string]time.Time, error)
	Totals(ctx context.Context) (backupstore.Totals, error)
	LastRestoreTest(ctx context.Context) (*time.Time, error)
}

type summary struct {
	LastSuccess     *time.Time      `json:"last_success"`
	NextRun         *time.Time      `json:"next_run"`
	StorageBytes    int64           `json:"storage_bytes"`
	Backups         int             `json:"backups"`
	LastRestoreTest *time.Time      `json:"last_restore_test"`
	Sources         []sourceSummary `json:"sources"`
}

type sourceSummary struct {
	Source       backupstore.SourceView `json:"source"`
	LastSuccess  *execution.BriefView   `json:"last_success"`
	Running      *execution.View        `json:"running"`
	NextRun      *time.Time             `json:"next_run"`
	StorageBytes int64                  `json:"storage_bytes"`
	Recent       []execution.BriefView  `json:"recent"` // newest last
}

// summary answers with a bounded number of queries, however many sources and
// runs there are.
func (h *handler) summary(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := httpapi.NewQuery(r).Err(); err != nil {
		return err
	}
	sources, err := h.store.SourceViews(ctx)
	if err != nil {
		return err
	}
	recent, err := h.store.Recent(ctx, recentRuns)
	if err != nil {
		return err
	}
	good, err := h.store.LastSuccesses(ctx)
	if err != nil {
		return err
	}
	next, err := h.store.NextRuns(ctx)
	if err != nil {
		return err
	}
	totals, err := h.store.Totals(ctx)
	if err != nil {
		return err
	}
	s := summary{StorageBytes: totals.Bytes, Backups: totals.Backups, Sources: []sourceSummary{}}
	if s.LastRestoreTest, err = h.store.LastRestoreTest(ctx); err != nil {
		return err
	}
	protected := len(sources) > 0
	for _, source := range sources {
		one := sourceSummary{Source: source, StorageBytes: totals.BySource[source.ID], Recent: []execution.BriefView{}}
		for _, e := range slices.Backward(recent[source.ID]) {
			one.Recent = append(one.Recent, e.Brief())
			if !e.Status.Ended() {
				v := e.In(httpapi.Language(r))
				one.Running = &v
			}
		}
		if at, ok := next[source.ID]; ok {
			one.NextRun = &at
			s.NextRun = earlier(s.NextRun, at)
		}
		if e := good[source.ID]; e != nil {
			brief := e.Brief()
			one.LastSuccess = &brief
			s.LastSuccess = earlier(s.LastSuccess, e.StartedAt.UTC())
		} else {
			protected = false
		}
		s.Sources = append(s.Sources, one)
	}
	if !protected { // a source without any copy: nothing can be said of all
		s.LastSuccess = nil
	}
	return httpapi.JSON(w, http.StatusOK, s)
}

func earlier(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.Before(*a) {
		return &b
	}
	return a
}
