package template

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resource is an entry of Resources, not yet resolved.
type resource struct {
	id   string
	kind string // "AWS::S3::Bucket"
	line int
	node *yaml.Node // its Properties; nil if none
	made bool       // its Condition holds
}

// names says what Ref and Fn::GetAtt give for a resource type. In the values
// {name} is the physical name, {id} the logical id, and {region}, {account},
// {partition}, {stack} are what they say.
type names struct {
	property string            // the property that sets the physical name; "" if none
	ref      string            // what Ref gives
	atts     map[string]string // what Fn::GetAtt gives
	loose    bool              // any attribute is fine
}

func arn(service, rest string) string {
	return "arn:{partition}:" + service + ":{region}:{account}:" + rest
}

const servicePrefix = "AWS::Serverless::"

// supported lists every resource type that the local stack understands. Those
// of Serverless are run; the others are infrastructure that the local stack
// knows it does not need: only their names and ARNs matter.
var supported = map[string]names{
	"AWS::Serverless::Function":    {"FunctionName", "{name}", map[string]string{"Arn": arn("lambda", "function:{name}")}, false},
	"AWS::Serverless::Api":         {"", "{id}", map[string]string{"RootResourceId": "root"}, false},
	"AWS::Serverless::Application": {"", arn("cloudformation", "stack/{name}/local"), nil, false},
	"AWS::Serverless::Connector":   {},

	"AWS::S3::Bucket": {"BucketName", "{name}", map[string]string{
		"Arn": "arn:{partition}:s3:::{name}", "DomainName": "{name}.s3.amazonaws.com",
		"RegionalDomainName": "{name}.s3.{region}.amazonaws.com", "WebsiteURL": "http://{name}.s3-website-{region}.amazonaws.com",
	}, false},
	"AWS::S3::BucketPolicy":                       {},
	"AWS::KMS::Key":                               {"", "{id}", map[string]string{"Arn": arn("kms", "key/{id}"), "KeyId": "{id}"}, false},
	"AWS::KMS::Alias":                             {"AliasName", "{name}", nil, false},
	"AWS::SecretsManager::Secret":                 {"Name", arn("secretsmanager", "secret:{name}"), map[string]string{"Id": arn("secretsmanager", "secret:{name}")}, false},
	"AWS::SecretsManager::SecretTargetAttachment": {"", arn("secretsmanager", "secret:{id}"), nil, false},
	"AWS::SecretsManager::RotationSchedule":       {},
	"AWS::SecretsManager::ResourcePolicy":         {},
	"AWS::SSM::Parameter":                         {"Name", "{name}", map[string]string{"Type": "String", "Value": "{name}"}, false},

	"AWS::SNS::Topic":        {"TopicName", arn("sns", "{name}"), map[string]string{"TopicArn": arn("sns", "{name}"), "TopicName": "{name}"}, false},
	"AWS::SNS::TopicPolicy":  {},
	"AWS::SNS::Subscription": {"", arn("sns", "{name}"), map[string]string{"Arn": arn("sns", "{name}")}, false},
	"AWS::SQS::Queue": {"QueueName", "https://sqs.{region}.amazonaws.com/{account}/{name}", map[string]string{
		"Arn": arn("sqs", "{name}"), "QueueName": "{name}", "QueueUrl": "https://sqs.{region}.amazonaws.com/{account}/{name}",
	}, false},
	"AWS::SQS::QueuePolicy": {},

	"AWS::IAM::Role":          {"RoleName", "{name}", map[string]string{"Arn": "arn:{partition}:iam::{account}:role/{name}", "RoleId": "{id}"}, false},
	"AWS::IAM::Policy":        {"PolicyName", "{name}", nil, false},
	"AWS::IAM::ManagedPolicy": {"ManagedPolicyName", "arn:{partition}:iam::{account}:policy/{name}", map[string]string{"PolicyArn": "arn:{partition}:iam::{account}:policy/{name}"}, false},

	"AWS::Logs::LogGroup":             {"LogGroupName", "{name}", map[string]string{"Arn": arn("logs", "log-group:{name}:*")}, false},
	"AWS::Logs::MetricFilter":         {},
	"AWS::Logs::SubscriptionFilter":   {},
	"AWS::Lambda::Permission":         {},
	"AWS::Lambda::EventInvokeConfig":  {},
	"AWS::Scheduler::ScheduleGroup":   {"Name", "{name}", map[string]string{"Arn": arn("scheduler", "schedule-group/{name}")}, false},
	"AWS::CloudWatch::Alarm":          {"AlarmName", "{name}", map[string]string{"Arn": arn("cloudwatch", "alarm:{name}")}, false},
	"AWS::CloudWatch::CompositeAlarm": {"AlarmName", "{name}", map[string]string{"Arn": arn("cloudwatch", "alarm:{name}")}, false},
	"AWS::CloudWatch::Dashboard":      {"DashboardName", "{name}", nil, false},
	"AWS::ApiGateway::Account":        {},
	"AWS::WAFv2::WebACL":              {"Name", "{name}", map[string]string{"Arn": arn("wafv2", "regional/webacl/{name}"), "Id": "{id}"}, false},
	"AWS::WAFv2::WebACLAssociation":   {},

	"AWS::EC2::VPC":                         {"", "vpc-{id}", map[string]string{"VpcId": "vpc-{id}", "CidrBlock": "10.0.0.0/16", "DefaultSecurityGroup": "sg-{id}"}, false},
	"AWS::EC2::Subnet":                      {"", "subnet-{id}", map[string]string{"SubnetId": "subnet-{id}", "AvailabilityZone": "{region}a"}, false},
	"AWS::EC2::SecurityGroup":               {"", "sg-{id}", map[string]string{"GroupId": "sg-{id}", "VpcId": "vpc-{id}"}, false},
	"AWS::EC2::SecurityGroupIngress":        {},
	"AWS::EC2::SecurityGroupEgress":         {},
	"AWS::EC2::VPCEndpoint":                 {"", "vpce-{id}", map[string]string{"Id": "vpce-{id}"}, false},
	"AWS::EC2::RouteTable":                  {"", "rtb-{id}", map[string]string{"RouteTableId": "rtb-{id}"}, false},
	"AWS::EC2::Route":                       {},
	"AWS::EC2::SubnetRouteTableAssociation": {},
	"AWS::EC2::InternetGateway":             {"", "igw-{id}", map[string]string{"InternetGatewayId": "igw-{id}"}, false},
	"AWS::EC2::VPCGatewayAttachment":        {},
	"AWS::EC2::NatGateway":                  {"", "nat-{id}", map[string]string{"NatGatewayId": "nat-{id}"}, false},
	"AWS::EC2::EIP":                         {"", "192.0.2.1", map[string]string{"AllocationId": "eipalloc-{id}", "PublicIp": "192.0.2.1"}, false},

	"AWS::RDS::DBInstance": {"DBInstanceIdentifier", "{name}", map[string]string{
		"Endpoint.Address": "{name}.local", "Endpoint.Port": "5432", "DBInstanceArn": arn("rds", "db:{name}"),
		"MasterUserSecret.SecretArn": arn("secretsmanager", "secret:{name}"), "DbiResourceId": "db-{id}",
	}, false},
	"AWS::RDS::DBCluster": {"DBClusterIdentifier", "{name}", map[string]string{
		"Endpoint.Address": "{name}.local", "Endpoint.Port": "5432", "ReadEndpoint.Address": "{name}.local", "DBClusterArn": arn("rds", "cluster:{name}"),
		"MasterUserSecret.SecretArn": arn("secretsmanager", "secret:{name}"), "DBClusterResourceId": "cluster-{id}",
	}, false},
	"AWS::RDS::DBSubnetGroup":           {"DBSubnetGroupName", "{name}", nil, false},
	"AWS::RDS::DBParameterGroup":        {"DBParameterGroupName", "{name}", nil, false},
	"AWS::RDS::DBClusterParameterGroup": {"DBClusterParameterGroupName", "{name}", nil, false},

	"AWS::CloudFront::Distribution":          {"", "{id}", map[string]string{"DomainName": "{id}.cloudfront.local", "Id": "{id}"}, false},
	"AWS::CloudFront::OriginAccessControl":   {"", "{id}", map[string]string{"Id": "{id}"}, false},
	"AWS::CloudFront::ResponseHeadersPolicy": {"", "{id}", map[string]string{"Id": "{id}"}, false},
	"AWS::CloudFront::CachePolicy":           {"", "{id}", map[string]string{"Id": "{id}"}, false},
	"AWS::CloudFront::Function":              {"Name", "{name}", map[string]string{"FunctionARN": arn("cloudfront", "function/{name}")}, false},

	"AWS::CloudFormation::CustomResource": {"", "{name}", nil, true},
}

