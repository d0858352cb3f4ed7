package config

import (
	"log/slog"
	"os"
)

// FunctionName returns the name that Lambda gave the function, or "".
func FunctionName() string { return os.Getenv("AWS_LAMBDA_FUNCTION_NAME") }

// AllowedOrigin returns the origin whose pages may read answers
// (GUARDA_ALLOWED_ORIGIN), "" for none.
func AllowedOrigin() string { return os.Getenv("GUARDA_ALLOWED_ORIGIN") }

// LogLevel returns the level to log at before anything else is read; one that
// cannot be read is info (Load reports it).
func LogLevel() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(os.Getenv("GUARDA_LOG_LEVEL"))); err != nil {
		return slog.LevelInfo
	}
	return level
}

// AWS is the identity and region that Lambda gives a function.
type AWS struct {
	Region, AccessKeyID, SecretAccessKey, SessionToken string
	// SecretsEndpoint replaces the address of Secrets Manager; "" is AWS's own.
	SecretsEndpoint string
}

// FunctionAWS reads them.
func FunctionAWS() AWS {
	return AWS{
		Region: os.Getenv("AWS_REGION"), AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
		SecretsEndpoint: os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
	}
}
