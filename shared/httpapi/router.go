// Package httpapi is how Guarda's functions speak HTTP: routing, strict
// decoding, problem documents, pages, ETags and idempotency keys. Handlers
// return errors; the router turns them into problem documents.
package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"guarda/shared/auth"
	"guarda/shared/fault"
)

// Handler answers a request, or returns an error and has written nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Router sends requests to handlers by method and path, with http.ServeMux's
// patterns ("GET /api/sources/{id}"). It answers unknown paths with 404,
// other methods with 405, panics with 500, all as problem documents, and sets
// the headers that every answer has. Make one with NewRouter; add all routes
// before it serves.
type Router struct {
	mux     *http.ServeMux
	log     *slog.Logger
	methods []string // of all routes
}

// NewRouter makes a router without routes.
func NewRouter(log *slog.Logger) *Router {
	return &Router{mux: http.NewServeMux(), log: log}
}

// Handle adds a route. The pattern has a method and a path. It panics on a
// malformed one, as http.ServeMux does.
func (rt *Router) Handle(pattern string, h Handler) {
	method, _, ok := strings.Cut(pattern, " ")
	if !ok {
		panic("httpapi: the pattern " + pattern + " has no method")
	}
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rt.fail(w, r, err)
		}
	})
	if !slices.Contains(rt.methods, method) {
		rt.methods = append(rt.methods, method)
		slices.Sort(rt.methods)
	}
}

// Allow lets only callers with a permission through to h.
func Allow(p auth.Permission, h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := auth.Require(r.Context(), p); err != nil {
			return err
		}
		return h(w, r)
	}
}

// ServeHTTP answers a request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if RequestID(r.Context()) == "" {
		r = r.WithContext(WithRequestID(r.Context(), newRequestID()))
	}
	h := w.Header()
	h.Set("X-Request-Id", RequestID(r.Context()))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Add("Vary", "Accept-Language")
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			rt.log.ErrorContext(r.Context(), "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			WriteProblem(w, r, fault.New(fault.Internal, "the request failed inside of Guarda"))
		}
	}()
	if _, pattern := rt.mux.Handler(r); pattern == "" {
		rt.noRoute(w, r)
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// noRoute tells a wrong method from an unknown path.
func (rt *Router) noRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range rt.methods {
		other := *r
		other.Method = m
		if _, pattern := rt.mux.Handler(&other); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		rt.fail(w, r, fault.New(fault.NotFound, "there is no path %s", r.URL.Path))
		return
	}
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	rt.fail(w, r, fault.New(fault.MethodNotAllowed, "%s is not possible here", r.Method).Hint("possible: %s", list))
}

// fail writes the problem, and logs what is not the caller's doing: once, here.
func (rt *Router) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := fault.CodeOf(err).HTTPStatus()
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	rt.log.Log(r.Context(), level, "request failed", "request_id", RequestID(r.Context()),
		"method", r.Method, "path", r.URL.Path, "status", status, "error", err.Error())
	WriteProblem(w, r, err)
}

type requestIDKey struct{}

// WithRequestID returns a context that carries the id of the request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func newRequestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
