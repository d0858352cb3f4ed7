// Package gateway is API Gateway for a REST API (version 1) of Lambda proxy
// integrations: it matches routes, asks the authorizer, turns a request into
// the event that functions get, and their answer into a response. Where API
// Gateway is strict, so is this: what would be a 502 there is a 502 here.
//
// Sources: the API Gateway developer guide ("Lambda proxy integrations",
// "Use API Gateway Lambda authorizers", "Gateway responses", "Stream the
// integration response", quotas) and the Lambda developer guide.
package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
)

// maxBody is the most bytes of a request that API Gateway takes.
const maxBody = 10 << 20

// Config describes a Gateway. All members but Log are required.
type Config struct {
	API       *template.API
	Region    string
	AccountID string
	Invoke    func(ctx context.Context, name string, req runtimeapi.Request) (*runtimeapi.Result, error)
	// FunctionName resolves a function's ARN to its name.
	FunctionName func(arn string) string
	Clock        clock.Clock
	// Log is told why a request was answered with a 5xx; nil drops it.
	Log func(requestID, message string)
}

// Gateway serves an API. It is safe for concurrent use.
type Gateway struct {
	cfg    Config
	routes []route
	cache  *authCache
}

// New makes a gateway.
func New(cfg Config) *Gateway {
	if cfg.Log == nil {
		cfg.Log = func(string, string) {}
	}
	return &Gateway{cfg: cfg, routes: routesOf(cfg.API), cache: newAuthCache(cfg.Clock)}
}

// call is one request on its way.
type call struct {
	w         http.ResponseWriter
	r         *http.Request
	id        string // request id
	extended  string // the other request id that API Gateway gives
	began     time.Time
	route     *template.Route // nil until one was found
	params    map[string]string
	path      string // as the client sent it
	body      []byte
	authority map[string]any // what the authorizer said; nil if it was not asked
}

// ServeHTTP answers a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, id: runtimeapi.NewRequestID(), began: g.cfg.Clock.Now(), path: r.URL.EscapedPath()}
	c.extended = strings.ReplaceAll(c.id, "-", "")[:15] + "="
	w.Header().Set("X-Amzn-Requestid", c.id)
	w.Header().Set("X-Amz-Apigw-Id", c.extended)
	methods, params := g.match(c.path)
	if methods == nil {
		g.respond(c, missingToken, "")
		return
	}
	c.params = params
	c.route = methods[r.Method]
	if c.route == nil {
		c.route = methods["ANY"]
	}
	if r.Method == http.MethodOptions && g.cfg.API.CORS != nil && methods[http.MethodOptions] == nil {
		g.preflight(c, methods)
		return
	}
	if c.route == nil {
		g.respond(c, missingToken, "")
		return
	}
	if c.route.Authorizer != "" && !g.authorize(c, c.route.Authorizer) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return // the client has gone
	}
	if len(body) > maxBody {
		g.respond(c, tooLong, "")
		return
	}
	c.body = body
	g.integrate(c)
}

// preflight answers as the mock that SAM puts behind OPTIONS.
func (g *Gateway) preflight(c *call, methods map[string]*template.Route) {
	if a := g.cfg.API.DefaultAuthorizer; a != "" && g.cfg.API.PreflightAuthorized && !g.authorize(c, a) {
		return
	}
	cors, h := g.cfg.API.CORS, c.w.Header()
	allowed := cors.Methods
	if allowed == "" {
		allowed = "OPTIONS," + strings.Join(sortedKeys(methods), ",")
		if methods["ANY"] != nil {
			allowed = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
		}
	}
	h.Set("Access-Control-Allow-Origin", cors.Origin)
	h.Set("Access-Control-Allow-Methods", allowed)
	if cors.Headers != "" {
		h.Set("Access-Control-Allow-Headers", cors.Headers)
	}
	if cors.MaxAge != "" {
		h.Set("Access-Control-Max-Age", cors.MaxAge)
	}
	if cors.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
}

// integrate invokes the function and passes its answer on.
func (g *Gateway) integrate(c *call) {
	payload := g.event(c)
	if len(payload) > runtimeapi.MaxSync {
		g.respond(c, tooLong, "")
		return
	}
	// The function goes on when the client or we give up, as it does there.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), c.route.Timeout)
	defer cancel()
	stop := context.AfterFunc(c.r.Context(), cancel)
	defer stop()
	res, err := g.cfg.Invoke(ctx, c.route.Function, runtimeapi.Request{Payload: payload})
	switch {
	case err != nil && c.r.Context().Err() != nil:
		return
	case errors.Is(err, context.DeadlineExceeded):
		g.respond(c, timedOut, "the function "+c.route.Function+" took longer than "+c.route.Timeout.String())
		return
	case err != nil:
		g.respond(c, integrationRefused, c.route.Function+": "+err.Error())
		return
	}
	if c.route.Stream {
		g.stream(ctx, c, res)
		return
	}
	if err := res.Read(); err != nil {
		g.respond(c, badAnswer, c.route.Function+": "+err.Error())
		return
	}
	if res.FunctionError != "" {
		g.respond(c, badAnswer, c.route.Function+" failed: "+string(res.Payload))
		return
	}
	g.answer(c, res.Payload)
}
