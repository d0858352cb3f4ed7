package lambdafn_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/lambdafn"
)

// A proxy event as API Gateway's REST API sends it: both kinds of maps, null
// where there is nothing, a stage that is not part of the path.
const proxyEvent = `{
	"resource": "/api/things/{id}", "path": "/api/things/7", "httpMethod": "POST",
	"headers": {"content-type": "application/json", "Accept-Language": "pt-BR"},
	"multiValueHeaders": {"content-type": ["application/json"], "Accept-Language": ["pt-BR"]},
	"queryStringParameters": {"a": "2"}, "multiValueQueryStringParameters": {"a": ["1", "2"], "q": ["x y&z"]},
	"pathParameters": {"id": "7"}, "stageVariables": null,
	"requestContext": {"resourcePath": "/api/things/{id}", "stage": "live", "requestId": "req-1", "httpMethod": "POST", "domainName": "api.example.com",
		"identity": {"sourceIp": "203.0.113.9"},
		"authorizer": {"principalId": "user:u1", "user_id": "u1", "email": "a@b", "name": "A", "role": "operator", "api_key_id": "", "auth_time": "1764000000", "integrationLatency": 3}},
	"body": "{\"n\":1}", "isBase64Encoded": false}`

func invoke(t *testing.T, h http.Handler, event string) events.APIGatewayProxyResponse {
	t.Helper()
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "lambda-1"})
	resp, err := lambdafn.HTTPHandler(h)(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestHandlerSeesTheEventAsARequest(t *testing.T) {
	t.Parallel()
	rt := httpapi.NewRouter(slog.New(slog.DiscardHandler))
	rt.Handle("POST /api/things/{id}", func(w http.ResponseWriter, r *http.Request) error {
		in, err := httpapi.Decode[struct {
			N int `json:"n"`
		}](r)
		if err != nil {
			return err
		}
		who, err := auth.FromContext(r.Context())
		if err != nil {
			return err
		}
		return httpapi.JSON(w, 201, map[string]any{"id": r.PathValue("id"), "n": in.N, "a": r.URL.Query()["a"], "q": r.URL.Query().Get("q"),
			"role": who.Role, "auth_time": who.AuthTime, "address": r.RemoteAddr, "request": httpapi.RequestID(r.Context())})
	})
	resp := invoke(t, rt, proxyEvent)
	const want = `{"a":["1","2"],"address":"203.0.113.9","auth_time":1764000000,"id":"7","n":1,"q":"x y\u0026z","request":"req-1","role":"operator"}` + "\n"
	if resp.StatusCode != 201 || resp.Body != want || resp.IsBase64Encoded {
		t.Errorf("%d %s", resp.StatusCode, resp.Body)
	}
	if got := resp.MultiValueHeaders["X-Request-Id"]; len(got) != 1 || got[0] != "req-1" {
		t.Errorf("headers %v", resp.MultiValueHeaders)
	}
}

func TestIdentityIsOnlyTheAuthorizers(t *testing.T) {
	t.Parallel()
	rt := httpapi.NewRouter(slog.New(slog.DiscardHandler))
	rt.Handle("POST /api/things/{id}", httpapi.Allow(auth.BackupRead, func(w http.ResponseWriter, _ *http.Request) error { return httpapi.NoContent(w) }))
	for name, change := range map[string]func(string) string{
		"none": func(s string) string {
			return strings.Replace(s, `"authorizer": {`, `"authorizer": null, "other": {`, 1)
		},
		"unknown role": func(s string) string { return strings.Replace(s, "operator", "root", 1) },
		"headers": func(s string) string {
			return strings.Replace(strings.Replace(s, `"authorizer": {`, `"authorizer": null, "other": {`, 1), `"Accept-Language": "pt-BR"}`, `"user_id": "u1", "role": "admin"}`, 1)
		},
	} {
		if resp := invoke(t, rt, change(proxyEvent)); resp.StatusCode != 401 {
			t.Errorf("%s: %d %s", name, resp.StatusCode, resp.Body)
		}
	}
	if resp := invoke(t, rt, proxyEvent); resp.StatusCode != 204 {
		t.Errorf("with identity: %d %s", resp.StatusCode, resp.Body)
	}
}

func TestOddPathsAreAnsweredNotFailed(t *testing.T) {
	t.Parallel()
	rt := httpapi.NewRouter(slog.New(slog.DiscardHandler))
	for _, path := range []string{"/api/%zz", "/api/a b", "/", "/api/ação", "/a%2Fb"} {
		raw, _ := json.Marshal(path)
		if resp := invoke(t, rt, strings.Replace(proxyEvent, `"path": "/api/things/7"`, `"path": `+string(raw), 1)); resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func TestJobFailuresAndPanicsAreErrorsWithoutTheirCause(t *testing.T) {
	t.Parallel()
	type event struct{ N int }
	quiet := slog.New(slog.DiscardHandler)
	job := lambdafn.JobHandler(quiet, func(_ context.Context, e event) (any, error) {
		switch e.N {
		case 1:
			return map[string]int{"n": 1}, nil
		case 2:
			return nil, fault.New(fault.Unavailable, "the database cannot be reached")
		}
		panic("secret cause")
	})
	if out, err := job(t.Context(), []byte(`{"N":1}`)); err != nil || out.(map[string]int)["n"] != 1 {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := job(t.Context(), []byte(`{"N":2}`)); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := job(t.Context(), []byte(`{"N":3}`)); err == nil || strings.Contains(err.Error(), "secret cause") {
		t.Errorf("a panic: %v", err)
	}
	if _, err := job(t.Context(), []byte(`{"N":"x"}`)); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("another event: %v", err)
	}
}

func TestAuthorizerAnswersAsAPIGatewayWants(t *testing.T) {
	t.Parallel()
	var fails error
	h := lambdafn.AuthorizerHandler(slog.New(slog.DiscardHandler), func(_ context.Context, headers http.Header) (auth.Identity, error) {
		if headers.Get("X-API-Key") != "k" {
			return auth.Identity{}, errors.New("the header is lost")
		}
		return auth.Identity{UserID: "u1", Email: "a@b", Name: "A", Role: auth.Viewer, AuthTime: 17}, fails
	})
	var e events.APIGatewayCustomAuthorizerRequestTypeRequest
	event := `{"type":"REQUEST","methodArn":"arn:aws:execute-api:sa-east-1:123456789012:abc/live/GET/api/sources/7","path":"/api/sources/7","httpMethod":"GET",
		"headers":{"x-api-key":"k"},"multiValueHeaders":{"x-api-key":["k"]},"requestContext":{"requestId":"r"}}`
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	resp, err := h(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	statement := resp.PolicyDocument.Statement[0]
	if statement.Effect != "Allow" || statement.Resource[0] != "arn:aws:execute-api:sa-east-1:123456789012:abc/live/*" || resp.PrincipalID != "user:u1" {
		t.Errorf("%+v", resp)
	}
	for k, v := range resp.Context { // API Gateway takes no lists or objects here
		if _, ok := v.(string); !ok {
			t.Errorf("context %s is a %T", k, v)
		}
	}
	fails = fault.New(fault.Unauthenticated, "the token has expired")
	if _, err := h(t.Context(), e); err == nil || err.Error() != "Unauthorized" {
		t.Errorf("no identity: %v", err)
	}
	fails = fault.New(fault.Unavailable, "the database cannot be reached")
	if _, err := h(t.Context(), e); err == nil || err.Error() == "Unauthorized" {
		t.Errorf("Postgres away: %v", err)
	}
}

func TestLogLinesNameFunctionAndRequestOnce(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log := lambdafn.NewLogger(w, "sources")
	ctx := httpapi.WithRequestID(t.Context(), "req-1")
	log.InfoContext(ctx, "one")
	log.InfoContext(ctx, "two", "request_id", "given")
	w.Close()
	lines := bufio.NewScanner(r)
	for _, want := range []string{`"function":"sources","request_id":"req-1"}`, `"function":"sources","request_id":"given"}`} {
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Errorf("line %s, want …%s", lines.Text(), want)
		}
	}
}
