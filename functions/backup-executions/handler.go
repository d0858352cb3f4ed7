package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"time"

	"guarda/shared/auth"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres/backupstore"
)

const (
	listKind = "executions"
	fileKind = "files"
	linkTTL  = time.Hour
)

type store interface {
	summaryStore
	List(ctx context.Context, f execution.Filter, after execution.Position, limit int) ([]*execution.Execution, error)
	Get(ctx context.Context, id string) (*execution.Execution, error)
	Peek(ctx context.Context, id string) (*execution.Execution, error)
	Cancel(ctx context.Context, id string) (*execution.Execution, error)
	Files(ctx context.Context, id, after string, limit int) ([]execution.File, error)
	Ledger(ctx context.Context, id string) (json.RawMessage, error)
}

var _ store = (*backupstore.Store)(nil)

type handler struct {
	store store
	blobs func(ctx context.Context) (blob.Store, error) // opened by the first download
	clock clock.Clock
	log   *slog.Logger
}

func (h *handler) routes(rt *httpapi.Router) {
	rt.Handle("GET /api/backup/summary", httpapi.Allow(auth.BackupRead, h.summary))
	rt.Handle("GET /api/backup/executions", httpapi.Allow(auth.BackupRead, h.list))
	rt.Handle("GET /api/backup/executions/{id}", httpapi.Allow(auth.BackupRead, h.get))
	rt.Handle("POST /api/backup/executions/{id}/cancel", httpapi.Allow(auth.BackupCancel, h.cancel))
	rt.Handle("GET /api/backup/executions/{id}/ledger", httpapi.Allow(auth.BackupRead, h.ledger))
	rt.Handle("GET /api/backup/executions/{id}/download", httpapi.Allow(auth.BackupDownload, h.download))
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after execution.Position
	if q.Cursor(listKind, &after) && !httpapi.IsUUID(after.ID) {
		q.Field("cursor", "invalid", "must be the next_cursor of the page before")
	}
	filter := execution.Filter{
		Statuses: q.Each("status", "pending", "running", "completed", "failed"), Types: q.Each("type", "full", "incremental", "differential"),
		SourceID: q.UUID("source_id"), ScheduleID: q.UUID("schedule_id"), StartedAfter: q.Time("started_after"), StartedBefore: q.Time("started_before"),
	}
	if err := q.Err(); err != nil {
		return err
	}
	list, err := h.store.List(r.Context(), filter, after, limit+1)
	if err != nil {
		return err
	}
	views := make([]execution.View, len(list))
	for i, e := range list {
		views[i] = e.In(httpapi.Language(r))
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, listKind, func(v execution.View) execution.Position {
		return execution.Position{StartedAt: v.StartedAt, ID: v.ID}
	}))
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Get(r.Context(), id)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, e.DetailIn(httpapi.Language(r)))
}

func (h *handler) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Cancel(r.Context(), id)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "a run was told to stop", "request_id", httpapi.RequestID(r.Context()), "execution_id", id)
	return httpapi.JSON(w, http.StatusAccepted, e.In(httpapi.Language(r)))
}

type file struct {
	Path      string  `json:"path"`
	SizeBytes int64   `json:"size_bytes"`
	Checksum  *string `json:"checksum"`
	URL       string  `json:"url"`
}

type download struct {
	httpapi.Page[file]
	ExpiresAt time.Time `json:"expires_at"`
}

type filePosition struct {
	Path string `json:"p"`
}

func (h *handler) download(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after filePosition
	q.Cursor(fileKind, &after)
	if err := q.Err(); err != nil {
		return err
	}
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Peek(r.Context(), id)
	if err != nil {
		return err
	}
	if e.Status != execution.Completed {
		return fault.New(fault.Conflict, "only a completed backup can be downloaded; this run is %s", string(e.Status)).
			Hint("choose a run whose status is completed")
	}
	files, err := h.store.Files(r.Context(), id, after.Path, limit+1)
	if err != nil {
		return err
	}
	expires := h.clock.Now().Add(linkTTL)
	items, err := h.sign(r.Context(), files)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "links to a backup were given out", "request_id", httpapi.RequestID(r.Context()), "execution_id", id, "files", min(len(items), limit))
	page := httpapi.NewPage(items, limit, fileKind, func(f file) filePosition { return filePosition{f.Path} })
	return httpapi.JSON(w, http.StatusOK, download{page, expires})
}

func (h *handler) sign(ctx context.Context, files []execution.File) ([]file, error) {
	if len(files) == 0 {
		return nil, nil
	}
	blobs, err := h.blobs(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]file, len(files))
	for i, f := range files {
		url, err := blobs.SignedURL(ctx, f.Path, blob.SignOptions{TTL: linkTTL, FileName: path.Base(f.Path)})
		if err != nil {
			return nil, err
		}
		items[i] = file{f.Path, f.SizeBytes, f.Checksum, url}
	}
	return items, nil
}
