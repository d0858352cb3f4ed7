package template

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// understand reads every resource that is made.
func (b *builder) understand(n *yaml.Node) {
	all := b.pairs(n, "Resources")
	made := func(kind string) (out []*resource) {
		for _, p := range all {
			if res := b.resources[p.key.Value]; res.made && res.kind == kind {
				out = append(out, res)
			}
		}
		return out
	}
	for _, p := range all {
		b.checkResource(p)
	}
	for _, res := range made("AWS::Serverless::Api") {
		b.readAPI(res)
	}
	for _, res := range made("AWS::Serverless::Function") {
		b.readFunction(res)
	}
	b.checkAuthorizers()
	for _, res := range made("AWS::SNS::Topic") {
		b.readTopic(res)
	}
	for _, res := range made("AWS::SNS::Subscription") {
		o := b.object(b.resolve(res.node), "subscription "+res.id)
		b.subscribe(res, o.requiredText("TopicArn"), o.requiredText("Protocol"), o.text("Endpoint"))
	}
	for _, res := range made("AWS::Logs::SubscriptionFilter") {
		b.readLogFilter(res)
	}
	for _, res := range made("AWS::Serverless::Application") {
		b.nestedOutputs(res)
	}
}

// checkResource looks at what every resource has.
func (b *builder) checkResource(p nodePair) {
	res := b.resources[p.key.Value]
	for _, a := range b.pairs(p.val, res.id) {
		switch a.key.Value {
		case "Type", "Properties", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "Metadata":
		case "DependsOn":
			names := []*yaml.Node{a.val}
			if a.val.Kind == yaml.SequenceNode {
				names = a.val.Content
			}
			for _, name := range names {
				if b.resources[name.Value] == nil {
					b.add(name.Line, "%s depends on %s, which is no resource of this template", res.id, name.Value)
				}
			}
		case "Connectors":
			for _, c := range b.pairs(a.val, res.id+": Connectors") {
				b.resolve(c.val)
			}
		default:
			b.add(a.key.Line, "%s has the unknown attribute %s", res.id, a.key.Value)
		}
	}
	_, ok := namesOf(res.kind)
	switch {
	case res.kind == "":
		b.add(res.line, "%s has no Type", res.id)
	case !ok:
		b.add(res.line, "%s: the local stack does not support the resource type %s (supported: %s)", res.id, res.kind, strings.Join(SupportedTypes(), ", "))
	case !res.made || res.node == nil || strings.HasPrefix(res.kind, servicePrefix):
	default:
		if v := b.resolve(res.node); v.kind != mapping {
			b.add(res.node.Line, "%s: Properties must be a mapping", res.id)
		}
	}
}

var (
	environmentName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	functionName    = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
)

// reservedEnvironment are the variables that Lambda sets itself and refuses
// to have set.
var reservedEnvironment = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

func (b *builder) properties(res *resource, global string) *value {
	own := &value{kind: mapping, line: res.line}
	if res.node != nil {
		own = b.resolve(res.node)
	}
	return merge(b.globals[global], own)
}

