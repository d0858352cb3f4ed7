package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
)

// queue carries asynchronous events to functions. It lives in memory: what is
// in it when the stack ends is gone, as the functions' own records of work to
// do must allow for.
type queue struct {
	a      *API
	ctx    context.Context // ends when no more attempts are made
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	waiting int
	all     sync.WaitGroup
}

type event struct {
	f       Function
	id      string
	payload []byte
	arrived time.Time
}

func newQueue(a *API) *queue {
	ctx, cancel := context.WithCancel(context.Background())
	return &queue{a: a, ctx: ctx, cancel: cancel}
}

func (q *queue) put(f Function, payload []byte) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return "", runtimeapi.ErrClosed
	}
	e := event{f, runtimeapi.NewRequestID(), payload, q.a.cfg.Clock.Now()}
	q.waiting++
	q.all.Go(func() {
		if q.deliver(e) {
			q.mu.Lock()
			q.waiting--
			q.mu.Unlock()
		}
	})
	return e.id, nil
}

// deliver tries until the function has done it or nobody wants it any more. It
// returns false when the stack's end came first.
func (q *queue) deliver(e event) bool {
	cfg, backoff := q.a.cfg, q.a.cfg.Backoff
	for attempt := 1; ; {
		// Not q.ctx: an attempt that has begun may end (Runtime.Close sees to that).
		res, err := cfg.Invoke(context.Background(), e.f.Name, runtimeapi.Request{Payload: e.payload, RequestID: e.id})
		if err == nil {
			err = res.Read()
		}
		old := cfg.Clock.Now().Sub(e.arrived) >= e.f.MaxAge
		switch {
		case errors.Is(err, runtimeapi.ErrClosed):
			return false
		case err == nil && res.FunctionError == "":
			return true
		case err != nil && old, err != nil && !errors.Is(err, runtimeapi.ErrThrottled):
			q.giveUp(e, "EventAgeExceeded", attempt-1, nil, err)
			return true
		case err != nil: // throttled: it waits, and that is no attempt
			if !q.wait(backoff) {
				return false
			}
			backoff = min(2*backoff, 64*cfg.Backoff)
			continue
		case attempt > e.f.Retries:
			q.giveUp(e, "RetriesExhausted", attempt, res, nil)
			return true
		case old:
			q.giveUp(e, "EventAgeExceeded", attempt, res, nil)
			return true
		}
		delay := cfg.RetryDelays[min(attempt, len(cfg.RetryDelays))-1]
		cfg.Log(e.f.Name, fmt.Sprintf("request %s failed, attempt %d, again in %s: %s", e.id, attempt, delay, res.Payload))
		if !q.wait(delay) {
			return false
		}
		attempt++
	}
}

func (q *queue) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-q.ctx.Done():
		return false
	}
}

// giveUp tells the on-failure destination, in the form that Lambda uses.
func (q *queue) giveUp(e event, condition string, attempts int, res *runtimeapi.Result, err error) {
	record := map[string]any{
		"version":   "1.0",
		"timestamp": q.a.cfg.Clock.Now().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": e.id, "functionArn": e.f.ARN + ":$LATEST", "condition": condition, "approximateInvokeCount": attempts,
		},
		"requestPayload": json.RawMessage(e.payload),
	}
	cause := ""
	if res != nil {
		record["responseContext"] = map[string]any{"statusCode": 200, "executedVersion": "$LATEST", "functionError": res.FunctionError}
		record["responsePayload"] = json.RawMessage(res.Payload)
		cause = string(res.Payload)
	}
	if err != nil {
		cause = err.Error()
	}
	q.a.cfg.Log(e.f.Name, fmt.Sprintf("request %s failed for good (%s after %d attempts): %s", e.id, condition, attempts, cause))
	body, err := json.Marshal(record)
	if err != nil { // a payload that is no JSON; it was checked on arrival
		q.a.cfg.Log(e.f.Name, err.Error())
		return
	}
	q.tell(e.f.OnFailure, body)
}

func (q *queue) tell(destination string, body []byte) {
	switch service := part(destination, 2); {
	case destination == "":
	case service == "sns":
		if _, err := q.a.Publish(destination, "", string(body)); err != nil {
			q.a.cfg.Log("", fmt.Sprintf("on-failure destination %s: %v", destination, err))
		}
	case service == "lambda":
		if f, ok := q.a.find(destination); ok {
			if _, err := q.put(f, body); err != nil {
				q.a.cfg.Log(f.Name, fmt.Sprintf("on-failure destination: %v", err))
			}
		}
	default:
		q.a.cfg.Log("", fmt.Sprintf("for %s: %s", destination, body))
	}
}

// part returns a part of an ARN.
func part(arn string, n int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) <= n {
		return ""
	}
	return parts[n]
}

func (q *queue) close(ctx context.Context) int {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cancel()
	done := make(chan struct{})
	go func() {
		q.all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}
