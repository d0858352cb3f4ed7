package template_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"guarda/cmd/local/internal/template"
)

const head = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"

func parse(t *testing.T, src string, opts template.Options) *template.Template {
	t.Helper()
	got, err := template.Parse("template.yaml", []byte(src), opts)
	if err != nil {
		t.Fatalf("the template is refused:\n%v", err)
	}
	return got
}

func whole(t *testing.T) *template.Template {
	t.Helper()
	got, err := template.Load("testdata/whole.yaml", template.Options{Region: "sa-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAWholeTemplateIsUnderstood(t *testing.T) {
	t.Parallel()
	got := whole(t)
	if len(got.Functions) != 4 {
		t.Fatalf("%d functions", len(got.Functions))
	}
	orders := got.Functions[1]
	for _, c := range []struct{ what, got, want string }{
		{"name", orders.Name, "guarda-local-orders"},
		{"ARN", orders.ARN, "arn:aws:lambda:sa-east-1:000000000000:function:guarda-local-orders"},
		{"code", orders.CodeURI, "build/orders"},
		{"timeout", orders.Timeout.String(), "30s"},
		{"worker variable", orders.Environment["WORKER"], "guarda-Worker"},
		{"bucket variable", orders.Environment["BUCKET"], "guarda-bucket"},
		{"global variable", orders.Environment["STAGE"], "local"},
		{"on failure", got.Functions[2].Async.OnFailure, "arn:aws:sns:sa-east-1:000000000000:guarda-Failures"},
		{"nested output", orders.Environment["INNER"], "inner-local"},
		{"mapping", orders.Environment["SIZE"], "small"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if _, there := orders.Environment["ONLY_PROD"]; there {
		t.Error("a variable that is AWS::NoValue is there")
	}
	if r := got.Functions[2].Reserved; r == nil || *r != 2 {
		t.Errorf("reserved concurrency of the worker is %v", r)
	}
	if a := got.Functions[2].Async; a.Retries != 1 || a.MaxAge != time.Hour {
		t.Errorf("asynchronous settings are %+v", a)
	}
	if len(got.Subscriptions) != 1 || got.Subscriptions[0].FunctionName != "guarda-Notifier" {
		t.Errorf("subscriptions are %+v", got.Subscriptions)
	}
	sched := got.Functions[2].Schedules
	if len(sched) != 2 || sched[0].Zone != "America/Sao_Paulo" || !sched[0].Scheduler || sched[1].Enabled || sched[1].Input != `{"a":[1,"x"]}` {
		t.Errorf("schedules are %+v", sched)
	}
	api := got.APIs[0]
	if api.Stage != "local" || api.CORS == nil || api.CORS.Origin != "*" || api.PreflightAuthorized || api.BinaryTypes[0] != "*/*" {
		t.Errorf("API is %+v", api)
	}
	authorizers := map[string]string{}
	for _, r := range api.Routes {
		authorizers[r.Method+" "+r.Path] = r.Authorizer
		if (r.Path == "/tail") != r.Stream {
			t.Errorf("%s: stream is %v", r.Path, r.Stream)
		}
	}
	if authorizers["GET /orders/{id}"] != "Token" || authorizers["POST /login"] != "" {
		t.Errorf("authorizers are %v", authorizers)
	}
	if g := api.Responses["UNAUTHORIZED"]; g.Status != 401 || g.Headers["Access-Control-Allow-Origin"] != "*" || !strings.Contains(g.Templates["application/json"], "$context.requestId") {
		t.Errorf("gateway response is %+v", g)
	}
}

func TestGlobalsMergeByTheRulesOfSAM(t *testing.T) {
	t.Parallel()
	got := parse(t, head+`
Globals:
  Function:
    Runtime: provided.al2023
    Timeout: 7
    MemorySize: 256
    EventInvokeConfig: {MaximumRetryAttempts: 0}
    Environment: {Variables: {BOTH: global, GLOBAL: global, GONE: global}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: build/f
      MemorySize: 512
      Environment: {Variables: {BOTH: own, OWN: own, GONE: !Ref AWS::NoValue}}
`, template.Options{})
	f := got.Functions[0]
	if f.Timeout != 7*time.Second || f.MemoryMB != 512 || f.Async.Retries != 0 {
		t.Errorf("timeout %v, memory %d, retries %d", f.Timeout, f.MemoryMB, f.Async.Retries)
	}
	want := map[string]string{"BOTH": "own", "OWN": "own", "GLOBAL": "global"}
	if len(f.Environment) != len(want) {
		t.Errorf("environment is %v", f.Environment)
	}
	for k, v := range want {
		if f.Environment[k] != v {
			t.Errorf("%s is %q, want %q", k, f.Environment[k], v)
		}
	}
}

func TestIntrinsicFunctions(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`!Ref Name`: "shop",
		`!Sub '${Name}-${AWS::Region}-${!Literal}'`:                        "shop-us-east-1-${Literal}",
		`!Sub ['${a}/${Name}', {a: !Ref List0}]`:                           "x/shop",
		`{'Fn::Sub': '${Topic.TopicName}'}`:                                "guarda-Topic",
		`!GetAtt Topic.TopicArn`:                                           "arn:aws:sns:us-east-1:000000000000:guarda-Topic",
		`!GetAtt [Queue, Arn]`:                                             "arn:aws:sqs:us-east-1:000000000000:jobs",
		`{'Fn::GetAtt': [Queue, QueueName]}`:                               "jobs",
		`!If [Yes, a, b]`:                                                  "a",
		`!If [No, a, !If [Both, c, d]]`:                                    "d",
		`!If [Either, e, f]`:                                               "e",
		`!FindInMap [Sizes, !Ref Name, cpu]`:                               "2",
		`!Join ['-', [a, !Ref Name, b]]`:                                   "a-shop-b",
		`!Join [',', !Ref Zones]`:                                          "p,q",
		`!Select [1, !Split ['|', 'a|b|c']]`:                               "b",
		`!Ref AWS::AccountId`:                                              "000000000000",
		`!Sub 'https://${Api}.execute-api.${AWS::URLSuffix}/${Api.Stage}'`: "https://Api.execute-api.amazonaws.com/v",
		`!GetAtt MigrationRun.Version`:                                     "guarda-MigrationRun.Version",
		`!GetAtt FRole.Arn`:                                                "arn:aws:iam::000000000000:role/guarda-FRole",
	} {
		got, err := template.Parse("template.yaml", []byte(head+`
Parameters:
  Name: {Type: String, Default: shop, AllowedValues: [shop, bank]}
  List0: {Type: String, Default: x}
  Zones: {Type: CommaDelimitedList, Default: 'p, q'}
Mappings:
  Sizes: {shop: {cpu: 2}}
Conditions:
  Yes: !Equals [!Ref Name, shop]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, {Condition: No}]
  Either: {'Fn::Or': [!Condition No, !Equals [a, a]]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v}}
  MigrationRun: {Type: 'Custom::Migration', Properties: {ServiceToken: !GetAtt F.Arn}}
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: build/f}}
Outputs:
  Out: {Value: `+expr+`}
`), template.Options{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got.Outputs["Out"] != want {
			t.Errorf("%s is %q, want %q", expr, got.Outputs["Out"], want)
		}
	}
}

func TestEveryProblemNamesItsLine(t *testing.T) {
	t.Parallel()
	const function = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: build/f\n" // lines 3 to 7
	for name, c := range map[string]struct{ src, want string }{
		"resource type":     {"Resources:\n  X:\n    Type: AWS::Nope::Thing\n", "template.yaml:4: X: the local stack does not support the resource type AWS::Nope::Thing (supported: AWS::"},
		"function property": {function + "      Timeoutt: 3\n", "template.yaml:8: function F has the unknown property Timeoutt"},
		"known, refused":    {function + "      InlineCode: x\n", "template.yaml:8: function F: the local stack does not support InlineCode"},
		"intrinsic":         {function + "      Description: !ImportValue x\n", "template.yaml:8: the local stack does not support the function Fn::ImportValue"},
		"long intrinsic":    {function + "      Description:\n        Fn::Base64: x\n", "template.yaml:9: the local stack does not support the function Fn::Base64"},
		"event type":        {function + "      Events:\n        E:\n          Type: Kinesis\n", "template.yaml:9: event F.E: the local stack does not support the event type Kinesis (supported: Api,"},
		"event property":    {function + "      Events:\n        E:\n          Type: Api\n          Properties: {Path: /x, Method: get, Foo: 1}\n", "template.yaml:11: event F.E has the unknown property Foo"},
		"stream mode":       {function + "      Events:\n        E:\n          Type: Api\n          Properties: {Path: /x, Method: get, ResponseTransferMode: STREAM}\n", "template.yaml:11: event F.E: ResponseTransferMode is \"STREAM\", and must be one of BUFFERED, RESPONSE_STREAM"},
		"schedule":          {function + "      Events:\n        E:\n          Type: ScheduleV2\n          Properties:\n            ScheduleExpression: '* * * * *'\n", "the schedule \"* * * * *\" must be rate(…), cron(…) or at(…)"},
		"zone":              {function + "      Events:\n        E:\n          Type: ScheduleV2\n          Properties: {ScheduleExpression: rate(1 minute), ScheduleExpressionTimezone: Mars/Base}\n", "unknown time zone \"Mars/Base\""},
		"ref":               {function + "      Description: !Ref Nowhere\n", "template.yaml:8: Ref to \"Nowhere\""},
		"attribute":         {function + "      Description: !GetAtt F.Size\n", "template.yaml:8: Fn::GetAtt: F (AWS::Serverless::Function) has no attribute Size"},
		"reserved variable": {function + "      Environment: {Variables: {AWS_REGION: x}}\n", "template.yaml:8: function F: Lambda sets the variable AWS_REGION itself"},
		"cycle":             {"Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Ref A\n", "template.yaml:7: circular dependency"},
		"condition cycle":   {"Conditions:\n  A: !Not [!Condition A]\n" + function, "circular dependency"},
		"unknown condition": {function + "      Description: !If [Nope, a, b]\n", "template.yaml:8: there is no condition \"Nope\""},
		"alias":             {function + "      Description: &a x\n      Handler: *a\n", "template.yaml:9: CloudFormation does not support YAML aliases"},
		"duplicate":         {function + "  F:\n    Type: AWS::SNS::Topic\n", "template.yaml:8: F is given twice in Resources"},
		"section":           {"Rules: {}\n" + function, "template.yaml:3: the local stack does not support the section Rules"},
		"parameter":         {"Parameters:\n  P: {Type: String}\n" + function, "template.yaml:4: parameter P has no default"},
		"allowed values":    {"Parameters:\n  P: {Type: String, Default: c, AllowedValues: [a, b]}\n" + function, "template.yaml:4: parameter P is \"c\", and must be one of a, b"},
		"global":            {"Globals:\n  Function:\n    Events: {}\n" + function, "template.yaml:5: SAM does not let Globals.Function set Events"},
		"policy":            {function + "      Policies:\n        - Action: x\n", "template.yaml:9: function F: a policy is a name, a SAM policy template, or a document with Statement"},
		"same route":        {function + "      Events:\n        A: {Type: Api, Properties: {Path: /x, Method: get}}\n        B: {Type: Api, Properties: {Path: /x, Method: GET}}\n", "template.yaml:10: event F.B: GET /x already goes to the function guarda-F (line 9)"},
		"cors quotes":       {"Resources:\n  A:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: x\n      Cors: '*'\n", "template.yaml:8: API A: Cors must be a string with single quotes of its own"},
		"authorizer":        {"Resources:\n  A:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: x\n      Auth: {DefaultAuthorizer: Nope}\n", "there is no authorizer \"Nope\""},
		"yaml":              {"Resources: [\n", "template.yaml:3: "},
		"left out":          {"Conditions:\n  No: !Equals [a, b]\nResources:\n  Q: {Type: AWS::SQS::Queue, Condition: No}\n  T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Q}}\n", "template.yaml:7: Ref to Q, which the condition of that resource leaves out"},
		"response template": {"Resources:\n  A:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: x\n      GatewayResponses: {DEFAULT_4XX: {ResponseTemplates: {application/json: '{\"a\": $input.body}'}}}\n", "template.yaml:8: API A: DEFAULT_4XX: the local stack does not fill in $input.body"},
	} {
		_, err := template.Parse("some/where/template.yaml", []byte(head+c.src), template.Options{})
		var found *template.Error
		if !errors.As(err, &found) {
			t.Errorf("%s: accepted (%v)", name, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant %s", name, err, c.want)
		}
	}
}

func TestAllProblemsAreListedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := template.Parse("template.yaml", []byte(head+"Resources:\n  A: {Type: AWS::X::Y}\n  B: {Type: AWS::X::Z}\n"), template.Options{})
	var found *template.Error
	if !errors.As(err, &found) || len(found.Problems) != 2 {
		t.Fatalf("got %v", err)
	}
}

func TestOverridesBeatDefaultsAndUnknownOnesAreRefused(t *testing.T) {
	t.Parallel()
	src := head + "Parameters:\n  P: {Type: String, Default: a}\nResources:\n  T: {Type: AWS::SNS::Topic}\nOutputs:\n  O: {Value: !Ref P}\n"
	if got := parse(t, src, template.Options{Parameters: map[string]string{"P": "b"}}); got.Outputs["O"] != "b" {
		t.Errorf("the parameter is %q", got.Outputs["O"])
	}
	if _, err := template.Parse("t.yaml", []byte(src), template.Options{Parameters: map[string]string{"Q": "b"}}); err == nil {
		t.Error("an unknown parameter is taken")
	}
}

func TestFunctionsInNestedTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	outer := head + "Resources:\n  In:\n    Type: AWS::Serverless::Application\n    Properties: {Location: in.yaml}\n"
	inner := head + "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: build/f}}\n"
	read := func(path string) ([]byte, error) {
		if filepath.ToSlash(path) != "dir/in.yaml" {
			return nil, fs.ErrNotExist
		}
		return []byte(inner), nil
	}
	_, err := template.Parse("dir/t.yaml", []byte(outer), template.Options{ReadFile: read})
	if err == nil || !strings.Contains(err.Error(), "runs functions of the main template only") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	src, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(src))
	f.Add(head + "Resources:\n  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${A.Arn}'}}\n")
	f.Add(head + "Conditions:\n  A: !Or [!Condition B, !Condition A]\n  B: !And [!Condition A]\nResources: {}\n")
	f.Add("a: &a [*a]\n")
	f.Add("Resources: {F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: Api}}}}}")
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	f.Fuzz(func(t *testing.T, src string) {
		got, err := template.Parse("t.yaml", []byte(src), template.Options{ReadFile: none})
		var found *template.Error
		if err != nil && (!errors.As(err, &found) || len(found.Problems) == 0) {
			t.Fatalf("an error without a line: %v", err)
		}
		if err == nil && got == nil {
			t.Fatal("neither a template nor an error")
		}
	})
}
