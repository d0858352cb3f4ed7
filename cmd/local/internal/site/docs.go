package site

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed docs.html
var docsHTML string

// Docs renders the API's description, OpenAPI 3.0, as one page that loads
// nothing else. The file is read at each request, so that it is never old.
func Docs(file string) http.Handler {
	page := template.Must(template.New("docs").Funcs(template.FuncMap{"inline": inline}).Parse(docsHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		d, err := readContract(file)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = page.Execute(w, d) // the reader has gone
	})
}

// document is what the page shows.
type document struct {
	Title, Version string
	Text           []string // paragraphs
	Groups         []group
	Schemas        []schema
}

type group struct {
	Name, Text string
	Operations []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Text                      []string
	Open                      bool // needs no identity
	Parameters                []field
	Body                      string
	BodyRef                   string
	Responses                 []response
}

type field struct {
	Name, In, Type, Text, Ref string
	Required                  bool
}

type response struct{ Status, Text, Type, Ref string }

type schema struct {
	Name, Type, Text string
	Fields           []field
}

// node wraps a YAML mapping; reading a missing member gives an empty node.
type node struct{ *yaml.Node }

func (n node) at(keys ...string) node {
	for _, k := range keys {
		next := &yaml.Node{}
		if n.Node != nil && n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == k {
					next = n.Content[i+1]
				}
			}
		}
		n = node{next}
	}
	return n
}

func (n node) each(f func(key string, val node)) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i].Value, node{n.Content[i+1]})
	}
}

func (n node) items() []node {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]node, len(n.Content))
	for i, c := range n.Content {
		out[i] = node{c}
	}
	return out
}

func paragraphs(s string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.TrimSpace(s), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// follow resolves a reference within the document.
func follow(root, n node) node {
	ref, ok := strings.CutPrefix(n.at("$ref").Value, "#/")
	if !ok {
		return n
	}
	return root.at(strings.Split(ref, "/")...)
}

var inlineCode = regexp.MustCompile("`([^`]+)`")

// inline shows what stands between back-ticks as code.
func inline(s string) template.HTML {
	return template.HTML(inlineCode.ReplaceAllString(template.HTMLEscapeString(s), "<code>$1</code>"))
}

// typeOf names a schema's type for people, and the named schema in it.
func typeOf(n node) (text, ref string) {
	if name, ok := strings.CutPrefix(n.at("$ref").Value, "#/components/schemas/"); ok {
		return name, name
	}
	for _, k := range []string{"allOf", "oneOf", "anyOf"} {
		var parts []string
		for _, it := range n.at(k).items() {
			t, r := typeOf(it)
			parts = append(parts, t)
			if ref == "" {
				ref = r
			}
		}
		if parts != nil {
			return strings.Join(parts, map[string]string{"allOf": " and ", "oneOf": " or ", "anyOf": " or "}[k]), ref
		}
	}
	text = n.at("type").Value
	if text == "array" {
		inner, r := typeOf(n.at("items"))
		return "list of " + inner, r
	}
	if f := n.at("format").Value; f != "" {
		text = f
	}
	var values []string
	for _, it := range n.at("enum").items() {
		values = append(values, it.Value)
	}
	if values != nil {
		text = strings.Join(values, " | ")
	}
	if d := n.at("default"); d.Kind == yaml.ScalarNode {
		text += " = " + d.Value
	}
	if n.at("nullable").Value == "true" {
		text += ", or null"
	}
	return text, ""
}

func readContract(file string) (*document, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the API's description: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil || len(doc.Content) == 0 {
		return nil, fmt.Errorf("the API's description is no YAML: %w", err)
	}
	root := node{doc.Content[0]}
	d := &document{Title: root.at("info", "title").Value, Version: root.at("info", "version").Value, Text: paragraphs(root.at("info", "description").Value)}
	for _, t := range root.at("tags").items() {
		d.Groups = append(d.Groups, group{Name: t.at("name").Value, Text: t.at("description").Value})
	}
	root.at("paths").each(func(path string, item node) {
		item.each(func(method string, op node) {
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete", "head", "options"}, method) {
				return
			}
			tag := "API"
			if tags := op.at("tags").items(); len(tags) > 0 {
				tag = tags[0].Value
			}
			i := slices.IndexFunc(d.Groups, func(g group) bool { return g.Name == tag })
			if i < 0 {
				d.Groups = append(d.Groups, group{Name: tag})
				i = len(d.Groups) - 1
			}
			d.Groups[i].Operations = append(d.Groups[i].Operations, readOperation(root, item, op, method, path))
		})
	})
	d.Groups = slices.DeleteFunc(d.Groups, func(g group) bool { return len(g.Operations) == 0 })
	root.at("components", "schemas").each(func(name string, n node) {
		t, _ := typeOf(n)
		d.Schemas = append(d.Schemas, schema{Name: name, Type: t, Text: n.at("description").Value, Fields: fieldsOf(root, n)})
	})
	return d, nil
}

func fieldsOf(root, n node) []field {
	var out []field
	for _, part := range n.at("allOf").items() {
		out = append(out, fieldsOf(root, follow(root, part))...)
	}
	required := n.at("required").items()
	n.at("properties").each(func(name string, p node) {
		t, ref := typeOf(p)
		out = append(out, field{Name: name, Type: t, Ref: ref, Text: p.at("description").Value,
			Required: slices.ContainsFunc(required, func(r node) bool { return r.Value == name })})
	})
	return out
}

func readOperation(root, item, op node, method, path string) operation {
	o := operation{ID: op.at("operationId").Value, Method: strings.ToUpper(method), Path: path, Summary: op.at("summary").Value, Text: paragraphs(op.at("description").Value)}
	if s := op.at("security"); s.Kind == yaml.SequenceNode && len(s.Content) == 0 {
		o.Open = true
	}
	for _, p := range append(item.at("parameters").items(), op.at("parameters").items()...) {
		p = follow(root, p)
		t, ref := typeOf(p.at("schema"))
		o.Parameters = append(o.Parameters, field{Name: p.at("name").Value, In: p.at("in").Value, Type: t, Ref: ref, Text: p.at("description").Value, Required: p.at("required").Value == "true"})
	}
	o.Body, o.BodyRef = contentOf(follow(root, op.at("requestBody")))
	op.at("responses").each(func(status string, r node) {
		r = follow(root, r)
		t, ref := contentOf(r)
		o.Responses = append(o.Responses, response{status, r.at("description").Value, t, ref})
	})
	return o
}

// contentOf names what a body holds.
func contentOf(n node) (text, ref string) {
	n.at("content").each(func(kind string, c node) {
		if text == "" {
			if text, ref = typeOf(c.at("schema")); text == "" || ref == "" {
				text = strings.TrimSpace(kind + " " + text)
			}
		}
	})
	return text, ref
}
