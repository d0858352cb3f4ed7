package httpapi

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"guarda/shared/fault"
)

// MaxBody is how many bytes a request's body may have.
const MaxBody = 1 << 20

// maxDepth is how deep a document may be nested.
const maxDepth = 64

// Decode reads the body as one JSON document into a T. The body must be
// application/json (fault.UnsupportedMedia), at most MaxBody bytes
// (fault.TooLarge) and well-formed (fault.BadRequest); members that T does not
// have and values of another type are fault.Invalid, all of them at once, each
// with its path. Names are compared exactly. Whether a member is there at all
// is for the handler to say: see Check.
func Decode[T any](r *http.Request) (T, error) {
	var v T
	if err := jsonContent(r); err != nil {
		return v, err
	}
	body, err := ReadBody(r)
	if err != nil {
		return v, err
	}
	err = decode(body, &v)
	return v, err
}

func jsonContent(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return fault.New(fault.UnsupportedMedia, "the body must be application/json").
			Hint("send the header Content-Type: application/json")
	}
	return nil
}

// ReadBody reads the whole body, at most MaxBody bytes.
func ReadBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the body cannot be read").Because(err)
	}
	if len(body) > MaxBody {
		return nil, fault.New(fault.TooLarge, "the body has more than %d bytes", MaxBody)
	}
	return body, nil
}

func decode(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return fault.New(fault.BadRequest, "the request has no body").Hint("send a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return syntaxError(body, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.BadRequest, "the body has more than one JSON document")
	}
	w := walker{}
	w.check(tree, reflect.TypeOf(into).Elem(), "", 0)
	if len(w.fields) > 0 {
		for i := range w.fields {
			if w.fields[i].Name == "" {
				w.fields[i].Name = "body"
			}
		}
		return invalid(w.fields)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fault.New(fault.BadRequest, "the body is not the JSON that is expected").Because(err)
	}
	return nil
}

func syntaxError(body []byte, err error) error {
	var s *json.SyntaxError
	if errors.As(err, &s) {
		line := 1 + bytes.Count(body[:min(int(s.Offset), len(body))], []byte("\n"))
		return fault.New(fault.BadRequest, "the body is not valid JSON, at byte %d (line %d)", s.Offset, line).Because(err)
	}
	return fault.New(fault.BadRequest, "the body is not valid JSON: it ends too early").Because(err)
}

func invalid(fields []fault.Field) error {
	e := fault.New(fault.Invalid, "the request is not valid")
	e.Fields = fields
	return e
}

// walker compares a parsed document with the type it is meant for.
type walker struct{ Check }

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawMessage      = reflect.TypeFor[json.RawMessage]()
)

func (w *walker) check(v any, t reflect.Type, path string, depth int) {
	if depth > maxDepth {
		w.Field(path, "too_deep", "is nested too deeply")
		return
	}
	if t.Kind() == reflect.Pointer {
		if v != nil {
			w.check(v, t.Elem(), path, depth)
		}
		return
	}
	if t == rawMessage || t.Kind() == reflect.Interface {
		return
	}
	if p := reflect.PointerTo(t); p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler) {
		w.checkByUnmarshaling(v, t, path)
		return
	}
	if v == nil {
		switch t.Kind() {
		case reflect.Slice, reflect.Map:
		default:
			w.Field(path, "type", "must not be null")
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		w.checkObject(v, t, path, depth)
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			w.Field(path, "type", "must be an object")
			return
		}
		for _, k := range sortedKeys(m) {
			w.check(m[k], t.Elem(), join(path, k), depth+1)
		}
	case reflect.Slice, reflect.Array:
		if _, isText := v.(string); isText && t.Elem().Kind() == reflect.Uint8 {
			return
		}
		items, ok := v.([]any)
		if !ok {
			w.Field(path, "type", "must be a list")
			return
		}
		for i, item := range items {
			w.check(item, t.Elem(), path+"["+strconv.Itoa(i)+"]", depth+1)
		}
	default:
		w.checkScalar(v, t, path)
	}
}

func (w *walker) checkScalar(v any, t reflect.Type, path string) {
	switch t.Kind() {
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			w.Field(path, "type", "must be a text")
		} else if strings.ContainsRune(s, 0) {
			w.Field(path, "invalid", "must not hold the character U+0000")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			w.Field(path, "type", "must be true or false")
		}
	case reflect.Float32, reflect.Float64:
		n, ok := v.(json.Number)
		if _, err := strconv.ParseFloat(n.String(), t.Bits()); !ok || err != nil {
			w.Field(path, "type", "must be a number")
		}
	default: // integers
		n, ok := v.(json.Number)
		if !ok || json.Unmarshal([]byte(n.String()), reflect.New(t).Interface()) != nil {
			w.Field(path, "type", "must be a whole number")
		}
	}
}

func (w *walker) checkByUnmarshaling(v any, t reflect.Type, path string) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err == nil {
		return
	}
	if f := fault.As(err); f != nil {
		w.fields = append(w.fields, fault.Field{Name: path, Code: "invalid", Message: f.Message})
		return
	}
	w.Field(path, "type", "cannot be read as the kind of value that is needed here")
}

func (w *walker) checkObject(v any, t reflect.Type, path string, depth int) {
	m, ok := v.(map[string]any)
	if !ok {
		w.Field(path, "type", "must be an object")
		return
	}
	members := map[string]reflect.Type{}
	collect(t, members)
	for _, k := range sortedKeys(m) {
		if mt, ok := members[k]; ok {
			w.check(m[k], mt, join(path, k), depth+1)
		} else {
			w.Field(join(path, k), "unknown", "there is no such field")
		}
	}
}

// collect finds the names that encoding/json reads into a struct. Embedded
// structs count as theirs.
func collect(t reflect.Type, into map[string]reflect.Type) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			collect(f.Type, into)
		case f.IsExported() && name == "":
			into[f.Name] = f.Type
		case f.IsExported():
			into[name] = f.Type
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return fmt.Sprintf("%s.%s", path, name)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
