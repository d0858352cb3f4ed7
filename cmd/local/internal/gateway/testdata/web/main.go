// Command web is a function behind API Gateway for tests: as an authorizer it
// lets the token "good" in; else it answers as the query asks, by default with
// the event it got.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

type request struct {
	Type      string            `json:"type"`
	MethodARN string            `json:"methodArn"`
	Headers   map[string]string `json:"headers"`
	Query     map[string]string `json:"queryStringParameters"`
}

func handle(_ context.Context, raw json.RawMessage) (any, error) {
	var in request
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.Type == "REQUEST" {
		return authorize(in)
	}
	switch in.Query["do"] {
	case "unknown":
		return map[string]any{"statusCode": 200, "extra": 1}, nil
	case "text":
		return "just text", nil
	case "fail":
		return nil, errors.New("as asked")
	case "slow":
		time.Sleep(2 * time.Second)
	case "binary":
		return map[string]any{"statusCode": 200, "headers": map[string]any{"Content-Type": "image/png"}, "body": "AAEC/w==", "isBase64Encoded": true}, nil
	case "headers":
		return map[string]any{"statusCode": 418, "headers": map[string]any{"X-One": "1", "Server": "mine"}, "multiValueHeaders": map[string]any{"Set-Cookie": []string{"a=1", "b=2"}}}, nil
	case "stream":
		r, w := io.Pipe()
		go func() {
			_, _ = io.WriteString(w, "data: 1\n\n")
			for file := in.Query["until"]; file != ""; time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(file); err == nil {
					break
				}
			}
			_, _ = io.WriteString(w, "data: 2\n\n")
			w.Close()
		}()
		return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/event-stream"}, Body: r}, nil
	}
	return map[string]any{"statusCode": 200, "body": string(raw)}, nil
}

func authorize(in request) (any, error) {
	effect, resource := "Allow", "*"
	switch token := in.Headers["Authorization"]; {
	case token == "Bearer good":
	case token == "Bearer here":
		resource = in.MethodARN
	case token == "Bearer deny":
		effect = "Deny"
	case strings.HasPrefix(token, "Bearer crash"):
		return nil, errors.New("the database is away")
	case token == "Bearer odd":
		return map[string]any{"principalId": "x"}, nil
	default:
		return nil, errors.New("Unauthorized")
	}
	return map[string]any{
		"principalId": "ana", "context": map[string]any{"permissions": "backup:read", "level": 3, "admin": true},
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}}},
	}, nil
}

func main() { lambda.Start(handle) }
