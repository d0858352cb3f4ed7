package template

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// implicitAPI is the API that SAM makes for Api events that name none.
const implicitAPI = "ServerlessRestApi"

var (
	eventTypes = []string{"Api", "Schedule", "ScheduleV2", "SNS", "CloudWatchLogs"}
	methods    = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"}
	segment    = regexp.MustCompile(`^([A-Za-z0-9._:~$*,=@!'()&;-]*|\{[A-Za-z0-9._-]+\+?\})$`)
	scheduled  = regexp.MustCompile(`^(rate|cron|at)\(.+\)$`)
)

func (b *builder) readEvents(v *value, fn *Function) {
	if v == nil {
		return
	}
	for _, e := range b.object(v, "function "+fn.ID+": Events").v.entries {
		what := "event " + fn.ID + "." + e.key
		o := b.object(e.val, what)
		kind := o.requiredText("Type")
		props := o.raw("Properties")
		o.done()
		p := b.object(props, what)
		if props == nil {
			p.v.line = e.line
		}
		switch kind {
		case "Api":
			b.readRoute(p, fn, e.line)
		case "Schedule", "ScheduleV2":
			b.readSchedule(p, fn, fn.ID+"."+e.key, kind == "ScheduleV2", e.line)
		case "SNS":
			topic := p.requiredText("Topic")
			p.ignore("Region", "RedrivePolicy")
			p.refuse("FilterPolicy", "every message of the topic is delivered")
			p.refuse("FilterPolicyScope", "every message of the topic is delivered")
			p.refuse("SqsSubscription", "a topic reaches a function directly")
			b.t.Subscriptions = append(b.t.Subscriptions, Subscription{topic, fn.Name, topic + ":" + fn.ID + e.key})
		case "CloudWatchLogs":
			p.requiredText("LogGroupName")
			p.raw("FilterPattern")
		case "":
			continue
		default:
			b.add(e.line, "%s: the local stack does not support the event type %s (supported: %s)", what, kind, strings.Join(eventTypes, ", "))
			continue
		}
		p.done()
	}
}

func (b *builder) readRoute(p *object, fn *Function, line int) {
	route := &Route{Function: fn.Name, Line: line, Path: p.requiredText("Path"), Method: strings.ToUpper(p.requiredText("Method")), Timeout: 29 * time.Second}
	if route.Method != "" && !slices.Contains(methods, route.Method) {
		b.add(line, "%s: Method is %q, and must be one of %s", p.what, route.Method, strings.Join(methods, ", "))
	}
	b.checkPath(p, route.Path, line)
	apiID := p.text("RestApiId")
	if apiID == "" {
		apiID = implicitAPI
		if b.apis[apiID] == nil {
			b.addAPI(&API{ID: apiID, Line: line}, b.object(merge(b.globals["Api"], &value{kind: mapping, line: line}), "the implicit API"))
		}
	}
	if p.oneOf("ResponseTransferMode", "BUFFERED", "RESPONSE_STREAM") == "RESPONSE_STREAM" {
		route.Stream, route.Timeout = true, 15*time.Minute
	}
	if ms, ok := p.integer("TimeoutInMillis", 50, 900_000); ok {
		route.Timeout = time.Duration(ms) * time.Millisecond
	}
	if auth := p.object("Auth"); auth != nil {
		route.Authorizer = auth.text("Authorizer")
		auth.ignore("AuthorizationScopes", "InvokeRole")
		auth.refuse("ApiKeyRequired", "keys of API Gateway's usage plans")
		auth.refuse("ResourcePolicy", "there are no accounts or networks here")
		auth.done()
	}
	p.refuse("RequestModel", "functions validate their input themselves")
	p.refuse("RequestParameters", "functions validate their input themselves")
	api := b.apis[apiID]
	if api == nil {
		b.add(line, "%s: RestApiId %q is no AWS::Serverless::Api of this template", p.what, apiID)
		return
	}
	for _, other := range api.Routes {
		if other.Method == route.Method && other.Path == route.Path {
			b.add(line, "%s: %s %s already goes to the function %s (line %d)", p.what, route.Method, route.Path, other.Function, other.Line)
		}
	}
	api.Routes = append(api.Routes, route)
}

func (b *builder) checkPath(p *object, path string, line int) {
	if path == "" {
		return
	}
	if !strings.HasPrefix(path, "/") {
		b.add(line, "%s: Path %q must begin with a slash", p.what, path)
		return
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		if !segment.MatchString(part) || part == "" && len(parts) > 1 {
			b.add(line, "%s: Path %q has the segment %q that API Gateway does not take", p.what, path, part)
		}
		if strings.HasSuffix(part, "+}") && i != len(parts)-1 {
			b.add(line, "%s: Path %q: a greedy parameter must come last", p.what, path)
		}
	}
}

func (b *builder) readSchedule(p *object, fn *Function, id string, scheduler bool, line int) {
	s := Schedule{ID: id, Line: line, Scheduler: scheduler, Enabled: true, Input: jsonText(p, "Input")}
	if scheduler {
		s.Expression = p.requiredText("ScheduleExpression")
		s.Zone = p.text("ScheduleExpressionTimezone")
		s.Start, s.End = p.instant("StartDate"), p.instant("EndDate")
		s.Enabled = p.oneOf("State", "ENABLED", "DISABLED") != "DISABLED"
		p.ignore("Name", "Description", "GroupName", "OmitName", "KmsKeyArn", "PermissionsBoundary", "RoleArn")
		if w := p.object("FlexibleTimeWindow"); w != nil {
			if w.oneOf("Mode", "OFF", "FLEXIBLE") == "FLEXIBLE" {
				b.add(w.v.line, "%s: the local stack supports FlexibleTimeWindow OFF only", p.what)
			}
			w.ignore("MaximumWindowInMinutes")
			w.done()
		}
	} else {
		s.Expression = p.requiredText("Schedule")
		s.Enabled = p.boolean("Enabled", true) && p.oneOf("State", "ENABLED", "DISABLED") != "DISABLED"
		p.ignore("Name", "Description", "RoleArn")
	}
	// These two cover delivery, which cannot fail here: the function is on the same machine.
	if r := p.object("RetryPolicy"); r != nil {
		r.integer("MaximumEventAgeInSeconds", 60, 86400)
		r.integer("MaximumRetryAttempts", 0, 185)
		r.done()
	}
	if d := p.object("DeadLetterConfig"); d != nil {
		d.ignore("Arn", "Type", "QueueLogicalId")
		d.done()
	}
	if s.Expression != "" && !scheduled.MatchString(s.Expression) {
		b.add(line, "%s: the schedule %q must be rate(…), cron(…) or at(…)", p.what, s.Expression)
	}
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil {
			b.add(line, "%s: unknown time zone %q", p.what, s.Zone)
		}
	}
	fn.Schedules = append(fn.Schedules, s)
}

// instant reads a time in RFC 3339; the zero time when it is not there.
func (o *object) instant(key string) time.Time {
	v := o.raw(key)
	if v == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v.text)
	if err != nil {
		o.p.add(v.line, "%s: %s must be a time like 2026-01-31T00:00:00Z", o.what, key)
	}
	return t
}
