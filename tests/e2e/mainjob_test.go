//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guarda/shared/postgres/pgtest"
)

// TestMainJob is the life of one installation: first start, first backup,
// calls with the specification's fields, a schedule that fires, a restore from
// the store alone, the pages, kill -9, a second start, Ctrl-C.
func TestMainJob(t *testing.T) {
	s := newStack(t)
	t.Logf("first start: up and signed in after %s", s.start())

	var first map[string]any
	eventually(t, 5*time.Minute, "the sample database's first backup completes", func() bool {
		_, list := s.call("GET", "/api/backup/executions?status=completed", nil)
		items, _ := list["items"].([]any)
		if len(items) == 0 {
			return false
		}
		first = items[0].(map[string]any)
		return true
	})
	if rows, _ := first["rows"].(float64); rows < 200_000 {
		t.Fatalf("the first backup has %v rows, want a few hundred thousand", first["rows"])
	}

	defer func() { s.t = t }()
	var backupID string
	t.Run("execute answers the specified fields", func(t *testing.T) {
		s.t = t
		status, a := s.call("POST", "/api/backup/execute", map[string]any{"type": "full"}, "Idempotency-Key", "e2e-1")
		if status != 200 || a["success"] != true || a["status"] != "completed" {
			t.Fatalf("%d %v", status, a)
		}
		if size, _ := a["size"].(float64); size < 100_000 {
			t.Errorf("size = %v", a["size"])
		}
		if d, ok := a["duration"].(float64); !ok || d < 0 || d > 25 {
			t.Errorf("duration = %v", a["duration"])
		}
		backupID, _ = a["backup_id"].(string)
		again, b := s.call("POST", "/api/backup/execute", map[string]any{"type": "full"}, "Idempotency-Key", "e2e-1")
		if again != 200 || b["backup_id"] != backupID {
			t.Errorf("the same Idempotency-Key gave %d %v, want %s again", again, b["backup_id"], backupID)
		}
	})

	t.Run("a schedule fires within a minute of being due", func(t *testing.T) {
		s.t = t
		status, a := s.call("POST", "/api/backup/auto", map[string]any{"schedule": "* * * * *", "type": "incremental", "name": "e2e"})
		if status != 201 || a["success"] != true || a["schedule_id"] == nil {
			t.Fatalf("%d %v", status, a)
		}
		due, err := time.Parse(time.RFC3339, fmt.Sprint(a["next_run"]))
		if err != nil || time.Until(due) > time.Minute {
			t.Fatalf("next_run = %v (%v)", a["next_run"], err)
		}
		var run map[string]any
		eventually(t, time.Until(due)+2*time.Minute, "the schedule's run appears", func() bool {
			_, list := s.call("GET", fmt.Sprintf("/api/backup/executions?schedule_id=%s", a["schedule_id"]), nil)
			items, _ := list["items"].([]any)
			if len(items) > 0 {
				run, _ = items[0].(map[string]any)
			}
			return run != nil
		})
		eventually(t, 5*time.Minute, "the schedule's run completes", func() bool {
			_, run = s.call("GET", fmt.Sprintf("/api/backup/executions/%s", run["id"]), nil)
			return run["status"] == "completed"
		})
		if run["trigger"] != "schedule" || run["requested_type"] != "incremental" {
			t.Errorf("trigger %v, requested type %v", run["trigger"], run["requested_type"])
		}
		if status, _ := s.call("DELETE", fmt.Sprintf("/api/backup/schedules/%s", a["schedule_id"]), nil); status != 204 {
			t.Errorf("deleting the schedule answered %d", status)
		}
	})

	t.Run("bad input is refused with its field", func(t *testing.T) {
		s.t = t
		for name, c := range map[string]struct {
			method, path string
			body         any
			header       []string
			status       int
			says         string
		}{
			"malformed cron":  {"POST", "/api/backup/auto", map[string]any{"schedule": "61 * * * *", "type": "full"}, nil, 422, "schedule"},
			"unknown type":    {"POST", "/api/backup/execute", map[string]any{"type": "partial"}, nil, 422, "type"},
			"unknown field":   {"POST", "/api/backup/execute", map[string]any{"type": "full", "tabels": []string{}}, nil, 422, "tabels"},
			"unknown table":   {"POST", "/api/backup/execute", map[string]any{"type": "full", "tables": []string{"no_such_table"}}, nil, 422, "no_such_table"},
			"unknown backup":  {"GET", "/api/backup/executions/00000000-0000-4000-8000-000000000000", nil, nil, 404, ""},
			"no token":        {"GET", "/api/backup/executions", nil, []string{"authorization", ""}, 401, ""},
			"a false token":   {"GET", "/api/backup/executions", nil, []string{"authorization", "Bearer x.y.z"}, 401, ""},
			"portuguese hint": {"POST", "/api/backup/auto", map[string]any{"schedule": "x", "type": "full"}, []string{"accept-language", "pt-BR"}, 422, "schedule"},
		} {
			status, a := s.call(c.method, c.path, c.body, c.header...)
			if status != c.status || a["success"] != false || !strings.Contains(fmt.Sprint(a), c.says) {
				t.Errorf("%s: %d %v", name, status, a)
			}
		}
	})

	key := filepath.Join(s.data, "guarda.key")
	store := "file://" + filepath.Join(s.data, "store")
	guarda := filepath.Join(s.root, "bin", "guarda")
	t.Run("the store and the key are enough to verify and restore", func(t *testing.T) {
		s.t = t
		if out, code := run(t, guarda, "verify", "--store", store, "--backup", backupID, "--key-file", key); code != 0 {
			t.Fatalf("verify: exit %d\n%s", code, out)
		}
		dump := pgtest.Program(t, "pg_dump")
		target := pgtest.New(t)
		if out, code := run(t, guarda, "restore", "--store", store, "--backup", backupID, "--key-file", key, "--target", target, "--create-roles"); code != 0 {
			t.Fatalf("restore: exit %d\n%s", code, out)
		}
		left, right := dumpOf(t, dump, s.sampleDSN()), dumpOf(t, dump, target)
		if left != right {
			t.Errorf("pg_dump of the sample and of its restore differ:\n%s", firstDifference(left, right))
		}
	})

	t.Run("browser", func(t *testing.T) {
		s.t = t
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "npm", "run", "--silent", "e2e")
		cmd.WaitDelay = 10 * time.Second // a browser that lives on must not hold us
		cmd.Dir = filepath.Join(s.root, "web")
		cmd.Env = append(os.Environ(), "BASE_URL="+s.url(""), "GUARDA_E2E_EMAIL=admin@localhost", "GUARDA_E2E_PASSWORD="+s.password())
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(err)
		}
	})

	t.Run("kill -9 of everything loses nothing and leaves no false success", func(t *testing.T) {
		s.t = t
		status, a := s.call("POST", "/api/backup/execute", map[string]any{"type": "full", "wait": false})
		if status != 202 {
			t.Fatalf("%d %v", status, a)
		}
		id := a["backup_id"]
		s.kill()
		took := s.start()
		t.Logf("second start, after kill -9: up and signed in after %s", took)
		if status, run := s.call("GET", fmt.Sprintf("/api/backup/executions/%s", backupID), nil); status != 200 || run["status"] != "completed" {
			t.Errorf("the earlier backup is now %d %v", status, run["status"])
		}
		var run map[string]any
		eventually(t, 5*time.Minute, "the interrupted run ends, one way or the other", func() bool {
			_, run = s.call("GET", fmt.Sprintf("/api/backup/executions/%v", id), nil)
			return run["status"] == "completed" || run["status"] == "failed"
		})
		t.Logf("the interrupted run: %v %v", run["status"], run["error"])
		if run["status"] == "completed" {
			verifyByID(t, guarda, store, key, fmt.Sprint(id))
		} else if run["error"] == nil {
			t.Error("it failed without a reason")
		}
	})

	t.Run("Ctrl-C ends every process, and it starts again", func(t *testing.T) {
		s.t = t
		s.interrupt()
		t.Logf("start after Ctrl-C: up and signed in after %s", s.start())
		s.interrupt()
	})
}

func verifyByID(t *testing.T, guarda, store, key, id string) {
	t.Helper()
	if out, code := run(t, guarda, "verify", "--store", store, "--backup", id, "--key-file", key); code != 0 {
		t.Errorf("it is called completed, but verify: exit %d\n%s", code, out)
	}
}

// sampleDSN is the superuser's URL of the sample database.
func (s *stack) sampleDSN() string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.data, "sample-dsn"))
	if err != nil {
		s.t.Fatalf("the stack leaves the sample's connection URL in a file: %v", err)
	}
	return strings.TrimSpace(string(b))
}

// dumpOf returns pg_dump's script without the tokens that are random in each run.
func dumpOf(t *testing.T, program, dsn string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--dbname", dsn).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	var kept []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return fmt.Sprintf("line %d:\n< %.200s\n> %.200s", i+1, left[i], right[i])
		}
	}
	return fmt.Sprintf("%d lines and %d lines", len(left), len(right))
}
