package gateway_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/cmd/local/internal/gateway"
	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
)

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "guarda-web-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "./testdata/web").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

const shop = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Variables: {colour: blue}
      BinaryMediaTypes: [image~1png]
      MinimumCompressionSize: 1024
      Auth:
        AddDefaultAuthorizerToCorsPreflight: false
        DefaultAuthorizer: Token
        Authorizers:
          Token: {FunctionArn: !GetAtt Web.Arn, FunctionPayloadType: REQUEST, Identity: {Headers: [Authorization], ReauthorizeEvery: 60}}
          Always: {FunctionArn: !GetAtt Web.Arn, FunctionPayloadType: REQUEST, Identity: {ReauthorizeEvery: 0}}
      Cors: {AllowOrigin: "'https://x.test'", AllowHeaders: "'Authorization'", MaxAge: "'600'"}
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 401
          ResponseParameters: {Headers: {Content-Type: "'application/problem+json'", X-From: "'gateway'"}}
          ResponseTemplates: {application/json: '{"detail":$context.error.messageString,"id":"$context.requestId"}'}
        DEFAULT_5XX: {ResponseParameters: {Headers: {X-From: "'default'"}}}
  Web:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: build/web
      Events:
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /open, Method: any, Auth: {Authorizer: NONE}}}
        Item: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/items/{id}', Method: get, Auth: {Authorizer: NONE}}}
        Fixed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /items/special, Method: get, Auth: {Authorizer: NONE}}}
        Greedy: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/items/{proxy+}', Method: get, Auth: {Authorizer: NONE}}}
        Closed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /closed, Method: get}}
        Closed2: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /closed2, Method: get}}
        Checked: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /checked, Method: get, Auth: {Authorizer: Always}}}
        Stream: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /stream, Method: get, ResponseTransferMode: RESPONSE_STREAM, Auth: {Authorizer: NONE}}}
        Short: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /short, Method: get, TimeoutInMillis: 200, Auth: {Authorizer: NONE}}}
`

type server struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // names of functions, in the order of their invocation
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func serve(t *testing.T) *server {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := template.Parse("template.yaml", []byte(shop), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rt, err := runtimeapi.New(runtimeapi.Config{Base: l.Addr().String(), Clock: clock.System{}, Functions: []runtimeapi.Function{{Name: "guarda-Web", Dir: dir, Timeout: time.Minute}}, InitTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	inner := &http.Server{Handler: rt.Handler()}
	go func() { _ = inner.Serve(l) }()
	s := &server{}
	g := gateway.New(gateway.Config{
		API: tpl.APIs[0], Region: "us-east-1", AccountID: "000000000000", Clock: clock.System{},
		FunctionName: func(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] },
		Invoke: func(ctx context.Context, name string, req runtimeapi.Request) (*runtimeapi.Result, error) {
			s.mu.Lock()
			s.calls = append(s.calls, name)
			s.mu.Unlock()
			return rt.Invoke(ctx, name, req)
		},
	})
	s.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		rt.Close(ctx)
		_ = inner.Close()
	})
	return s
}

func (s *server) do(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func (s *server) event(t *testing.T, method, path, body string, header ...string) map[string]any {
	t.Helper()
	resp, text := s.do(t, method, path, body, header...)
	var e map[string]any
	if err := json.Unmarshal([]byte(text), &e); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return e
}

func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func TestTheEventHasAPIGatewaysShape(t *testing.T) {
	t.Parallel()
	s := serve(t)
	e := s.event(t, "GET", "/items/a%20b?x=1&x=2&y=%C3%A1&z", "", "X-Two", "one", "X-Two", "two")
	for _, c := range []struct {
		keys string
		want any
	}{
		{"resource", "/items/{id}"}, {"path", "/items/a%20b"}, {"httpMethod", "GET"},
		{"pathParameters.id", "a%20b"}, {"queryStringParameters.x", "2"}, {"queryStringParameters.y", "á"}, {"queryStringParameters.z", ""},
		{"headers.X-Two", "two"}, {"stageVariables.colour", "blue"}, {"body", nil}, {"isBase64Encoded", false},
		{"requestContext.resourcePath", "/items/{id}"}, {"requestContext.path", "/live/items/a%20b"}, {"requestContext.stage", "live"},
		{"requestContext.identity.sourceIp", "127.0.0.1"}, {"requestContext.identity.caller", nil}, {"requestContext.protocol", "HTTP/1.1"},
		{"requestContext.authorizer", nil},
	} {
		if got := at(e, strings.Split(c.keys, ".")...); got != c.want {
			t.Errorf("%s is %v, want %v", c.keys, got, c.want)
		}
	}
	if got := fmt.Sprint(at(e, "multiValueQueryStringParameters", "x"), at(e, "multiValueHeaders", "X-Two")); got != "[1 2] [one two]" {
		t.Errorf("multi-value maps: %s", got)
	}
	none := s.event(t, "GET", "/open", "")
	for _, k := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters"} {
		if v, there := none[k]; !there || v != nil {
			t.Errorf("%s is %v (there: %v), want null", k, v, there)
		}
	}
	if _, there := none["requestContext"].(map[string]any)["authorizer"]; there {
		t.Error("there is an authorizer in the context of an open route")
	}
	post := s.event(t, "POST", "/open", `{"a":1}`)
	if post["body"] != `{"a":1}` || post["isBase64Encoded"] != false {
		t.Errorf("body %v", post["body"])
	}
	binary := s.event(t, "POST", "/open", "\x00\xff", "Content-Type", "image/png")
	if binary["body"] != "AP8=" || binary["isBase64Encoded"] != true {
		t.Errorf("binary body %v", binary["body"])
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"a":1}`))
	_ = z.Close()
	if e := s.event(t, "POST", "/open", zipped.String(), "Content-Encoding", "gzip"); e["body"] != `{"a":1}` {
		t.Errorf("a gzip body arrives as %q", e["body"])
	}
}

