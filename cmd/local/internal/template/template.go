// Package template reads a SAM template the way the local stack needs it:
// which functions there are, with what settings, and what reaches them.
//
// The rule of the package is that nothing is ignored in silence. A resource
// type, property, event or intrinsic function is either honoured, or known to
// mean nothing on a laptop, or an error that names its line.
//
// Sources: the AWS SAM specification (resource and event types, Globals) and
// the CloudFormation user guide (intrinsic functions, parameters, conditions).
package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Options are the values that a deployment would have. The zero value is a
// stack called "guarda" in us-east-1.
type Options struct {
	Parameters map[string]string // override the defaults of Parameters
	Region     string
	AccountID  string // 12 digits
	StackName  string
	// ReadFile reads a nested template; nil is os.ReadFile.
	ReadFile func(path string) ([]byte, error)

	level int // of nesting
}

// Template is what a stack runs.
type Template struct {
	Region    string
	AccountID string
	StackName string

	Functions     []*Function // in the order of the file
	APIs          []*API
	Topics        []string // ARNs
	Subscriptions []Subscription
	LogFilters    []LogFilter
	Outputs       map[string]string
}

// LogFilter sends lines of a log group to a function.
type LogFilter struct {
	Group    string
	Function string
	Leveled  bool // only lines of JSON that have a level, else all
}

// Function is a Lambda function.
type Function struct {
	ID          string // its logical id
	Name        string
	ARN         string
	Line        int
	LogGroup    string // the one it logs to; "" is its own
	CodeURI     string // a folder with a program called "bootstrap", relative to the template
	Timeout     time.Duration
	MemoryMB    int
	Reserved    *int // reserved concurrency; nil if none
	Environment map[string]string
	EnvLines    map[string]int // where each variable is set, for messages
	Async       Async
	Schedules   []Schedule
}

// Async says what happens to asynchronous invocations that fail.
type Async struct {
	Retries   int           // after the first attempt
	MaxAge    time.Duration // how long an event may wait and be retried
	OnFailure string        // ARN of a topic, queue or function; "" if none
}

// Schedule is a Schedule or ScheduleV2 event.
type Schedule struct {
	ID         string // "<function>.<event>"
	Line       int
	Expression string // rate(…), cron(…), at(…)
	Zone       string // IANA name; "" is UTC
	Input      string // JSON; "" if none
	Scheduler  bool   // EventBridge Scheduler (ScheduleV2), not a rule
	Enabled    bool
	Start, End time.Time // zero if none
}

// Subscription carries what a topic gets to a function.
type Subscription struct {
	TopicARN     string
	FunctionName string
	ARN          string
}

// Load reads the template in a file.
func Load(path string, opts Options) (*Template, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return Parse(path, src, opts)
}

// Parse reads a template. file is its path: it begins every message, and
// nested templates are looked for beside it. The error is an *Error when the
// template is at fault.
func Parse(file string, src []byte, opts Options) (*Template, error) {
	if opts.Region == "" {
		opts.Region = "us-east-1"
	}
	if opts.AccountID == "" {
		opts.AccountID = "000000000000"
	}
	if opts.StackName == "" {
		opts.StackName = "guarda"
	}
	if opts.ReadFile == nil {
		opts.ReadFile = os.ReadFile
	}
	p := &problems{file: filepath.Base(file)}
	if opts.level > 0 {
		p.file = file
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		p.add(yamlLine(err), "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil, p.err()
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		p.add(1, "the template must be a mapping with Resources")
		return nil, p.err()
	}
	b := &builder{resolver: resolver{problems: p}, file: file, opts: opts}
	b.nested = b.nestedOutputs
	t := b.build(doc.Content[0])
	return t, p.err()
}

var yamlErrorLine = regexp.MustCompile(`line (\d+)`)

func yamlLine(err error) int {
	var typed *yaml.TypeError
	msg := err.Error()
	if errors.As(err, &typed) && len(typed.Errors) > 0 {
		msg = typed.Errors[0]
	}
	if m := yamlErrorLine.FindStringSubmatch(msg); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

// builder turns the sections of a template into a Template.
type builder struct {
	resolver
	file    string
	opts    Options
	t       *Template
	globals map[string]*value
	apis    map[string]*API
	inner   map[string]map[string]string // outputs of nested templates that were read
}

// nodePair is a key and its value in a mapping node.
type nodePair struct{ key, val *yaml.Node }

func (b *builder) pairs(n *yaml.Node, what string) []nodePair {
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		b.add(n.Line, "%s must be a mapping", what)
		return nil
	}
	var out []nodePair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if slices.ContainsFunc(out, func(p nodePair) bool { return p.key.Value == key.Value }) {
			b.add(key.Line, "%s is given twice in %s", key.Value, what)
			continue
		}
		out = append(out, nodePair{key, n.Content[i+1]})
	}
	return out
}

