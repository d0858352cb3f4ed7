package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"guarda/functions/internal/backuptest"
	"guarda/shared/clock"
	"guarda/shared/httpapi"
	"guarda/tests/contract"
)

func newClient(w *backuptest.World) *contract.Client {
	rt := httpapi.NewRouter(w.Log)
	at := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	(&handler{store: w.Store, keys: w.Keys, clock: at, defaultZone: "America/Sao_Paulo", log: w.Log}).routes(rt)
	return &contract.Client{Handler: rt, As: contract.Operator}
}

type answer struct {
	response
	Code   string
	Hint   string
	Errors []struct{ Field, Message string }
}

func create(t *testing.T, c *contract.Client, body string, header ...string) (int, answer) {
	t.Helper()
	got := c.Do(t, http.MethodPost, "/api/backup/auto", body, header...)
	var a answer
	if err := json.Unmarshal(got.Body, &a); err != nil {
		t.Fatalf("%s: %v", got.Body, err)
	}
	return got.Status, a
}

func TestAScheduleIsMadeWithTheSpecifiedFields(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	status, a := create(t, newClient(w), `{"schedule":"30 2 * * *","type":"incremental","compression":false,"cloud_upload":true}`)
	if status != 201 || !a.Success || a.NextRun != time.Date(2026, 11, 25, 5, 30, 0, 0, time.UTC) {
		t.Fatalf("%d %+v", status, a)
	}
	s, err := w.Store.Schedule(t.Context(), a.ScheduleID)
	if err != nil || s.BackupType != "incremental" || *s.Configuration.Compression || !*s.Configuration.CloudUpload || !s.Active || !s.NextRun.Equal(a.NextRun) || s.Name != "incremental 30 2 * * *" {
		t.Errorf("%+v %v", s, err)
	}
}

func TestTheAddedFieldsAreKept(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	status, a := create(t, newClient(w), `{"schedule":"0 9 * * mon-fri","type":"full","name":"Shop","source_id":"`+w.SourceID+`","timezone":"Asia/Tokyo",
		"tables":["public.*"],"exclude":["tmp"],"retention":{"keep_last":7},"encryption":false,"incremental":{"strategy":"auto"}}`)
	if status != 201 || a.NextRun != time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) {
		t.Fatalf("%d %+v", status, a)
	}
	s, err := w.Store.Schedule(t.Context(), a.ScheduleID)
	if err != nil || s.Name != "Shop" || *s.SourceID != w.SourceID || s.Configuration.Timezone != "Asia/Tokyo" || *s.Configuration.Retention.KeepLast != 7 || s.Configuration.Encrypted() {
		t.Errorf("%+v %v", s, err)
	}
}

func TestABadScheduleNamesItsFieldAndTheWayOut(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	for body, want := range map[string]string{
		`{"schedule":"every day","type":"full"}`:                                                    "schedule",
		`{"schedule":"0 0 30 2 *","type":"full"}`:                                                   "schedule",
		`{"schedule":"0 2 * * *","type":"full","timezone":"BRT"}`:                                   "timezone",
		`{"schedule":"0 2 * * *","type":"full","retention":{"keep_last":0}}`:                        "retention.keep_last",
		`{"schedule":"0 2 * * *","type":"full","incremental":{"strategy":"guess"}}`:                 "incremental.strategy",
		`{"schedule":"0 2 * * *","type":"full","source_id":"5c0b0a52-5f0a-4e39-9d0f-000000000000"}`: "source_id",
		`{"schedule":"0 2 * * *","type":"full","name":""}`:                                          "name",
		`{"schedule":"0 2 * * *","type":"full","name":"` + strings.Repeat("x", 256) + `"}`:          "name",
		`{"schedule":"` + strings.Repeat("1,", 60) + `1 * * * *","type":"full"}`:                    "schedule",
		`{"type":"full"}`:          "schedule",
		`{"schedule":"0 2 * * *"}`: "type",
		`{"schedule":"0 2 * * *","type":"full","surprise":1}`:  "surprise",
		`{"schedule":"0 2 * * *","type":"full","tables":"no"}`: "tables",
	} {
		status, a := create(t, c, body)
		if status != 422 || len(a.Errors) == 0 || a.Errors[0].Field != want {
			t.Errorf("%s: %d %+v, want %s", body, status, a, want)
		}
	}
	_, a := create(t, c, `{"schedule":"@daily","type":"full"}`)
	if !strings.Contains(a.Hint, "0 0 * * *") {
		t.Errorf("no way out: %+v", a)
	}
	_, a = create(t, c, `{"schedule":"@daily","type":"huge"}`)
	if len(a.Errors) != 2 {
		t.Errorf("two wrong fields: %+v", a.Errors)
	}
}

func TestWhoMayNotIsToldWhichPermissionIsMissing(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	c.As = contract.Viewer
	got := c.Do(t, http.MethodPost, "/api/backup/auto", `{"schedule":"0 2 * * *","type":"full"}`)
	if got.Status != 403 || !strings.Contains(string(got.Body), "schedules.write") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestTheSameKeyMakesOneSchedule(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	body := `{"schedule":"0 2 * * *","type":"full"}`
	_, a := create(t, c, body, "Idempotency-Key", "k")
	_, b := create(t, c, body, "Idempotency-Key", "k")
	if a.ScheduleID == "" || a.ScheduleID != b.ScheduleID {
		t.Errorf("%+v %+v", a, b)
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	if got := contract.Replay(t, "backup-auto", newClient(w).Handler); got.StatusCode != 201 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