func (b *builder) readFunction(res *resource) {
	o := b.object(b.properties(res, "Function"), "function "+res.id)
	fn := &Function{
		ID: res.id, Line: res.line, Name: b.resourceRef(res, res.line).text, ARN: b.attribute(res.id, "Arn", res.line).text,
		Timeout: 3 * time.Second, MemoryMB: 128, Environment: map[string]string{}, EnvLines: map[string]int{},
	}
	o.text("FunctionName")
	if !functionName.MatchString(fn.Name) {
		b.add(res.line, "function %s: the name %q must have 1 to 64 letters, digits, hyphens and underscores", res.id, fn.Name)
	}
	fn.CodeURI = o.requiredText("CodeUri")
	if filepath.IsAbs(fn.CodeURI) || strings.HasPrefix(filepath.Clean(fn.CodeURI), "..") || strings.Contains(fn.CodeURI, "://") {
		b.add(res.line, "function %s: CodeUri %q must be a folder below the template's", res.id, fn.CodeURI)
	}
	o.oneOf("Runtime", "provided.al2023", "provided.al2")
	o.oneOf("PackageType", "Zip")
	if secs, ok := o.integer("Timeout", 1, 900); ok {
		fn.Timeout = time.Duration(secs) * time.Second
	}
	if mb, ok := o.integer("MemorySize", 128, 10240); ok {
		fn.MemoryMB = mb
	}
	if n, ok := o.integer("ReservedConcurrentExecutions", 0, 1000); ok {
		fn.Reserved = &n
	}
	if logging := o.object("LoggingConfig"); logging != nil {
		fn.LogGroup = logging.text("LogGroup")
		logging.ignore("LogFormat", "ApplicationLogLevel", "SystemLogLevel")
		logging.done()
	}
	b.readEnvironment(o, fn)
	fn.Async = b.readAsync(o.object("EventInvokeConfig"), res)
	b.checkPolicies(o)
	b.readEvents(o.raw("Events"), fn)
	o.ignore("Handler", "Description", "Tags", "PropagateTags", "Tracing", "Architectures", "Layers", "VpcConfig", "Role", "RolePath",
		"PermissionsBoundary", "AssumeRolePolicyDocument", "EphemeralStorage", "KmsKeyArn", "AutoPublishAlias",
		"DeploymentPreference", "ProvisionedConcurrencyConfig", "CodeSigningConfigArn", "RuntimeManagementConfig", "RecursiveLoop", "VersionDescription")
	o.refuse("InlineCode", "functions are built programs (CodeUri)")
	o.refuse("ImageUri", "functions are built programs (CodeUri)")
	o.refuse("ImageConfig", "functions are built programs (CodeUri)")
	o.refuse("FunctionUrlConfig", "functions are reached through an API")
	o.refuse("SnapStart", "no OS-only runtime has it")
	o.refuse("FileSystemConfigs", "there is no such file system here")
	o.refuse("DeadLetterQueue", "use EventInvokeConfig with an on-failure destination")
	o.done()
	b.t.Functions = append(b.t.Functions, fn)
}

func (b *builder) readEnvironment(o *object, fn *Function) {
	env := o.object("Environment")
	if env == nil {
		return
	}
	if vars := env.object("Variables"); vars != nil {
		for _, e := range vars.v.entries {
			switch {
			case e.val.kind == absent:
			case e.val.kind != scalar || e.val.isNull():
				b.add(e.line, "function %s: the variable %s must be a string", fn.ID, e.key)
			case slices.Contains(reservedEnvironment, e.key):
				b.add(e.line, "function %s: Lambda sets the variable %s itself", fn.ID, e.key)
			case !environmentName.MatchString(e.key):
				b.add(e.line, "function %s: %q is no name for a variable", fn.ID, e.key)
			default:
				fn.Environment[e.key], fn.EnvLines[e.key] = e.val.text, e.line
			}
		}
	}
	env.done()
}

func (b *builder) readAsync(o *object, res *resource) Async {
	a := Async{Retries: 2, MaxAge: 6 * time.Hour}
	if o == nil {
		return a
	}
	if n, ok := o.integer("MaximumRetryAttempts", 0, 2); ok {
		a.Retries = n
	}
	if secs, ok := o.integer("MaximumEventAgeInSeconds", 60, 21600); ok {
		a.MaxAge = time.Duration(secs) * time.Second
	}
	if d := o.object("DestinationConfig"); d != nil {
		if f := d.object("OnFailure"); f != nil {
			kind := f.oneOf("Type", "SNS", "SQS", "Lambda")
			a.OnFailure = f.text("Destination")
			if a.OnFailure == "" && kind != "" && kind != "Lambda" {
				// SAM makes the topic or queue when none is named.
				a.OnFailure = "arn:" + b.pseudo["AWS::Partition"] + ":" + strings.ToLower(kind) + ":" + b.opts.Region + ":" + b.opts.AccountID + ":" + b.opts.StackName + "-" + res.id + "-failures"
			}
			f.done()
		}
		d.refuse("OnSuccess", "only OnFailure is")
		d.done()
	}
	o.done()
	return a
}

