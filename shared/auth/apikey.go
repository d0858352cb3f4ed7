package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// An API key is "gk_<public id>_<secret>": the id finds it, the SHA-256 of the
// secret proves it. The secret has 32 random bytes, so a plain hash is enough.
const (
	keyPrefix    = "gk_"
	publicIDLen  = 16 // hex digits
	keySecretLen = 64 // hex digits
)

// NewAPIKey draws a key. Only the id and the hash are kept; the key itself is
// shown once.
func NewAPIKey() (key, publicID string, hash [32]byte) {
	b := make([]byte, publicIDLen/2+keySecretLen/2)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	publicID = hex.EncodeToString(b[:publicIDLen/2])
	secret := hex.EncodeToString(b[publicIDLen/2:])
	return keyPrefix + publicID + "_" + secret, publicID, sha256.Sum256([]byte(secret))
}

// KeyPrefix is the part of a key that may be shown, so that people tell theirs
// apart.
func KeyPrefix(publicID string) string { return keyPrefix + publicID }

func splitAPIKey(key string) (publicID string, hash [32]byte, ok bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	id, secret, found := strings.Cut(rest, "_")
	if !ok || !found || len(id) != publicIDLen || len(secret) != keySecretLen {
		return "", hash, false
	}
	return id, sha256.Sum256([]byte(secret)), true
}

// APIKey is a key as it is kept. Role is the lesser of the key's and of its
// maker's at the moment.
type APIKey struct {
	Identity   Identity
	SecretHash []byte
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	Active     bool // whether its maker is
}

// APIKeys finds keys.
type APIKeys interface {
	// APIKey returns a key by its public id, or fault.NotFound.
	APIKey(ctx context.Context, publicID string) (*APIKey, error)
	// KeyUsed notes that a key was used.
	KeyUsed(ctx context.Context, id string, at time.Time) error
}

// Authenticator finds out who sends a request.
type Authenticator struct {
	Tokens *Tokens
	Keys   APIKeys
	Clock  clock.Clock
}

// Authenticate takes the values of the headers Authorization and X-API-Key;
// one of them is enough, and when both are there the first one counts. What
// is missing or does not prove anybody is fault.Unauthenticated.
func (a *Authenticator) Authenticate(ctx context.Context, authorization, apiKey string) (Identity, error) {
	if authorization != "" {
		scheme, token, ok := strings.Cut(authorization, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, fault.New(fault.Unauthenticated, "the Authorization header is not of the form: Bearer token")
		}
		return a.Tokens.Verify(strings.TrimSpace(token))
	}
	if apiKey == "" {
		return Identity{}, fault.New(fault.Unauthenticated, "the request carries no identity").
			Hint("sign in at /api/auth/login and send its token as Authorization: Bearer, or send X-API-Key")
	}
	id, hash, ok := splitAPIKey(apiKey)
	if !ok {
		return Identity{}, wrongKey()
	}
	key, err := a.Keys.APIKey(ctx, id)
	if fault.CodeOf(err) == fault.NotFound {
		return Identity{}, wrongKey()
	}
	if err != nil {
		return Identity{}, err
	}
	now := a.Clock.Now()
	if subtle.ConstantTimeCompare(hash[:], key.SecretHash) != 1 || !key.Active || key.RevokedAt != nil || key.ExpiresAt != nil && !now.Before(*key.ExpiresAt) {
		return Identity{}, wrongKey()
	}
	if err := a.Keys.KeyUsed(ctx, key.Identity.APIKeyID, now); err != nil {
		return Identity{}, err
	}
	return key.Identity, nil
}

func wrongKey() error {
	return fault.New(fault.Unauthenticated, "the API key is not valid").Hint("ask an administrator for a new one")
}
