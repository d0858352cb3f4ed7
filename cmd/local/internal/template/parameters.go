package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var parameterType = regexp.MustCompile(`^(String|Number|CommaDelimitedList|List<Number>|(List<)?AWS::(EC2|Route53)::[A-Za-z:]+>?|AWS::SSM::Parameter::(Name|Value<.+>))$`)

// readParameters gives every parameter its value: an override, else its
// default.
func (b *builder) readParameters(n *yaml.Node) {
	given := map[string]bool{}
	for _, p := range b.pairs(n, "Parameters") {
		name := p.key.Value
		given[name] = true
		// Only literals are allowed below Parameters, so resolve finds nothing to refer to.
		o := b.object(b.resolve(p.val), "parameter "+name)
		kind := o.requiredText("Type")
		if kind != "" && !parameterType.MatchString(kind) {
			b.add(p.key.Line, "parameter %s has the unknown type %s", name, kind)
		}
		def := o.raw("Default")
		o.ignore("Description", "NoEcho", "ConstraintDescription")
		val, ok := b.opts.Parameters[name]
		switch {
		case ok:
		case def != nil && def.kind == scalar && strings.HasPrefix(kind, "AWS::SSM::Parameter::Value"):
			b.add(p.key.Line, "parameter %s is read from the Parameter Store, which the local stack does not have; give it a value with --parameter %s=…", name, name)
		case def != nil && def.kind == scalar:
			val = def.text
		default:
			b.add(p.key.Line, "parameter %s has no default; give it a value with --parameter %s=…", name, name)
		}
		b.checkParameter(o, p.key.Line, name, kind, val)
		o.done()
		v := text(p.key.Line, val)
		if kind == "Number" {
			v.tag = "!!int"
		}
		if kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<") {
			v = &value{kind: list, line: p.key.Line}
			if val != "" {
				for part := range strings.SplitSeq(val, ",") {
					v.items = append(v.items, text(p.key.Line, strings.TrimSpace(part)))
				}
			}
		}
		b.parameters[name] = v
	}
	for name := range b.opts.Parameters {
		if !given[name] {
			b.add(1, "the template has no parameter %s", name)
		}
	}
}

func (b *builder) checkParameter(o *object, line int, name, kind, val string) {
	if allowed := o.texts("AllowedValues"); allowed != nil && !slices.Contains(allowed, val) {
		b.add(line, "parameter %s is %q, and must be one of %s", name, val, strings.Join(allowed, ", "))
	}
	if pattern := o.text("AllowedPattern"); pattern != "" {
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			b.add(line, "parameter %s: AllowedPattern: %v", name, err)
		} else if !re.MatchString(val) {
			b.add(line, "parameter %s is %q, which does not match %s", name, val, pattern)
		}
	}
	const most = 1 << 30
	if low, ok := o.integer("MinLength", 0, most); ok && len(val) < low {
		b.add(line, "parameter %s must have at least %d characters", name, low)
	}
	if high, ok := o.integer("MaxLength", 0, most); ok && len(val) > high {
		b.add(line, "parameter %s must have at most %d characters", name, high)
	}
	number, err := strconv.ParseFloat(val, 64)
	if kind == "Number" && err != nil {
		b.add(line, "parameter %s is %q, and must be a number", name, val)
		return
	}
	if low, ok := o.integer("MinValue", -most, most); ok && number < float64(low) {
		b.add(line, "parameter %s is %s, and must be at least %d", name, val, low)
	}
	if high, ok := o.integer("MaxValue", -most, most); ok && number > float64(high) {
		b.add(line, "parameter %s is %s, and must be at most %d", name, val, high)
	}
}