func (b *builder) build(root *yaml.Node) *Template {
	o := b.opts
	b.t = &Template{Region: o.Region, AccountID: o.AccountID, StackName: o.StackName, Outputs: map[string]string{}}
	partition, suffix := "aws", "amazonaws.com"
	switch {
	case strings.HasPrefix(o.Region, "cn-"):
		partition, suffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(o.Region, "us-gov-"):
		partition = "aws-us-gov"
	}
	b.pseudo = map[string]string{
		"AWS::Region": o.Region, "AWS::AccountId": o.AccountID, "AWS::StackName": o.StackName, "AWS::Partition": partition, "AWS::URLSuffix": suffix,
		"AWS::StackId": "arn:" + partition + ":cloudformation:" + o.Region + ":" + o.AccountID + ":stack/" + o.StackName + "/local",
	}
	b.parameters, b.conditions, b.decided = map[string]*value{}, map[string]*yaml.Node{}, map[string]bool{}
	b.resources, b.globals, b.apis, b.inner = map[string]*resource{}, map[string]*value{}, map[string]*API{}, map[string]map[string]string{}

	sections := map[string]*yaml.Node{}
	for _, p := range b.pairs(root, "the template") {
		switch p.key.Value {
		case "AWSTemplateFormatVersion", "Description", "Metadata":
		case "Transform", "Parameters", "Mappings", "Conditions", "Globals", "Resources", "Outputs":
			sections[p.key.Value] = p.val
		default:
			b.add(p.key.Line, "the local stack does not support the section %s", p.key.Value)
		}
	}
	if n := sections["Transform"]; n != nil && n.Value != "AWS::Serverless-2016-10-31" {
		b.add(n.Line, "the local stack supports the transform AWS::Serverless-2016-10-31 only")
	}
	b.readParameters(sections["Parameters"])
	b.mappings = &value{kind: mapping}
	if n := sections["Mappings"]; n != nil {
		b.mappings = b.resolve(n)
	}
	for _, p := range b.pairs(sections["Conditions"], "Conditions") {
		b.conditions[p.key.Value] = p.val
	}
	b.readResources(root, sections["Resources"])
	b.readGlobals(sections["Globals"])
	for _, p := range b.pairs(sections["Conditions"], "Conditions") {
		b.condition(p.key.Value, p.key.Line)
	}
	b.understand(sections["Resources"])
	b.readOutputs(sections["Outputs"])
	return b.t
}

func (b *builder) readGlobals(n *yaml.Node) {
	for _, p := range b.pairs(n, "Globals") {
		allowed, ok := globalsAllowed[p.key.Value]
		if !ok {
			b.add(p.key.Line, "the local stack does not support Globals.%s (supported: Api, Function)", p.key.Value)
			continue
		}
		v := b.resolve(p.val)
		for _, e := range v.entries {
			if !slices.Contains(allowed, e.key) {
				b.add(e.line, "SAM does not let Globals.%s set %s", p.key.Value, e.key)
			}
		}
		b.globals[p.key.Value] = v
	}
}

