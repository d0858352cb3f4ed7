// Package contract holds what functions answer against infra/openapi.yaml: the
// status must be one that the operation names (or its default), the content
// type and body must fit. Functions' own tests use it on real answers.
package contract

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"guarda/shared/auth"
)

var load = sync.OnceValues(func() (routers.Router, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join(root, "infra", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// Root finds the folder of go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		err = os.ErrNotExist
	}
	return "", err
}

// Client sends requests to a function's handler and holds every answer
// against the contract.
type Client struct {
	Handler http.Handler
	As      auth.Identity // who asks; the zero Identity is nobody
	Header  http.Header   // sent with every request
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request; a body that is not empty is JSON. Answers that break the
// contract fail the test. Requests that are answered with success must follow
// the contract too.
func (c *Client) Do(t *testing.T, method, path, body string, header ...string) Answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.Header {
		r.Header[name] = values
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if c.As.UserID != "" {
		r = r.WithContext(auth.WithIdentity(r.Context(), c.As))
	}
	w := httptest.NewRecorder()
	c.Handler.ServeHTTP(w, r)
	r.Body = io.NopCloser(strings.NewReader(body))
	Check(t, r, w.Code, w.Header(), w.Body.Bytes())
	return Answer{w.Code, w.Header(), w.Body.Bytes()}
}

// Check holds one answer against the contract. Paths that the contract does
// not have are not checked, but for 404 being the answer.
func Check(t *testing.T, r *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	router, err := load()
	if err != nil {
		t.Fatalf("infra/openapi.yaml: %v", err)
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is not in the contract, and was answered with %d", r.Method, r.URL.Path, status)
		}
		return
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			t.Errorf("%s %s was answered with %d, and breaks the contract: %v", r.Method, r.URL, status, err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)), Options: options,
	})
	if err != nil {
		t.Errorf("the answer %d to %s %s breaks the contract: %v\n%s", status, r.Method, r.URL, err, body)
	}
}

// People to be in tests.
var (
	Admin    = auth.Identity{UserID: "11111111-1111-4111-8111-111111111111", Email: "admin@localhost", Name: "A", Role: auth.Admin}
	Operator = auth.Identity{UserID: "22222222-2222-4222-8222-222222222222", Email: "op@localhost", Name: "O", Role: auth.Operator}
	Viewer   = auth.Identity{UserID: "33333333-3333-4333-8333-333333333333", Email: "v@localhost", Name: "V", Role: auth.Viewer}
)
