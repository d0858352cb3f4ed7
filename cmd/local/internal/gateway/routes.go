package gateway

import (
	"maps"
	"slices"
	"strings"

	"guarda/cmd/local/internal/template"
)

// route is a path with its methods.
type route struct {
	parts   []string
	methods map[string]*template.Route
}

func routesOf(api *template.API) []route {
	var out []route
	for _, r := range api.Routes {
		parts := split(r.Path)
		i := slices.IndexFunc(out, func(o route) bool { return slices.Equal(o.parts, parts) })
		if i < 0 {
			out = append(out, route{parts, map[string]*template.Route{}})
			i = len(out) - 1
		}
		out[i].methods[r.Method] = r
	}
	return out
}

func split(path string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
}

// match finds the methods of a path. At each segment a fixed name comes before
// a parameter, and that before a greedy one. Parameters are given as the
// client wrote them, encoded, as API Gateway does.
func (g *Gateway) match(path string) (map[string]*template.Route, map[string]string) {
	parts := split(path)
	var best *route
	for i := range g.routes {
		r := &g.routes[i]
		if fits(r.parts, parts) && (best == nil || moreFixed(r.parts, best.parts)) {
			best = r
		}
	}
	if best == nil {
		return nil, nil
	}
	var params map[string]string
	for i, p := range best.parts {
		if !strings.HasPrefix(p, "{") {
			continue
		}
		if params == nil {
			params = map[string]string{}
		}
		if name, greedy := strings.CutSuffix(p[1:len(p)-1], "+"); greedy {
			params[name] = strings.Join(parts[i:], "/")
		} else {
			params[name] = parts[i]
		}
	}
	return best.methods, params
}

func isGreedy(part string) bool { return strings.HasSuffix(part, "+}") }

func fits(pattern, parts []string) bool {
	for i, p := range pattern {
		switch {
		case i >= len(parts):
			return false
		case isGreedy(p):
			return parts[i] != ""
		case strings.HasPrefix(p, "{"):
			if parts[i] == "" {
				return false
			}
		case p != parts[i]:
			return false
		}
	}
	return len(pattern) == len(parts)
}

// moreFixed compares two patterns that fit the same path.
func moreFixed(a, b []string) bool {
	rank := func(parts []string, i int) int {
		switch {
		case i >= len(parts) || isGreedy(parts[i]):
			return 2
		case strings.HasPrefix(parts[i], "{"):
			return 1
		}
		return 0
	}
	for i := range max(len(a), len(b)) {
		if x, y := rank(a, i), rank(b, i); x != y {
			return x < y
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
