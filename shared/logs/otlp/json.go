package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"guarda/shared/logs"
)

// JSON reads an ExportLogsServiceRequest in the protocol's JSON: names in
// lowerCamelCase, trace and span ids in hex, bytes in base64, enums as
// integers, 64-bit integers as numbers or texts, unknown members ignored. What
// it refuses, Protobuf refuses.
func JSON(body []byte) (*logs.Batch, error) {
	if !utf8.Valid(body) {
		return nil, malformed("a text is not valid UTF-8")
	}
	if depthOf(body) > 4*maxDepth {
		return nil, malformed("a value is nested too deeply")
	}
	var request struct {
		ResourceLogs []struct {
			Resource struct {
				Attributes []jsonPair `json:"attributes"`
			} `json:"resource"`
			ScopeLogs []struct {
				Scope struct {
					Name       string     `json:"name"`
					Version    string     `json:"version"`
					Attributes []jsonPair `json:"attributes"`
				} `json:"scope"`
				LogRecords []jsonRecord `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return nil, malformed("it is no JSON object")
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, malformed(err.Error())
	}
	var records []record
	for _, rl := range request.ResourceLogs {
		resource := pairsOf(rl.Resource.Attributes)
		for _, sl := range rl.ScopeLogs {
			scope := pairsOf(sl.Scope.Attributes)
			for i := range sl.LogRecords {
				r := sl.LogRecords[i].record()
				r.resource, r.scope, r.scopeName, r.scopeVersion = resource, scope, sl.Scope.Name, sl.Scope.Version
				records = append(records, r)
			}
		}
	}
	return batch(records)
}

func depthOf(b []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

type jsonRecord struct {
	Time         integer    `json:"timeUnixNano"`
	Observed     integer    `json:"observedTimeUnixNano"`
	Severity     integer    `json:"severityNumber"`
	SeverityText string     `json:"severityText"`
	Body         *jsonValue `json:"body"`
	Attributes   []jsonPair `json:"attributes"`
	TraceID      hexID      `json:"traceId"`
	SpanID       hexID      `json:"spanId"`
	EventName    string     `json:"eventName"`
}

func (r *jsonRecord) record() record {
	out := record{time: uint64(r.Time), observed: uint64(r.Observed), severity: int64(r.Severity), severityText: r.SeverityText, event: r.EventName,
		attributes: pairsOf(r.Attributes), traceID: r.TraceID, spanID: r.SpanID}
	if r.Body != nil {
		out.body = r.Body.value()
	}
	return out
}

type jsonPair struct {
	Key   string     `json:"key"`
	Value *jsonValue `json:"value"`
}

type jsonValue struct {
	String *string  `json:"stringValue"`
	Bool   *bool    `json:"boolValue"`
	Int    *integer `json:"intValue"`
	Double *double  `json:"doubleValue"`
	Array  *struct {
		Values []jsonValue `json:"values"`
	} `json:"arrayValue"`
	Pairs *struct {
		Values []jsonPair `json:"values"`
	} `json:"kvlistValue"`
	Bytes *raw64 `json:"bytesValue"`
}

func (v *jsonValue) value() value {
	switch {
	case v == nil:
	case v.String != nil:
		return value{kind: 's', text: *v.String}
	case v.Bool != nil:
		return value{kind: 'b', bool: *v.Bool}
	case v.Int != nil:
		return value{kind: 'i', int: int64(*v.Int)}
	case v.Double != nil:
		return value{kind: 'd', double: float64(*v.Double)}
	case v.Array != nil:
		out := value{kind: 'a'}
		for i := range v.Array.Values {
			out.list = append(out.list, v.Array.Values[i].value())
		}
		return out
	case v.Pairs != nil:
		return value{kind: 'm', pairs: pairsOf(v.Pairs.Values)}
	case v.Bytes != nil:
		return value{kind: 'x', text: string(*v.Bytes)}
	}
	return value{}
}

func pairsOf(in []jsonPair) []pair {
	if len(in) == 0 {
		return nil
	}
	out := make([]pair, len(in))
	for i := range in {
		out[i] = pair{in[i].Key, in[i].Value.value()}
	}
	return out
}

// integer is a 64-bit integer, as a number or as a text. Unsigned ones beyond
// int64 keep their bits.
type integer int64

// UnmarshalJSON reads it.
func (n *integer) UnmarshalJSON(b []byte) error {
	s := string(bytes.Trim(b, `"`))
	if s == "null" {
		return nil
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = integer(v)
		return nil
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		*n = integer(v)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64) // 1e3, 5.0: integers all the same
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<63 {
		return strconv.ErrSyntax
	}
	*n = integer(f)
	return nil
}

// double is a number, or "NaN", "Infinity", "-Infinity".
type double float64

// UnmarshalJSON reads it.
func (d *double) UnmarshalJSON(b []byte) error {
	s := string(bytes.Trim(b, `"`))
	if s == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	*d = double(f)
	return err
}

// hexID is a trace or span id: hex, unlike other bytes.
type hexID []byte

// UnmarshalJSON reads it.
func (h *hexID) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	raw, err := hex.DecodeString(s)
	*h = raw
	return err
}

// raw64 is bytes in base64, with or without padding, of either alphabet.
type raw64 []byte

// UnmarshalJSON reads it.
func (r *raw64) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	b = bytes.TrimRight([]byte(s), "=")
	b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	raw, err := base64.RawStdEncoding.DecodeString(string(b))
	*r = raw
	return err
}

// JSONResponse encodes an ExportLogsServiceResponse.
func JSONResponse(rejected int, why string) []byte {
	if rejected == 0 {
		return []byte(`{}`)
	}
	raw, err := json.Marshal(map[string]any{"partialSuccess": map[string]any{"rejectedLogRecords": strconv.Itoa(rejected), "errorMessage": why}})
	if err != nil { // texts
		return []byte(`{}`)
	}
	return raw
}

// JSONStatus encodes a google.rpc.Status.
func JSONStatus(code int, message string) []byte {
	raw, err := json.Marshal(map[string]any{"code": code, "message": message})
	if err != nil { // a number and a text
		return []byte(`{}`)
	}
	return raw
}
