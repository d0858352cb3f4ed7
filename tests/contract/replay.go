package contract

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"guarda/shared/lambdafn"
)

// Event reads the sample event of a function into v.
func Event(t *testing.T, function string, v any) {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "events", function+".json"))
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		t.Fatalf("events/%s.json: %v", function, err)
	}
}

// Replay sends a function's sample event through its handler as API Gateway
// would, and holds the answer against the contract.
func Replay(t *testing.T, function string, h http.Handler) events.APIGatewayProxyResponse {
	t.Helper()
	var event events.APIGatewayProxyRequest
	Event(t, function, &event)
	answer, err := lambdafn.HTTPHandler(h)(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	target := event.Path
	sep := "?"
	for name, values := range event.MultiValueQueryStringParameters {
		for _, v := range values {
			target += sep + name + "=" + v
			sep = "&"
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), event.HTTPMethod, target, strings.NewReader(event.Body))
	r.Header.Set("Content-Type", "application/json")
	header := http.Header{}
	for name, values := range answer.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	for name, v := range answer.Headers {
		header.Set(name, v)
	}
	Check(t, r, answer.StatusCode, header, []byte(answer.Body))
	return answer
}
