package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds nesting, so that no template can exhaust the stack.
const maxDepth = 64

var intrinsics = []string{
	"Ref", "Condition", "Fn::Sub", "Fn::GetAtt", "Fn::If", "Fn::FindInMap", "Fn::Join", "Fn::Equals",
	"Fn::And", "Fn::Or", "Fn::Not", "Fn::Select", "Fn::Split", "Fn::GetAZs",
}

// resolver replaces intrinsic functions by what they stand for.
type resolver struct {
	*problems
	pseudo     map[string]string
	parameters map[string]*value
	mappings   *value
	conditions map[string]*yaml.Node
	decided    map[string]bool // conditions that were evaluated
	resources  map[string]*resource
	underway   []string // names being resolved: a name that comes twice is a cycle
	nested     func(*resource) map[string]string
}

// gone is what an expression with a problem resolves to.
func gone(line int) *value { return &value{kind: absent, line: line} }

func text(line int, s string) *value { return &value{kind: scalar, line: line, text: s, tag: "!!str"} }

// resolve turns a node into a value. Problems are recorded, and what has one
// becomes absent.
func (r *resolver) resolve(n *yaml.Node) *value { return r.walk(n, 0) }

func (r *resolver) walk(n *yaml.Node, depth int) *value {
	if depth > maxDepth {
		r.add(n.Line, "nested more than %d levels deep", maxDepth)
		return gone(n.Line)
	}
	if name, arg, ok := r.intrinsic(n); ok {
		return r.call(name, arg, n.Line, depth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.add(n.Line, "CloudFormation does not support YAML aliases (*%s)", n.Value)
		return gone(n.Line)
	case yaml.ScalarNode:
		return &value{kind: scalar, line: n.Line, text: n.Value, tag: n.ShortTag()}
	case yaml.SequenceNode:
		v := &value{kind: list, line: n.Line}
		for _, it := range n.Content {
			if got := r.walk(it, depth+1); got.kind != absent {
				v.items = append(v.items, got)
			}
		}
		return v
	case yaml.MappingNode:
		v := &value{kind: mapping, line: n.Line}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Value == "<<" {
				r.add(key.Line, "CloudFormation does not support YAML merge keys (<<)")
				continue
			}
			if v.get(key.Value) != nil {
				r.add(key.Line, "%s is given twice", key.Value)
				continue
			}
			v.entries = append(v.entries, entry{key.Value, key.Line, r.walk(n.Content[i+1], depth+1)})
		}
		return v
	}
	return gone(n.Line)
}

// intrinsic recognises both forms of a function: !Sub x and {Fn::Sub: x}. A
// custom tag that is none of ours is a problem.
func (r *resolver) intrinsic(n *yaml.Node) (name string, arg *yaml.Node, ok bool) {
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		name = "Fn::" + tag[1:]
		if tag == "!Ref" || tag == "!Condition" {
			name = tag[1:]
		}
		arg := *n
		arg.Tag = ""
		if n.Kind == yaml.ScalarNode {
			arg.Tag = "!!str"
		}
		return name, &arg, true
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return "", nil, false
	}
	key := n.Content[0].Value
	// {Condition: name} is a function only inside of conditions; elsewhere
	// Condition is an ordinary key (IAM statements have one).
	if key == "Ref" || strings.HasPrefix(key, "Fn::") {
		return key, n.Content[1], true
	}
	return "", nil, false
}

func (r *resolver) call(name string, arg *yaml.Node, line, depth int) *value {
	switch name {
	case "Ref":
		return r.ref(arg.Value, line)
	case "Fn::GetAtt":
		return r.getAtt(arg, line, depth)
	case "Fn::Sub":
		return r.sub(arg, line, depth)
	case "Fn::If":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) != 3 {
			r.add(line, "Fn::If takes a condition's name and two values")
			return gone(line)
		}
		if r.condition(arg.Content[0].Value, line) {
			return r.walk(arg.Content[1], depth+1)
		}
		return r.walk(arg.Content[2], depth+1)
	case "Fn::FindInMap":
		return r.findInMap(arg, line, depth)
	case "Fn::Join":
		return r.join(arg, line, depth)
	case "Fn::Select":
		return r.pick(arg, line, depth)
	case "Fn::Split":
		args := r.walk(arg, depth+1)
		if args.kind != list || len(args.items) != 2 || args.items[0].kind != scalar || args.items[1].kind != scalar || args.items[0].text == "" {
			r.add(line, "Fn::Split takes a separator and a string")
			return gone(line)
		}
		out := &value{kind: list, line: line}
		for part := range strings.SplitSeq(args.items[1].text, args.items[0].text) {
			out.items = append(out.items, text(line, part))
		}
		return out
	case "Fn::GetAZs":
		out := &value{kind: list, line: line}
		for _, zone := range []string{"a", "b", "c"} {
			out.items = append(out.items, text(line, r.pseudo["AWS::Region"]+zone))
		}
		return out
	case "Condition", "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		r.add(line, "%s belongs into Conditions", name)
	default:
		r.add(line, "the local stack does not support the function %s (supported: %s)", name, strings.Join(intrinsics, ", "))
	}
	return gone(line)
}