// namesOf returns how a type is named; false for a type we do not understand.
func namesOf(kind string) (names, bool) {
	if strings.HasPrefix(kind, "Custom::") {
		kind = "AWS::CloudFormation::CustomResource"
	}
	n, ok := supported[kind]
	return n, ok
}

// SupportedTypes lists the resource types that the local stack understands.
func SupportedTypes() []string {
	return append(slices.Sorted(maps.Keys(supported)), "Custom::*")
}

func (r *resolver) lookup(id string) *resource { return r.resources[id] }

// name gives the physical name of a resource.
func (r *resolver) name(res *resource, n names) string {
	if given := r.property(res, n.property); given != "" {
		return given
	}
	generated := r.pseudo["AWS::StackName"] + "-" + res.id
	if res.kind == "AWS::S3::Bucket" {
		generated = strings.ToLower(generated)
	}
	return generated
}

// property resolves one property of a resource, which must be a string; ""
// when it is not there.
func (r *resolver) property(res *resource, key string) string {
	if key == "" || res.node == nil || res.node.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(res.node.Content); i += 2 {
		if res.node.Content[i].Value != key {
			continue
		}
		if !r.enter(res.id, res.node.Content[i].Line) {
			return ""
		}
		defer r.leave()
		return r.walk(res.node.Content[i+1], 0).text
	}
	return ""
}

