package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// API is a REST API.
type API struct {
	ID                string
	Line              int
	Stage             string
	Variables         map[string]string // stage variables
	BinaryTypes       []string          // media types, "*/*" among them perhaps
	Decompresses      bool              // MinimumCompressionSize is set: compressed bodies are decoded
	DefaultAuthorizer string            // "" if none
	Authorizers       map[string]*Authorizer
	// PreflightAuthorized says that preflight requests need the default
	// authorizer's consent too (SAM's surprising default).
	PreflightAuthorized bool
	CORS                *CORS // nil if none
	Responses           map[string]GatewayResponse
	Routes              []*Route
}

// Route carries requests to a function.
type Route struct {
	Path       string // "/orders/{id}", "/files/{proxy+}"
	Method     string // upper case; "ANY" is any
	Function   string // its name
	Authorizer string // "" is none
	Stream     bool
	Timeout    time.Duration
	Line       int
}

// Authorizer is a Lambda authorizer of the REQUEST kind.
type Authorizer struct {
	FunctionARN string
	Headers     []string // identity sources
	Query       []string
	Variables   []string
	Context     []string
	TTL         time.Duration // how long answers are kept; 0 is not at all
}

// CORS is what a preflight request is told. An empty member is not sent.
type CORS struct {
	Origin, Methods, Headers, MaxAge string
	Credentials                      bool
}

// GatewayResponse changes what API Gateway itself answers.
type GatewayResponse struct {
	Status    int // 0 keeps the usual one
	Headers   map[string]string
	Templates map[string]string // by content type
}

// ResponseTypes are the kinds of gateway responses.
var ResponseTypes = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
	"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
	"INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE",
	"RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

// ResponseVariables are the variables of mapping templates that the local
// gateway fills in.
var ResponseVariables = []string{
	"$context.error.message", "$context.error.messageString", "$context.error.responseType", "$context.error.validationErrorString",
	"$context.requestId", "$context.extendedRequestId", "$context.requestTime", "$context.requestTimeEpoch", "$context.httpMethod",
	"$context.path", "$context.resourcePath", "$context.stage", "$context.apiId", "$context.identity.sourceIp", "$context.identity.userAgent",
}

// ResponseVariable finds the variables in a mapping template.
var ResponseVariable = regexp.MustCompile(`\$!?(\{[A-Za-z][A-Za-z0-9_.]*\}|[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)`)

func (b *builder) readAPI(res *resource) {
	o := b.object(b.properties(res, "Api"), "API "+res.id)
	b.addAPI(&API{ID: res.id, Line: res.line}, o)
}

func (b *builder) addAPI(api *API, o *object) {
	b.apis[api.ID] = api
	b.t.APIs = append(b.t.APIs, api)
	api.Variables, api.Authorizers, api.Responses = map[string]string{}, map[string]*Authorizer{}, map[string]GatewayResponse{}
	api.PreflightAuthorized = true
	if api.Stage = "Prod"; api.ID != implicitAPI {
		api.Stage = o.requiredText("StageName")
	}
	if vars := o.object("Variables"); vars != nil {
		for _, e := range vars.v.entries {
			api.Variables[e.key] = vars.text(e.key)
		}
	}
	for _, t := range o.texts("BinaryMediaTypes") {
		api.BinaryTypes = append(api.BinaryTypes, strings.ReplaceAll(t, "~1", "/"))
	}
	_, api.Decompresses = o.integer("MinimumCompressionSize", 0, 10<<20)
	if auth := o.object("Auth"); auth != nil {
		b.readAuth(api, auth)
	}
	b.readCORS(api, o)
	if responses := o.object("GatewayResponses"); responses != nil {
		for _, e := range responses.v.entries {
			if !slices.Contains(ResponseTypes, e.key) {
				b.add(e.line, "%s: unknown gateway response %s (known: %s)", o.what, e.key, strings.Join(ResponseTypes, ", "))
				continue
			}
			api.Responses[e.key] = b.readResponse(b.object(e.val, o.what+": "+e.key))
		}
	}
	o.ignore("Name", "Description", "Tags", "PropagateTags", "TracingEnabled", "AccessLogSetting", "MethodSettings", "EndpointConfiguration",
		"OpenApiVersion", "AlwaysDeploy", "FailOnWarnings", "DisableExecuteApiEndpoint", "SecurityPolicy", "Domain", "Mode")
	for _, key := range []string{"DefinitionBody", "DefinitionUri", "MergeDefinitions"} {
		o.refuse(key, "routes come from the functions' events")
	}
	for _, key := range []string{"CacheClusterEnabled", "CacheClusterSize", "CanarySetting", "Models", "ApiKeySourceType"} {
		o.refuse(key, "the local gateway has no such thing")
	}
	o.done()
}

func (b *builder) readAuth(api *API, auth *object) {
	api.DefaultAuthorizer = auth.text("DefaultAuthorizer")
	api.PreflightAuthorized = auth.boolean("AddDefaultAuthorizerToCorsPreflight", true)
	auth.ignore("InvokeRole", "AddApiKeyRequiredToCorsPreflight")
	auth.refuse("ApiKeyRequired", "keys of API Gateway's usage plans")
	auth.refuse("UsagePlan", "keys of API Gateway's usage plans")
	auth.refuse("ResourcePolicy", "there are no accounts or networks here")
	if all := auth.object("Authorizers"); all != nil {
		for _, e := range all.v.entries {
			api.Authorizers[e.key] = b.readAuthorizer(b.object(e.val, "authorizer "+e.key), e.line)
		}
	}
	auth.done()
}

