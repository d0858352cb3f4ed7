package otlp_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/logs/otlp"
)

// message encodes fields of a protobuf message: number and value by turns.
func message(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		n := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case uint64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), v)
		case uint32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), v)
		}
	}
	return b
}

func pair(key string, value []byte) []byte { return message(1, key, 2, value) }

// example is the protocol's published example (testdata/logs.json) as protobuf.
func example() []byte {
	record := message(1, uint64(1544712660300000000), 11, uint64(1544712660300000000), 2, 10, 3, "Information",
		5, message(1, "Example log record"),
		6, pair("string.attribute", message(1, "some string")), 6, pair("boolean.attribute", message(2, 1)), 6, pair("int.attribute", message(3, 10)), 6, pair("double.attribute", message(4, uint64(0x4083eda1cac08312))),
		6, pair("array.attribute", message(5, message(1, message(1, "many"), 1, message(1, "values")))),
		6, pair("map.attribute", message(6, message(1, pair("some.map.key", message(1, "some value"))))),
		9, []byte("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"), 10, []byte("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74"), 99, "unknown")
	scope := message(1, message(1, "my.library", 2, "1.0.0", 3, pair("my.scope.attribute", message(1, "some scope attribute"))), 2, record, 3, "schema")
	return message(1, message(1, message(1, pair("service.name", message(1, "my.service"))), 2, scope))
}

