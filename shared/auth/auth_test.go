package auth_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const secret = "0123456789abcdef0123456789abcdef"

func person(at time.Time) auth.Identity {
	return auth.Identity{UserID: "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11", Email: "a@b", Name: "A", Role: auth.Operator, AuthTime: at.Unix()}
}

func TestTokenIsReadBackUntilItExpires(t *testing.T) {
	t.Parallel()
	now := clock.At(start)
	tokens := auth.NewTokens(secret, now)
	token, expires, err := tokens.Issue(person(start))
	if err != nil || !expires.Equal(start.Add(time.Hour)) {
		t.Fatalf("%v, %v", expires, err)
	}
	if got, err := tokens.Verify(token); err != nil || got != person(start) {
		t.Errorf("%+v, %v", got, err)
	}
	now.Advance(time.Hour + time.Minute)
	if _, err := tokens.Verify(token); fault.CodeOf(err) != fault.Unauthenticated || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an hour later: %v", err)
	}
}

func TestTokensEndSevenDaysAfterThePassword(t *testing.T) {
	t.Parallel()
	now := clock.At(start.Add(7*24*time.Hour - 10*time.Minute))
	tokens := auth.NewTokens(secret, now)
	if _, expires, err := tokens.Issue(person(start)); err != nil || !expires.Equal(start.Add(7*24*time.Hour)) {
		t.Errorf("just before: %v, %v", expires, err)
	}
	now.Advance(10 * time.Minute)
	if _, _, err := tokens.Issue(person(start)); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("after seven days: %v", err)
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	tokens := auth.NewTokens(secret, clock.At(start))
	good, _, err := tokens.Issue(person(start))
	if err != nil {
		t.Fatal(err)
	}
	other, _, _ := auth.NewTokens("another-secret-of-32-characters!!", clock.At(start)).Issue(person(start))
	claims := jwt.MapClaims{"iss": "guarda", "aud": "guarda-api", "sub": "u", "role": "admin", "iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
	sign := func(m jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{}
		for k, v := range claims {
			c[k] = v
		}
		change(c)
		s, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := func(jwt.MapClaims) {}
	if _, err := tokens.Verify(sign(jwt.SigningMethodHS256, []byte(secret), same)); err != nil {
		t.Fatalf("the forgeries below fail for another reason: %v", err)
	}
	parts := strings.Split(good, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	raised := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "operator", "admin", 1)))
	for name, token := range map[string]string{
		"other secret": other,
		"raised role":  parts[0] + "." + raised + "." + parts[2],
		"no algorithm": sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"HS512":        sign(jwt.SigningMethodHS512, []byte(secret), same),
		"issuer":       sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { c["iss"] = "x" }),
		"audience":     sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { c["aud"] = "x" }),
		"no expiry":    sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { delete(c, "exp") }),
		"future":       sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { c["iat"] = start.Add(time.Hour).Unix() }),
		"no subject":   sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { delete(c, "sub") }),
		"unknown role": sign(jwt.SigningMethodHS256, []byte(secret), func(c jwt.MapClaims) { c["role"] = "root" }),
		"garbage":      "a.b.c", "empty": "",
	} {
		if _, err := tokens.Verify(token); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPasswordsMatchOnlyThemselves(t *testing.T) {
	t.Parallel()
	hash, err := auth.HashPassword("correct horse battery")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	again, _ := auth.HashPassword("correct horse battery")
	if again == hash {
		t.Error("two hashes of a password are the same: there is no salt")
	}
	for _, c := range []struct {
		hash, password string
		want           bool
	}{
		{hash, "correct horse battery", true}, {hash, "correct horse batterY", false}, {hash, "", false}, {"", "", false},
		{"$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA", "x", false}, {strings.Replace(hash, "argon2id", "argon2i", 1), "correct horse battery", false},
		{hash[:len(hash)-20], "correct horse battery", false},
	} {
		if got := auth.PasswordMatches(c.hash, c.password); got != c.want {
			t.Errorf("%.40s %q: %v", c.hash, c.password, got)
		}
	}
	for _, bad := range []string{"short", strings.Repeat("x", 1025)} {
		if _, err := auth.HashPassword(bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
}

func TestEachRoleHasAllOfTheLesserOne(t *testing.T) {
	t.Parallel()
	order := []auth.Role{auth.Viewer, auth.Operator, auth.Admin}
	for i := 1; i < len(order); i++ {
		for _, p := range order[i-1].Permissions() {
			if !(auth.Identity{Role: order[i]}).Can(p) {
				t.Errorf("%s lacks %s", order[i], p)
			}
		}
	}
	if (auth.Identity{Role: auth.Operator}).Can(auth.SourcesWrite) || (auth.Identity{Role: auth.Operator}).Can(auth.BackupDownload) || (auth.Identity{Role: auth.Viewer}).Can(auth.BackupRun) {
		t.Error("a role may do too much")
	}
	if len(auth.Role("root").Permissions()) != 0 {
		t.Error("an unknown role may do something")
	}
}

func TestAKeyMayNeverDoMoreThanItsMaker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, maker, want auth.Role }{
		{auth.Admin, auth.Admin, auth.Admin}, {auth.Viewer, auth.Admin, auth.Viewer}, {auth.Admin, auth.Viewer, auth.Viewer},
		{auth.Sender, auth.Operator, auth.Sender}, {auth.Sender, auth.Viewer, ""}, {auth.Operator, "", ""},
	} {
		if got := c.key.Under(c.maker); got != c.want {
			t.Errorf("%q of a %q: %q, want %q", c.key, c.maker, got, c.want)
		}
	}
	if p := auth.Sender.Permissions(); len(p) != 1 || p[0] != auth.LogsWrite {
		t.Errorf("a sender may %v", p)
	}
}

// keys is a store with one key; the real one is tried in userstore.
type keys struct {
	id   string
	key  auth.APIKey
	used int
}

func (k *keys) APIKey(_ context.Context, id string) (*auth.APIKey, error) {
	if id != k.id {
		return nil, fault.New(fault.NotFound, "there is no such API key")
	}
	copied := k.key
	return &copied, nil
}

func (k *keys) KeyUsed(context.Context, string, time.Time) error { k.used++; return nil }

func TestAuthenticateTakesTokensAndKeys(t *testing.T) {
	t.Parallel()
	now := clock.At(start)
	key, id, hash := auth.NewAPIKey()
	store := &keys{id: id, key: auth.APIKey{Identity: auth.Identity{UserID: "u", APIKeyID: "k", Role: auth.Viewer}, SecretHash: hash[:], Active: true}}
	a := &auth.Authenticator{Tokens: auth.NewTokens(secret, now), Keys: store, Clock: now}
	token, _, _ := a.Tokens.Issue(person(start))
	past, other := start.Add(-time.Second), hash
	other[0]++
	for _, c := range []struct {
		name, authorization, key string
		change                   func(*auth.APIKey)
		subject                  string // "" is refused
	}{
		{name: "token", authorization: "Bearer " + token, subject: person(start).Subject()},
		{name: "scheme in lower case", authorization: "bearer " + token, subject: person(start).Subject()},
		{name: "both", authorization: "Bearer " + token, key: "gk_x", subject: person(start).Subject()},
		{name: "bad token with good key", authorization: "Bearer x", key: key},
		{name: "basic", authorization: "Basic YTpi"},
		{name: "nothing"},
		{name: "key", key: key, subject: "key:k"},
		{name: "wrong secret", key: key[:len(key)-1] + "g"},
		{name: "unknown id", key: strings.Replace(key, id, "0000000000000000", 1)},
		{name: "malformed", key: "gk_" + id},
		{name: "other hash", key: key, change: func(k *auth.APIKey) { k.SecretHash = other[:] }},
		{name: "revoked", key: key, change: func(k *auth.APIKey) { k.RevokedAt = &past }},
		{name: "expired", key: key, change: func(k *auth.APIKey) { k.ExpiresAt = &past }},
		{name: "maker gone", key: key, change: func(k *auth.APIKey) { k.Active = false }},
	} {
		kept := store.key
		if c.change != nil {
			c.change(&store.key)
		}
		i, err := a.Authenticate(t.Context(), c.authorization, c.key)
		store.key = kept
		if c.subject == "" && fault.CodeOf(err) != fault.Unauthenticated || c.subject != "" && (err != nil || i.Subject() != c.subject) {
			t.Errorf("%s: %+v, %v", c.name, i, err)
		}
	}
	if store.used != 1 {
		t.Errorf("%d uses were noted", store.used)
	}
}
