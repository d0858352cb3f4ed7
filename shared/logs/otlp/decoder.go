package otlp

import (
	"guarda/shared/fault"
	"guarda/shared/logs"
)

// origin is the resource and the scope of records, encoded once for all of
// them: it may be large, and a request may have many records.
type origin struct {
	service         string
	resource, scope []byte // JSON objects; nil: none
	nul             bool   // a text in them holds U+0000
}

func originOf(resource []pair) *origin {
	o := &origin{service: attribute(resource, "service.name"), nul: holdsNUL(resource)}
	if len(resource) > 0 {
		o.resource = appendPairs(nil, resource)
	}
	return o
}

// within is the origin of records of a scope.
func (o *origin) within(name, version string, attributes []pair) *origin {
	out := *o
	if name == "" && version == "" && len(attributes) == 0 {
		return &out
	}
	all := append([]pair{{"name", value{kind: 's', text: name}}, {"version", value{kind: 's', text: version}}}, attributes...)
	out.scope, out.nul = appendPairs(nil, all), o.nul || holdsNUL(all)
	return &out
}

// What a request's records may be in memory, whatever they were when they were
// sent: two bytes can make an attribute, and a resource is in each of its
// records.
const (
	maxValues   = 500_000
	maxMetadata = 3 * logs.MaxBody
)

// decoder makes entries of records; the first error stops it.
type decoder struct {
	out      logs.Batch
	values   int
	metadata int
	err      error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = malformed(why)
	}
}

// count counts an attribute or an element of a list.
func (d *decoder) count() {
	if d.values++; d.values > maxValues && d.err == nil {
		d.err = fault.New(fault.TooLarge, "the request has more than %d attributes and values", maxValues).Hint("send them in several requests")
	}
}

// malformed is the error of a request that cannot be read.
func malformed(why string) error {
	return fault.New(fault.BadRequest, "the request is no ExportLogsServiceRequest: %s", why)
}

// add takes a record in, or rejects it.
func (d *decoder) add(r *record) {
	if d.err != nil {
		return
	}
	if d.out.Sent == logs.MaxEntries {
		d.err = fault.New(fault.TooLarge, "the request has more than %d entries", logs.MaxEntries).Hint("send them in several requests")
		return
	}
	e, bad := r.entry()
	if bad != nil {
		bad.Index = d.out.Sent
		d.out.Rejections = append(d.out.Rejections, *bad)
	} else {
		e.At(d.out.Sent)
		d.out.Entries = append(d.out.Entries, e)
	}
	d.out.Sent++
	if d.metadata += len(e.Metadata); d.metadata > maxMetadata {
		d.err = fault.New(fault.TooLarge, "the records have more than %d bytes of attributes, with those of their resources", maxMetadata).Hint("send them in several requests")
	}
}

func (d *decoder) batch() (*logs.Batch, error) {
	if d.err != nil {
		return nil, d.err
	}
	return &d.out, nil
}
