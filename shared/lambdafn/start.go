// Package lambdafn runs functions on AWS Lambda. It alone knows Lambda's
// runtime and events: functions are http.Handlers, jobs with typed input, or
// one authorizer.
package lambdafn

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"guarda/shared/config"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
)

// Build makes what the function runs, once per process. Its error ends the
// process, after the log has it with its fields and hint.
type Build[T any] func(ctx context.Context, log *slog.Logger) (T, error)

// Job handles an event of type T; its result is encoded as JSON.
type Job[T any] func(ctx context.Context, event T) (any, error)

// StartJob runs a job. It does not return.
func StartJob[T any](name string, build Build[Job[T]]) {
	log := NewLogger(os.Stderr, name)
	job := must(build, log)
	lambda.Start(JobHandler(log, job))
}

// JobHandler is what StartJob hands to Lambda, for tests.
func JobHandler[T any](log *slog.Logger, job Job[T]) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, raw json.RawMessage) (result any, err error) {
		ctx = withRequestID(ctx)
		defer func() {
			if p := recover(); p != nil {
				log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				result, err = nil, fault.New(fault.Internal, "the function failed inside of Guarda")
			}
		}()
		var event T
		if err := json.Unmarshal(raw, &event); err != nil {
			err = fault.New(fault.Invalid, "the event cannot be read").Because(err)
			logFailure(ctx, log, "event refused", err)
			return nil, err
		}
		result, err = job(ctx, event)
		if err != nil {
			logFailure(ctx, log, "job failed", err)
		}
		return result, err
	}
}

func must[T any](build Build[T], log *slog.Logger) T {
	ctx := context.Background()
	v, err := build(ctx, log)
	if err != nil {
		logFailure(ctx, log, "the function cannot start", err)
		os.Exit(1)
	}
	return v
}

func logFailure(ctx context.Context, log *slog.Logger, what string, err error) {
	args := []any{"error", err.Error(), "code", string(fault.CodeOf(err))}
	if hint := fault.HintOf(err); hint != "" {
		args = append(args, "hint", hint)
	}
	log.ErrorContext(ctx, what, args...)
}

// withRequestID takes over the id that Lambda gave the invocation.
func withRequestID(ctx context.Context) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return httpapi.WithRequestID(ctx, lc.AwsRequestID)
	}
	return ctx
}

// NewLogger writes JSON lines with the function's name and, where the context
// has one, the id of the request.
func NewLogger(w *os.File, name string) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: config.LogLevel()})
	return slog.New(requestHandler{h}).With("function", name)
}

// requestHandler adds the request's id to records that don't have it.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	id := httpapi.RequestID(ctx)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "request_id" {
			id = ""
		}
		return id != ""
	})
	if id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}
