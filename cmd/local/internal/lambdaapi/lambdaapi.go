// Package lambdaapi answers for AWS's control plane where functions call it:
// the Invoke operation of Lambda, synchronous and asynchronous, and Publish of
// SNS. What it hands to functions goes the way it goes in the cloud: retries,
// waiting while concurrency is used up, on-failure destinations.
//
// Sources: Lambda's API reference (Invoke) and developer guide ("How Lambda
// handles errors and retries with asynchronous invocation"), SNS's API
// reference (Publish).
package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/shared/clock"
)

// MaxAsync is the most bytes of an asynchronous event.
const MaxAsync = 1 << 20

// Function is what can be invoked.
type Function struct {
	Name, ARN string
	Retries   int
	MaxAge    time.Duration
	OnFailure string // ARN of a topic, queue or function; "" if none
}

// Subscription is a function that gets what is published to a topic.
type Subscription struct{ TopicARN, FunctionName, ARN string }

// Config describes an API. All members but Log, RetryDelays and Backoff are
// required.
type Config struct {
	Invoke        func(ctx context.Context, name string, req runtimeapi.Request) (*runtimeapi.Result, error)
	Clock         clock.Clock
	Functions     []Function
	Topics        []string // ARNs
	Subscriptions []Subscription
	// RetryDelays are the waits before the retries of an event whose function
	// failed. Lambda waits one minute, then two; nil is a second and two.
	RetryDelays []time.Duration
	// Backoff is the first wait of an event that finds its function's
	// concurrency used up; it doubles up to 64 times as much. 0 is 500 ms.
	Backoff time.Duration
	// Log is told what became of events that failed; nil drops it.
	Log func(function, message string)
}

// API is the control plane. It is safe for concurrent use.
type API struct {
	cfg    Config
	byName map[string]Function
	queue  *queue
}

// New makes an API.
func New(cfg Config) *API {
	if cfg.RetryDelays == nil {
		cfg.RetryDelays = []time.Duration{time.Second, 2 * time.Second}
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 500 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = func(string, string) {}
	}
	a := &API{cfg: cfg, byName: map[string]Function{}}
	for _, f := range cfg.Functions {
		a.byName[f.Name] = f
	}
	a.queue = newQueue(a)
	return a
}

// Handler serves /2015-03-31/functions/{name}/invocations and /sns.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", a.invoke)
	mux.HandleFunc("POST /sns", a.sns)
	mux.HandleFunc("POST /sns/{$}", a.sns)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotImplemented, "NotImplementedException", "the local stack does not support "+r.Method+" "+r.URL.Path)
	})
	return mux
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message, "message": message})
}

// find resolves a function's name, partial ARN or ARN, with or without the
// version $LATEST.
func (a *API) find(name string) (Function, bool) {
	if i := strings.LastIndex(name, ":function:"); i >= 0 {
		name = name[i+len(":function:"):]
	} else if _, rest, ok := strings.Cut(name, "function:"); ok {
		name = rest
	}
	name = strings.TrimSuffix(name, ":$LATEST")
	f, ok := a.byName[name]
	return f, ok
}

func (a *API) invoke(w http.ResponseWriter, r *http.Request) {
	f, ok := a.find(r.PathValue("name"))
	if q := r.URL.Query().Get("Qualifier"); !ok || q != "" && q != "$LATEST" {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+r.PathValue("name"))
		return
	}
	kind := r.Header.Get("X-Amz-Invocation-Type")
	limit := runtimeapi.MaxSync
	if kind == "Event" {
		limit = MaxAsync
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return // the caller has gone
	}
	if len(payload) > limit {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", len(payload), kind, limit))
		return
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
		return
	}
	h := w.Header()
	switch kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	case "Event":
		id, err := a.Enqueue(f.Name, payload)
		if err != nil {
			refuse(w, http.StatusServiceUnavailable, "ServiceException", err.Error())
			return
		}
		h.Set("X-Amzn-Requestid", id)
		w.WriteHeader(http.StatusAccepted)
	case "", "RequestResponse":
		res, err := a.cfg.Invoke(r.Context(), f.Name, runtimeapi.Request{Payload: payload})
		if err == nil {
			err = res.Read()
		}
		switch {
		case errors.Is(err, runtimeapi.ErrThrottled):
			h.Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
			return
		case err != nil:
			refuse(w, http.StatusInternalServerError, "ServiceException", err.Error())
			return
		}
		h.Set("X-Amzn-Requestid", res.RequestID)
		h.Set("X-Amz-Executed-Version", "$LATEST")
		h.Set("Content-Type", "application/json")
		if res.FunctionError != "" {
			h.Set("X-Amz-Function-Error", res.FunctionError)
		}
		_, _ = w.Write(res.Payload)
	default:
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", "unknown invocation type "+kind)
	}
}

// Enqueue takes an asynchronous event and returns its request id.
func (a *API) Enqueue(function string, payload []byte) (string, error) {
	f, ok := a.byName[function]
	if !ok {
		return "", runtimeapi.ErrNotFound
	}
	return a.queue.put(f, payload)
}

// Close takes no more events, and waits for attempts under way until ctx ends.
// It returns how many events were not done: they are gone.
func (a *API) Close(ctx context.Context) int { return a.queue.close(ctx) }
