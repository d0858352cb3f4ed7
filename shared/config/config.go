// Package config is the only reader of environment variables. A function says
// what it needs; Load reads it, takes what is missing from one secret, and
// fails at start with every problem listed.
package config

import (
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // functions run where no time zones are installed

	"guarda/shared/fault"
)

// Secret is a text that never prints: not with fmt, not in JSON, not in logs.
type Secret struct{ value string }

// NewSecret wraps a text.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string { return s.value }

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.value != "" }

// String hides the text.
func (s Secret) String() string { return "[secret]" }

// GoString hides the text from %#v.
func (s Secret) GoString() string { return "[secret]" }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// LogValue hides the text from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Config is what functions are told by their environment.
type Config struct {
	DatabaseURL         Secret // GUARDA_DATABASE_URL: Guarda's own Postgres
	StoreURL            string // GUARDA_STORE_URL: s3://…, gs://…, file://…
	KeyFile             string // GUARDA_KEY_FILE: path of the key that wraps backups' data keys
	Key                 Secret // GUARDA_KEY: the text of such a file
	KMSKeyARN           string // GUARDA_KMS_KEY_ARN: or a KMS key
	JWTSecret           Secret // GUARDA_JWT_SECRET: signs tokens; at least 32 characters
	SecretsKey          []byte // GUARDA_SECRETS_KEY: 32 bytes; seals sources' connection strings
	DirSigningKey       Secret // GUARDA_DIR_SIGNING_KEY: signs links of a file:// store
	DirBaseURL          string // GUARDA_DIR_BASE_URL: where those links lead
	DefaultTimezone     *time.Location
	AdminEmail          string // GUARDA_ADMIN_EMAIL, with the next the first administrator
	AdminPassword       Secret // GUARDA_ADMIN_PASSWORD
	LogLevel            slog.Level
	CoordinatorFunction string // GUARDA_COORDINATOR_FUNCTION: name or ARN
	WorkerFunction      string // GUARDA_WORKER_FUNCTION
}

// Need is something that a function cannot work without.
type Need string

// The needs. Everything else is read when it is there.
const (
	Database    Need = "GUARDA_DATABASE_URL"
	Store       Need = "GUARDA_STORE_URL"
	JWT         Need = "GUARDA_JWT_SECRET"
	Secrets     Need = "GUARDA_SECRETS_KEY"
	Coordinator Need = "GUARDA_COORDINATOR_FUNCTION"
	Worker      Need = "GUARDA_WORKER_FUNCTION"
)

// FetchSecret returns the members of a JSON secret (see awssecret.Fetch).
type FetchSecret func(ctx context.Context, arn string) (map[string]string, error)

// secretMembers name the members of the secret that GUARDA_SECRET_ARN names.
func secretMember(variable string) string {
	switch variable {
	case "GUARDA_DATABASE_URL":
		return "database_url"
	case "GUARDA_JWT_SECRET":
		return "jwt_secret"
	case "GUARDA_SECRETS_KEY":
		return "secrets_key"
	case "GUARDA_KEY":
		return "key"
	}
	return ""
}

// Load reads the environment. fetch may be nil; otherwise the secret named by
// GUARDA_SECRET_ARN supplies what the environment does not have.
func Load(ctx context.Context, fetch FetchSecret, needs ...Need) (*Config, error) {
	return load(ctx, os.Getenv, fetch, needs)
}

// LoadFrom is Load with another environment, for tests.
func LoadFrom(ctx context.Context, env map[string]string, fetch FetchSecret, needs ...Need) (*Config, error) {
	return load(ctx, func(name string) string { return env[name] }, fetch, needs)
}

type reader struct {
	getenv func(string) string
	secret map[string]string
	errs   *fault.Error
}

func load(ctx context.Context, getenv func(string) string, fetch FetchSecret, needs []Need) (*Config, error) {
	r := &reader{getenv: getenv, errs: fault.New(fault.Invalid, "the configuration is not valid").
		Hint("set the named environment variables, or supply them in the secret that GUARDA_SECRET_ARN names")}
	if arn := getenv("GUARDA_SECRET_ARN"); arn != "" && fetch != nil && r.wantsSecret(needs) {
		var err error
		if r.secret, err = fetch(ctx, arn); err != nil {
			return nil, fault.New(fault.Unavailable, "the secret %s cannot be read", arn).
				Hint("the function's role needs secretsmanager:GetSecretValue on it, and a way to Secrets Manager (in a VPC: an interface endpoint)").Because(err)
		}
	}
	c := &Config{
		DatabaseURL: r.secretText("GUARDA_DATABASE_URL"), StoreURL: r.text("GUARDA_STORE_URL"),
		KeyFile: r.text("GUARDA_KEY_FILE"), Key: r.secretText("GUARDA_KEY"), KMSKeyARN: r.text("GUARDA_KMS_KEY_ARN"),
		JWTSecret: r.secretText("GUARDA_JWT_SECRET"), DirSigningKey: r.secretText("GUARDA_DIR_SIGNING_KEY"), DirBaseURL: r.text("GUARDA_DIR_BASE_URL"),
		AdminEmail: r.text("GUARDA_ADMIN_EMAIL"), AdminPassword: r.secretText("GUARDA_ADMIN_PASSWORD"),
		CoordinatorFunction: r.text("GUARDA_COORDINATOR_FUNCTION"), WorkerFunction: r.text("GUARDA_WORKER_FUNCTION"),
	}
	for _, n := range needs {
		if r.text(string(n)) == "" {
			r.errs.Field(string(n), "required", "is not set")
		}
	}
	if c.JWTSecret.IsSet() && len(c.JWTSecret.Reveal()) < 32 {
		r.errs.Field("GUARDA_JWT_SECRET", "too_short", "must have at least 32 characters")
	}
	c.SecretsKey = r.key32("GUARDA_SECRETS_KEY")
	c.DefaultTimezone = r.timezone("GUARDA_DEFAULT_TIMEZONE", "America/Sao_Paulo")
	c.LogLevel = r.logLevel("GUARDA_LOG_LEVEL")
	if len(r.errs.Fields) > 0 {
		return nil, r.errs
	}
	return c, nil
}

// wantsSecret reports whether the secret could supply something needed.
func (r *reader) wantsSecret(needs []Need) bool {
	for _, n := range needs {
		if secretMember(string(n)) != "" && r.getenv(string(n)) == "" {
			return true
		}
	}
	return false
}

func (r *reader) text(name string) string {
	if v := strings.TrimSpace(r.getenv(name)); v != "" {
		return v
	}
	return strings.TrimSpace(r.secret[secretMember(name)])
}

func (r *reader) secretText(name string) Secret { return Secret{r.text(name)} }

func (r *reader) key32(name string) []byte {
	v := r.text(name)
	if v == "" {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		key, err = base64.RawStdEncoding.DecodeString(v)
	}
	if err != nil || len(key) != 32 {
		r.errs.Field(name, "invalid", "must be 32 bytes in base64")
		return nil
	}
	return key
}

func (r *reader) timezone(name, byDefault string) *time.Location {
	v := r.text(name)
	if v == "" {
		v = byDefault
	}
	loc, err := time.LoadLocation(v)
	if err != nil {
		r.errs.Field(name, "invalid", "is not the name of a time zone, such as America/Sao_Paulo")
	}
	return loc
}

func (r *reader) logLevel(name string) (level slog.Level) {
	v := r.text(name)
	if v == "" {
		return slog.LevelInfo
	}
	if err := level.UnmarshalText([]byte(v)); err != nil {
		r.errs.Field(name, "invalid", "must be one of: %s", "debug, info, warn, error")
	}
	return level
}
