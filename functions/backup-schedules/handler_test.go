package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"guarda/functions/internal/backuptest"
	"guarda/shared/clock"
	"guarda/shared/httpapi"
	"guarda/tests/contract"
)

const base = "/api/backup/schedules"

func newClient(w *backuptest.World) *contract.Client {
	rt := httpapi.NewRouter(w.Log)
	at := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	(&handler{store: w.Store, starter: w.Starter(), keys: w.Keys, clock: at, defaultZone: "America/Sao_Paulo", log: w.Log}).routes(rt)
	return &contract.Client{Handler: rt, As: contract.Operator}
}

func decode[T any](t *testing.T, a contract.Answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return v
}

func make1(t *testing.T, c *contract.Client, name string) (view, string) {
	t.Helper()
	got := c.Do(t, http.MethodPost, base, fmt.Sprintf(`{"name":%q,"cron_expression":"0 2 * * *","backup_type":"full","configuration":{"overlap":"queue"}}`, name))
	if got.Status != 201 || got.Header.Get("ETag") == "" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	return decode[view](t, got), got.Header.Get("ETag")
}

func TestAScheduleLives(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	s, etag := make1(t, c, "Nightly")
	if len(s.NextRuns) != 5 || *s.NextRun != time.Date(2026, 11, 25, 5, 0, 0, 0, time.UTC) || *s.SourceName != "shop" || s.Configuration.Overlap != "queue" {
		t.Errorf("%+v", s)
	}
	off := `{"name":"Off","cron_expression":"0 3 * * *","backup_type":"full","source_id":null,"active":false}`
	if got := c.Do(t, http.MethodPut, base+"/"+s.ID, off); got.Status != 422 {
		t.Errorf("a change without If-Match: %d", got.Status)
	}
	got := c.Do(t, http.MethodPut, base+"/"+s.ID, off, "If-Match", etag)
	changed := decode[view](t, got)
	if got.Status != 200 || changed.Active || changed.NextRun != nil || len(changed.NextRuns) != 0 || got.Header.Get("ETag") == etag {
		t.Errorf("%d %+v", got.Status, changed)
	}
	if got := c.Do(t, http.MethodPut, base+"/"+s.ID, off, "If-Match", etag); got.Status != 412 {
		t.Errorf("a change of what was read before: %d", got.Status)
	}
	if got := c.Do(t, http.MethodDelete, base+"/"+s.ID, ""); got.Status != 204 || len(got.Body) != 0 {
		t.Errorf("delete: %d", got.Status)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if got := c.Do(t, method, base+"/"+s.ID, ""); got.Status != 404 {
			t.Errorf("%s of what is gone: %d", method, got.Status)
		}
	}
}

func TestSchedulesAreListedByPages(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	for i := range 3 {
		make1(t, c, fmt.Sprintf("s%d", i))
	}
	var names []string
	query := "?limit=2"
	for query != "" {
		page := decode[httpapi.Page[view]](t, c.Do(t, http.MethodGet, base+query, ""))
		for _, v := range page.Items {
			names = append(names, v.Name)
		}
		query = ""
		if page.HasMore {
			query = "?limit=2&cursor=" + *page.NextCursor
		}
	}
	// The two that the specification begins with come first.
	if len(names) != 5 || names[2] != "s0" || names[4] != "s2" {
		t.Errorf("%v", names)
	}
	for query, want := range map[string]int{"?active=true": 200, "?active=perhaps": 422, "?limit=0": 422, "?cursor=x": 422, "?source_id=" + w.SourceID: 200, "?colour=red": 422} {
		if got := c.Do(t, http.MethodGet, base+query, ""); got.Status != want {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
}

func TestAScheduleIsRunByHandOnceAtATime(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	w.Hold = true
	c := newClient(w)
	s, _ := make1(t, c, "n")
	got := c.Do(t, http.MethodPost, base+"/"+s.ID+"/run", "")
	run := decode[struct {
		ID         string
		ScheduleID string `json:"schedule_id"`
		Trigger    string
		Status     string
	}](t, got)
	if got.Status != 202 || run.ScheduleID != s.ID || run.Trigger != "manual" || run.Status != "pending" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	again := c.Do(t, http.MethodPost, base+"/"+s.ID+"/run", "")
	if problem := decode[map[string]any](t, again); again.Status != 409 || problem["backup_id"] != run.ID {
		t.Errorf("%d %s", again.Status, again.Body)
	}
	if got := decode[view](t, c.Do(t, http.MethodGet, base+"/"+s.ID, "")); got.LastExecution == nil || got.LastExecution.ID != run.ID {
		t.Errorf("%+v", got.LastExecution)
	}
}

func TestBadSchedulesNameTheirFields(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	for body, want := range map[string]string{
		`{"name":"n","cron_expression":"61 * * * *","backup_type":"full"}`:                                           "cron_expression",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","configuration":{"timezone":"X/Y"}}`:         "configuration.timezone",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","configuration":{"overlap":"both"}}`:         "configuration.overlap",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","configuration":{"retention_days":0}}`:       "configuration.retention_days",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","source_id":"x"}`:                            "source_id",
		`{"name":" ","cron_expression":"0 2 * * *","backup_type":"full"}`:                                            "name",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","configuration":{"retention":{"keep_x":1}}}`: "configuration.retention.keep_x",
		`{"name":"n","cron_expression":"0 2 * * *","backup_type":"full","configuration":{"tables":["` + "" + `"]}}`:  "configuration.tables",
	} {
		got := c.Do(t, http.MethodPost, base, body)
		problem := decode[struct{ Errors []struct{ Field string } }](t, got)
		if got.Status != 422 || len(problem.Errors) == 0 || problem.Errors[0].Field != want {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

func TestEachRouteAsksForItsPermission(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	s, _ := make1(t, c, "n")
	c.As = contract.Viewer
	for route, want := range map[[2]string]int{
		{http.MethodGet, base}: 200, {http.MethodGet, base + "/" + s.ID}: 200, {http.MethodPost, base}: 403,
		{http.MethodPut, base + "/" + s.ID}: 403, {http.MethodDelete, base + "/" + s.ID}: 403, {http.MethodPost, base + "/" + s.ID + "/run"}: 403,
		{http.MethodPatch, base}: 405, {http.MethodGet, base + "/not-a-uuid"}: 422,
	} {
		if got := c.Do(t, route[0], route[1], ""); got.Status != want {
			t.Errorf("%v: %d, want %d", route, got.Status, want)
		}
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	if got := contract.Replay(t, "backup-schedules", newClient(w).Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
