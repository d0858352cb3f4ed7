package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"guarda/shared/auth"
	"guarda/shared/config"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgtest"
)

func depsFor(dsn string) Deps {
	return Deps{Log: slog.New(slog.DiscardHandler), Config: &config.Config{
		DatabaseURL: config.NewSecret(dsn), AdminEmail: "Admin@Localhost", AdminPassword: config.NewSecret("correct horse battery"),
	}}
}

func run(t *testing.T, d Deps, event string) (map[string]any, error) {
	t.Helper()
	out, err := New(d)(t.Context(), json.RawMessage(event))
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil && string(raw) != "null" {
		t.Fatal(err)
	}
	return m, nil
}

func TestMigrateMakesTablesAndTheFirstAdministratorOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	first, err := run(t, depsFor(dsn), `{}`)
	if err != nil || first["admin_created"] != true || first["version"].(float64) < 4 || len(first["applied"].([]any)) < 4 {
		t.Fatalf("%v, %v", first, err)
	}
	again, err := run(t, depsFor(dsn), `{"direction":"up"}`)
	if err != nil || again["admin_created"] != false || len(again["applied"].([]any)) != 0 || again["version"] != first["version"] {
		t.Errorf("again: %v, %v", again, err)
	}
	var email, hash, role string
	if err := pgtest.Connect(t, dsn).QueryRow(t.Context(), "select email, password_hash, role from guarda.users").Scan(&email, &hash, &role); err != nil {
		t.Fatal(err)
	}
	if email != "admin@localhost" || role != "admin" || !auth.PasswordMatches(hash, "correct horse battery") {
		t.Errorf("the administrator is %s, %s", email, role)
	}
	down, err := run(t, depsFor(dsn), `{"direction":"down","to":2}`)
	if err != nil || down["version"] != 2.0 {
		t.Errorf("down: %v, %v", down, err)
	}
	for _, bad := range []string{`{"direction":"down"}`, `{"direction":"sideways"}`, `{"to":1}`, `[]`} {
		if _, err := run(t, depsFor(dsn), bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestTwoAtOnceMakeOneAdministrator(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := run(t, depsFor(dsn), `{}`); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := pgtest.Connect(t, dsn).QueryRow(t.Context(), "select count(*) from guarda.users").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d administrators, %v", n, err)
	}
}

func TestCloudFormationAlwaysGetsAnAnswer(t *testing.T) {
	t.Parallel()
	var answer resourceAnswer
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" || json.Unmarshal(body, &answer) != nil {
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
	}))
	t.Cleanup(server.Close)
	event := func(kind string) string {
		return `{"RequestType":"` + kind + `","ResponseURL":"` + server.URL + `/put?sig=1","StackId":"s","RequestId":"r","LogicalResourceId":"Migration","ResourceProperties":{"Release":"1"}}`
	}
	dsn := pgtest.New(t)
	unreachable := depsFor("postgres://postgres:hunter2@127.0.0.1:1/x")
	for _, c := range []struct {
		name, kind, status, reason string
		deps                       Deps
	}{
		{"create", "Create", "SUCCESS", "", depsFor(dsn)},
		{"update", "Update", "SUCCESS", "", depsFor(dsn)},
		{"delete without a database", "Delete", "SUCCESS", "", unreachable},
		{"unreachable", "Create", "FAILED", "cannot be reached", unreachable},
		{"configuration", "Create", "FAILED", "GUARDA_DATABASE_URL", Deps{Log: slog.New(slog.DiscardHandler),
			ConfigError: fault.New(fault.Invalid, "the configuration is not valid").Field("GUARDA_DATABASE_URL", "required", "is not set")}},
	} {
		answer = resourceAnswer{}
		if _, err := run(t, c.deps, event(c.kind)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if answer.Status != c.status || !strings.Contains(answer.Reason, c.reason) || strings.Contains(answer.Reason, "hunter2") ||
			answer.PhysicalResourceID == "" || answer.StackID != "s" || answer.RequestID != "r" || answer.LogicalResourceID != "Migration" {
			t.Errorf("%s: %+v", c.name, answer)
		}
	}
}
