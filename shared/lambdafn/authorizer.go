package lambdafn

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"guarda/shared/auth"
	"guarda/shared/fault"
)

// Authorize finds out who sends a request from its headers. An error with
// fault.Unauthenticated becomes 401; any other one 503.
type Authorize func(ctx context.Context, headers http.Header) (auth.Identity, error)

// errUnauthorized is the text that makes API Gateway answer 401.
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // API Gateway compares it, capital letter included

// StartAuthorizer runs an authorizer of type REQUEST. It does not return.
func StartAuthorizer(name string, build Build[Authorize]) {
	log := NewLogger(os.Stderr, name)
	a := must(build, log)
	lambda.Start(AuthorizerHandler(log, a))
}

// AuthorizerHandler is what StartAuthorizer hands to Lambda, for tests. It
// allows the whole stage, so that an answer that API Gateway caches fits every
// route; what the identity may do there is for each handler to check.
func AuthorizerHandler(log *slog.Logger, authorize Authorize) func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	return func(ctx context.Context, event events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		ctx = withRequestID(ctx)
		var none events.APIGatewayCustomAuthorizerResponse
		identity, err := authorize(ctx, headersOf(event))
		if fault.CodeOf(err) == fault.Unauthenticated {
			log.InfoContext(ctx, "unauthenticated", "error", err.Error(), "path", event.Path)
			return none, errUnauthorized
		}
		if err != nil {
			logFailure(ctx, log, "authorizer failed", err)
			return none, err
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: identity.Subject(),
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{{
					Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{wholeStage(event.MethodArn)},
				}},
			},
			Context: contextOf(identity),
		}, nil
	}
}

func headersOf(event events.APIGatewayCustomAuthorizerRequestTypeRequest) http.Header {
	h := http.Header{}
	for name, values := range event.MultiValueHeaders {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	if len(event.MultiValueHeaders) == 0 {
		for name, v := range event.Headers {
			h.Set(name, v)
		}
	}
	return h
}

// wholeStage widens arn:…:api/stage/GET/path to arn:…:api/stage/*.
func wholeStage(methodARN string) string {
	api, rest, ok := strings.Cut(methodARN, "/")
	stage, _, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return methodARN
	}
	return api + "/" + stage + "/*"
}
