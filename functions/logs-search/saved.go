package main

import (
	"net/http"
	"time"

	"guarda/shared/auth"
	"guarda/shared/httpapi"
	"guarda/shared/postgres/logstore"
)

const savedKind = "saved_searches"

type savedInput struct {
	Name   string   `json:"name"`
	Query  document `json:"query"`
	Shared *bool    `json:"shared"`
}

type savedView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Query     document  `json:"query"`
	Shared    bool      `json:"shared"`
	Own       bool      `json:"own"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func savedViewOf(s logstore.SavedSearch) savedView {
	return savedView{s.ID, s.Name, document(s.Query), s.Shared, s.Own, s.CreatedAt, s.UpdatedAt}
}

func readSaved(r *http.Request) (s logstore.SavedSearch, err error) {
	in, err := httpapi.Decode[savedInput](r)
	if err != nil {
		return s, err
	}
	var c httpapi.Check
	c.Text("name", in.Name, 200)
	switch {
	case len(in.Query) == 0:
		c.Field("query", "required", "is required")
	case in.Query[0] != '{':
		c.Field("query", "type", "must be an object")
	case len(in.Query) > 10_000:
		c.Field("query", "too_long", "has more than %d bytes", 10_000)
	}
	return logstore.SavedSearch{Name: in.Name, Query: string(in.Query), Shared: in.Shared != nil && *in.Shared}, c.Err()
}

func (h *handler) savedList(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after logstore.SavedPosition
	q.Cursor(savedKind, &after)
	if err := q.Err(); err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	list, err := h.Store.SavedSearches(r.Context(), who.UserID, after, limit+1)
	if err != nil {
		return err
	}
	views := make([]savedView, len(list))
	for i, s := range list {
		views[i] = savedViewOf(s)
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, savedKind, func(v savedView) logstore.SavedPosition {
		return logstore.SavedPosition{Name: v.Name, ID: v.ID}
	}))
}

func (h *handler) save(w http.ResponseWriter, r *http.Request) error {
	in, err := readSaved(r)
	if err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	s, err := h.Store.SaveSearch(r.Context(), who.UserID, in)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/logs/saved/"+s.ID)
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, http.StatusCreated, savedViewOf(*s))
}

func (h *handler) saveAgain(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	version, err := httpapi.IfMatch(r)
	if err != nil {
		return err
	}
	in, err := readSaved(r)
	if err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	in.ID = id
	s, err := h.Store.UpdateSearch(r.Context(), who.UserID, version, in)
	if err != nil {
		return err
	}
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, http.StatusOK, savedViewOf(*s))
}

func (h *handler) forget(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	if err := h.Store.ForgetSearch(r.Context(), who.UserID, id); err != nil {
		return err
	}
	return httpapi.NoContent(w)
}
