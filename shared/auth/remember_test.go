package auth_test

import (
	"context"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

type someKeys struct {
	key *auth.APIKey
	err error
}

func (k *someKeys) APIKey(context.Context, string) (*auth.APIKey, error) { return k.key, k.err }

func (k *someKeys) KeyUsed(context.Context, string, time.Time) error { return k.err }

func TestAKeyThatWasSeenWorksWhileItsStoreIsAway(t *testing.T) {
	t.Parallel()
	c := clock.At(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	key, publicID, hash := auth.NewAPIKey()
	store := &someKeys{key: &auth.APIKey{Identity: auth.Identity{UserID: "u", APIKeyID: publicID, Role: auth.Operator}, SecretHash: hash[:], Active: true}}
	a := &auth.Authenticator{Keys: auth.RememberKeys(store, c), Clock: c}
	try := func() fault.Code {
		_, err := a.Authenticate(t.Context(), "", key)
		return fault.CodeOf(err)
	}
	away := fault.New(fault.Unavailable, "the database cannot be reached")
	store.err = away
	if got := try(); got != fault.Unavailable {
		t.Errorf("a key that nobody has seen: %q", got)
	}
	store.err = nil
	if got := try(); got != "" {
		t.Errorf("the store is there: %q", got)
	}
	store.err = away
	if got := try(); got != "" {
		t.Errorf("the store is away: %q", got)
	}
	c.Advance(2 * time.Hour)
	if got := try(); got != fault.Unavailable {
		t.Errorf("for two hours: %q", got)
	}
	store.err = nil
	_ = try()
	store.err = fault.New(fault.NotFound, "there is no such API key")
	_ = try()
	store.err = away
	if got := try(); got != fault.Unavailable {
		t.Errorf("the key was taken away before the store went: %q", got)
	}
}
