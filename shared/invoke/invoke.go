// Package invoke starts other functions through AWS Lambda's Invoke API. The
// packages that start functions declare the interface that they need.
package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"guarda/shared/fault"
)

// maxPayload is the largest event of an asynchronous invocation, in bytes.
const maxPayload = 1 << 20

// Lambda invokes functions. It is safe for concurrent use.
type Lambda struct {
	client *lambda.Client
}

// New makes an invoker with the function's own identity and region. The SDK
// reads AWS_ENDPOINT_URL_LAMBDA, which is how the local stack takes Lambda's
// place.
func New(ctx context.Context) (*Lambda, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("configure the AWS SDK: %w", err)
	}
	return &Lambda{client: lambda.NewFromConfig(cfg)}, nil
}

// Async hands an event to a function and returns when Lambda has taken it;
// Lambda then delivers it at least once. The payload is encoded as JSON.
// Errors are fault.Unavailable when trying again makes sense (the SDK has
// already, twice), and fault.Internal when the set-up is wrong.
func (l *Lambda) Async(ctx context.Context, function string, payload any) error {
	event, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode the event for %s: %w", function, err)
	}
	if len(event) > maxPayload {
		return fault.New(fault.TooLarge, "the event for the function %s has %d bytes, more than Lambda takes", function, len(event))
	}
	_, err = l.client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName:   aws.String(function),
		InvocationType: types.InvocationTypeEvent,
		Payload:        event,
	})
	if err == nil {
		return nil
	}
	var missing *types.ResourceNotFoundException
	var api smithy.APIError
	switch {
	case errors.As(err, &missing):
		return fault.New(fault.Internal, "the function %s does not exist", function).
			Hint("deploy the template again; it gives functions each other's names").Because(err)
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return fault.New(fault.Internal, "this function may not start the function %s", function).
			Hint("its role needs lambda:InvokeFunction for it; deploy the template again").Because(err)
	}
	return fault.New(fault.Unavailable, "the function %s could not be started", function).
		Hint("try again in a few seconds").RetryAfter(5).Because(err)
}
