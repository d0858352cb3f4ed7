package template

import "slices"

// merge lays own over global by the rules of SAM's Globals: mappings are
// merged member by member, lists are appended to the global one, and anything
// else is replaced. AWS::NoValue in own takes the member away.
func merge(global, own *value) *value {
	switch {
	case global == nil || global.kind == absent:
		return own
	case own == nil:
		return global
	case own.kind == mapping && global.kind == mapping:
		out := &value{kind: mapping, line: own.line}
		for _, g := range global.entries {
			o := own.get(g.key)
			if o == nil {
				out.entries = append(out.entries, g)
				continue
			}
			out.entries = append(out.entries, entry{g.key, own.lineOf(g.key), merge(g.val, o)})
		}
		for _, o := range own.entries {
			if global.get(o.key) == nil {
				out.entries = append(out.entries, o)
			}
		}
		return out
	case own.kind == list && global.kind == list:
		return &value{kind: list, line: own.line, items: slices.Concat(global.items, own.items)}
	}
	return own
}

func (v *value) lineOf(key string) int {
	for _, e := range v.entries {
		if e.key == key {
			return e.line
		}
	}
	return v.line
}

// globalsAllowed are the properties that SAM lets Globals set, per section.
var globalsAllowed = map[string][]string{
	"Function": {
		"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig",
		"Environment", "Tags", "Tracing", "KmsKeyArn", "Layers", "AutoPublishAlias", "DeploymentPreference", "RolePath",
		"PermissionsBoundary", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig", "AssumeRolePolicyDocument",
		"EventInvokeConfig", "Architectures", "EphemeralStorage", "SnapStart", "RuntimeManagementConfig", "LoggingConfig",
		"PropagateTags", "FileSystemConfigs", "CodeSigningConfigArn", "RecursiveLoop", "VersionDescription",
	},
	"Api": {
		"Auth", "Name", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "MergeDefinitions", "Variables",
		"EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "GatewayResponses",
		"AccessLogSetting", "CanarySetting", "TracingEnabled", "OpenApiVersion", "Domain", "AlwaysDeploy", "PropagateTags",
		"SecurityPolicy",
	},
}
