package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// function runs a function's real program behind Lambda's Runtime API, one
// invocation at a time.
type function struct {
	cmd    *exec.Cmd
	server *http.Server
	events chan []byte
	done   chan []byte
}

// start builds and starts a function.
func (b *bench) start(name, database string) (*function, error) {
	program := filepath.Join(b.work, name)
	if out, err := exec.CommandContext(b.ctx, "go", "build", "-tags", "lambda.norpc", "-o", program, "./functions/"+name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &function{events: make(chan []byte), done: make(chan []byte)}
	f.server = &http.Server{Handler: f}
	go func() { _ = f.server.Serve(l) }()
	f.cmd = exec.CommandContext(b.ctx, program)
	f.cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME="+name, "_HANDLER=bootstrap", "GUARDA_LOG_LEVEL=error",
		"GUARDA_DATABASE_URL="+database, "GUARDA_STORE_URL=file://"+filepath.Join(b.work, "store"))
	f.cmd.Stderr = os.Stderr
	return f, f.cmd.Start()
}

func (f *function) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
	_ = f.server.Close()
}

// ServeHTTP is the Runtime API: the next event, the answer to it.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		select {
		case event := <-f.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "bench")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(4102444800000))
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
		return
	}
	answer, _ := io.ReadAll(r.Body)
	w.WriteHeader(http.StatusAccepted)
	f.done <- answer
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

// event makes the proxy event of a request by an administrator.
func event(method, path string, query url.Values, body []byte) []byte {
	raw, err := json.Marshal(map[string]any{
		"resource": path, "path": path, "httpMethod": method, "headers": map[string]string{"Content-Type": "application/json"},
		"multiValueHeaders": map[string][]string{"Content-Type": {"application/json"}}, "multiValueQueryStringParameters": query, "body": string(body),
		"requestContext": map[string]any{"requestId": "bench", "authorizer": map[string]string{"user_id": "11111111-1111-4111-8111-111111111111", "email": "a@b", "name": "A", "role": "admin"}},
	})
	if err != nil {
		panic(err) // texts
	}
	return raw
}

// invoke invokes the function and returns what it answered and how long that
// took.
func (b *bench) invoke(f *function, e []byte) ([]byte, time.Duration, error) {
	begin := b.clock.Now()
	select {
	case f.events <- e:
	case <-b.ctx.Done():
		return nil, 0, b.ctx.Err()
	}
	select {
	case raw := <-f.done:
		return raw, b.clock.Now().Sub(begin), nil
	case <-b.ctx.Done():
		return nil, 0, b.ctx.Err()
	}
}

// call invokes a function that answers HTTP requests.
func (b *bench) call(f *function, e []byte) (answer, time.Duration, error) {
	raw, took, err := b.invoke(f, e)
	if err != nil {
		return answer{}, took, err
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil || a.StatusCode != http.StatusOK {
		return a, took, fmt.Errorf("the function answered %.500s", raw)
	}
	return a, took, nil
}