func (b *builder) readAuthorizer(o *object, line int) *Authorizer {
	a := &Authorizer{FunctionARN: o.requiredText("FunctionArn"), TTL: 300 * time.Second}
	if kind := o.text("FunctionPayloadType"); kind != "REQUEST" {
		b.add(line, "%s: the local stack supports FunctionPayloadType REQUEST only", o.what)
	}
	if id := o.object("Identity"); id != nil {
		a.Headers, a.Query, a.Variables, a.Context = id.texts("Headers"), id.texts("QueryStrings"), id.texts("StageVariables"), id.texts("Context")
		if secs, ok := id.integer("ReauthorizeEvery", 0, 3600); ok {
			a.TTL = time.Duration(secs) * time.Second
		}
		id.done()
	}
	if a.TTL > 0 && len(a.Headers)+len(a.Query)+len(a.Variables)+len(a.Context) == 0 {
		b.add(line, "%s: an authorizer whose answers are kept (ReauthorizeEvery) needs an identity source", o.what)
	}
	o.ignore("FunctionInvokeRole", "DisableFunctionDefaultPermissions", "AuthorizationScopes")
	o.refuse("UserPoolArn", "Lambda authorizers only")
	o.done()
	return a
}

// checkAuthorizers gives routes the default authorizer and looks whether what
// is named exists.
func (b *builder) checkAuthorizers() {
	for _, api := range b.t.APIs {
		if api.DefaultAuthorizer != "" && api.Authorizers[api.DefaultAuthorizer] == nil {
			b.add(api.Line, "API %s: there is no authorizer %q (there are: %s)", api.ID, api.DefaultAuthorizer, strings.Join(slices.Sorted(maps.Keys(api.Authorizers)), ", "))
		}
		for name, a := range api.Authorizers {
			if !slices.ContainsFunc(b.t.Functions, func(f *Function) bool { return f.ARN == a.FunctionARN }) {
				b.add(api.Line, "API %s: the authorizer %s names %q, which is no function of this template", api.ID, name, a.FunctionARN)
			}
		}
		for _, route := range api.Routes {
			switch {
			case route.Authorizer == "NONE":
				route.Authorizer = ""
			case route.Authorizer == "":
				route.Authorizer = api.DefaultAuthorizer
			case api.Authorizers[route.Authorizer] == nil:
				b.add(route.Line, "%s %s: API %s has no authorizer %q", route.Method, route.Path, api.ID, route.Authorizer)
			}
		}
	}
}

func (b *builder) readCORS(api *API, o *object) {
	v := o.raw("Cors")
	if v == nil {
		return
	}
	if v.kind == scalar { // a string is the allowed origin
		api.CORS = &CORS{Origin: b.quoted(v, o.what+": Cors")}
		return
	}
	c := b.object(v, o.what+": Cors")
	quoted := func(key string) string {
		if v := c.raw(key); v != nil {
			return b.quoted(v, c.what+": "+key)
		}
		return ""
	}
	api.CORS = &CORS{
		Origin: quoted("AllowOrigin"), Methods: quoted("AllowMethods"), Headers: quoted("AllowHeaders"), MaxAge: quoted("MaxAge"),
		Credentials: c.boolean("AllowCredentials", false),
	}
	if api.CORS.Origin == "" {
		b.add(v.line, "%s needs AllowOrigin", c.what)
	}
	c.done()
}

// quoted reads a string that API Gateway wants in single quotes of its own
// ("'*'"); without them a deployment fails.
func (b *builder) quoted(v *value, what string) string {
	s := v.text
	if v.kind != scalar || len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		b.add(v.line, "%s must be a string with single quotes of its own, like \"'*'\"", what)
		return s
	}
	return s[1 : len(s)-1]
}

func (b *builder) readResponse(o *object) GatewayResponse {
	g := GatewayResponse{Headers: map[string]string{}, Templates: map[string]string{}}
	if v := o.raw("StatusCode"); v != nil {
		g.Status, _ = o.integer("StatusCode", 100, 599)
	}
	if params := o.object("ResponseParameters"); params != nil {
		if headers := params.object("Headers"); headers != nil {
			for _, e := range headers.v.entries {
				if e.val.kind == absent {
					continue
				}
				if strings.HasPrefix(e.val.text, "method.request.") || strings.HasPrefix(e.val.text, "context.") || strings.HasPrefix(e.val.text, "stageVariables.") {
					b.add(e.line, "%s: the local stack supports fixed header values only", o.what)
					continue
				}
				g.Headers[e.key] = b.quoted(e.val, o.what+": "+e.key)
			}
		}
		params.refuse("Paths", "they change nothing in a response")
		params.refuse("QueryStrings", "they change nothing in a response")
		params.done()
	}
	if templates := o.object("ResponseTemplates"); templates != nil {
		for _, e := range templates.v.entries {
			g.Templates[e.key] = templates.text(e.key)
			b.checkTemplate(o, e.line, g.Templates[e.key])
		}
	}
	o.done()
	return g
}

func (b *builder) checkTemplate(o *object, line int, s string) {
	for _, directive := range []string{"#set", "#if", "#foreach", "#else", "#end"} {
		if strings.Contains(s, directive) {
			b.add(line, "%s: the local stack does not support %s in response templates", o.what, directive)
		}
	}
	for _, m := range ResponseVariable.FindAllString(s, -1) {
		name := "$" + strings.Trim(strings.TrimPrefix(m[1:], "!"), "{}")
		if !slices.Contains(ResponseVariables, name) {
			b.add(line, "%s: the local stack does not fill in %s (it knows: %s)", o.what, name, strings.Join(ResponseVariables, ", "))
		}
	}
}
