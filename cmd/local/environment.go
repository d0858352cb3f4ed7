package main

import (
	"maps"
	"os"
	"strings"

	"guarda/cmd/local/internal/template"
	"guarda/shared/fault"
)

// overlay is what functions get here in place of what the cloud gives them.
type overlay struct {
	databaseURL, storeURL, keyFile string
	secrets                        secrets
	filesURL                       string // base of signed links
	controlURL                     string // stand-in for Lambda and SNS
	adminPassword                  string
}

// cloudOnly are variables that lead to services that are not here.
var cloudOnly = []string{"GUARDA_SECRET_ARN", "GUARDA_KMS_KEY_ARN"}

// environment lays the overlay over a function's own variables.
func (o overlay) environment(file string, fn *template.Function) (map[string]string, error) {
	env := maps.Clone(fn.Environment)
	for _, name := range cloudOnly {
		delete(env, name)
	}
	if _, own := env["GUARDA_DATABASE_URL"]; !own { // migrate may have a direct connection of its own
		env["GUARDA_DATABASE_URL"] = o.databaseURL
	}
	maps.Copy(env, map[string]string{
		"GUARDA_STORE_URL": o.storeURL, "GUARDA_KEY_FILE": o.keyFile, "GUARDA_JWT_SECRET": o.secrets.JWT, "GUARDA_SECRETS_KEY": o.secrets.SecretsKey,
		"GUARDA_DIR_SIGNING_KEY": o.secrets.LinkKey, "GUARDA_DIR_BASE_URL": o.filesURL,
		"AWS_ENDPOINT_URL_LAMBDA": o.controlURL, "AWS_ENDPOINT_URL_SNS": o.controlURL + "/sns", "GUARDA_LOCAL": "1",
	})
	if _, wanted := env["GUARDA_ADMIN_PASSWORD"]; wanted {
		env["GUARDA_ADMIN_PASSWORD"] = o.adminPassword
	}
	if !strings.HasPrefix(o.storeURL, "file:") {
		maps.Copy(env, callersCredentials())
	}
	for name, v := range env {
		if strings.Contains(v, "{{resolve:") {
			return nil, fault.New(fault.Invalid, "%s:%d: the variable %s of the function %s is read from a secret, which the local stack does not have", file, fn.EnvLines[name], name, fn.ID).
				Hint("give it a value in cmd/local/environment.go")
		}
	}
	return env, nil
}

// callersCredentials passes on what reaches a bucket that a person named in
// GUARDA_STORE_URL. An empty key makes the SDK look further: a profile, say.
func callersCredentials() map[string]string {
	out := map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
	for _, pair := range os.Environ() {
		name, v, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "AWS_LAMBDA_") || name == "HOME" || name == "GOOGLE_APPLICATION_CREDENTIALS" {
			out[name] = v
		}
	}
	delete(out, "AWS_ENDPOINT_URL_LAMBDA")
	delete(out, "AWS_ENDPOINT_URL_SNS")
	return out
}
