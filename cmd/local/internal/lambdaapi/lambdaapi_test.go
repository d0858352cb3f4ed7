package lambdaapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/cmd/local/internal/lambdaapi"
	"guarda/cmd/local/internal/runtimeapi"
	"guarda/shared/clock"
)

// functions stands for the runtime: each function is a Go function.
type functions struct {
	mu    sync.Mutex
	calls []string // "<function> <payload>"
	ids   []string
	do    map[string]func(n int, payload string) (string, error) // n counts the calls of the function from 1
	n     map[string]int
}

func (f *functions) invoke(_ context.Context, name string, req runtimeapi.Request) (*runtimeapi.Result, error) {
	f.mu.Lock()
	f.calls = append(f.calls, name+" "+string(req.Payload))
	f.ids = append(f.ids, req.RequestID)
	f.n[name]++
	n := f.n[name]
	do := f.do[name]
	f.mu.Unlock()
	if do == nil {
		return &runtimeapi.Result{RequestID: "r", Payload: []byte(`"done"`)}, nil
	}
	failed, err := do(n, string(req.Payload))
	if err != nil {
		return nil, err
	}
	if failed != "" {
		return &runtimeapi.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"` + failed + `"}`)}, nil
	}
	return &runtimeapi.Result{Payload: []byte(`"done"`)}, nil
}

func (f *functions) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

const topic = "arn:aws:sns:us-east-1:000000000000:failures"

func newAPI(t *testing.T, do map[string]func(int, string) (string, error)) (*lambdaapi.API, *functions, *httptest.Server) {
	t.Helper()
	f := &functions{do: do, n: map[string]int{}}
	fn := func(name, onFailure string) lambdaapi.Function {
		return lambdaapi.Function{Name: name, ARN: "arn:aws:lambda:us-east-1:000000000000:function:" + name, Retries: 2, MaxAge: time.Hour, OnFailure: onFailure}
	}
	api := lambdaapi.New(lambdaapi.Config{
		Invoke: f.invoke, Clock: clock.System{}, RetryDelays: []time.Duration{time.Millisecond, 2 * time.Millisecond}, Backoff: time.Millisecond,
		Functions: []lambdaapi.Function{fn("work", topic), fn("plain", ""), fn("listener", ""), fn("chained", "arn:aws:lambda:us-east-1:000000000000:function:plain")},
		Topics:    []string{topic}, Subscriptions: []lambdaapi.Subscription{{TopicARN: topic, FunctionName: "listener", ARN: topic + ":1"}},
	})
	srv := httptest.NewServer(api.Handler())
	t.Cleanup(func() {
		srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		api.Close(ctx)
	})
	return api, f, srv
}

func post(t *testing.T, srv *httptest.Server, function, kind, payload string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/2015-03-31/functions/"+url.PathEscape(function)+"/invocations", strings.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Invocation-Type", kind)
	resp, err := srv.Client().Do(req)
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

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

func TestInvokeByNameAndARN(t *testing.T) {
	t.Parallel()
	_, f, srv := newAPI(t, map[string]func(int, string) (string, error){
		"work":    func(int, string) (string, error) { return "broken", nil },
		"chained": func(int, string) (string, error) { return "", runtimeapi.ErrThrottled },
	})
	for _, name := range []string{"plain", "arn:aws:lambda:us-east-1:000000000000:function:plain", "arn:aws:lambda:us-east-1:000000000000:function:plain:$LATEST"} {
		resp, body := post(t, srv, name, "RequestResponse", `{"a":1}`)
		if resp.StatusCode != 200 || body != `"done"` || resp.Header.Get("X-Amz-Executed-Version") != "$LATEST" || resp.Header.Get("X-Amz-Function-Error") != "" {
			t.Errorf("%s: %d %s %v", name, resp.StatusCode, body, resp.Header)
		}
	}
	if resp, _ := post(t, srv, "work", "", ""); resp.StatusCode != 200 || resp.Header.Get("X-Amz-Function-Error") != "Unhandled" {
		t.Errorf("a function that fails: %d %v", resp.StatusCode, resp.Header)
	}
	before := len(f.seen())
	for _, c := range []struct {
		function, kind, payload, want string
		status                        int
	}{
		{"nobody", "", "{}", "ResourceNotFoundException", 404},
		{"chained", "", "{}", "TooManyRequestsException", 429},
		{"plain", "", "{not json", "InvalidRequestContentException", 400},
		{"plain", "Sometimes", "{}", "InvalidParameterValueException", 400},
		{"plain", "Event", `"` + strings.Repeat("x", 1<<20) + `"`, "RequestTooLargeException", 413},
		{"plain", "", `"` + strings.Repeat("x", 6<<20) + `"`, "RequestTooLargeException", 413},
		{"plain", "DryRun", "{}", "", 204},
	} {
		resp, body := post(t, srv, c.function, c.kind, c.payload)
		if resp.StatusCode != c.status || resp.Header.Get("X-Amzn-Errortype") != c.want {
			t.Errorf("%s %s: %d %q %.200s", c.function, c.kind, resp.StatusCode, resp.Header.Get("X-Amzn-Errortype"), body)
		}
	}
	if got := len(f.seen()) - before; got != 1 {
		t.Errorf("%d functions ran for requests that are refused", got)
	}
}

func TestAnAsynchronousFailureIsTriedThreeTimesAndThenTold(t *testing.T) {
	t.Parallel()
	_, f, srv := newAPI(t, map[string]func(int, string) (string, error){
		"work": func(int, string) (string, error) { return "no such table", nil },
	})
	if resp, _ := post(t, srv, "work", "Event", `{"n":7}`); resp.StatusCode != 202 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	var told string
	eventually(t, "the topic's function hears of it", func() bool {
		for _, c := range f.seen() {
			if strings.HasPrefix(c, "listener ") {
				told = strings.TrimPrefix(c, "listener ")
			}
		}
		return told != ""
	})
	if n := f.n["work"]; n != 3 {
		t.Errorf("%d attempts", n)
	}
	if f.ids[0] == "" || f.ids[0] != f.ids[1] || f.ids[1] != f.ids[2] {
		t.Errorf("the attempts have the ids %v", f.ids)
	}
	var event struct {
		Records []struct {
			EventSource string
			Sns         struct{ TopicArn, Message string }
		}
	}
	if err := json.Unmarshal([]byte(told), &event); err != nil || len(event.Records) != 1 || event.Records[0].Sns.TopicArn != topic {
		t.Fatalf("%v: %s", err, told)
	}
	var record struct {
		RequestContext struct {
			Condition              string
			ApproximateInvokeCount int
		}
		RequestPayload  struct{ N int }
		ResponsePayload struct{ ErrorMessage string }
	}
	if err := json.Unmarshal([]byte(event.Records[0].Sns.Message), &record); err != nil {
		t.Fatal(err)
	}
	if record.RequestContext.Condition != "RetriesExhausted" || record.RequestContext.ApproximateInvokeCount != 3 || record.RequestPayload.N != 7 || record.ResponsePayload.ErrorMessage != "no such table" {
		t.Errorf("the destination is told %+v", record)
	}
}

func TestARetryThatWorksIsTheEndOfIt(t *testing.T) {
	t.Parallel()
	api, f, _ := newAPI(t, map[string]func(int, string) (string, error){
		"work": func(n int, _ string) (string, error) {
			if n == 1 {
				return "once", nil
			}
			return "", nil
		},
	})
	if _, err := api.Enqueue("work", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two attempts", func() bool { return len(f.seen()) == 2 })
	time.Sleep(20 * time.Millisecond)
	if got := f.seen(); len(got) != 2 {
		t.Errorf("calls: %v", got)
	}
}

func TestAThrottledEventWaitsAndIsNoAttempt(t *testing.T) {
	t.Parallel()
	api, f, _ := newAPI(t, map[string]func(int, string) (string, error){
		"chained": func(n int, _ string) (string, error) {
			if n <= 5 {
				return "", runtimeapi.ErrThrottled
			}
			return "fails", nil
		},
	})
	if _, err := api.Enqueue("chained", []byte(`{"k":1}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "five refusals, three attempts, and the function of the destination", func() bool {
		got := f.seen()
		return len(got) == 9 && strings.HasPrefix(got[8], "plain ") && strings.Contains(got[8], `"approximateInvokeCount":3`)
	})
}

