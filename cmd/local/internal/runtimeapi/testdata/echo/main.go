// Command echo is a Lambda function whose event says what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do     string
	Millis int
	Size   int
	Name   string
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "sleep":
		time.Sleep(time.Duration(e.Millis) * time.Millisecond)
	case "wait":
		waitFor(e.Name)
	case "fail":
		return nil, errors.New("it failed as asked")
	case "panic":
		panic("it panics as asked")
	case "exit":
		os.Exit(7)
	case "large":
		return strings.Repeat("x", e.Size), nil
	case "env":
		return os.Getenv(e.Name), nil
	case "log":
		fmt.Println("to stdout\nsecond line")
		fmt.Fprint(os.Stderr, "without an end")
		time.Sleep(50 * time.Millisecond)
	case "deadline":
		deadline, _ := ctx.Deadline()
		return time.Until(deadline).Milliseconds(), nil
	case "arn":
		lc, _ := lambdacontext.FromContext(ctx)
		return lc.InvokedFunctionArn, nil
	case "child":
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return cmd.Process.Pid, nil
	case "stream", "stream-fail":
		r, w := io.Pipe()
		go func() {
			for i := range 3 {
				if _, err := fmt.Fprintf(w, "part %d\n", i); err != nil {
					return
				}
				if i == 0 && e.Name != "" {
					waitFor(e.Name)
				}
				time.Sleep(time.Duration(e.Millis) * time.Millisecond)
			}
			if e.Do == "stream-fail" {
				w.CloseWithError(errors.New("it broke on the way"))
				return
			}
			w.Close()
		}()
		return &events.APIGatewayProxyStreamingResponse{StatusCode: 201, Headers: map[string]string{"X-A": "b"}, Body: r}, nil
	}
	return os.Getpid(), nil
}

// waitFor waits until there is a file of the name.
func waitFor(name string) {
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func main() {
	if os.Getenv("BREAK_AT_START") != "" {
		fmt.Fprintln(os.Stderr, "no configuration")
		os.Exit(3)
	}
	lambda.Start(handle)
}
