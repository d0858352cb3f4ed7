package pgsession_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/backup/pgsession"
)

func TestDefaultsGiveWayToTheConnectionString(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]struct {
		timeout time.Duration
		name    string
	}{
		"postgres://u@h/d": {15 * time.Second, "guarda"},
		"postgres://u@h/d?connect_timeout=3&application_name=nightly": {3 * time.Second, "nightly"},
	} {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		pgsession.Defaults(config)
		if config.ConnectTimeout != want.timeout || config.RuntimeParams["application_name"] != want.name {
			t.Errorf("%s: %s, %q", dsn, config.ConnectTimeout, config.RuntimeParams["application_name"])
		}
	}
}
