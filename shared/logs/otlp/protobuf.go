package otlp

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"guarda/shared/logs"
)

// maxDepth is how deep values may be nested.
const maxDepth = 50

// Protobuf reads an ExportLogsServiceRequest in protobuf. Fields that it does
// not know are skipped. A request that is no such message, or has a text that
// is not UTF-8 (which makes it none), is fault.BadRequest; a record that cannot
// be stored is a rejection.
func Protobuf(body []byte) (*logs.Batch, error) {
	d := &decoder{}
	d.message(body, func(n protowire.Number, f field) {
		if n == 1 {
			d.resourceLogs(f.bytes(d))
		}
	})
	return d.batch()
}

// field is a field's value as it is on the wire.
type field struct {
	kind   protowire.Type
	number uint64 // varint, fixed32, fixed64
	raw    []byte
}

func (f field) bytes(d *decoder) []byte {
	if f.kind != protowire.BytesType {
		d.fail("a field has another wire type")
	}
	return f.raw
}

func (f field) text(d *decoder) string {
	raw := f.bytes(d)
	if !utf8.Valid(raw) {
		d.fail("a text is not valid UTF-8")
	}
	return string(raw)
}

func (f field) as(d *decoder, kind protowire.Type) uint64 {
	if f.kind != kind {
		d.fail("a field has another wire type")
	}
	return f.number
}

// message calls each for every field of a message.
func (d *decoder) message(b []byte, each func(protowire.Number, field)) {
	for len(b) > 0 && d.err == nil {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			d.fail("it is cut off or no protobuf")
			return
		}
		b = b[n:]
		f := field{kind: kind}
		switch kind {
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.number, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.number = uint64(v)
		case protowire.BytesType:
			f.raw, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			d.fail("it is cut off or no protobuf")
			return
		}
		b = b[n:]
		each(number, f)
	}
}

func (d *decoder) resourceLogs(b []byte) {
	var resource []pair
	var scopes [][]byte
	d.message(b, func(n protowire.Number, f field) {
		switch n {
		case 1:
			d.message(f.bytes(d), func(n protowire.Number, f field) {
				if n == 1 {
					resource = append(resource, d.pair(f.bytes(d), 0))
				}
			})
		case 2:
			scopes = append(scopes, f.bytes(d))
		}
	})
	from := originOf(resource)
	for _, s := range scopes {
		d.scopeLogs(s, from)
	}
}

func (d *decoder) scopeLogs(b []byte, from *origin) {
	var name, version string
	var attributes []pair
	var records [][]byte
	d.message(b, func(n protowire.Number, f field) {
		switch n {
		case 1:
			d.message(f.bytes(d), func(n protowire.Number, f field) {
				switch n {
				case 1:
					name = f.text(d)
				case 2:
					version = f.text(d)
				case 3:
					attributes = append(attributes, d.pair(f.bytes(d), 0))
				}
			})
		case 2:
			if len(records) <= logs.MaxEntries {
				records = append(records, f.bytes(d))
			}
		}
	})
	from = from.within(name, version, attributes)
	for _, raw := range records {
		if d.err != nil {
			return
		}
		r := record{from: from}
		d.record(raw, &r)
		d.add(&r)
	}
}

func (d *decoder) record(b []byte, r *record) {
	d.message(b, func(n protowire.Number, f field) {
		switch n {
		case 1:
			r.time = f.as(d, protowire.Fixed64Type)
		case 11:
			r.observed = f.as(d, protowire.Fixed64Type)
		case 2:
			r.severity = int64(f.as(d, protowire.VarintType))
		case 3:
			r.severityText = f.text(d)
		case 5:
			r.body = d.value(f.bytes(d), 0)
		case 6:
			r.attributes = append(r.attributes, d.pair(f.bytes(d), 0))
		case 7:
			r.dropped = f.as(d, protowire.VarintType)
		case 8:
			r.flags = f.as(d, protowire.Fixed32Type)
		case 9:
			r.traceID = f.bytes(d)
		case 10:
			r.spanID = f.bytes(d)
		case 12:
			r.event = f.text(d)
		}
	})
}

func (d *decoder) pair(b []byte, depth int) (p pair) {
	d.count()
	d.message(b, func(n protowire.Number, f field) {
		switch n {
		case 1:
			p.key = f.text(d)
		case 2:
			p.value = d.value(f.bytes(d), depth+1)
		}
	})
	return p
}

func (d *decoder) value(b []byte, depth int) (v value) {
	if depth > maxDepth {
		d.fail("a value is nested too deeply")
		return v
	}
	d.message(b, func(n protowire.Number, f field) {
		switch n {
		case 1:
			v = value{kind: 's', text: f.text(d)}
		case 2:
			v = value{kind: 'b', bool: f.as(d, protowire.VarintType) != 0}
		case 3:
			v = value{kind: 'i', int: int64(f.as(d, protowire.VarintType))}
		case 4:
			v = value{kind: 'd', double: math.Float64frombits(f.as(d, protowire.Fixed64Type))}
		case 5:
			v = value{kind: 'a'}
			d.message(f.bytes(d), func(n protowire.Number, f field) {
				if n == 1 {
					d.count()
					v.list = append(v.list, d.value(f.bytes(d), depth+1))
				}
			})
		case 6:
			v = value{kind: 'm'}
			d.message(f.bytes(d), func(n protowire.Number, f field) {
				if n == 1 {
					v.pairs = append(v.pairs, d.pair(f.bytes(d), depth+1))
				}
			})
		case 7:
			v = value{kind: 'x', text: string(f.bytes(d))}
		}
	})
	return v
}

// Response encodes an ExportLogsServiceResponse: rejected records are a
// partial success, with why.
func ProtobufResponse(rejected int, why string) []byte {
	if rejected == 0 {
		return nil
	}
	var partial []byte
	partial = protowire.AppendTag(partial, 1, protowire.VarintType)
	partial = protowire.AppendVarint(partial, uint64(rejected))
	partial = protowire.AppendTag(partial, 2, protowire.BytesType)
	partial = protowire.AppendString(partial, why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
}

// ProtobufStatus encodes a google.rpc.Status, the body of failed requests.
func ProtobufStatus(code int, message string) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), message)
}