func (r *resolver) ref(name string, line int) *value {
	if name == "AWS::NoValue" {
		return gone(line)
	}
	if s, ok := r.pseudo[name]; ok {
		return text(line, s)
	}
	if p, ok := r.parameters[name]; ok {
		v := *p
		v.line = line
		return &v
	}
	if res := r.lookup(name); res != nil {
		return r.resourceRef(res, line)
	}
	if got, ok := r.generatedRef(name); ok {
		return text(line, got)
	}
	r.add(line, "Ref to %q, which is no parameter, resource or pseudo parameter of this template", name)
	return gone(line)
}

func (r *resolver) getAtt(arg *yaml.Node, line, depth int) *value {
	id, att := "", ""
	switch {
	case arg.Kind == yaml.ScalarNode:
		id, att, _ = strings.Cut(arg.Value, ".")
	case arg.Kind == yaml.SequenceNode && len(arg.Content) == 2:
		id = arg.Content[0].Value
		if v := r.walk(arg.Content[1], depth+1); v.kind == scalar {
			att = v.text
		}
	}
	if id == "" || att == "" {
		r.add(line, "Fn::GetAtt takes a resource and an attribute")
		return gone(line)
	}
	return r.attribute(id, att, line)
}

func (r *resolver) attribute(id, att string, line int) *value {
	if res := r.lookup(id); res != nil {
		return r.resourceAtt(res, att, line)
	}
	if got, ok := r.generatedAtt(id, att); ok {
		return text(line, got)
	}
	r.add(line, "Fn::GetAtt of %q, which is no resource of this template", id)
	return gone(line)
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// sub does Fn::Sub in both forms: a string, or a string and its own variables.
func (r *resolver) sub(arg *yaml.Node, line, depth int) *value {
	format := arg
	own := map[string]*value{}
	if arg.Kind == yaml.SequenceNode {
		if len(arg.Content) != 2 || arg.Content[1].Kind != yaml.MappingNode {
			r.add(line, "Fn::Sub takes a string, or a string and a mapping")
			return gone(line)
		}
		format = arg.Content[0]
		for i := 0; i+1 < len(arg.Content[1].Content); i += 2 {
			own[arg.Content[1].Content[i].Value] = r.walk(arg.Content[1].Content[i+1], depth+1)
		}
	}
	if format.Kind != yaml.ScalarNode {
		r.add(line, "Fn::Sub takes a string, or a string and a mapping")
		return gone(line)
	}
	bad := false
	out := placeholder.ReplaceAllStringFunc(format.Value, func(m string) string {
		name := strings.TrimSpace(m[2 : len(m)-1])
		if strings.HasPrefix(name, "!") { // ${!Literal} stays, without its mark
			return "${" + name[1:] + "}"
		}
		v, ok := own[name]
		if !ok {
			if id, att, dotted := strings.Cut(name, "."); dotted {
				v = r.attribute(id, att, line)
			} else {
				v = r.ref(name, line)
			}
		}
		if v.kind != scalar {
			bad = true
			if v.kind != absent {
				r.add(line, "Fn::Sub: ${%s} is not a string", name)
			} else if name == "AWS::NoValue" {
				r.add(line, "Fn::Sub cannot use ${AWS::NoValue}")
			}
			return ""
		}
		return v.text
	})
	if bad {
		return gone(line)
	}
	return text(line, out)
}

func (r *resolver) findInMap(arg *yaml.Node, line, depth int) *value {
	args := r.walk(arg, depth+1)
	if args.kind != list || len(args.items) != 3 || slices.ContainsFunc(args.items, func(v *value) bool { return v.kind != scalar }) {
		r.add(line, "Fn::FindInMap takes a mapping's name and two keys")
		return gone(line)
	}
	v := r.mappings
	for i, key := range args.items {
		if v = v.get(key.text); v == nil {
			r.add(line, "Fn::FindInMap: Mappings has no %s", strings.Join([]string{args.items[0].text, args.items[1].text, args.items[2].text}[:i+1], "."))
			return gone(line)
		}
	}
	return v
}

func (r *resolver) join(arg *yaml.Node, line, depth int) *value {
	args := r.walk(arg, depth+1)
	if args.kind != list || len(args.items) != 2 || args.items[0].kind != scalar || args.items[1].kind != list {
		r.add(line, "Fn::Join takes a separator and a list")
		return gone(line)
	}
	var parts []string
	for _, it := range args.items[1].items {
		if it.kind != scalar {
			r.add(it.line, "Fn::Join joins strings only")
			return gone(line)
		}
		parts = append(parts, it.text)
	}
	return text(line, strings.Join(parts, args.items[0].text))
}

func (r *resolver) pick(arg *yaml.Node, line, depth int) *value {
	args := r.walk(arg, depth+1)
	if args.kind != list || len(args.items) != 2 || args.items[1].kind != list {
		r.add(line, "Fn::Select takes an index and a list")
		return gone(line)
	}
	n, err := strconv.Atoi(args.items[0].text)
	if err != nil || n < 0 || n >= len(args.items[1].items) {
		r.add(line, "Fn::Select: the list of %d has no index %s", len(args.items[1].items), args.items[0].text)
		return gone(line)
	}
	return args.items[1].items[n]
}

// condition evaluates a named condition.
func (r *resolver) condition(name string, line int) bool {
	if done, ok := r.decided[name]; ok {
		return done
	}
	n, ok := r.conditions[name]
	if !ok {
		r.add(line, "there is no condition %q", name)
		return false
	}
	if !r.enter("condition "+name, line) {
		return false
	}
	defer r.leave()
	got := r.decide(n, 0)
	r.decided[name] = got
	return got
}

// decide evaluates a condition's expression.
func (r *resolver) decide(n *yaml.Node, depth int) bool {
	name, arg, ok := r.intrinsic(n)
	if !ok && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, arg, ok = "Condition", n.Content[1], true
	}
	if !ok || depth > maxDepth {
		r.add(n.Line, "a condition is one of Condition, Fn::Equals, Fn::And, Fn::Or, Fn::Not")
		return false
	}
	parts := func(low, high int) []*yaml.Node {
		if arg.Kind != yaml.SequenceNode || len(arg.Content) < low || len(arg.Content) > high {
			r.add(n.Line, "%s takes a list of %d to %d", name, low, high)
			return nil
		}
		return arg.Content
	}
	switch name {
	case "Condition":
		return r.condition(arg.Value, n.Line)
	case "Fn::Equals":
		two := parts(2, 2)
		if two == nil {
			return false
		}
		a, b := r.walk(two[0], depth+1), r.walk(two[1], depth+1)
		return a.kind == scalar && b.kind == scalar && a.text == b.text
	case "Fn::Not":
		one := parts(1, 1)
		return one != nil && !r.decide(one[0], depth+1)
	case "Fn::And", "Fn::Or":
		all := parts(2, 10)
		out := name == "Fn::And"
		for _, part := range all {
			got := r.decide(part, depth+1) // every part, so that every problem is found
			if name == "Fn::And" {
				out = out && got
			} else {
				out = out || got
			}
		}
		return out && all != nil
	}
	r.add(n.Line, "%s is no condition function (Condition, Fn::Equals, Fn::And, Fn::Or, Fn::Not)", name)
	return false
}

// enter notes that a name is being resolved, and refuses a name that is
// already: it depends on itself.
func (r *resolver) enter(name string, line int) bool {
	if slices.Contains(r.underway, name) {
		r.add(line, "circular dependency: %s", strings.Join(append(slices.Clone(r.underway), name), " -> "))
		return false
	}
	r.underway = append(r.underway, name)
	return true
}

func (r *resolver) leave() { r.underway = r.underway[:len(r.underway)-1] }
