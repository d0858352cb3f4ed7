package main

import (
	"context"
	"net/http"
	"time"

	"guarda/shared/execution"
	"guarda/shared/httpapi"
	"guarda/shared/schedule"
)

// nextRuns is how many runs a schedule shows.
const nextRuns = 5

// view is a schedule as the API shows it.
type view struct {
	ID            string                 `json:"id"`
	Name          string                 `json:"name"`
	Cron          string                 `json:"cron_expression"`
	BackupType    string                 `json:"backup_type"`
	SourceID      *string                `json:"source_id"`
	SourceName    *string                `json:"source_name"`
	Configuration schedule.Configuration `json:"configuration"`
	Active        bool                   `json:"active"`
	NextRun       *time.Time             `json:"next_run"`
	NextRuns      []time.Time            `json:"next_runs"`
	LastExecution *execution.BriefView   `json:"last_execution"`
	CreatedAt     time.Time              `json:"created_at"`
	UpdatedAt     time.Time              `json:"updated_at"`
}

func (h *handler) views(ctx context.Context, list []*schedule.Schedule) ([]view, error) {
	ids := make([]string, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	last, err := h.store.LastOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	views := make([]view, len(list))
	for i, s := range list {
		v := view{ID: s.ID, Name: s.Name, Cron: s.Cron, BackupType: s.BackupType, SourceID: s.SourceID, SourceName: s.SourceName,
			Configuration: s.Configuration, Active: s.Active, NextRuns: []time.Time{}, CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC()}
		// A schedule that was written past the API may not be readable; it is
		// shown all the same, without runs, so that it can be mended.
		if cron, err := s.CronIn(h.defaultZone); err == nil && s.Active {
			v.NextRuns = cron.NextN(h.clock.Now(), nextRuns)
		}
		if len(v.NextRuns) > 0 {
			v.NextRun = &v.NextRuns[0]
		}
		if e := last[s.ID]; e != nil {
			brief := e.Brief()
			v.LastExecution = &brief
		}
		views[i] = v
	}
	return views, nil
}

type request struct {
	Name          string                 `json:"name"`
	Cron          string                 `json:"cron_expression"`
	BackupType    string                 `json:"backup_type"`
	SourceID      *string                `json:"source_id"`
	Configuration schedule.Configuration `json:"configuration"`
	Active        *bool                  `json:"active"`
}

// input reads a schedule from a request and plans its next run.
func (h *handler) input(r *http.Request) (*schedule.Schedule, error) {
	req, err := httpapi.Decode[request](r)
	if err != nil {
		return nil, err
	}
	var c httpapi.Check
	c.Text("name", req.Name, 255)
	c.Text("cron_expression", req.Cron, schedule.MaxExpression)
	c.OneOf("backup_type", req.BackupType, "full", "incremental", "differential")
	if req.SourceID != nil {
		c.UUID("source_id", *req.SourceID)
	}
	c.Texts("configuration.tables", req.Configuration.Tables, 1000, 200)
	c.Texts("configuration.exclude", req.Configuration.Exclude, 1000, 200)
	for _, f := range req.Configuration.Check("configuration.") {
		c.Field(f.Name, f.Code, f.Message.Format, f.Message.Args...)
	}
	s := &schedule.Schedule{Name: req.Name, Cron: req.Cron, BackupType: req.BackupType, SourceID: req.SourceID,
		Configuration: req.Configuration, Active: req.Active == nil || *req.Active}
	if _, err := schedule.Zone(req.Configuration.Timezone); err != nil {
		if err := c.Add("configuration.timezone", err); err != nil {
			return nil, err
		}
	} else if req.Cron != "" {
		if err := s.Plan(h.defaultZone, h.clock.Now()); err != nil {
			return nil, schedule.AtField(err, "cron_expression", c.Err())
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if req.SourceID != nil {
		if _, err := h.store.Source(r.Context(), *req.SourceID); err != nil {
			return nil, err
		}
	}
	return s, nil
}
