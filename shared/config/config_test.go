package config_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"guarda/shared/config"
	"guarda/shared/fault"
)

func TestEveryProblemIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.LoadFrom(t.Context(), map[string]string{
		"GUARDA_JWT_SECRET": "short", "GUARDA_SECRETS_KEY": "AAAA", "GUARDA_DEFAULT_TIMEZONE": "Mars/Olympus", "GUARDA_LOG_LEVEL": "loud",
	}, nil, config.Database, config.Coordinator, config.JWT, config.Secrets)
	var got []string
	for _, f := range fault.As(err).Fields {
		got = append(got, f.Name)
	}
	want := []string{"GUARDA_DATABASE_URL", "GUARDA_COORDINATOR_FUNCTION", "GUARDA_JWT_SECRET", "GUARDA_SECRETS_KEY", "GUARDA_DEFAULT_TIMEZONE", "GUARDA_LOG_LEVEL"}
	if !slices.Equal(got, want) || fault.HintOf(err) == "" {
		t.Errorf("got %v (%v)", got, err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.LoadFrom(t.Context(), map[string]string{}, nil)
	if err != nil || c.DefaultTimezone.String() != "America/Sao_Paulo" || c.LogLevel != slog.LevelInfo || c.SecretsKey != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSecretSuppliesOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("A", 43) + "=" // as CloudFormation draws it
	fetched := 0
	fetch := func(_ context.Context, arn string) (map[string]string, error) {
		fetched++
		if arn != "arn:x" {
			return nil, errors.New("another secret")
		}
		return map[string]string{"database_url": "postgres://from-secret", "jwt_secret": strings.Repeat("j", 64), "secrets_key": key}, nil
	}
	c, err := config.LoadFrom(t.Context(), map[string]string{"GUARDA_SECRET_ARN": "arn:x", "GUARDA_DATABASE_URL": "postgres://from-env"}, fetch, config.Database, config.JWT, config.Secrets)
	if err != nil || c.DatabaseURL.Reveal() != "postgres://from-env" || len(c.JWTSecret.Reveal()) != 64 || len(c.SecretsKey) != 32 || fetched != 1 {
		t.Errorf("%+v, %v, fetched %d times", c, err, fetched)
	}
	if _, err := config.LoadFrom(t.Context(), map[string]string{"GUARDA_SECRET_ARN": "arn:x", "GUARDA_DATABASE_URL": "postgres://from-env"}, fetch, config.Database); err != nil || fetched != 1 {
		t.Errorf("nothing is missing: %v, fetched %d times", err, fetched)
	}
	if _, err := config.LoadFrom(t.Context(), map[string]string{"GUARDA_SECRET_ARN": "arn:y"}, fetch, config.Database); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a secret that cannot be read: %v", err)
	}
	// Letters and digits drawn at random do not end on a multiple of four bits.
	odd := strings.Repeat("z", 43) + "="
	if _, err := base64.StdEncoding.Strict().DecodeString(odd); err == nil {
		t.Fatal("this key tests nothing")
	}
	if c, err := config.LoadFrom(t.Context(), map[string]string{"GUARDA_SECRETS_KEY": odd}, nil, config.Secrets); err != nil || len(c.SecretsKey) != 32 {
		t.Errorf("a key drawn by CloudFormation: %v", err)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	t.Parallel()
	c, err := config.LoadFrom(t.Context(), map[string]string{"GUARDA_DATABASE_URL": "postgres://u:hunter2@h/d", "GUARDA_ADMIN_PASSWORD": "hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", c, "url", c.DatabaseURL)
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%v %+v %#v %s %q", *c, *c, *c, c.DatabaseURL, c.AdminPassword)
	if strings.Contains(out.String()+string(raw), "hunter2") {
		t.Errorf("a secret is printed: %s %s", out.String(), raw)
	}
}