// readResources notes every resource and its type, so that references work in
// whatever order the file has.
func (b *builder) readResources(root, n *yaml.Node) {
	if n == nil {
		b.add(root.Line, "the template has no Resources")
	}
	for _, p := range b.pairs(n, "Resources") {
		res := &resource{id: p.key.Value, line: p.key.Line, made: true}
		b.resources[res.id] = res
		for _, a := range b.pairs(p.val, res.id) {
			switch a.key.Value {
			case "Type":
				res.kind = a.val.Value
			case "Properties":
				res.node = a.val
			}
		}
	}
	for _, p := range b.pairs(n, "Resources") { // conditions may refer to parameters only, but a mistake must not crash
		for _, a := range b.pairs(p.val, p.key.Value) {
			if a.key.Value == "Condition" {
				b.resources[p.key.Value].made = b.condition(a.val.Value, a.key.Line)
			}
		}
	}
}

func (b *builder) readOutputs(n *yaml.Node) {
	for _, p := range b.pairs(n, "Outputs") {
		var val *yaml.Node
		made := true
		for _, a := range b.pairs(p.val, "output "+p.key.Value) {
			switch a.key.Value {
			case "Value":
				val = a.val
			case "Condition":
				made = b.condition(a.val.Value, a.key.Line)
			case "Description":
			case "Export":
				b.resolve(a.val)
			default:
				b.add(a.key.Line, "output %s has the unknown property %s", p.key.Value, a.key.Value)
			}
		}
		switch {
		case !made:
		case val == nil:
			b.add(p.key.Line, "output %s has no Value", p.key.Value)
		default:
			if v := b.resolve(val); v.kind == scalar {
				b.t.Outputs[p.key.Value] = v.text
			}
		}
	}
}

// nestedOutputs reads the template of an AWS::Serverless::Application and
// returns its outputs; nil when it has problems (which are recorded).
func (b *builder) nestedOutputs(res *resource) map[string]string {
	if got, ok := b.inner[res.id]; ok {
		return got
	}
	if !b.enter("application "+res.id, res.line) {
		return nil
	}
	defer b.leave()
	b.inner[res.id] = nil
	v := &value{kind: mapping, line: res.line}
	if res.node != nil {
		v = b.resolve(res.node)
	}
	o := b.object(v, "application "+res.id)
	location := o.requiredText("Location")
	parameters := map[string]string{}
	if ps := o.raw("Parameters"); ps != nil {
		for _, e := range ps.entries {
			switch e.val.kind {
			case scalar:
				parameters[e.key] = e.val.text
			case list:
				var parts []string
				for _, it := range e.val.items {
					parts = append(parts, it.text)
				}
				parameters[e.key] = strings.Join(parts, ",")
			}
		}
	}
	o.ignore("Tags", "NotificationARNs", "TimeoutInMinutes")
	o.done()
	if location == "" {
		return nil
	}
	if b.opts.level >= 4 {
		b.add(res.line, "application %s: nested more than 4 levels deep", res.id)
		return nil
	}
	path := filepath.Join(filepath.Dir(b.file), filepath.FromSlash(location))
	src, err := b.opts.ReadFile(path)
	if err != nil {
		b.add(v.line, "application %s: its template cannot be read: %v", res.id, err)
		return nil
	}
	opts := b.opts
	opts.level++
	opts.Parameters = parameters
	opts.StackName += "-" + res.id
	inner, err := Parse(path, src, opts)
	var found *Error
	if errors.As(err, &found) {
		b.list = append(b.list, found.Problems...)
		return nil
	}
	for _, fn := range inner.Functions {
		b.add(res.line, "application %s: the local stack runs functions of the main template only, not %s of %s", res.id, fn.ID, location)
	}
	b.t.Topics = append(b.t.Topics, inner.Topics...)
	b.inner[res.id] = inner.Outputs
	return inner.Outputs
}
