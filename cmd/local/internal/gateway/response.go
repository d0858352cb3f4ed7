package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"guarda/cmd/local/internal/template"
)

// gatewayResponse is something that API Gateway answers by itself.
type gatewayResponse struct {
	kind    string // as GatewayResponses in the template names it
	status  int
	message string
	label   string // x-amzn-ErrorType
}

var (
	missingToken            = gatewayResponse{"MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"}
	unauthorized            = gatewayResponse{"UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException"}
	notAllowed              = gatewayResponse{"ACCESS_DENIED", 403, "User is not authorized to access this resource", "AccessDeniedException"}
	explicitlyDenied        = gatewayResponse{"ACCESS_DENIED", 403, "User is not authorized to access this resource with an explicit deny in an identity-based policy", "AccessDeniedException"}
	authorizerFailed        = gatewayResponse{"AUTHORIZER_FAILURE", 500, "Internal server error", "AuthorizerFailureException"}
	authorizerMisconfigured = gatewayResponse{"AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error", "AuthorizerConfigurationException"}
	tooLong                 = gatewayResponse{"REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException"}
	timedOut                = gatewayResponse{"INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException"}
	badAnswer               = gatewayResponse{"DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException"}
	// Lambda refuses the invocation: throttled, or it is not there.
	integrationRefused = gatewayResponse{"DEFAULT_5XX", 500, "Internal server error", "InternalServerErrorException"}
)

// respond answers with a gateway response, in the form that the template gives
// it. why goes to the log.
func (g *Gateway) respond(c *call, k gatewayResponse, why string) {
	if why != "" {
		g.cfg.Log(c.id, c.r.Method+" "+c.path+": "+why)
	}
	shape, ok := g.cfg.API.Responses[k.kind]
	general := "DEFAULT_4XX"
	if k.status >= 500 {
		general = "DEFAULT_5XX"
	}
	if !ok {
		shape = g.cfg.API.Responses[general]
	}
	status := k.status
	if ok && shape.Status != 0 && k.kind != general {
		status = shape.Status
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", k.label)
	body := string(encode(map[string]string{"message": k.message}))
	if text, ok := shape.Templates["application/json"]; ok {
		body = g.fill(c, k, text)
	} else if kinds := sortedKeys(shape.Templates); len(kinds) > 0 {
		h.Set("Content-Type", kinds[0])
		body = g.fill(c, k, shape.Templates[kinds[0]])
	}
	for name, v := range shape.Headers {
		h.Set(name, v)
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write([]byte(body))
}

// fill puts values for the variables of a mapping template.
func (g *Gateway) fill(c *call, k gatewayResponse, text string) string {
	resource := c.path
	if c.route != nil {
		resource = c.route.Path
	}
	values := map[string]string{
		"$context.error.message": k.message, "$context.error.messageString": string(encode(k.message)), "$context.error.responseType": k.kind,
		"$context.error.validationErrorString": "", "$context.requestId": c.id, "$context.extendedRequestId": c.extended,
		"$context.requestTime": c.began.UTC().Format("02/Jan/2006:15:04:05 -0700"), "$context.requestTimeEpoch": strconv.FormatInt(c.began.UnixMilli(), 10),
		"$context.httpMethod": c.r.Method, "$context.path": "/" + g.cfg.API.Stage + c.path, "$context.resourcePath": resource,
		"$context.stage": g.cfg.API.Stage, "$context.apiId": g.cfg.API.ID, "$context.identity.sourceIp": sourceIP(c.r), "$context.identity.userAgent": c.r.UserAgent(),
	}
	return template.ResponseVariable.ReplaceAllStringFunc(text, func(m string) string {
		return values["$"+strings.Trim(strings.TrimPrefix(m[1:], "!"), "{}")]
	})
}

// reply is the answer of a function, checked.
type reply struct {
	status  int
	headers http.Header
	body    string
	encoded bool // body is base64
}

// readReply checks an answer as strictly as API Gateway does. With cookies,
// the streamed prelude may have them too.
func readReply(payload []byte, prelude bool) (*reply, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil || all == nil {
		return nil, fmt.Errorf("the answer is no JSON object: %.200s", payload)
	}
	known := []string{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
	if prelude {
		known = []string{"statusCode", "headers", "multiValueHeaders", "cookies"}
	}
	var in struct {
		Status  *int             `json:"statusCode"`
		Headers map[string]any   `json:"headers"`
		Multi   map[string][]any `json:"multiValueHeaders"`
		Body    *string          `json:"body"`
		Encoded bool             `json:"isBase64Encoded"`
		Cookies []string         `json:"cookies"`
	}
	for k := range all {
		if !slices.Contains(known, k) {
			return nil, fmt.Errorf("the answer has the member %q, which API Gateway does not know (it knows: %s)", k, strings.Join(known, ", "))
		}
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("the answer has a member of the wrong type: %w", err)
	}
	out := &reply{status: http.StatusOK, headers: http.Header{}, encoded: in.Encoded}
	switch {
	case in.Status != nil:
		out.status = *in.Status
	case !prelude:
		return nil, fmt.Errorf("the answer has no statusCode")
	}
	if out.status < 100 || out.status > 599 {
		return nil, fmt.Errorf("the answer's statusCode is %d", out.status)
	}
	if in.Body != nil {
		out.body = *in.Body
	}
	text := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case float64, bool:
			return string(encode(v)), true
		}
		return "", false
	}
	for k, values := range in.Multi {
		for _, v := range values {
			s, ok := text(v)
			if !ok {
				return nil, fmt.Errorf("the answer's header %s is no string", k)
			}
			out.headers.Add(k, s)
		}
	}
	for k, v := range in.Headers {
		s, ok := text(v)
		if !ok {
			return nil, fmt.Errorf("the answer's header %s is no string", k)
		}
		if in.Multi[k] == nil || !slices.Contains(out.headers.Values(k), s) {
			out.headers.Add(k, s)
		}
	}
	for _, cookie := range in.Cookies {
		out.headers.Add("Set-Cookie", cookie)
	}
	return out, nil
}

// remapped are the headers of functions that API Gateway renames.
var remapped = []string{"Authorization", "Connection", "Date", "Expect", "Host", "Max-Forwards", "Server", "Upgrade", "User-Agent", "Www-Authenticate"}

func (r *reply) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	for k, values := range r.headers {
		k = http.CanonicalHeaderKey(k)
		switch {
		case k == "Transfer-Encoding" || k == "Content-Length" || k == "Te" || k == "Trailer":
			continue
		case slices.Contains(remapped, k):
			k = "X-Amzn-Remapped-" + k
		}
		h[k] = values
	}
	w.WriteHeader(r.status)
}
