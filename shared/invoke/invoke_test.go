package invoke_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"guarda/shared/fault"
	"guarda/shared/invoke"
)

// lambdaAt points the SDK at a server that answers as Lambda does.
func lambdaAt(t *testing.T, answer http.HandlerFunc) *invoke.Lambda {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_LAMBDA": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	l, err := invoke.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAnEventIsHandedOverAsynchronously(t *testing.T) {
	var path, kind, body string
	l := lambdaAt(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		path, kind, body = r.URL.Path, r.Header.Get("X-Amz-Invocation-Type"), string(raw)
		w.WriteHeader(http.StatusAccepted)
	})
	if err := l.Async(t.Context(), "guarda-backup-coordinator", map[string]string{"execution_id": "7"}); err != nil {
		t.Fatal(err)
	}
	if path != "/2015-03-31/functions/guarda-backup-coordinator/invocations" || kind != "Event" || body != `{"execution_id":"7"}` {
		t.Errorf("path %s, type %s, body %s", path, kind, body)
	}
}

func TestAFailureSaysWhetherTryingAgainHelps(t *testing.T) {
	for _, tt := range []struct {
		status int
		kind   string
		code   fault.Code
	}{
		{404, "ResourceNotFoundException", fault.Internal},
		{403, "AccessDeniedException", fault.Internal},
		{429, "TooManyRequestsException", fault.Unavailable},
		{500, "ServiceException", fault.Unavailable},
	} {
		l := lambdaAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", tt.kind)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, `{"Message":"no"}`)
		})
		err := l.Async(t.Context(), "f", struct{}{})
		if fault.CodeOf(err) != tt.code || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (%s), want %s and a hint", tt.kind, err, fault.CodeOf(err), tt.code)
		}
	}
}

func TestAnEventThatLambdaWouldRefuseIsNotSent(t *testing.T) {
	l := lambdaAt(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	if err := l.Async(t.Context(), "f", make([]byte, 1<<20)); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("got %v", err)
	}
}
