package main

import (
	"context"
	"log/slog"
	"net/http"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres/backupstore"
	"guarda/shared/schedule"
)

const listKind = "schedules"

type store interface {
	Schedules(ctx context.Context, f backupstore.ScheduleFilter, after backupstore.SchedulePosition, limit int) ([]*schedule.Schedule, error)
	Schedule(ctx context.Context, id string) (*schedule.Schedule, error)
	CreateSchedule(ctx context.Context, s *schedule.Schedule) (string, error)
	UpdateSchedule(ctx context.Context, s *schedule.Schedule) error
	DeleteSchedule(ctx context.Context, id string) error
	LastOf(ctx context.Context, schedules []string) (map[string]*execution.Execution, error)
	Source(ctx context.Context, id string) (execution.Source, error)
	List(ctx context.Context, f execution.Filter, after execution.Position, limit int) ([]*execution.Execution, error)
	Peek(ctx context.Context, id string) (*execution.Execution, error)
}

type handler struct {
	store       store
	starter     *execution.Starter
	keys        httpapi.IdempotencyStore
	clock       clock.Clock
	defaultZone string
	log         *slog.Logger
}

func (h *handler) routes(rt *httpapi.Router) {
	rt.Handle("GET /api/backup/schedules", httpapi.Allow(auth.BackupRead, h.list))
	rt.Handle("POST /api/backup/schedules", httpapi.Allow(auth.SchedulesWrite, httpapi.Idempotent(h.keys, h.log, h.create)))
	rt.Handle("GET /api/backup/schedules/{id}", httpapi.Allow(auth.BackupRead, h.get))
	rt.Handle("PUT /api/backup/schedules/{id}", httpapi.Allow(auth.SchedulesWrite, h.update))
	rt.Handle("DELETE /api/backup/schedules/{id}", httpapi.Allow(auth.SchedulesWrite, h.remove))
	rt.Handle("POST /api/backup/schedules/{id}/run", httpapi.Allow(auth.BackupRun, httpapi.Idempotent(h.keys, h.log, h.run)))
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after backupstore.SchedulePosition
	q.Cursor(listKind, &after)
	filter := backupstore.ScheduleFilter{Active: q.Bool("active"), SourceID: q.UUID("source_id")}
	if err := q.Err(); err != nil {
		return err
	}
	list, err := h.store.Schedules(r.Context(), filter, after, limit+1)
	if err != nil {
		return err
	}
	views, err := h.views(r.Context(), list)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, listKind, func(v view) backupstore.SchedulePosition {
		return backupstore.SchedulePosition{Name: v.Name, ID: v.ID}
	}))
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	return h.show(w, r, http.StatusOK, id)
}

func (h *handler) show(w http.ResponseWriter, r *http.Request, status int, id string) error {
	s, err := h.store.Schedule(r.Context(), id)
	if err != nil {
		return err
	}
	views, err := h.views(r.Context(), []*schedule.Schedule{s})
	if err != nil {
		return err
	}
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, status, views[0])
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	s, err := h.input(r)
	if err != nil {
		return err
	}
	id, err := h.store.CreateSchedule(r.Context(), s)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "a schedule was made", "request_id", httpapi.RequestID(r.Context()), "schedule_id", id, "cron", s.Cron)
	return h.show(w, r, http.StatusCreated, id)
}

func (h *handler) update(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	version, err := httpapi.IfMatch(r)
	if err != nil {
		return err
	}
	s, err := h.input(r)
	if err != nil {
		return err
	}
	s.ID, s.Version = id, version
	if err := h.store.UpdateSchedule(r.Context(), s); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "a schedule was changed", "request_id", httpapi.RequestID(r.Context()), "schedule_id", id, "cron", s.Cron, "active", s.Active)
	return h.show(w, r, http.StatusOK, id)
}

func (h *handler) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	if err := h.store.DeleteSchedule(r.Context(), id); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "a schedule was removed", "request_id", httpapi.RequestID(r.Context()), "schedule_id", id)
	return httpapi.NoContent(w)
}

// run starts a run of the schedule now. An inactive schedule can be run too.
func (h *handler) run(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	s, err := h.store.Schedule(r.Context(), id)
	if err != nil {
		return err
	}
	underway, err := h.store.List(r.Context(), execution.Filter{ScheduleID: id, Statuses: []string{"pending", "running"}}, execution.Position{}, 1)
	if err != nil {
		return err
	}
	if len(underway) > 0 {
		return httpapi.WithBackupID(fault.New(fault.Conflict, "a run of this schedule is under way").
			Hint("wait until it ends, or cancel it"), underway[0].ID)
	}
	req := execution.Request{ScheduleID: id, Type: s.BackupType, Tables: s.Configuration.Tables, Exclude: s.Configuration.Exclude,
		Compression: s.Configuration.CompressionName(), Encryption: s.Configuration.Encrypted(), Timestamps: s.Configuration.Incremental.Timestamps(), Key: httpapi.RequestKey(r.Context())}
	if s.SourceID != nil {
		req.SourceID = *s.SourceID
	}
	run, err := h.starter.Start(r.Context(), req)
	if err != nil {
		if run != "" {
			err = httpapi.WithBackupID(err, run)
		}
		return err
	}
	h.log.InfoContext(r.Context(), "a schedule was run by hand", "request_id", httpapi.RequestID(r.Context()), "schedule_id", id, "execution_id", run)
	e, err := h.store.Peek(r.Context(), run)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusAccepted, e.In(httpapi.Language(r)))
}