func TestCloseSaysHowManyEventsAreLeft(t *testing.T) {
	t.Parallel()
	api, f, _ := newAPI(t, map[string]func(int, string) (string, error){
		"work": func(int, string) (string, error) { return "", runtimeapi.ErrThrottled },
	})
	for range 3 {
		if _, err := api.Enqueue("work", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "three refusals", func() bool { return len(f.seen()) >= 3 })
	if n := api.Close(t.Context()); n != 3 {
		t.Errorf("%d events are left", n)
	}
	if _, err := api.Enqueue("work", []byte("{}")); !errors.Is(err, runtimeapi.ErrClosed) {
		t.Errorf("an event after Close: %v", err)
	}
}

func TestPublishReachesSubscribedFunctions(t *testing.T) {
	t.Parallel()
	_, f, srv := newAPI(t, nil)
	form := url.Values{"Action": {"Publish"}, "TopicArn": {topic}, "Subject": {"s"}, "Message": {"hello"},
		"MessageAttributes.entry.1.Name": {"k"}, "MessageAttributes.entry.1.Value.DataType": {"String"}, "MessageAttributes.entry.1.Value.StringValue": {"v"}}
	resp, err := srv.Client().PostForm(srv.URL+"/sns", form)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(string(body), "<MessageId>") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	eventually(t, "the listener hears it", func() bool { return len(f.seen()) == 1 })
	if got := f.seen()[0]; !strings.Contains(got, `"Message":"hello"`) || !strings.Contains(got, `"k":{"Type":"String","Value":"v"}`) {
		t.Errorf("it hears %s", got)
	}
	form.Set("TopicArn", "arn:aws:sns:us-east-1:000000000000:nowhere")
	if resp, err = srv.Client().PostForm(srv.URL+"/sns", form); err != nil || resp.StatusCode != 404 {
		t.Errorf("an unknown topic: %v %v", resp.StatusCode, err)
	}
	resp.Body.Close()
}
