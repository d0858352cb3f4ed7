package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guarda/functions/internal/logquery"
	"guarda/shared/auth"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/logs/export"
)

// request is the specification's, with more that may be there.
type request struct {
	Format    string                     `json:"format"`
	Filters   map[string]json.RawMessage `json:"filters"`
	DateRange *struct {
		Start     string `json:"start"`
		End       string `json:"end"`
		StartDate string `json:"start_date"`
		EndDate   string `json:"end_date"`
	} `json:"date_range"`
	Columns  []string `json:"columns"`
	Gzip     *bool    `json:"gzip"`
	Mask     []string `json:"mask"`
	Timezone string   `json:"timezone"`
}

// filterNames are what filters may hold besides metadata: parameters of the search.
var filterNames = []string{"level", "source", "exclude_source", "search_term", "mode", "user_id", "session_id", "pattern_id", "exclude_pattern_id"}

// listed may hold several values.
var listed = []string{"level", "source", "exclude_source", "exclude_pattern_id"}

// read reads a request. Filters are read as the search reads its parameters, so
// that an export holds what the search shows.
func (h *handler) read(r *http.Request) (*export.Export, error) {
	in, err := httpapi.Decode[request](r)
	if err != nil {
		return nil, err
	}
	var c httpapi.Check
	if in.Format == "" {
		c.Field("format", "required", "is required")
	} else {
		c.OneOf("format", in.Format, export.Formats()...)
	}
	values := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(in.Filters)) {
		filter(&c, values, name, in.Filters[name])
	}
	if in.DateRange == nil {
		c.Field("date_range", "required", "is required")
	} else {
		values.Set("start_date", first(in.DateRange.Start, in.DateRange.StartDate))
		values.Set("end_date", first(in.DateRange.End, in.DateRange.EndDate))
		if values.Get("start_date") == "" {
			c.Field("date_range.start", "required", "is required")
		}
		if values.Get("end_date") == "" {
			c.Field("date_range.end", "required", "is required")
		}
	}
	for _, name := range in.Columns {
		if !slices.Contains(export.Columns(), export.Column(name)) {
			c.Field("columns", "not_allowed", "has no column %s", name)
		}
	}
	for _, name := range in.Mask {
		c.OneOf("mask", name, logs.MaskRules()...)
	}
	zone := first(in.Timezone, h.Zone)
	if _, err := time.LoadLocation(zone); err != nil {
		c.Field("timezone", "invalid", "is no IANA time zone")
	}
	q := httpapi.NewQuery(&http.Request{URL: &url.URL{RawQuery: values.Encode()}})
	query := logquery.Read(q, true)
	if err := c.Add("filters", inBody(q.Err())); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return nil, err
	}
	e := &export.Export{UserID: who.UserID, Format: export.Format(in.Format), Query: *query, CreatedAt: h.Clock.Now().UTC().Truncate(time.Microsecond)}
	e.Filters, err = json.Marshal(asked(values))
	if err != nil {
		return nil, fmt.Errorf("encode the filters: %w", err)
	}
	for _, col := range export.Columns() { // in their order, each once
		if slices.Contains(in.Columns, string(col)) {
			e.Columns = append(e.Columns, col)
		}
	}
	e.Mask, e.Zone, e.Language = in.Mask, zone, language(r)
	e.Gzip = in.Gzip != nil && *in.Gzip && !e.Format.Compressed()
	e.Shown = shown(values, e.Language)
	return e, nil
}

// inBody names the members of the request that the search's parameters were
// read from.
func inBody(err error) error {
	if f := fault.As(err); f != nil {
		for i, field := range f.Fields {
			switch field.Name {
			case "start_date":
				f.Fields[i].Name = "date_range.start"
			case "end_date":
				f.Fields[i].Name = "date_range.end"
			default:
				f.Fields[i].Name = "filters." + field.Name
			}
		}
	}
	return err
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// filter turns one member of filters into parameters of the search.
func filter(c *httpapi.Check, values url.Values, name string, raw json.RawMessage) {
	if kind, _, _ := strings.Cut(name, "."); kind == "metadata" || kind == "exclude_metadata" {
		metadata(c, values, name, raw)
		return
	}
	if !slices.Contains(filterNames, name) {
		c.Field("filters."+name, "unknown", "is not known")
		return
	}
	var one string
	var many []string
	switch {
	case string(raw) == "null":
	case json.Unmarshal(raw, &one) == nil:
		if one != "" {
			values.Set(name, one)
		}
	case slices.Contains(listed, name) && json.Unmarshal(raw, &many) == nil:
		values[name] = many
	default:
		c.Field("filters."+name, "type", "must be a text")
	}
}

// metadata takes {"metadata": {"a": {"b": 1}}} and {"metadata.a.b": 1}, and the
// same of exclude_metadata.
func metadata(c *httpapi.Check, values url.Values, name string, raw json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil { // it was decoded before
		c.Field("filters."+name, "syntax", "cannot be read")
		return
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(path+"."+k, v[k])
			}
		case []any:
			c.Field("filters."+path, "type", "must be a text, a number or a boolean")
		case nil:
			values.Set(path, "null")
		default:
			if !strings.Contains(path, ".") {
				c.Field("filters."+path, "type", "must be an object")
				return
			}
			values.Set(path, fmt.Sprint(v))
		}
	}
	walk(name, v)
}

// asked is what the record says was asked for: a text, or a list of texts.
func asked(values url.Values) map[string]any {
	out := map[string]any{}
	for name, list := range values {
		if len(list) == 1 {
			out[name] = list[0]
		} else {
			out[name] = list
		}
	}
	return out
}

// language is that of a PDF: Portuguese when the caller does not say.
func language(r *http.Request) string {
	if r.Header.Get("Accept-Language") == "" {
		return string(fault.Portuguese)
	}
	return string(httpapi.Language(r))
}

// shown puts the filters into words for PDF.
func shown(values url.Values, language string) []string {
	titles := map[string][2]string{
		"level": {"Nível", "Level"}, "source": {"Fonte", "Source"}, "search_term": {"Busca", "Search"}, "mode": {"Modo", "Mode"},
		"user_id": {"Usuário", "User"}, "session_id": {"Sessão", "Session"}, "pattern_id": {"Padrão", "Pattern"},
		"exclude_source": {"Sem a fonte", "Without the source"}, "exclude_pattern_id": {"Sem o padrão", "Without the pattern"},
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "start_date" || name == "end_date" {
			continue
		}
		title := name
		if path, ok := strings.CutPrefix(name, "exclude_metadata."); ok {
			title = "Sem metadata." + path
			if language == "en" {
				title = "Without metadata." + path
			}
		}
		if t, ok := titles[name]; ok {
			title = t[0]
			if language == "en" {
				title = t[1]
			}
		}
		out = append(out, title+": "+strings.Join(values[name], ", "))
	}
	return out
}