func TestRoutesPreferWhatIsFixed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, want := range map[string]string{"/items/special": "/items/special", "/items/7": "/items/{id}", "/items/7/8": "/items/{proxy+}", "/items/special/": "/items/special"} {
		if got := s.event(t, "GET", path, "")["resource"]; got != want {
			t.Errorf("%s goes to %v, want %s", path, got, want)
		}
	}
	if got := at(s.event(t, "GET", "/items/7/8", ""), "pathParameters", "proxy"); got != "7/8" {
		t.Errorf("proxy is %v", got)
	}
	for _, c := range [][2]string{{"GET", "/nowhere"}, {"DELETE", "/closed"}, {"GET", "/items"}} {
		resp, body := s.do(t, c[0], c[1], "")
		if resp.StatusCode != 403 || body != `{"message":"Missing Authentication Token"}` {
			t.Errorf("%v: %d %s", c, resp.StatusCode, body)
		}
	}
}

func TestTheAuthorizerDecides(t *testing.T) {
	t.Parallel()
	s := serve(t)
	resp, body := s.do(t, "GET", "/closed", "")
	if resp.StatusCode != 401 || s.count() != 0 {
		t.Errorf("no identity: %d after %d invocations", resp.StatusCode, s.count())
	}
	var problem struct{ Detail, ID string }
	if json.Unmarshal([]byte(body), &problem) != nil || problem.Detail != "Unauthorized" || problem.ID == "" || problem.ID != resp.Header.Get("X-Amzn-Requestid") ||
		resp.Header.Get("Content-Type") != "application/problem+json" || resp.Header.Get("X-From") != "gateway" {
		t.Errorf("the template's response is %s with %v", body, resp.Header)
	}
	e := s.event(t, "GET", "/closed", "", "Authorization", "Bearer good")
	for k, want := range map[string]string{"principalId": "ana", "permissions": "backup:read", "level": "3", "admin": "true"} {
		if got := at(e, "requestContext", "authorizer", k); got != want {
			t.Errorf("authorizer.%s is %#v, want %q", k, got, want)
		}
	}
	before := s.count()
	s.event(t, "GET", "/closed", "", "Authorization", "Bearer good")
	if got := s.count() - before; got != 1 {
		t.Errorf("with a kept answer %d functions are invoked", got)
	}
	for _, c := range []struct {
		token, path string
		status      int
	}{
		{"Bearer wrong", "/closed", 401}, {"Bearer deny", "/closed", 403}, {"Bearer crash", "/closed", 500}, {"Bearer odd", "/closed", 500},
		{"Bearer here", "/closed", 200}, {"Bearer here", "/closed2", 403}, // the kept policy names the first path only
	} {
		if resp, body := s.do(t, "GET", c.path, "", "Authorization", c.token); resp.StatusCode != c.status {
			t.Errorf("%s on %s: %d %s", c.token, c.path, resp.StatusCode, body)
		}
	}
	before = s.count()
	for range 2 { // without identity sources and without keeping, it is asked each time
		if resp, _ := s.do(t, "GET", "/checked", ""); resp.StatusCode != 401 {
			t.Errorf("no identity at the other authorizer: %d", resp.StatusCode)
		}
	}
	if got := s.count() - before; got != 2 {
		t.Errorf("%d invocations of an authorizer that is asked each time", got)
	}
}

