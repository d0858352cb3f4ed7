package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"guarda/functions/internal/backuptest"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/tests/contract"
)

func newClient(w *backuptest.World) *contract.Client {
	rt := httpapi.NewRouter(w.Log)
	(&handler{starter: w.Starter(), keys: w.Keys, clock: clock.System{}, log: w.Log}).routes(rt)
	return &contract.Client{Handler: rt, As: contract.Operator}
}

type answer struct {
	Success  bool    `json:"success"`
	BackupID string  `json:"backup_id"`
	Size     int64   `json:"size"`
	Duration float64 `json:"duration"`
	Status   any     `json:"status"` // of the run; in a problem of HTTP
	Code     string  `json:"code"`
	Detail   string  `json:"detail"`
	Hint     string  `json:"hint"`
	Errors   []struct{ Field, Message string }
	Warnings []fault.Warning `json:"warnings"`
}

func execute(t *testing.T, c *contract.Client, body string, header ...string) (int, answer) {
	t.Helper()
	got := c.Do(t, http.MethodPost, "/api/backup/execute", body, header...)
	var a answer
	if err := json.Unmarshal(got.Body, &a); err != nil {
		t.Fatalf("%s: %v", got.Body, err)
	}
	return got.Status, a
}

func TestABackupAnswersTheSpecifiedFields(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	status, a := execute(t, newClient(w), `{"type":"full","tables":["public.item"],"compress":false}`)
	if status != 200 || !a.Success || a.BackupID == "" || a.Size <= 0 || a.Duration <= 0 || a.Status != "completed" {
		t.Fatalf("%d %+v", status, a)
	}
	e, err := w.Store.Get(t.Context(), a.BackupID)
	if err != nil || *e.Rows != 2000 || e.Metadata.Compression != "none" || *e.Metadata.Tables != 1 || !*e.Metadata.Encrypted {
		t.Errorf("%+v %v", e, err)
	}
}

func TestWhoDoesNotWaitIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	w.Hold = true
	status, a := execute(t, newClient(w), `{"type":"full","wait":false}`)
	if status != 202 || !a.Success || a.Status != "pending" || a.Size != 0 {
		t.Errorf("%d %+v", status, a)
	}
}

func TestARunThatFailsAnswersWithItsProblemAndId(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	dead := w.AddSource("dead", "postgres://u:secretword@127.0.0.1:1/x")
	for body, code := range map[string]string{
		`{"type":"full","tables":["public.nothing"]}`:    "",
		`{"type":"full","source_id":"` + dead + `"}`:     "unavailable",
		`{"type":"differential","tables":["no_such_*"]}`: "",
	} {
		status, a := execute(t, newClient(w), body)
		if status < 400 || a.BackupID == "" || a.Hint == "" || code != "" && a.Code != code || strings.Contains(a.Detail, "secretword") {
			t.Errorf("%s: %d %+v", body, status, a)
		}
		if e, err := w.Store.Get(t.Context(), a.BackupID); err != nil || e.Status != "failed" {
			t.Errorf("%s: %+v %v", body, e, err)
		}
	}
}

func TestACoordinatorThatCannotBeStartedFailsTheRun(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	w.Refuse = fault.New(fault.Unavailable, "the function %s could not be started", "f").Hint("try again in a few seconds")
	status, a := execute(t, newClient(w), `{"type":"full"}`)
	if status != 503 || a.BackupID == "" {
		t.Fatalf("%d %+v", status, a)
	}
	if e, err := w.Store.Get(t.Context(), a.BackupID); err != nil || e.Status != "failed" {
		t.Errorf("%+v %v", e, err)
	}
}

func TestBadRequestsNameTheField(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	for body, want := range map[string]string{
		`{}`:                          "422 type",
		`{"type":"huge"}`:             "422 type",
		`{"type":"full","tabels":[]}`: "422 tabels",
		`{"type":"full","source_id":"5c0b0a52-5f0a-4e39-9d0f-000000000000"}`: "422 source_id",
		`{"type":"full","compress":false,"compression":"zstd"}`:              "422 compression",
		`{"type":"full","incremental":{"strategy":"guess"}}`:                 "422 incremental.strategy",
		`{"type":"full","incremental":{"strategy":"timestamp"}}`:             "422 incremental.columns",
		`{"type":"full","incremental":{"columns":{"item":"changed"}}}`:       "422 incremental.columns",
		`{"type":"full","tables":[""]}`:                                      "422 tables",
	} {
		status, a := execute(t, c, body)
		if len(a.Errors) == 0 || !strings.HasPrefix(want, "422") || status != 422 || a.Errors[0].Field != want[4:] {
			t.Errorf("%s: %d %+v, want %s", body, status, a, want)
		}
	}
	if status, _ := execute(t, c, `{`); status != 400 {
		t.Errorf("half a document: %d", status)
	}
	for who, want := range map[auth.Identity]int{contract.Viewer: 403, {}: 401} {
		c.As = who
		if status, a := execute(t, c, `{"type":"full"}`); status != want || want == 403 && !strings.Contains(a.Detail, "backup.run") {
			t.Errorf("%v: %d %+v", who.Role, status, a)
		}
	}
}

func TestTheSameKeyIsTheSameRun(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	_, first := execute(t, c, `{"type":"full"}`, "Idempotency-Key", "k1")
	_, second := execute(t, c, `{"type":"full"}`, "Idempotency-Key", "k1")
	if first.BackupID != second.BackupID || first.BackupID == "" {
		t.Errorf("%s and %s", first.BackupID, second.BackupID)
	}
	if status, _ := execute(t, c, `{"type":"incremental"}`, "Idempotency-Key", "k1"); status != 409 {
		t.Errorf("another body with the same key: %d", status)
	}
}

// TestAProcessThatDiesBeforeItAnswersDoesNotMakeTwoRuns: the run was begun,
// and the answer was not stored.
func TestAProcessThatDiesBeforeItAnswersDoesNotMakeTwoRuns(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	_, first := execute(t, c, `{"type":"full"}`, "Idempotency-Key", "k1")
	if _, err := w.Pool.Exec(t.Context(), `update guarda.idempotency_keys set status = null, headers = null, body = null, locked_until = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	status, again := execute(t, c, `{"type":"full"}`, "Idempotency-Key", "k1")
	if status != 200 || again.BackupID != first.BackupID {
		t.Errorf("%d %+v, the first was %s", status, again, first.BackupID)
	}
	var runs int
	if err := w.Pool.QueryRow(t.Context(), `select count(*) from guarda.backup_executions`).Scan(&runs); err != nil || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

func TestErrorsAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	if _, err := w.Pool.Exec(t.Context(), `delete from guarda.sources`); err != nil {
		t.Fatal(err)
	}
	_, a := execute(t, newClient(w), `{"type":"full"}`, "Accept-Language", "pt-BR")
	if a.Detail != "ainda não há banco de dados para fazer backup" {
		t.Errorf("%+v", a)
	}
}

func TestWarningsAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	_, a := execute(t, newClient(w), `{"type":"differential"}`, "Accept-Language", "pt-BR")
	if len(a.Warnings) != 1 || a.Warnings[0].Message != "o backup foi pedido como differential e copia tudo: ainda não há backup completo" || !a.Warnings[0].Text.IsZero() {
		t.Errorf("%+v", a)
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	if got := contract.Replay(t, "backup-execute", newClient(w).Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
