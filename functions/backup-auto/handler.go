package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/httpapi"
	"guarda/shared/schedule"
)

type store interface {
	CreateSchedule(ctx context.Context, s *schedule.Schedule) (string, error)
	Source(ctx context.Context, id string) (execution.Source, error)
}

type handler struct {
	store       store
	keys        httpapi.IdempotencyStore
	clock       clock.Clock
	defaultZone string
	log         *slog.Logger
}

func (h *handler) routes(rt *httpapi.Router) {
	rt.Handle("POST /api/backup/auto", httpapi.Allow(auth.SchedulesWrite, httpapi.Idempotent(h.keys, h.log, h.create)))
}

type request struct {
	Schedule    string                `json:"schedule"`
	Type        string                `json:"type"`
	Compression *bool                 `json:"compression"`
	CloudUpload *bool                 `json:"cloud_upload"`
	Name        *string               `json:"name"`
	SourceID    string                `json:"source_id"`
	Timezone    string                `json:"timezone"`
	Tables      []string              `json:"tables"`
	Exclude     []string              `json:"exclude"`
	Retention   *schedule.Retention   `json:"retention"`
	Encryption  *bool                 `json:"encryption"`
	Incremental *schedule.Incremental `json:"incremental"`
}

type response struct {
	Success    bool      `json:"success"`
	ScheduleID string    `json:"schedule_id"`
	NextRun    time.Time `json:"next_run"`
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	req, err := httpapi.Decode[request](r)
	if err != nil {
		return err
	}
	s, err := h.schedule(req)
	if err != nil {
		return err
	}
	if req.SourceID != "" {
		if _, err := h.store.Source(r.Context(), req.SourceID); err != nil {
			return err
		}
	}
	id, err := h.store.CreateSchedule(r.Context(), s)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "a schedule was made", "request_id", httpapi.RequestID(r.Context()), "schedule_id", id, "cron", s.Cron)
	return httpapi.JSON(w, http.StatusCreated, response{true, id, *s.NextRun})
}

// schedule checks a request and makes the schedule it asks for.
func (h *handler) schedule(req request) (*schedule.Schedule, error) {
	var c httpapi.Check
	c.Text("schedule", req.Schedule, schedule.MaxExpression)
	c.OneOf("type", req.Type, "full", "incremental", "differential")
	c.Texts("tables", req.Tables, 1000, 200)
	c.Texts("exclude", req.Exclude, 1000, 200)
	name := fmt.Sprintf("%s %s", req.Type, req.Schedule)
	if req.Name != nil {
		name = *req.Name
		c.Text("name", name, 255)
	}
	s := &schedule.Schedule{Name: name, Cron: req.Schedule, BackupType: req.Type, Active: true, Configuration: schedule.Configuration{
		Compression: or(req.Compression, true), CloudUpload: or(req.CloudUpload, false), Timezone: req.Timezone, Tables: req.Tables, Exclude: req.Exclude,
		Retention: req.Retention, Encryption: or(req.Encryption, true), Incremental: req.Incremental,
	}}
	if req.SourceID != "" {
		c.UUID("source_id", req.SourceID)
		s.SourceID = &req.SourceID
	}
	for _, f := range s.Configuration.Check("") {
		c.Field(f.Name, f.Code, f.Message.Format, f.Message.Args...)
	}
	zone := req.Timezone
	if zone == "" {
		zone = h.defaultZone
	}
	if _, err := schedule.Zone(zone); err != nil {
		if err := c.Add("timezone", err); err != nil {
			return nil, err
		}
	} else if req.Schedule != "" {
		if err := s.Plan(h.defaultZone, h.clock.Now()); err != nil {
			return nil, schedule.AtField(err, "schedule", c.Err())
		}
	}
	return s, c.Err()
}

func or(b *bool, otherwise bool) *bool {
	if b == nil {
		return &otherwise
	}
	return b
}
