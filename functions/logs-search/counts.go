package main

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logquery"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

// defaultRange is what histogram and facets cover without start_date.
const defaultRange = 24 * time.Hour

// intervals are the widths that a histogram's buckets may have, in seconds.
var intervals = [...]int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400, 3650 * 86400, 36500 * 86400}

// intervalOf returns the narrowest width that makes at most n buckets or so.
func intervalOf(length time.Duration, n int) int {
	for _, i := range intervals {
		if time.Duration(i)*time.Second*time.Duration(n) >= length {
			return i
		}
	}
	return intervals[len(intervals)-1]
}

// counted reads the query of a request that counts, with a range that has both
// ends.
func (h *handler) counted(q *httpapi.Query) *logs.Query {
	query := logquery.Read(q, true)
	if query.End.IsZero() {
		query.End = h.Clock.Now().Add(time.Microsecond)
	}
	if query.Start.IsZero() {
		query.Start = query.End.Add(-defaultRange)
	}
	if query.Start.After(query.End) {
		query.Start = query.End
	}
	return query
}

type histogramAnswer struct {
	Start           time.Time         `json:"start"`
	End             time.Time         `json:"end"`
	IntervalSeconds int               `json:"interval_seconds"`
	Exact           bool              `json:"exact"`
	CountedBackTo   *time.Time        `json:"counted_back_to"`
	Total           int64             `json:"total"`
	Buckets         []histogramBucket `json:"buckets"`
}

type histogramBucket struct {
	Start  time.Time            `json:"start"`
	Total  int64                `json:"total"`
	Levels map[logs.Level]int64 `json:"levels"`
}

func (h *handler) histogram(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	query := h.counted(q)
	n := q.Int("buckets", 60, 1, 500)
	if err := q.Err(); err != nil {
		return err
	}
	words, err := h.textSearch(r.Context())
	if err != nil {
		return err
	}
	a := histogramAnswer{Start: query.Start, End: query.End, IntervalSeconds: intervalOf(query.End.Sub(query.Start), n), Buckets: []histogramBucket{}}
	list, backTo, err := h.Store.Tallies(r.Context(), query, words, a.IntervalSeconds, tallyBudget)
	if err != nil {
		return err
	}
	if a.Exact = backTo.IsZero(); !a.Exact {
		a.CountedBackTo = &backTo
	}
	width := int64(a.IntervalSeconds)
	first := query.Start.Unix() / width * width
	for at := first; at < query.End.Unix() || at == first; at += width {
		a.Buckets = append(a.Buckets, histogramBucket{Start: time.Unix(at, 0).UTC(), Levels: map[logs.Level]int64{}})
	}
	for _, t := range list {
		if i := (t.Bucket.Unix() - first) / width; i >= 0 && i <= int64(len(a.Buckets)) {
			if i == int64(len(a.Buckets)) { // the end lies within a second that just began
				a.Buckets = append(a.Buckets, histogramBucket{Start: t.Bucket, Levels: map[logs.Level]int64{}})
			}
			a.Buckets[i].Total += t.N
			a.Buckets[i].Levels[t.Level] += t.N
			a.Total += t.N
		}
	}
	return httpapi.JSON(w, http.StatusOK, a)
}

type facetsAnswer struct {
	Start         time.Time  `json:"start"`
	End           time.Time  `json:"end"`
	Exact         bool       `json:"exact"`
	CountedBackTo *time.Time `json:"counted_back_to"`
	Total         int64      `json:"total"`
	Levels        []facet    `json:"levels"`
	Sources       []facet    `json:"sources"`
	Patterns      []facet    `json:"patterns"`
}

type facet struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
	Count int64  `json:"count"`
}

func (h *handler) facets(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	query := h.counted(q)
	limit := q.Limit(50)
	if err := q.Err(); err != nil {
		return err
	}
	words, err := h.textSearch(r.Context())
	if err != nil {
		return err
	}
	list, backTo, err := h.Store.Tallies(r.Context(), query, words, 0, tallyBudget)
	if err != nil {
		return err
	}
	levels, sources, patterns := map[string]int64{}, map[string]int64{}, map[string]int64{}
	a := facetsAnswer{Start: query.Start, End: query.End, Exact: backTo.IsZero()}
	if !a.Exact {
		a.CountedBackTo = &backTo
	}
	known, err := h.patterns(r.Context(), list)
	if err != nil {
		return err
	}
	labels := map[string]string{}
	for _, t := range list {
		levels[string(t.Level)] += t.N
		sources[t.Source] += t.N
		pattern := ""
		if t.Pattern != uuid.Nil {
			p, ok := known[t.Pattern]
			if !ok {
				p.ID = t.Pattern
			}
			pattern = p.ID.String()
			labels[pattern] = p.Template
		}
		patterns[pattern] += t.N
		a.Total += t.N
	}
	a.Levels, a.Sources, a.Patterns = top(levels, limit), top(sources, limit), top(patterns, limit)
	for i := range a.Patterns {
		a.Patterns[i].Label = labels[a.Patterns[i].Value]
	}
	return httpapi.JSON(w, http.StatusOK, a)
}

// patterns looks up what the patterns of tallies are.
func (h *handler) patterns(ctx context.Context, list []logstore.Tally) (map[uuid.UUID]logstore.Pattern, error) {
	ids := map[uuid.UUID]bool{}
	for _, t := range list {
		if t.Pattern != uuid.Nil {
			ids[t.Pattern] = true
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return h.Store.PatternsOf(ctx, slices.Collect(maps.Keys(ids)))
}

// top returns the values with the most entries, the same ones every time.
func top(counts map[string]int64, n int) []facet {
	out := make([]facet, 0, len(counts))
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if counts[v] != 0 {
			out = append(out, facet{Value: v, Count: counts[v]})
		}
	}
	slices.SortStableFunc(out, func(a, b facet) int { return cmp.Compare(b.Count, a.Count) })
	return out[:min(n, len(out))]
}