func TestThePublishedExampleIsTheSameInBothEncodings(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/logs.json")
	if err != nil {
		t.Fatal(err)
	}
	a, err := otlp.JSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := otlp.Protobuf(example())
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []*logs.Batch{a, b} {
		e := batch.Entries[0]
		if e.Level != logs.Info || e.Source != "my.service" || e.Message != "Example log record" || e.CreatedAt.UnixMicro() != 1544712660300000 {
			t.Errorf("%+v", e)
		}
	}
	if string(a.Entries[0].Metadata) != string(b.Entries[0].Metadata) {
		t.Errorf("JSON: %s\nprotobuf: %s", a.Entries[0].Metadata, b.Entries[0].Metadata)
	}
	var m struct {
		Attributes map[string]any `json:"attributes"`
		TraceID    string         `json:"trace_id"`
	}
	if err := json.Unmarshal(a.Entries[0].Metadata, &m); err != nil || m.TraceID != "5b8efff798038103d269b633813fc60c" || m.Attributes["int.attribute"] != 10.0 || m.Attributes["boolean.attribute"] != true {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestWhatIsMalformedIsTheSendersFault(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"cut off": example()[:60], "no protobuf": []byte("hello"), "another wire type": message(1, 7),
		"invalid UTF-8": message(1, message(2, message(2, message(5, message(1, "\xff"))))),
	} {
		if _, err := otlp.Protobuf(body); fault.CodeOf(err) != fault.BadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"no JSON": `{"resourceLogs":`, "an array": `[]`, "wrong type": `{"resourceLogs":"x"}`, "id in base64": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"W47/95gDgQ=="}]}]}]}`,
		"invalid UTF-8": "{\"x\":\"\xff\"}", "nothing": ``, "deep": `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
		"deep value":       `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 60) + strings.Repeat(`]}}`, 60) + `}]}]}]}`,
		"enum by its name": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"SEVERITY_NUMBER_INFO"}]}]}]}`, "text that is none": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":7}}]}]}]}`,
	} {
		if _, err := otlp.JSON([]byte(body)); fault.CodeOf(err) != fault.BadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARecordThatCannotBeStoredIsRejectedAlone(t *testing.T) {
	t.Parallel()
	b, err := otlp.JSON([]byte(`{"future":1,"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"good"},"severityNumber":"17","timeUnixNano":1795521600123456789,"severityText":"x"},
		{"body":{"stringValue":"a\u0000b"}},{"attributes":[{"key":"k","value":{"arrayValue":{"values":[{"stringValue":"\u0000"}]}}}]},
		{"body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"-5"}},{"key":"b","value":{"doubleValue":"NaN"}},{"key":"c","value":{"bytesValue":"AP8="}}]}}},{"eventName":"only.event"}]}]}]}`))
	if err != nil || b.Sent != 5 || len(b.Entries) != 3 || len(b.Rejections) != 2 || b.Rejections[0].Index != 1 || b.Rejections[1].Index != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	if e := b.Entries[0]; e.Level != logs.Error || e.CreatedAt.UnixMicro() != 1795521600123456 || e.Source != "unknown_service" {
		t.Errorf("%+v", e)
	}
	if b.Entries[1].Message != `{"a":-5,"b":"NaN","c":"AP8="}` || b.Entries[2].Message != "only.event" {
		t.Errorf("%+v", b.Entries)
	}
	if got := string(otlp.JSONResponse(2, "why")); got != `{"partialSuccess":{"errorMessage":"why","rejectedLogRecords":"2"}}` {
		t.Error(got)
	}
}

// What is small when it is sent and large in memory is found out in time.
func TestARequestThatGrowsIsTooLarge(t *testing.T) {
	t.Parallel()
	const many = 600_000
	pairs := bytes.Repeat([]byte{6<<3 | 2, 0}, many) // attributes of two bytes
	resource := pair("k", message(1, strings.Repeat("x", 200_000)))
	for name, body := range map[string][]byte{
		"attributes": message(1, message(2, message(2, pairs))),
		"records":    message(1, message(2, bytes.Repeat([]byte{2<<3 | 2, 0}, many))),
		"resource":   message(1, append(message(1, message(1, resource)), message(2, bytes.Repeat([]byte{2<<3 | 2, 0}, 20_000))...)),
	} {
		if _, err := otlp.Protobuf(body); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"records":    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat("{},", many) + `{}]}]}]}`,
		"attributes": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[` + strings.Repeat("{},", many) + `{}]}]}]}]}`,
		"values":     `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[` + strings.Repeat("null,", many) + `null]}}}]}]}]}`,
	} {
		if _, err := otlp.JSON([]byte(body)); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%s in JSON: %v", name, err)
		}
	}
	// A resource that fits nowhere rejects its records, and is encoded once.
	b, err := otlp.Protobuf(message(1, append(message(1, message(1, pair("k", message(1, strings.Repeat("x", logs.MaxMetadata))))), message(2, bytes.Repeat([]byte{2<<3 | 2, 0}, 100))...)))
	if err != nil || len(b.Rejections) != 100 || b.Rejections[99].Code != "too_long" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestIdsThatAreNoneAreLeftOutAndTextsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	b, err := otlp.JSON([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"00000000000000000000000000000000","spanId":"abcd","flags":1,"droppedAttributesCount":"2","RESOURCE":1,
		"body":{"kvlistValue":{"values":[{"key":"<a>","value":{"stringValue":"b & c\u0000"}}]}}},{"traceId":"","spanId":"eee19b7ec3c1b174","body":null}]}]}]}`))
	if err != nil || len(b.Entries) != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	if e := b.Entries[0]; e.Message != `{"<a>":"b & c\u0000"}` || string(e.Metadata) != `{"flags":1,"dropped_attributes_count":2}` {
		t.Errorf("%s %s", e.Message, e.Metadata)
	}
	if e := b.Entries[1]; e.Message != "" || string(e.Metadata) != `{"span_id":"eee19b7ec3c1b174"}` {
		t.Errorf("%s %s", e.Message, e.Metadata)
	}
}

func check(t *testing.T, b *logs.Batch, err error) {
	t.Helper()
	if err != nil {
		if fault.CodeOf(err).HTTPStatus() >= 500 {
			t.Fatal(err)
		}
		return
	}
	for _, e := range b.Entries {
		for _, s := range []string{e.Message, e.Source, e.SessionID, string(e.Metadata)} {
			if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
				t.Errorf("%q", s)
			}
		}
		if !json.Valid(e.Metadata) || e.Level == "" {
			t.Errorf("%+v %s", e, e.Metadata)
		}
	}
}

func FuzzProtobuf(f *testing.F) {
	f.Add(example())
	f.Add(message(1, message(2, message(2, message(5, message(1, "\xff"))))))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := otlp.Protobuf(body)
		check(t, b, err)
	})
}

func FuzzJSON(f *testing.F) {
	raw, err := os.ReadFile("testdata/logs.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"doubleValue":1e999}}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := otlp.JSON(body)
		check(t, b, err)
	})
}
