package auth

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

const (
	issuer   = "guarda"
	audience = "guarda-api"
	// tokenLife is how long a token works; sessionLife how long tokens may be
	// exchanged for newer ones after the password was given.
	tokenLife   = time.Hour
	sessionLife = 7 * 24 * time.Hour
	// leeway is how far two machines' clocks may be apart.
	leeway = 30 * time.Second
)

// Tokens issues and reads tokens: JWT, HS256, one secret. It is safe for
// concurrent use.
type Tokens struct {
	secret []byte
	clock  clock.Clock
}

// NewTokens makes a Tokens. The secret has at least 32 bytes.
func NewTokens(secret string, c clock.Clock) *Tokens { return &Tokens{[]byte(secret), c} }

type claims struct {
	jwt.RegisteredClaims
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     Role   `json:"role"`
	AuthTime int64  `json:"auth_time"` // when the password was given, seconds since 1970
}

// Issue makes a token for a person. i.AuthTime is when the password was given;
// the token works for an hour, and never longer than seven days after that.
func (t *Tokens) Issue(i Identity) (token string, expires time.Time, err error) {
	now := t.clock.Now().Truncate(time.Second)
	end := time.Unix(i.AuthTime, 0).UTC().Add(sessionLife)
	if !now.Before(end) {
		return "", time.Time{}, fault.New(fault.Unauthenticated, "seven days have passed since the password was given").Hint("sign in again")
	}
	expires = now.Add(tokenLife)
	if end.Before(expires) {
		expires = end
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: i.UserID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Email: i.Email, Name: i.Name, Role: i.Role, AuthTime: i.AuthTime,
	}).SignedString(t.secret)
	return token, expires, err
}

// Verify reads a token. One that is not ours, was changed or has expired is
// fault.Unauthenticated.
func (t *Tokens) Verify(token string) (Identity, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.secret, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(t.clock.Now))
	if errors.Is(err, jwt.ErrTokenExpired) {
		return Identity{}, fault.New(fault.Unauthenticated, "the token has expired").Hint("sign in again").Because(err)
	}
	if err != nil || c.Subject == "" || !c.Role.Valid() {
		return Identity{}, fault.New(fault.Unauthenticated, "the token is not valid").Hint("sign in again").Because(err)
	}
	return Identity{UserID: c.Subject, Email: c.Email, Name: c.Name, Role: c.Role, AuthTime: c.AuthTime}, nil
}
