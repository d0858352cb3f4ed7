package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"guarda/functions/internal/logquery"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

// What a request may take before it answers with what it has; API Gateway
// gives up after 29 s.
const (
	searchBudget = 8 * time.Second
	countBudget  = 2 * time.Second
	exactBudget  = 20 * time.Second
	tallyBudget  = 8 * time.Second
)

// countedTo is where counting hits stops, unless the caller wants all.
const countedTo = 10_000

const cursorKind = "logs"

// Deps are what the handler works with.
type Deps struct {
	Log     *slog.Logger
	Store   *logstore.Store
	Answers httpapi.IdempotencyStore
	Clock   clock.Clock
}

type handler struct {
	Deps
	mu     sync.Mutex
	words  logs.TextSearch
	readAt time.Time
}

// New makes the handler.
func New(d Deps) http.Handler {
	h := &handler{Deps: d}
	rt := httpapi.NewRouter(d.Log)
	rt.Handle("GET /api/logs/search", httpapi.Allow(auth.LogsRead, h.search))
	rt.Handle("GET /api/logs/histogram", httpapi.Allow(auth.LogsRead, h.histogram))
	rt.Handle("GET /api/logs/facets", httpapi.Allow(auth.LogsRead, h.facets))
	rt.Handle("GET /api/logs/saved", httpapi.Allow(auth.LogsRead, h.savedList))
	rt.Handle("POST /api/logs/saved", httpapi.Allow(auth.LogsRead, httpapi.Idempotent(d.Answers, d.Log, h.save)))
	rt.Handle("PUT /api/logs/saved/{id}", httpapi.Allow(auth.LogsRead, h.saveAgain))
	rt.Handle("DELETE /api/logs/saved/{id}", httpapi.Allow(auth.LogsRead, h.forget))
	rt.Handle("GET /api/logs/{id}", httpapi.Allow(auth.LogsRead, h.get))
	rt.Handle("GET /api/logs/{id}/context", httpapi.Allow(auth.LogsRead, h.context))
	return rt
}

// textSearch returns the active text search, read again after a while.
func (h *handler) textSearch(ctx context.Context) (logs.TextSearch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.Clock.Now(); h.readAt.IsZero() || now.Sub(h.readAt) > 15*time.Second {
		s, err := h.Store.LogSettings(ctx)
		if err != nil {
			return logs.TextSearch{}, err
		}
		h.words, h.readAt = s.Words(), now
	}
	return h.words, nil
}

// position is what a cursor holds: the last entry, and the total of the first
// page, which is not counted again.
type position struct {
	At      int64     `json:"t"` // microseconds since 1970
	ID      uuid.UUID `json:"i"`
	Total   int64     `json:"n"`
	AtLeast bool      `json:"m"`
}

type searchAnswer struct {
	Logs           []logquery.View `json:"logs"`
	TotalCount     int64           `json:"total_count"`
	Relation       string          `json:"total_count_relation"`
	HasMore        bool            `json:"has_more"`
	NextCursor     *string         `json:"next_cursor"`
	SearchedBackTo *time.Time      `json:"searched_back_to"`
}

func (h *handler) search(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	query := logquery.Read(q, true)
	limit := q.Limit(50)
	query.OldestTop = q.OneOf("order", "desc", "asc") == "asc"
	trackTotal := q.Bool("track_total")
	var from position
	later := q.Cursor(cursorKind, &from)
	if err := q.Err(); err != nil {
		return err
	}
	words, err := h.textSearch(r.Context())
	if err != nil {
		return err
	}
	options := logstore.SearchOptions{Limit: limit, Words: words, Budget: searchBudget}
	total := logs.Total{N: from.Total, AtLeast: from.AtLeast}
	if later {
		options.After = &logs.Position{At: time.UnixMicro(from.At).UTC(), ID: from.ID}
	}
	var found *logs.Found
	both, ctx := errgroup.WithContext(r.Context())
	both.Go(func() (err error) {
		found, err = h.Store.Search(ctx, query, options)
		return err
	})
	if !later {
		both.Go(func() (err error) {
			most, budget := int64(countedTo), countBudget
			if trackTotal != nil && *trackTotal {
				most, budget = 0, exactBudget
			}
			total, err = h.Store.Count(ctx, query, words, most, budget)
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, answer(found, total))
}

func answer(found *logs.Found, total logs.Total) searchAnswer {
	a := searchAnswer{Logs: logquery.Views(found.Hits), TotalCount: total.N, Relation: "eq", HasMore: found.More}
	if total.AtLeast {
		a.Relation = "gte"
	}
	if found.Next != nil {
		cursor := httpapi.EncodeCursor(cursorKind, position{found.Next.At.UnixMicro(), found.Next.ID, total.N, total.AtLeast})
		a.NextCursor = &cursor
	}
	if !found.BackTo.IsZero() {
		a.SearchedBackTo = &found.BackTo
	}
	return a
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	hit, err := h.Store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, logquery.ViewOf(hit))
}

type contextAnswer struct {
	Log    logquery.View   `json:"log"`
	Before []logquery.View `json:"before"`
	After  []logquery.View `json:"after"`
}

func (h *handler) context(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	before, after := q.Int("before", 20, 0, 200), q.Int("after", 20, 0, 200)
	scope := q.OneOf("scope", "source", "session", "all")
	if err := q.Err(); err != nil {
		return err
	}
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	hit, err := h.Store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	var near logs.Query
	switch scope {
	case "session":
		near.SessionID = hit.SessionID
		if near.SessionID == "" { // it has none: it is alone in it
			before, after = 0, 0
		}
	case "all":
	default:
		near.Sources = []string{hit.Source}
	}
	older, newer, err := h.Store.Context(r.Context(), hit, near, before, after, searchBudget)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, contextAnswer{logquery.ViewOf(hit), logquery.Views(older), logquery.Views(newer)})
}

// document is a JSON value that is passed on as it is.
type document = json.RawMessage