func TestPreflightIsAnsweredByTheGateway(t *testing.T) {
	t.Parallel()
	s := serve(t)
	resp, _ := s.do(t, "OPTIONS", "/closed", "", "Origin", "https://x.test")
	h := resp.Header
	if resp.StatusCode != 200 || h.Get("Access-Control-Allow-Origin") != "https://x.test" || h.Get("Access-Control-Allow-Methods") != "OPTIONS,GET" ||
		h.Get("Access-Control-Allow-Headers") != "Authorization" || h.Get("Access-Control-Max-Age") != "600" || s.count() != 0 {
		t.Errorf("%d %v after %d invocations", resp.StatusCode, h, s.count())
	}
}

func TestAnswersAreCheckedAsStrictlyAsThere(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, do := range []string{"unknown", "text", "fail"} {
		resp, body := s.do(t, "GET", "/open?do="+do, "")
		if resp.StatusCode != 502 || body != `{"message":"Internal server error"}` || resp.Header.Get("X-From") != "default" {
			t.Errorf("%s: %d %s", do, resp.StatusCode, body)
		}
	}
	resp, _ := s.do(t, "GET", "/open?do=headers", "")
	if resp.StatusCode != 418 || resp.Header.Get("X-One") != "1" || len(resp.Header.Values("Set-Cookie")) != 2 || resp.Header.Get("X-Amzn-Remapped-Server") != "mine" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if _, body := s.do(t, "GET", "/open?do=binary", "", "Accept", "image/png"); body != "\x00\x01\x02\xff" {
		t.Errorf("binary: %q", body)
	}
	if _, body := s.do(t, "GET", "/open?do=binary", "", "Accept", "text/html"); body != "AAEC/w==" {
		t.Errorf("binary for who does not accept it: %q", body)
	}
}

func TestLimitsOfSizeAndTime(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for what, n := range map[string]int{"more than API Gateway takes": 10<<20 + 1, "more than Lambda takes": 7 << 20} {
		if resp, body := s.do(t, "POST", "/open", strings.Repeat("x", n)); resp.StatusCode != 413 {
			t.Errorf("%s: %d %.100s", what, resp.StatusCode, body)
		}
	}
	resp, body := s.do(t, "GET", "/short?do=slow", "")
	if resp.StatusCode != 504 || body != `{"message":"Endpoint request timed out"}` {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestStreamedRoutesStream(t *testing.T) {
	t.Parallel()
	s := serve(t)
	file := filepath.Join(t.TempDir(), "go-on")
	resp, err := s.Client().Get(s.URL + "/stream?do=stream&until=" + url.QueryEscape(file))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("headers %v", resp.Header)
	}
	in := bufio.NewReader(resp.Body)
	if line, err := in.ReadString('\n'); err != nil || line != "data: 1\n" { // the function writes no more before it may
		t.Errorf("first line %q, %v", line, err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(in); err != nil || string(rest) != "\ndata: 2\n\n" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	if resp, _ := s.do(t, "GET", "/stream", ""); resp.StatusCode != 502 {
		t.Errorf("an answer that is not streamed, on a route that is: %d", resp.StatusCode)
	}
	if resp, _ := s.do(t, "GET", "/open?do=stream", ""); resp.StatusCode != 502 {
		t.Errorf("a streamed answer on a route that is not: %d", resp.StatusCode)
	}
}
