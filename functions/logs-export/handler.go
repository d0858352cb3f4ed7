package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"guarda/shared/auth"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/logs/export"
	"guarda/shared/postgres/exportstore"
)

const (
	linkTTL = time.Hour
	// Up to so many entries a file is made within the request, if that takes no
	// longer than its patience; the worker makes it otherwise.
	smallRows = 20_000
	patience  = 12 * time.Second

	exportKind = "log_exports"
)

// Deps are what the handler works with.
type Deps struct {
	Log     *slog.Logger
	Store   *exportstore.Store
	Runner  *export.Runner
	Answers httpapi.IdempotencyStore
	Clock   clock.Clock
	Zone    string                                     // IANA name of the times in a PDF whose request names none
	Invoke  func(ctx context.Context, id string) error // starts the worker
	// Patience is how long a request works at its file, and a sixth of it how
	// long it counts what goes in; 0 is 12 s.
	Patience time.Duration
}

type handler struct{ Deps }

// New makes the handler.
func New(d Deps) http.Handler {
	if d.Patience == 0 {
		d.Patience = patience
	}
	h := &handler{d}
	rt := httpapi.NewRouter(d.Log)
	rt.Handle("POST /api/logs/export", httpapi.Allow(auth.LogsRead, httpapi.Idempotent(d.Answers, d.Log, h.create)))
	rt.Handle("GET /api/logs/exports", httpapi.Allow(auth.LogsRead, h.list))
	rt.Handle("GET /api/logs/exports/{id}", httpapi.Allow(auth.LogsRead, h.get))
	rt.Handle("POST /api/logs/exports/{id}/cancel", httpapi.Allow(auth.LogsRead, h.cancel))
	return rt
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	e, err := h.read(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if e.ID, err = h.Store.Create(ctx, e); err != nil {
		return err
	}
	h.Log.InfoContext(ctx, "an export of log entries was asked for", "request_id", httpapi.RequestID(ctx), "export_id", e.ID, "format", string(e.Format), "user_id", e.UserID)
	done, err := h.now(ctx, e)
	if err != nil {
		return err
	}
	if !done {
		if err := h.Invoke(ctx, e.ID); err != nil {
			return errors.Join(err, h.Store.Fail(ctx, e, fault.Failure{Code: fault.CodeOf(err), Message: fault.Say("the export could not be started")}, h.Clock.Now()))
		}
	}
	if e, err = h.Store.Get(ctx, e.ID); err != nil {
		return err
	}
	v, err := h.view(r, e)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if e.Status == export.Pending || e.Status == export.Running {
		status = http.StatusAccepted
		w.Header().Set("Location", "/api/logs/exports/"+e.ID)
		w.Header().Set("Retry-After", "2")
	}
	if e.Failure != nil {
		return fault.New(fault.Unavailable, "the export failed: %s", e.Failure.Message).Hint("ask again, or for a shorter range; GET /api/logs/exports/%s keeps the reason", e.ID)
	}
	return httpapi.JSON(w, status, v)
}

// now makes a small export at once, and reports whether it is made.
func (h *handler) now(ctx context.Context, e *export.Export) (bool, error) {
	if e.Format != export.PDF {
		settings, err := h.Runner.Entries.LogSettings(ctx)
		if err != nil {
			return false, err
		}
		n, err := h.Runner.Entries.Count(ctx, &e.Query, settings.Words(), smallRows, h.Patience/6)
		if err != nil {
			return false, err
		}
		if n.AtLeast || n.N > smallRows {
			return false, nil
		}
	}
	limited, cancel := context.WithTimeout(ctx, h.Patience)
	defer cancel()
	err := h.Runner.Do(limited, e.ID, true)
	if errors.Is(err, export.ErrLater) {
		return false, nil
	}
	return err == nil, err
}

type view struct {
	Success      bool               `json:"success"`
	ExportID     string             `json:"export_id"`
	Status       export.Status      `json:"status"`
	Format       export.Format      `json:"format"`
	Filters      any                `json:"filters"`
	DownloadURL  *string            `json:"download_url"`
	ExpiresAt    *time.Time         `json:"expires_at"`
	FileExpires  *time.Time         `json:"file_expires_at"`
	FileName     string             `json:"file_name"`
	RowsDone     int64              `json:"rows_done"`
	RowsExpected *int64             `json:"rows_expected"`
	Rows         *int64             `json:"row_count"`
	Bytes        *int64             `json:"size_bytes"`
	Error        *fault.FailureView `json:"error"`
	CreatedAt    time.Time          `json:"created_at"`
	CompletedAt  *time.Time         `json:"completed_at"`
}

// view shows an export, with a fresh link where there is a file. An export
// whose function died is shown as one that waits: it is taken up again.
func (h *handler) view(r *http.Request, e *export.Export) (view, error) {
	v := view{Success: e.Status != export.Failed, ExportID: e.ID, Status: e.Status, Format: e.Format, Filters: e.Filters, FileExpires: e.ExpiresAt, FileName: e.FileName(),
		RowsDone: e.RowsDone, RowsExpected: e.RowsExpected, Rows: e.Rows, Bytes: e.Bytes, CreatedAt: e.CreatedAt, CompletedAt: e.CompletedAt}
	if e.Failure != nil {
		shown := e.Failure.In(httpapi.Language(r))
		v.Error = &shown
	}
	now := h.Clock.Now()
	if e.Dead(now) {
		v.Status = export.Pending
	}
	if e.Status != export.Completed || e.Path == "" || e.ExpiresAt != nil && now.After(*e.ExpiresAt) {
		return v, nil
	}
	files, err := h.Runner.Files(r.Context())
	if err != nil {
		return v, err
	}
	url, err := files.SignedURL(r.Context(), e.Path, blob.SignOptions{TTL: linkTTL, FileName: e.FileName()})
	if err != nil {
		return v, err
	}
	expires := now.Add(linkTTL)
	v.DownloadURL, v.ExpiresAt = &url, &expires
	return v, nil
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.Store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	v, err := h.view(r, e)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, v)
}

func (h *handler) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	e, err := h.Store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	if e.UserID != who.UserID { // somebody else's
		if err := auth.Require(r.Context(), auth.LogsManage); err != nil {
			return err
		}
	}
	if e, err = h.Store.Cancel(r.Context(), id, h.Clock.Now()); err != nil {
		return err
	}
	h.Log.InfoContext(r.Context(), "an export of log entries was canceled", "request_id", httpapi.RequestID(r.Context()), "export_id", id)
	v, err := h.view(r, e)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusAccepted, v)
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after *exportstore.Position
	var p exportstore.Position
	if q.Cursor(exportKind, &p) {
		after = &p
	}
	if err := q.Err(); err != nil {
		return err
	}
	list, err := h.Store.List(r.Context(), after, limit+1)
	if err != nil {
		return err
	}
	views := make([]view, len(list))
	for i := range list {
		if views[i], err = h.view(r, &list[i]); err != nil {
			return err
		}
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, exportKind, func(v view) exportstore.Position {
		return exportstore.Position{At: v.CreatedAt, ID: v.ExportID}
	}))
}
