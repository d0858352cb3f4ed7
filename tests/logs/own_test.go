package logs_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

type found struct {
	Logs []struct {
		Level    string         `json:"level"`
		Message  string         `json:"message"`
		Metadata map[string]any `json:"metadata"`
	} `json:"logs"`
}

// own searches what Guarda's own functions logged.
func (w *world) own(term string) (f found) {
	w.stack.Call("GET", "/api/logs/search?source=backup_system&search_term="+url.QueryEscape(term), nil, &f)
	return f
}

// testOwn: a scheduled backup is found in the log as the specification's
// examples have it, and one that fails with the code of its error.
func (w *world) testOwn(t *testing.T) {
	var good, bad struct{ ID string }
	if status := w.stack.Call("POST", "/api/sources", map[string]any{"name": "good", "dsn": w.url}, &good); status != 201 {
		t.Fatalf("making a source answered %d", status)
	}
	if status := w.stack.Call("POST", "/api/sources", map[string]any{"name": "bad", "dsn": "postgres://u:p@127.0.0.1:1/none"}, &bad); status != 201 {
		t.Fatalf("making a source answered %d", status)
	}
	var schedule struct {
		ID string `json:"schedule_id"`
	}
	if status := w.stack.Call("POST", "/api/backup/auto", map[string]any{"schedule": "* * * * *", "type": "incremental", "source_id": good.ID}, &schedule); status != 201 && status != 200 {
		t.Fatalf("making a schedule answered %d", status)
	}
	// The tick of the next minute, now.
	tick := fmt.Appendf(nil, `{"scheduled_time":%q}`, time.Now().Add(time.Minute).UTC().Format(time.RFC3339))
	if answer, err := w.stack.Invoke(t.Context(), "scheduled-backup", "authorizer", tick); err != nil {
		t.Fatalf("%v %s", err, answer)
	}
	var run map[string]any
	if status := w.stack.Call("POST", "/api/backup/execute", map[string]any{"type": "full", "source_id": bad.ID, "wait": false}, &run); status != 202 {
		t.Fatalf("starting a backup answered %d: %v", status, run)
	}
	has := func(level, message, key string, is func(any) bool) func() bool {
		return func() bool {
			for _, l := range w.own(message).Logs {
				if l.Level == level && l.Message == message && l.Metadata["function"] == "backup-coordinator" && is(l.Metadata[key]) {
					return l.Metadata["type"] != nil
				}
			}
			return false
		}
	}
	until(t, 5*time.Minute, "the failure is in the log", has("error", "Falha no backup", "error_code", func(v any) bool { return v == "unavailable" }))
	isSchedule := func(v any) bool { return v == schedule.ID }
	until(t, 5*time.Minute, "the scheduled backup's begin is in the log", has("info", "Backup automático iniciado", "schedule_id", isSchedule))
	until(t, 5*time.Minute, "the scheduled backup's end is in the log", has("info", "Backup automático concluído", "schedule_id", isSchedule))
}
