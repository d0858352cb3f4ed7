package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"guarda/shared/auth"
	"guarda/shared/config"
	"guarda/shared/fault"
	"guarda/shared/lambdafn"
	"guarda/shared/postgres"
	"guarda/shared/postgres/migrations"
	"guarda/shared/postgres/userstore"
)

// Deps are what the function works with.
type Deps struct {
	Config      *config.Config
	ConfigError error
	Log         *slog.Logger
}

// order is the function's event: {} to go up, or a direction with, going
// down, the version to go down to. A custom resource's event has a
// RequestType.
type order struct {
	Direction   string `json:"direction"`
	To          *int64 `json:"to"`
	RequestType string `json:"RequestType"`
}

// outcome is the function's answer.
type outcome struct {
	migrations.Result
	AdminCreated bool `json:"admin_created"`
}

// New makes the job.
func New(d Deps) lambdafn.Job[json.RawMessage] {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var o order
		if err := json.Unmarshal(raw, &o); err != nil {
			return nil, fault.New(fault.Invalid, "the event cannot be read").Because(err)
		}
		if o.RequestType != "" {
			return nil, d.customResource(ctx, raw)
		}
		return d.migrate(ctx, o)
	}
}

func (d Deps) migrate(ctx context.Context, o order) (*outcome, error) {
	if d.ConfigError != nil {
		return nil, d.ConfigError
	}
	dsn := d.Config.DatabaseURL.Reveal()
	switch {
	case o.Direction == "down" && o.To != nil:
		r, err := migrations.DownTo(ctx, dsn, *o.To)
		if err != nil {
			return nil, err
		}
		return &outcome{Result: *r}, nil
	case o.Direction == "down":
		return nil, fault.New(fault.Invalid, "going down needs a version to go to").
			Hint("send {\"direction\": \"down\", \"to\": N}; what is in the tables above N is lost")
	case o.Direction != "" && o.Direction != "up" || o.To != nil:
		return nil, fault.New(fault.Invalid, "the event is neither {} nor a direction that is known")
	}
	r, err := migrations.Up(ctx, dsn)
	if err != nil {
		return nil, err
	}
	created, err := d.firstAdministrator(ctx, dsn)
	if err != nil {
		return nil, err
	}
	d.Log.InfoContext(ctx, "migrated", "version", r.Version, "applied", len(r.Applied), "admin_created", created)
	return &outcome{Result: *r, AdminCreated: created}, nil
}

// firstAdministrator makes one when there is no user and the configuration
// names one. Two that run at once make one: the e-mail is unique.
func (d Deps) firstAdministrator(ctx context.Context, dsn string) (bool, error) {
	if d.Config.AdminEmail == "" || !d.Config.AdminPassword.IsSet() {
		return false, nil
	}
	pool, err := postgres.Open(ctx, dsn, postgres.Options{MaxConns: 1, ApplicationName: "guarda migrate"})
	if err != nil {
		return false, err
	}
	defer pool.Close()
	users := userstore.New(pool)
	if some, err := users.Any(ctx); err != nil || some {
		return false, err
	}
	hash, err := auth.HashPassword(d.Config.AdminPassword.Reveal())
	if err != nil {
		return false, err
	}
	email := strings.ToLower(d.Config.AdminEmail)
	err = users.Add(ctx, auth.User{ID: uuid.NewString(), Email: email, Name: "Administrator", PasswordHash: hash, Role: auth.Admin, Active: true})
	if fault.CodeOf(err) == fault.Conflict {
		return false, nil
	}
	return err == nil, err
}
