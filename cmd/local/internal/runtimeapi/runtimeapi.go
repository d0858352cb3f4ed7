// Package runtimeapi runs the real programs of Lambda functions: it speaks the
// Lambda Runtime API with them, starts one process for each invocation that is
// under way at the same time, and ends those that take longer than they may.
//
// Source: "Using the Lambda runtime API for custom runtimes" and "Response
// streaming" in the AWS Lambda developer guide; aws-lambda-go's client.
package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"guarda/shared/clock"
)

// MaxSync is the most bytes of a request or a buffered response.
const MaxSync = 6 << 20

// StreamingType is the content type of a streamed response for API Gateway:
// a JSON prelude (status, headers), eight NUL bytes, and the body.
const StreamingType = "application/vnd.awslambda.http-integration-response"

// Function is what the runtime must know of a function.
type Function struct {
	Name        string
	ARN         string
	Dir         string // holds the program "bootstrap"
	Timeout     time.Duration
	MemoryMB    int
	Reserved    *int // at most so many at the same time; nil is MaxProcesses
	Environment map[string]string
}

// Config describes a Runtime. Base, Functions and Clock are required.
type Config struct {
	// Base is where Handler is served: "host:port/path". Who knows it can
	// answer for functions, so the path should be a secret.
	Base      string
	Region    string
	AccountID string
	Functions []Function
	Clock     clock.Clock
	// Log takes each line that a function writes, and what the runtime has to
	// say about it; nil drops them. It is called from many goroutines.
	Log          func(Line)
	InitTimeout  time.Duration // until a program asks for its first event; 0 is 10 s
	IdleAfter    time.Duration // an idle process is ended after that; 0 is 5 min
	MaxProcesses int           // of one function; 0 is 32
}

// Line is a line of output.
type Line struct {
	Function string
	Process  int
	Text     string
	Platform bool // ours, not the function's
}

// Request is an invocation.
type Request struct {
	Payload       []byte
	RequestID     string // "" makes one
	ClientContext string // JSON; "" if none
}

// Result is what came of an invocation.
type Result struct {
	RequestID string
	// FunctionError is "" when the function returned, else "Unhandled"; Payload
	// is then a JSON object with errorType and errorMessage.
	FunctionError string
	Payload       []byte
	// Stream is the response as it is being produced, when the function streams
	// it; else nil. The reader must be closed. Its Read ends with a
	// *FunctionFailure when the function failed on the way.
	Stream      io.ReadCloser
	ContentType string
}

// FunctionFailure is an error that a function reports.
type FunctionFailure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (f *FunctionFailure) Error() string { return f.Type + ": " + f.Message }

func failure(kind, format string, args ...any) []byte {
	b, err := json.Marshal(FunctionFailure{kind, fmt.Sprintf(format, args...)})
	if err != nil {
		panic(err) // two strings are always JSON
	}
	return b
}

// The errors of Invoke.
var (
	// ErrNotFound says that there is no function of that name.
	ErrNotFound = errors.New("function not found")
	// ErrThrottled says that the function's concurrency is used up.
	ErrThrottled = errors.New("rate exceeded: the function's concurrency is used up")
	// ErrClosed says that the runtime is shutting down.
	ErrClosed = errors.New("the runtime is shutting down")
)

// Read gives the whole payload: of a streamed response too. A streamed
// response that failed on the way becomes a function error.
func (r *Result) Read() error {
	if r.Stream == nil {
		return nil
	}
	defer r.Stream.Close()
	all, err := io.ReadAll(io.LimitReader(r.Stream, MaxSync+1))
	r.Stream = nil
	var failed *FunctionFailure
	switch {
	case errors.As(err, &failed):
		r.FunctionError, r.Payload = "Unhandled", failure(failed.Type, "%s", failed.Message)
	case err != nil:
		return err
	case len(all) > MaxSync:
		r.FunctionError, r.Payload = "Unhandled", tooLarge()
	default:
		r.Payload = all
	}
	return nil
}

func tooLarge() []byte {
	return failure("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", MaxSync)
}

// Invoke runs a function and waits for its answer. When ctx ends first the
// function goes on and its answer is dropped, as with Lambda.
func (r *Runtime) Invoke(ctx context.Context, name string, req Request) (*Result, error) {
	f, ok := r.functions[name]
	if !ok {
		return nil, ErrNotFound
	}
	inv := newInvocation(req)
	p, err := r.acquire(f, inv)
	if err != nil {
		return nil, err
	}
	go p.attend(inv)
	select {
	case <-inv.answered:
	case <-ctx.Done():
		go inv.drop()
		return nil, ctx.Err()
	}
	if inv.result.Stream == nil {
		inv.settle()
	}
	return inv.result, nil
}
