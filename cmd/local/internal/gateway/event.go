package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// event makes the event of a Lambda proxy integration.
func (g *Gateway) event(c *call) []byte {
	e := g.request(c)
	e["body"], e["isBase64Encoded"] = nil, false
	if body := g.decompressed(c); len(body) > 0 {
		e["body"] = string(body) // what is no UTF-8 is spoilt, as it is there
		if g.binary(c.r.Header.Get("Content-Type")) {
			e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
		}
	}
	return encode(e)
}

// decompressed undoes gzip and deflate where the API is set to. The header
// stays, and a body that cannot be decoded too: the function has to cope.
func (g *Gateway) decompressed(c *call) []byte {
	var r io.Reader
	switch c.r.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(c.body))
		if err != nil {
			return c.body
		}
		r = z
	case "deflate":
		z, err := zlib.NewReader(bytes.NewReader(c.body))
		if err != nil {
			return c.body
		}
		r = z
	}
	if r == nil || !g.cfg.API.Decompresses {
		return c.body
	}
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil || len(body) > maxBody {
		return c.body
	}
	return body
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and maps of them
	}
	return b
}

// binary reports whether bodies of a content type are sent encoded.
func (g *Gateway) binary(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = strings.TrimSpace(contentType)
	}
	for _, t := range g.cfg.API.BinaryTypes {
		if t == "*/*" || strings.EqualFold(t, kind) {
			return true
		}
		if family, ok := strings.CutSuffix(t, "/*"); ok && strings.HasPrefix(kind, family+"/") {
			return true
		}
	}
	return false
}

// request makes what the events of integrations and of authorizers share.
// Empty maps are null there, so they are null here.
func (g *Gateway) request(c *call) map[string]any {
	resource := c.path
	if c.route != nil {
		resource = c.route.Path
	}
	single, multi := fold(headersOf(c.r))
	query, multiQuery := fold(queryOf(c.r.URL.RawQuery))
	return map[string]any{
		"resource": resource, "path": c.path, "httpMethod": c.r.Method,
		"headers": single, "multiValueHeaders": multi,
		"queryStringParameters": query, "multiValueQueryStringParameters": multiQuery,
		"pathParameters": orNull(c.params), "stageVariables": orNull(g.cfg.API.Variables),
		"requestContext": g.context(c, resource),
	}
}

func orNull(m map[string]string) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

// fold gives the last value of each name, and all of them.
func fold(all map[string][]string) (single, multi any) {
	if len(all) == 0 {
		return nil, nil
	}
	last := make(map[string]string, len(all))
	for k, v := range all {
		last[k] = v[len(v)-1]
	}
	return last, all
}

// headersOf gives the request's headers with those that the front of API
// Gateway adds.
func headersOf(r *http.Request) map[string][]string {
	all := map[string][]string{"Host": {r.Host}, "X-Forwarded-For": {sourceIP(r)}, "X-Forwarded-Proto": {"http"}}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		all["X-Forwarded-Port"] = []string{port}
	}
	for k, v := range r.Header {
		switch k {
		case "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port":
		default:
			all[k] = v
		}
	}
	return all
}

// queryOf reads a query the lenient way: a pair that cannot be decoded is kept
// as it is.
func queryOf(raw string) map[string][]string {
	out := map[string][]string{}
	decode := func(s string) string {
		if d, err := url.QueryUnescape(s); err == nil {
			return d
		}
		return s
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		out[decode(k)] = append(out[decode(k)], decode(v))
	}
	return out
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (g *Gateway) context(c *call, resource string) map[string]any {
	host, _, err := net.SplitHostPort(c.r.Host)
	if err != nil {
		host = c.r.Host
	}
	prefix, _, _ := strings.Cut(host, ".")
	identity := map[string]any{"sourceIp": sourceIP(c.r), "userAgent": nil}
	if ua := c.r.UserAgent(); ua != "" {
		identity["userAgent"] = ua
	}
	for _, k := range []string{"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "principalOrgId", "accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "user"} {
		identity[k] = nil
	}
	ctx := map[string]any{
		"resourceId": "local", "resourcePath": resource, "httpMethod": c.r.Method, "extendedRequestId": c.extended,
		"requestTime": c.began.UTC().Format("02/Jan/2006:15:04:05 -0700"), "requestTimeEpoch": c.began.UnixMilli(),
		"path": "/" + g.cfg.API.Stage + c.path, "accountId": g.cfg.AccountID, "protocol": c.r.Proto, "stage": g.cfg.API.Stage,
		"domainPrefix": prefix, "domainName": c.r.Host, "requestId": c.id, "apiId": g.cfg.API.ID, "deploymentId": "local", "identity": identity,
	}
	if c.authority != nil {
		ctx["authorizer"] = c.authority
	}
	return ctx
}