func (r *resolver) fill(pattern string, res *resource, n names) string {
	return strings.NewReplacer("{name}", r.name(res, n), "{id}", res.id, "{region}", r.pseudo["AWS::Region"],
		"{account}", r.pseudo["AWS::AccountId"], "{partition}", r.pseudo["AWS::Partition"], "{stack}", r.pseudo["AWS::StackName"]).Replace(pattern)
}

func (r *resolver) resourceRef(res *resource, line int) *value {
	n, ok := namesOf(res.kind)
	if !ok {
		return gone(line) // the type itself is reported where the resource is read
	}
	if !res.made {
		r.add(line, "Ref to %s, which the condition of that resource leaves out", res.id)
		return gone(line)
	}
	ref := n.ref
	if ref == "" {
		ref = "{name}"
	}
	return text(line, r.fill(ref, res, n))
}

func (r *resolver) resourceAtt(res *resource, att string, line int) *value {
	n, ok := namesOf(res.kind)
	if !ok {
		return gone(line)
	}
	if !res.made {
		r.add(line, "Fn::GetAtt of %s, which the condition of that resource leaves out", res.id)
		return gone(line)
	}
	if output, ok := strings.CutPrefix(att, "Outputs."); ok && res.kind == "AWS::Serverless::Application" {
		outputs := r.nested(res)
		if got, ok := outputs[output]; ok {
			return text(line, got)
		}
		if outputs != nil {
			r.add(line, "the template of %s has no output %s (it has: %s)", res.id, output, strings.Join(slices.Sorted(maps.Keys(outputs)), ", "))
		}
		return gone(line)
	}
	if res.kind == "AWS::Serverless::Api" && att == "Stage" {
		return text(line, r.property(res, "StageName"))
	}
	if n.loose {
		return text(line, r.name(res, n)+"."+att)
	}
	pattern, ok := n.atts[att]
	if !ok {
		r.add(line, "Fn::GetAtt: %s (%s) has no attribute %s here (known: %s)", res.id, res.kind, att, strings.Join(slices.Sorted(maps.Keys(n.atts)), ", "))
		return gone(line)
	}
	return text(line, r.fill(pattern, res, n))
}

// generatedRef answers for resources that SAM makes itself: the implicit API,
// and the stage of an API ("<Api>.Stage").
func (r *resolver) generatedRef(name string) (string, bool) {
	if name == implicitAPI {
		return implicitAPI, true
	}
	if id, ok := strings.CutSuffix(name, ".Stage"); ok && r.isKind(id, "AWS::Serverless::Api") {
		return r.property(r.resources[id], "StageName"), true
	}
	if id, ok := strings.CutSuffix(name, "Role"); ok && r.isKind(id, "AWS::Serverless::Function") {
		return r.pseudo["AWS::StackName"] + "-" + name, true
	}
	return "", false
}

// generatedAtt answers for the role that SAM makes for a function
// ("<Function>Role").
func (r *resolver) generatedAtt(id, att string) (string, bool) {
	if fn, ok := strings.CutSuffix(id, "Role"); ok && att == "Arn" && r.isKind(fn, "AWS::Serverless::Function") {
		return "arn:" + r.pseudo["AWS::Partition"] + ":iam::" + r.pseudo["AWS::AccountId"] + ":role/" + r.pseudo["AWS::StackName"] + "-" + id, true
	}
	return "", false
}

func (r *resolver) isKind(id, kind string) bool {
	res := r.resources[id]
	return res != nil && res.kind == kind
}
