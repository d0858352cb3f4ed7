// Package auth says who is calling and what they may do: passwords, tokens,
// API keys, roles and permissions. It knows no HTTP and no database.
package auth

import (
	"context"
	"slices"

	"guarda/shared/fault"
)

// Role is a named set of permissions. Roles are fixed in code.
type Role string

// The roles. Admin, Operator and Viewer are people's, each with all that the
// lesser one has; Sender is for API keys of what sends log entries and reads
// nothing.
const (
	Admin    Role = "admin"
	Operator Role = "operator"
	Viewer   Role = "viewer"
	Sender   Role = "sender"
)

// Permission is the right to do one kind of thing.
type Permission string

// The permissions.
const (
	BackupRead     Permission = "backup.read"
	BackupRun      Permission = "backup.run"
	BackupCancel   Permission = "backup.cancel"
	BackupDownload Permission = "backup.download"
	SchedulesWrite Permission = "schedules.write"
	SourcesRead    Permission = "sources.read"
	SourcesWrite   Permission = "sources.write"
	SourcesTest    Permission = "sources.test"
	AccessWrite    Permission = "access.write"
	LogsRead       Permission = "logs.read"
	LogsWrite      Permission = "logs.write"  // to send entries
	LogsManage     Permission = "logs.manage" // retention, masking, text search
)

// Permissions returns what a role may do, in a fixed order; an unknown role
// may do nothing.
func (r Role) Permissions() []Permission {
	viewer := []Permission{BackupRead, SourcesRead, LogsRead}
	operator := append(slices.Clone(viewer), BackupRun, BackupCancel, SchedulesWrite, LogsWrite)
	switch r {
	case Viewer:
		return viewer
	case Sender:
		return []Permission{LogsWrite}
	case Operator:
		return operator
	case Admin:
		return append(operator, BackupDownload, SourcesWrite, SourcesTest, AccessWrite, LogsManage)
	}
	return []Permission{}
}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == Admin || r == Operator || r == Viewer || r == Sender }

// Under returns r where its maker, with the role given, may do all that r may;
// otherwise the maker's role where r may do all that it may; otherwise "",
// which may do nothing.
func (r Role) Under(maker Role) Role {
	switch {
	case maker.includes(r):
		return r
	case r.includes(maker):
		return maker
	}
	return ""
}

func (r Role) includes(other Role) bool {
	return !slices.ContainsFunc(other.Permissions(), func(p Permission) bool { return !slices.Contains(r.Permissions(), p) })
}

// Identity is who makes a request.
type Identity struct {
	UserID   string // uuid of the person, or of the person who made the API key
	Email    string
	Name     string
	Role     Role
	APIKeyID string // uuid of the API key; "" for a person
	// AuthTime is when the password was given, in seconds since 1970; 0 for an
	// API key.
	AuthTime int64
}

// Can reports whether the identity has a permission.
func (i Identity) Can(p Permission) bool { return slices.Contains(i.Role.Permissions(), p) }

// Subject names the identity where requests of one are told from another's:
// in idempotency keys, in the audit trail.
func (i Identity) Subject() string {
	if i.APIKeyID != "" {
		return "key:" + i.APIKeyID
	}
	return "user:" + i.UserID
}

type contextKey struct{}

// WithIdentity returns a context that carries who is calling.
func WithIdentity(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, i)
}

// FromContext returns who is calling, or fault.Unauthenticated.
func FromContext(ctx context.Context) (Identity, error) {
	if i, ok := ctx.Value(contextKey{}).(Identity); ok && i.UserID != "" {
		return i, nil
	}
	return Identity{}, fault.New(fault.Unauthenticated, "the request carries no identity").
		Hint("sign in at /api/auth/login and send its token as Authorization: Bearer, or send X-API-Key")
}

// Require returns nil when the caller has a permission, else
// fault.Unauthenticated or fault.Forbidden with the permission's name.
func Require(ctx context.Context, p Permission) error {
	i, err := FromContext(ctx)
	if err != nil {
		return err
	}
	if !i.Can(p) {
		return fault.New(fault.Forbidden, "the permission %q is needed, and the role %q does not have it", string(p), string(i.Role)).
			Hint("ask an administrator for a role that has it")
	}
	return nil
}
