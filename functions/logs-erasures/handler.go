package main

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

const (
	erasureKind = "log_erasures"
	maxReason   = 500
)

type handler struct {
	log   *slog.Logger
	store *logstore.Store
}

// New makes the handler.
func New(log *slog.Logger, store *logstore.Store, answers httpapi.IdempotencyStore) http.Handler {
	h := &handler{log, store}
	rt := httpapi.NewRouter(log)
	rt.Handle("POST /api/logs/erasures", httpapi.Allow(auth.LogsManage, httpapi.Idempotent(answers, log, h.create)))
	rt.Handle("GET /api/logs/erasures", httpapi.Allow(auth.LogsManage, h.list))
	rt.Handle("GET /api/logs/erasures/{id}", httpapi.Allow(auth.LogsManage, h.get))
	return rt
}

type request struct {
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
	Reason    string `json:"reason"`
}

type view struct {
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Stage       string     `json:"stage"`
	UserID      *string    `json:"user_id"`
	SessionID   *string    `json:"session_id"`
	Reason      string     `json:"reason"`
	RequestedBy string     `json:"requested_by"`
	RequestedAt time.Time  `json:"requested_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Deleted     deleted    `json:"deleted"`
	Segments    segments   `json:"segments"`
	LastError   *string    `json:"last_error"`

	seq int64
}

type deleted struct {
	Total   int64 `json:"total"`
	Hot     int64 `json:"hot"`
	Cold    int64 `json:"cold"`
	Spooled int64 `json:"spooled"`
}

type segments struct {
	Total     int `json:"total"`
	Done      int `json:"done"`
	Rewritten int `json:"rewritten"`
}

func viewOf(e *logs.Erasure, l fault.Language) view {
	v := view{ID: e.ID, State: e.State, Stage: e.Stage, Reason: e.Reason, RequestedBy: e.By, RequestedAt: e.RequestedAt, CompletedAt: e.CompletedAt, seq: e.Seq,
		Deleted: deleted{e.HotRows + e.ColdRows + e.SpooledRows, e.HotRows, e.ColdRows, e.SpooledRows}, Segments: segments{e.SegmentsTotal, e.SegmentsDone, e.SegmentsRewritten}}
	if e.Subject.User.Valid {
		id := e.Subject.User.UUID.String()
		v.UserID = &id
	}
	if e.Subject.Session != "" {
		v.SessionID = &e.Subject.Session
	}
	if e.LastError != nil {
		message := e.LastError.Message.In(l)
		v.LastError = &message
	}
	return v
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	in, err := httpapi.Decode[request](r)
	if err != nil {
		return err
	}
	var c httpapi.Check
	e := &logs.Erasure{Reason: strings.TrimSpace(in.Reason)}
	if in.UserID == "" && in.SessionID == "" {
		c.Field("user_id", "required", "is required, or session_id")
	}
	if in.UserID != "" {
		c.UUID("user_id", in.UserID)
		e.Subject.User.UUID, err = uuid.Parse(in.UserID)
		e.Subject.User.Valid = err == nil
	}
	if e.Subject.Session = in.SessionID; in.SessionID != "" {
		c.Text("session_id", in.SessionID, logs.MaxSession)
	}
	if utf8.RuneCountInString(e.Reason) > maxReason {
		c.Field("reason", "too_long", "must have at most %d characters", maxReason)
	}
	if err := c.Err(); err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	e.ByID, e.By = who.UserID, cmp.Or(who.Email, who.Name)
	if e, err = h.store.CreateErasure(r.Context(), e); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "the erasure of a person's log entries was asked for", "request_id", httpapi.RequestID(r.Context()), "erasure_id", e.ID, "user_id", who.UserID)
	w.Header().Set("Location", "/api/logs/erasures/"+e.ID)
	return httpapi.JSON(w, http.StatusAccepted, viewOf(e, httpapi.Language(r)))
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Erasure(r.Context(), id)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, viewOf(e, httpapi.Language(r)))
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	user, session := q.UUID("user_id"), q.Text("session_id", logs.MaxSession)
	var before int64
	q.Cursor(erasureKind, &before)
	if err := q.Err(); err != nil {
		return err
	}
	var subject *logs.Subject
	if user != "" || session != "" {
		subject = &logs.Subject{Session: session}
		if id, err := uuid.Parse(user); err == nil {
			subject.User = uuid.NullUUID{UUID: id, Valid: true}
		}
	}
	found, err := h.store.Erasures(r.Context(), subject, before, limit+1)
	if err != nil {
		return err
	}
	views := make([]view, len(found))
	for i := range found {
		views[i] = viewOf(&found[i], httpapi.Language(r))
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, erasureKind, func(v view) int64 { return v.seq }))
}
