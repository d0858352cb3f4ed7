package main

import (
	"log/slog"
	"net/http"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/schedule"
)

// toAnswer is left of a function's time to write the answer.
const toAnswer = 3 * time.Second

type handler struct {
	starter *execution.Starter
	keys    httpapi.IdempotencyStore
	clock   clock.Clock
	log     *slog.Logger
}

func (h *handler) routes(rt *httpapi.Router) {
	rt.Handle("POST /api/backup/execute", httpapi.Allow(auth.BackupRun, httpapi.Idempotent(h.keys, h.log, h.execute)))
}

type request struct {
	Type        string                `json:"type"`
	Tables      []string              `json:"tables"`
	Compress    *bool                 `json:"compress"`
	Exclude     []string              `json:"exclude"`
	SourceID    string                `json:"source_id"`
	Compression string                `json:"compression"`
	Encryption  *bool                 `json:"encryption"`
	Wait        *bool                 `json:"wait"`
	Incremental *schedule.Incremental `json:"incremental"`
}

type response struct {
	Success  bool             `json:"success"`
	BackupID string           `json:"backup_id"`
	Size     int64            `json:"size"`     // bytes
	Duration float64          `json:"duration"` // seconds
	Status   execution.Status `json:"status"`
	Warnings []fault.Warning  `json:"warnings,omitempty"`
}

func (r *request) check() error {
	var c httpapi.Check
	c.OneOf("type", r.Type, "full", "incremental", "differential")
	c.Texts("tables", r.Tables, 1000, 200)
	c.Texts("exclude", r.Exclude, 1000, 200)
	if r.SourceID != "" {
		c.UUID("source_id", r.SourceID)
	}
	if r.Compression != "" {
		c.OneOf("compression", r.Compression, "auto", "zstd", "gzip", "brotli", "none")
	}
	for _, f := range r.Incremental.Check("incremental.") {
		c.Field(f.Name, f.Code, f.Message.Format, f.Message.Args...)
	}
	if r.Compress != nil && *r.Compress == (r.Compression == "none") && r.Compression != "" {
		return fault.New(fault.Invalid, "compress and compression contradict each other").
			Hint("leave one of the two out").Field("compression", "contradiction", "contradicts compress")
	}
	return c.Err()
}

func (h *handler) execute(w http.ResponseWriter, r *http.Request) error {
	req, err := httpapi.Decode[request](r)
	if err != nil {
		return err
	}
	if err := req.check(); err != nil {
		return err
	}
	if req.Compress != nil && !*req.Compress {
		req.Compression = "none"
	}
	id, err := h.starter.Start(r.Context(), execution.Request{
		SourceID: req.SourceID, Type: req.Type, Tables: req.Tables, Exclude: req.Exclude,
		Compression: req.Compression, Encryption: req.Encryption == nil || *req.Encryption,
		Timestamps: req.Incremental.Timestamps(), Key: httpapi.RequestKey(r.Context()),
	})
	if err != nil {
		if id != "" {
			err = httpapi.WithBackupID(err, id)
		}
		return err
	}
	h.log.InfoContext(r.Context(), "a backup was asked for", "request_id", httpapi.RequestID(r.Context()), "execution_id", id)
	wait := execution.MaxWait
	if req.Wait != nil && !*req.Wait {
		wait = 0
	} else if deadline, ok := r.Context().Deadline(); ok {
		wait = min(wait, deadline.Sub(h.clock.Now())-toAnswer)
	}
	e, err := h.starter.Wait(r.Context(), id, wait)
	if err != nil {
		return httpapi.WithBackupID(err, id)
	}
	if e.Status == execution.Failed && e.Metadata.Error != nil {
		return httpapi.WithBackupID(e.Metadata.Error.Err(), id)
	}
	status := http.StatusAccepted
	if e.Status == execution.Completed {
		status = http.StatusOK
	}
	return httpapi.JSON(w, status, response{
		Success: true, BackupID: id, Size: e.Stored(), Duration: e.Duration(h.clock.Now()).Seconds(), Status: e.Status,
		Warnings: fault.WarningsIn(httpapi.Language(r), e.Metadata.Warnings),
	})
}
