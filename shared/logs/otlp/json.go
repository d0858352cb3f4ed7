package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
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
	doc, ok := logs.ScanJSON(body)
	if !ok || doc[0] != '{' {
		return nil, malformed("it is no JSON object")
	}
	d := &decoder{}
	d.members(doc, func(key string, value []byte) {
		if key == "resourceLogs" {
			d.elements(value, d.jsonResource)
		}
	})
	return d.batch()
}

// members calls each for the members of an object whose value is not null;
// elements for those of an array. Once there is an error they call no more.
func (d *decoder) members(raw []byte, each func(key string, value []byte)) {
	if raw[0] != '{' {
		d.fail("a value has another type")
		return
	}
	logs.Members(raw, func(key, value []byte) {
		if d.err == nil && string(value) != "null" {
			each(logs.Unquote(key), value)
		}
	})
}

func (d *decoder) elements(raw []byte, each func(value []byte)) {
	if raw[0] != '[' {
		d.fail("a value has another type")
		return
	}
	logs.Elements(raw, func(value []byte) {
		if d.err == nil {
			each(value)
		}
	})
}

func (d *decoder) jsonText(raw []byte) string {
	if raw[0] != '"' {
		d.fail("a value has another type")
		return ""
	}
	return logs.Unquote(raw)
}

func (d *decoder) jsonResource(raw []byte) {
	var resource []pair
	var scopes [][]byte
	d.members(raw, func(key string, value []byte) {
		switch key {
		case "resource":
			d.members(value, func(key string, value []byte) {
				if key == "attributes" {
					resource = d.jsonPairs(value, 0)
				}
			})
		case "scopeLogs":
			d.elements(value, func(value []byte) { scopes = append(scopes, value) })
		}
	})
	from := originOf(resource)
	for _, s := range scopes {
		d.jsonScope(s, from)
	}
}

func (d *decoder) jsonScope(raw []byte, from *origin) {
	var name, version string
	var attributes []pair
	var records []byte
	d.members(raw, func(key string, value []byte) {
		switch key {
		case "scope":
			d.members(value, func(key string, value []byte) {
				switch key {
				case "name":
					name = d.jsonText(value)
				case "version":
					version = d.jsonText(value)
				case "attributes":
					attributes = d.jsonPairs(value, 0)
				}
			})
		case "logRecords":
			records = value
		}
	})
	if records == nil || d.err != nil {
		return
	}
	from = from.within(name, version, attributes)
	d.elements(records, func(raw []byte) {
		r := record{from: from}
		d.members(raw, func(key string, value []byte) { d.jsonRecord(&r, key, value) })
		d.add(&r)
	})
}

func (d *decoder) jsonRecord(r *record, key string, value []byte) {
	switch key {
	case "timeUnixNano":
		r.time = uint64(d.jsonInteger(value))
	case "observedTimeUnixNano":
		r.observed = uint64(d.jsonInteger(value))
	case "severityNumber":
		r.severity = d.jsonInteger(value)
	case "severityText":
		r.severityText = d.jsonText(value)
	case "body":
		r.body = d.jsonValue(value, 0)
	case "attributes":
		r.attributes = d.jsonPairs(value, 0)
	case "droppedAttributesCount":
		r.dropped = uint64(d.jsonInteger(value))
	case "flags":
		r.flags = uint64(d.jsonInteger(value))
	case "traceId":
		r.traceID = d.jsonHex(value)
	case "spanId":
		r.spanID = d.jsonHex(value)
	case "eventName":
		r.event = d.jsonText(value)
	}
}

func (d *decoder) jsonPairs(raw []byte, depth int) (list []pair) {
	d.elements(raw, func(raw []byte) {
		var p pair
		d.count()
		d.members(raw, func(key string, value []byte) {
			switch key {
			case "key":
				p.key = d.jsonText(value)
			case "value":
				p.value = d.jsonValue(value, depth+1)
			}
		})
		list = append(list, p)
	})
	return list
}

func (d *decoder) jsonValue(raw []byte, depth int) (v value) {
	if depth > maxDepth {
		d.fail("a value is nested too deeply")
		return v
	}
	d.members(raw, func(key string, raw []byte) {
		switch key {
		case "stringValue":
			v = value{kind: 's', text: d.jsonText(raw)}
		case "boolValue":
			if v = (value{kind: 'b', bool: raw[0] == 't'}); raw[0] != 't' && raw[0] != 'f' {
				d.fail("a value has another type")
			}
		case "intValue":
			v = value{kind: 'i', int: d.jsonInteger(raw)}
		case "doubleValue":
			v = value{kind: 'd', double: d.jsonDouble(raw)}
		case "arrayValue":
			v = value{kind: 'a'}
			d.members(raw, func(key string, raw []byte) {
				if key == "values" {
					d.elements(raw, func(raw []byte) { v.list = append(v.list, d.jsonElement(raw, depth+1)) })
				}
			})
		case "kvlistValue":
			v = value{kind: 'm'}
			d.members(raw, func(key string, raw []byte) {
				if key == "values" {
					v.pairs = d.jsonPairs(raw, depth+1)
				}
			})
		case "bytesValue":
			v = value{kind: 'x', text: d.jsonBytes(raw)}
		}
	})
	return v
}

// jsonElement reads a value of a list, where null is an empty one.
func (d *decoder) jsonElement(raw []byte, depth int) value {
	d.count()
	if string(raw) == "null" {
		return value{}
	}
	return d.jsonValue(raw, depth)
}

// jsonInteger reads a 64-bit integer, as a number or as a text. Unsigned ones
// beyond int64 keep their bits.
func (d *decoder) jsonInteger(raw []byte) int64 {
	s := string(raw)
	if raw[0] == '"' {
		s = logs.Unquote(raw)
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return int64(v)
	}
	f, err := strconv.ParseFloat(s, 64) // 1e3, 5.0: integers all the same
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		d.fail("an integer cannot be read")
		return 0
	}
	return int64(f)
}

// jsonDouble reads a number, or "NaN", "Infinity", "-Infinity".
func (d *decoder) jsonDouble(raw []byte) float64 {
	s := string(raw)
	if raw[0] == '"' {
		s = logs.Unquote(raw)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d.fail("a number cannot be read")
	}
	return f
}

// jsonHex reads a trace or span id: hex, unlike other bytes.
func (d *decoder) jsonHex(raw []byte) []byte {
	id, err := hex.DecodeString(d.jsonText(raw))
	if err != nil {
		d.fail("a trace or span id is not hexadecimal")
	}
	return id
}

// jsonBytes reads base64, with or without padding, of either alphabet.
func (d *decoder) jsonBytes(raw []byte) string {
	s := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(d.jsonText(raw), "="))
	out, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		d.fail("bytes are not in base64")
	}
	return string(out)
}

// JSONResponse encodes an ExportLogsServiceResponse.
func JSONResponse(rejected int, why string) []byte {
	if rejected == 0 {
		return []byte(`{}`)
	}
	return encoded(map[string]any{"partialSuccess": map[string]any{"rejectedLogRecords": strconv.Itoa(rejected), "errorMessage": why}})
}

// JSONStatus encodes a google.rpc.Status.
func JSONStatus(code int, message string) []byte {
	return encoded(map[string]any{"code": code, "message": message})
}

// encoded encodes numbers and texts, which never fails.
func encoded(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return []byte(`{}`)
	}
	return bytes.TrimSpace(b.Bytes())
}
