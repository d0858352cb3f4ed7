package lambdafn

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"guarda/shared/auth"
	"guarda/shared/config"
	"guarda/shared/httpapi"
)

// StartHTTP runs a handler behind API Gateway (REST API, proxy events). It
// does not return.
func StartHTTP(name string, build Build[http.Handler]) {
	log := NewLogger(os.Stderr, name)
	h := must(build, log)
	lambda.Start(HTTPHandler(CORS(config.AllowedOrigin(), h)))
}

// HTTPHandler is what StartHTTP hands to Lambda, for tests. The handler's
// context carries the request's id and the identity that the authorizer found.
func HTTPHandler(h http.Handler) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	adapter := httpadapter.New(h)
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		return adapter.ProxyWithContext(identified(ctx, &event), event)
	}
}

// identified returns the context of a request, and makes its path one that the
// adapter does not fail on.
func identified(ctx context.Context, event *events.APIGatewayProxyRequest) context.Context {
	ctx = withRequestID(ctx)
	if id := event.RequestContext.RequestID; id != "" {
		ctx = httpapi.WithRequestID(ctx, id)
	}
	if i, ok := identityOf(event.RequestContext.Authorizer); ok {
		ctx = auth.WithIdentity(ctx, i)
	}
	if _, err := url.ParseRequestURI(event.Path); err != nil {
		event.Path = (&url.URL{Path: event.Path}).EscapedPath()
	}
	return ctx
}

// contextOf is what the authorizer tells API Gateway about an identity; only
// texts, numbers and booleans are possible there.
func contextOf(i auth.Identity) map[string]any {
	return map[string]any{
		"user_id": i.UserID, "email": i.Email, "name": i.Name, "role": string(i.Role),
		"api_key_id": i.APIKeyID, "auth_time": strconv.FormatInt(i.AuthTime, 10),
	}
}

// identityOf reads it back from a proxy event.
func identityOf(authorizer map[string]any) (auth.Identity, bool) {
	text := func(name string) string { s, _ := authorizer[name].(string); return s }
	i := auth.Identity{UserID: text("user_id"), Email: text("email"), Name: text("name"), Role: auth.Role(text("role")), APIKeyID: text("api_key_id")}
	i.AuthTime, _ = strconv.ParseInt(text("auth_time"), 10, 64)
	return i, i.UserID != "" && i.Role.Valid()
}