// checkPolicies looks at the shape of Policies: managed policies by name or
// ARN, SAM policy templates, and policy documents.
func (b *builder) checkPolicies(o *object) {
	v := o.raw("Policies")
	if v == nil {
		return
	}
	items := v.items
	if v.kind != list {
		items = []*value{v}
	}
	for _, it := range items {
		switch {
		case it.kind == scalar && it.text != "":
		case it.kind == mapping && it.get("Statement") != nil:
			statements := it.get("Statement").items
			if it.get("Statement").kind == mapping {
				statements = []*value{it.get("Statement")}
			}
			for _, s := range statements {
				for _, part := range [][]string{{"Effect"}, {"Action", "NotAction"}, {"Resource", "NotResource"}} {
					if !slices.ContainsFunc(part, func(k string) bool { return s.get(k) != nil }) {
						b.add(s.line, "%s: a policy statement needs %s", o.what, strings.Join(part, " or "))
					}
				}
			}
		case it.kind == mapping && len(it.entries) == 1 && strings.HasSuffix(it.entries[0].key, "Policy"):
			if args := it.entries[0].val; args.kind != mapping {
				b.add(it.line, "%s: the policy template %s takes a mapping ({} if empty)", o.what, it.entries[0].key)
			}
		default:
			b.add(it.line, "%s: a policy is a name, a SAM policy template, or a document with Statement", o.what)
		}
	}
}

func (b *builder) readTopic(res *resource) {
	topic := b.resourceRef(res, res.line).text
	b.t.Topics = append(b.t.Topics, topic)
	if res.node == nil {
		return
	}
	subs := b.resolve(res.node).get("Subscription")
	if subs == nil {
		return
	}
	for _, s := range subs.items {
		o := b.object(s, "topic "+res.id+": Subscription")
		b.subscribe(res, topic, o.requiredText("Protocol"), o.text("Endpoint"))
		o.done()
	}
}

// subscribe notes a subscription of a function. Those of people and queues
// end outside of the stack.
func (b *builder) subscribe(res *resource, topic, protocol, endpoint string) {
	switch protocol {
	case "lambda":
		i := slices.IndexFunc(b.t.Functions, func(f *Function) bool { return f.ARN == endpoint })
		if i < 0 {
			b.add(res.line, "%s: the endpoint %q is no function of this template", res.id, endpoint)
			return
		}
		b.t.Subscriptions = append(b.t.Subscriptions, Subscription{topic, b.t.Functions[i].Name, topic + ":" + res.id})
	case "", "email", "email-json", "sms", "https", "http", "sqs", "firehose", "application":
	default:
		b.add(res.line, "%s: unknown protocol %q", res.id, protocol)
	}
}

// jsonText reads a property that holds JSON: a string of it, or a mapping.
func jsonText(o *object, key string) string {
	v := o.raw(key)
	if v == nil {
		return ""
	}
	s := v.text
	if v.kind != scalar {
		raw, err := json.Marshal(v.plain())
		if err != nil {
			o.p.add(v.line, "%s: %s: %v", o.what, key, err)
		}
		return string(raw)
	}
	if !json.Valid([]byte(s)) {
		o.p.add(v.line, "%s: %s must be JSON", o.what, key)
	}
	return s
}

// levelPattern is the only filter pattern that the local stack understands.
const levelPattern = `{ $.level = "*" }`

// readLogFilter notes a subscription of a log group. Those of streams end
// outside of the stack.
func (b *builder) readLogFilter(res *resource) {
	o := b.object(b.resolve(res.node), "log subscription "+res.id)
	f := LogFilter{Group: o.requiredText("LogGroupName")}
	pattern, destination := o.text("FilterPattern"), o.requiredText("DestinationArn")
	o.ignore("Distribution", "FilterName", "RoleArn")
	o.done()
	if f.Leveled = pattern == levelPattern; pattern != "" && !f.Leveled {
		b.add(res.line, "log subscription %s: the filter pattern must be %s or none", res.id, levelPattern)
	}
	if i := slices.IndexFunc(b.t.Functions, func(fn *Function) bool { return fn.ARN == destination }); i >= 0 {
		f.Function = b.t.Functions[i].Name
		b.t.LogFilters = append(b.t.LogFilters, f)
	}
}
