package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
)

// decision is what an authorizer answers: who it is, a policy, and a context
// of strings, numbers and booleans.
type decision struct {
	PrincipalID string `json:"principalId"`
	Policy      struct {
		Statement []statement
	} `json:"policyDocument"`
	Context map[string]any `json:"context"`
}

type statement struct {
	Effect   string
	Action   oneOrMore
	Resource oneOrMore
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// authorize asks the authorizer, or its answer of before, and reports whether
// the request may go on. If not, it has been answered.
func (g *Gateway) authorize(c *call, name string) bool {
	a := g.cfg.API.Authorizers[name]
	sources, complete := g.identity(c, a)
	if !complete {
		g.respond(c, unauthorized, "")
		return false
	}
	key := name + "\x00" + strings.Join(sources, "\x00")
	d := g.cache.get(key)
	if a.TTL == 0 || d == nil {
		var problem gatewayResponse
		var why string
		if d, problem, why = g.ask(c, a); d == nil {
			g.respond(c, problem, why)
			return false
		}
		if a.TTL > 0 {
			g.cache.put(key, d, a.TTL)
		}
	}
	// A cached policy is held against this request's resource, not the one it
	// was made for: a policy that names one path only locks out the others.
	switch allowed, denied := d.judge(g.methodARN(c)); {
	case denied:
		g.respond(c, explicitlyDenied, "")
		return false
	case !allowed:
		g.respond(c, notAllowed, "")
		return false
	}
	c.authority = map[string]any{"principalId": d.PrincipalID, "integrationLatency": g.cfg.Clock.Now().Sub(c.began).Milliseconds()}
	maps.Copy(c.authority, d.Context)
	return true
}

// identity gives the values of the identity sources; false when one is
// missing.
func (g *Gateway) identity(c *call, a *template.Authorizer) (values []string, complete bool) {
	query := queryOf(c.r.URL.RawQuery)
	for _, h := range a.Headers {
		values = append(values, c.r.Header.Get(h))
	}
	for _, q := range a.Query {
		v := ""
		if all := query[q]; len(all) > 0 {
			v = all[len(all)-1]
		}
		values = append(values, v)
	}
	for _, v := range a.Variables {
		values = append(values, g.cfg.API.Variables[v])
	}
	ctx := g.context(c, "")
	for _, name := range a.Context {
		s, _ := ctx[name].(string)
		if inner, ok := strings.CutPrefix(name, "identity."); ok {
			s, _ = ctx["identity"].(map[string]any)[inner].(string)
		}
		values = append(values, s)
	}
	for _, v := range values {
		if v == "" {
			return nil, false
		}
	}
	return values, true
}

func (g *Gateway) methodARN(c *call) string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s%s", g.cfg.Region, g.cfg.AccountID, g.cfg.API.ID, g.cfg.API.Stage, c.r.Method, c.path)
}

// ask invokes the authorizer's function.
func (g *Gateway) ask(c *call, a *template.Authorizer) (*decision, gatewayResponse, string) {
	e := g.request(c)
	e["type"], e["methodArn"] = "REQUEST", g.methodARN(c)
	ctx, cancel := context.WithTimeout(c.r.Context(), 30*time.Second)
	defer cancel()
	function := g.cfg.FunctionName(a.FunctionARN)
	res, err := g.cfg.Invoke(ctx, function, runtimeapi.Request{Payload: encode(e)})
	if err == nil {
		err = res.Read()
	}
	if err != nil {
		return nil, authorizerFailed, "authorizer " + function + ": " + err.Error()
	}
	if res.FunctionError != "" {
		var failed runtimeapi.FunctionFailure
		if json.Unmarshal(res.Payload, &failed) == nil && failed.Message == "Unauthorized" {
			return nil, unauthorized, ""
		}
		return nil, authorizerFailed, "authorizer " + function + " failed: " + string(res.Payload)
	}
	d := &decision{}
	if err := json.Unmarshal(res.Payload, d); err != nil {
		return nil, authorizerMisconfigured, "authorizer " + function + ": its answer is no policy: " + err.Error()
	}
	if d.PrincipalID == "" || len(d.Policy.Statement) == 0 {
		return nil, authorizerMisconfigured, "authorizer " + function + ": its answer needs principalId and policyDocument"
	}
	for k, v := range d.Context { // integrations get all of it as strings
		switch v := v.(type) {
		case string:
		case bool:
			d.Context[k] = strconv.FormatBool(v)
		case float64:
			d.Context[k] = strconv.FormatFloat(v, 'f', -1, 64)
		case nil:
			delete(d.Context, k)
		default:
			return nil, authorizerMisconfigured, "authorizer " + function + ": the context's " + k + " is no string, number or boolean"
		}
	}
	return d, gatewayResponse{}, ""
}

// judge evaluates the policy for a resource. A deny beats an allow.
func (d *decision) judge(arn string) (allowed, denied bool) {
	for _, s := range d.Policy.Statement {
		if !anyFits(lower(s.Action), "execute-api:invoke") || !anyFits(s.Resource, arn) {
			continue
		}
		switch s.Effect {
		case "Allow":
			allowed = true
		case "Deny":
			denied = true
		}
	}
	return allowed && !denied, denied
}

// lower is for actions, which have no case; resources do.
func lower(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strings.ToLower(s)
	}
	return out
}

// anyFits matches with * (any characters) and ? (one).
func anyFits(patterns []string, s string) bool {
	// path.Match stops * at slashes, so slashes are hidden from it; what else
	// is special to it is quoted.
	hide := strings.NewReplacer("/", "\x01", "\\", "\\\\", "[", "\\[")
	plain := strings.ReplaceAll(s, "/", "\x01")
	for _, p := range patterns {
		if ok, err := path.Match(hide.Replace(p), plain); err == nil && ok {
			return true
		}
	}
	return false
}

// authCache keeps decisions for a while.
type authCache struct {
	clock clock.Clock
	mu    sync.Mutex
	kept  map[string]cached
}

type cached struct {
	d     *decision
	until time.Time
}

func newAuthCache(c clock.Clock) *authCache { return &authCache{clock: c, kept: map[string]cached{}} }

func (a *authCache) get(key string) *decision {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.kept[key]; ok && a.clock.Now().Before(e.until) {
		return e.d
	}
	delete(a.kept, key)
	return nil
}

func (a *authCache) put(key string, d *decision, ttl time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	maps.DeleteFunc(a.kept, func(_ string, e cached) bool { return !now.Before(e.until) })
	a.kept[key] = cached{d, now.Add(ttl)}
}
