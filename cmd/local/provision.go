package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/fault"
)

// checkBuild looks whether every function has its program.
func (s *stack) checkBuild() error {
	var missing []string
	for _, f := range s.template.Functions {
		st, err := os.Stat(filepath.Join(s.root, f.CodeURI, "bootstrap"))
		if err != nil || st.Mode()&0o111 == 0 {
			missing = append(missing, f.CodeURI+"/bootstrap")
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.NotFound, "these functions are not built: %s", strings.Join(missing, ", ")).Hint("run make build")
	}
	return nil
}

// function finds the function whose program is in build/<name>.
func (s *stack) function(name string) *template.Function {
	for _, f := range s.template.Functions {
		if filepath.Base(f.CodeURI) == name {
			return f
		}
	}
	return nil
}

func (s *stack) adminEmail() string {
	if f := s.function("migrate"); f != nil && f.Environment["GUARDA_ADMIN_EMAIL"] != "" {
		return f.Environment["GUARDA_ADMIN_EMAIL"]
	}
	return "admin@localhost"
}

// migrate runs the function that a deployment runs, the way a deployment
// reaches it: through Lambda's Invoke.
func (s *stack) migrate(ctx context.Context) error {
	f := s.function("migrate")
	if f == nil {
		return fault.New(fault.NotFound, "template.yaml has no function migrate, which makes the database's tables")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.inner+"/control/2015-03-31/functions/"+f.Name+"/invocations", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("invoke %s: %w", f.Name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("invoke %s: %w", f.Name, err)
	}
	if resp.StatusCode == http.StatusOK && resp.Header.Get("X-Amz-Function-Error") == "" {
		return nil
	}
	var failed runtimeapi.FunctionFailure
	if json.Unmarshal(body, &failed) != nil || failed.Message == "" {
		failed.Message = string(body)
	}
	return fault.New(fault.Unavailable, "the migration of the database failed").
		Hint("see %s", s.state.path("logs/functions.log")).Because(errors.New(failed.Message))
}

// apiClient uses the API as the administrator does.
type apiClient struct{ base, email, password, token string }

// call makes a request and decodes the answer into out, which may be nil. The
// status is 0 when there was no answer.
func (c *apiClient) call(ctx context.Context, method, path string, header http.Header, in, out any) (int, http.Header, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return 0, nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err
	}
	if resp.StatusCode >= 400 {
		var p struct{ Detail, Hint string }
		if json.Unmarshal(raw, &p) != nil || p.Detail == "" {
			p.Detail = string(raw)
		}
		return resp.StatusCode, resp.Header, fmt.Errorf("%s %s answered %d: %s", method, path, resp.StatusCode, strings.TrimSpace(p.Detail+" "+p.Hint))
	}
	if out == nil {
		return resp.StatusCode, resp.Header, nil
	}
	return resp.StatusCode, resp.Header, json.Unmarshal(raw, out)
}

func (c *apiClient) signIn(ctx context.Context) error {
	var session struct{ Token string }
	status, _, err := c.call(ctx, http.MethodPost, "/api/auth/login", nil, map[string]string{"email": c.email, "password": c.password}, &session)
	if status == http.StatusUnauthorized {
		return fault.New(fault.Unauthenticated, "the password of %s is another one", c.email).
			Hint("GUARDA_ADMIN_PASSWORD sets the first password only; make clean-data starts anew")
	}
	c.token = session.Token
	return err
}

type source struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Port int    `json:"port"`
}

// registerSample makes the sample database known, as the default source. When
// its server has had to take another port, the source is brought up to date.
func (s *stack) registerSample(ctx context.Context, c *apiClient) error {
	var list struct{ Items []source }
	if _, _, err := c.call(ctx, http.MethodGet, "/api/sources?limit=1000", nil, nil, &list); err != nil {
		return err
	}
	want := map[string]any{"name": sampleDatabase, "dsn": s.postgres.URL(sampleDatabase), "kind": "postgres", "is_default": true}
	for _, have := range list.Items {
		if have.Name != sampleDatabase || have.Port == s.postgres.Port() {
			continue
		}
		_, header, err := c.call(ctx, http.MethodGet, "/api/sources/"+have.ID, nil, nil, nil)
		if err != nil {
			return err
		}
		_, _, err = c.call(ctx, http.MethodPut, "/api/sources/"+have.ID, http.Header{"If-Match": {header.Get("ETag")}}, want, nil)
		return err
	}
	if len(list.Items) > 0 {
		return nil
	}
	_, _, err := c.call(ctx, http.MethodPost, "/api/sources", nil, want, nil)
	return err
}

type execution struct {
	ID       string  `json:"id"`
	BackupID string  `json:"backup_id"`
	Status   string  `json:"status"`
	Size     float64 `json:"size"`
	Bytes    float64 `json:"size_bytes"`
	Duration float64 `json:"duration"`
	Error    any     `json:"error"`
}

// firstBackup backs the sample up when nothing was ever backed up, and says
// how that went.
func (s *stack) firstBackup(ctx context.Context, c *apiClient) {
	var list struct{ Items []execution }
	if _, _, err := c.call(ctx, http.MethodGet, "/api/backup/executions?limit=1", nil, nil, &list); err != nil {
		s.say("  The list of backups could not be read: %v", err)
		return
	}
	if len(list.Items) > 0 {
		return
	}
	select {
	case <-s.sample:
	case <-ctx.Done():
		return
	}
	s.say("  Backing up the sample database for the first time…")
	var run execution
	if _, _, err := c.call(ctx, http.MethodPost, "/api/backup/execute", nil, map[string]any{"type": "full"}, &run); err != nil {
		if ctx.Err() == nil {
			s.say("  The first backup failed: %v", err)
		}
		return
	}
	id := run.BackupID
	for run.Status == "running" || run.Status == "pending" {
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if _, _, err := c.call(ctx, http.MethodGet, "/api/backup/executions/"+id, nil, nil, &run); err != nil {
			return // it shows in the pages
		}
	}
	if run.Status != "completed" {
		s.say("  The first backup ended as %s: %v", run.Status, run.Error)
		return
	}
	s.say("  The first backup is complete: %s, see %s/admin/backup", size(max(run.Size, run.Bytes)), s.url())
}

func size(bytes float64) string {
	if bytes < 1e6 {
		return strconv.FormatFloat(bytes/1e3, 'f', 0, 64) + " kB"
	}
	return strconv.FormatFloat(bytes/1e6, 'f', 1, 64) + " MB"
}
