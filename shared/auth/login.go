package auth

import (
	"context"
	"crypto/sha256"
	"math"
	"strings"
	"time"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// User is a person as kept.
type User struct {
	ID, Email, Name string
	PasswordHash    string // "": cannot sign in with a password
	Role            Role
	Active          bool
}

// Identity returns who the user is to the rest of Guarda.
func (u *User) identity(authTime int64) Identity {
	return Identity{UserID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, AuthTime: authTime}
}

// Users finds people.
type Users interface {
	// UserByEmail takes an e-mail in lower case; an unknown one is fault.NotFound.
	UserByEmail(ctx context.Context, email string) (*User, error)
	UserByID(ctx context.Context, id string) (*User, error)
	SignedIn(ctx context.Context, id string, at time.Time) error
}

// Limit says how often a subject may try.
type Limit struct {
	Attempts int           // within Window, before it is blocked
	Window   time.Duration // after which attempts are forgotten
	Block    time.Duration // the first block; each further attempt doubles it
	MaxBlock time.Duration
}

// Attempts counts sign-ins per subject, a hash.
type Attempts interface {
	// Attempt counts one and returns the zero time, or, while the subject is
	// blocked, until when.
	Attempt(ctx context.Context, subject [32]byte, l Limit, now time.Time) (blockedUntil time.Time, err error)
	// Succeeded takes back the attempt just counted, and with forget all of
	// the subject's.
	Succeeded(ctx context.Context, subject [32]byte, forget bool, now time.Time) error
}

// Login signs people in.
type Login struct {
	Users    Users
	Attempts Attempts
	Tokens   *Tokens
	Clock    clock.Clock
}

// Session is a person who is signed in.
type Session struct {
	Token     string
	ExpiresAt time.Time
	Identity  Identity
}

// Attempts are counted before the password is looked at, so that many at once
// cannot slip through. Blocking by e-mail and address together keeps a
// stranger from locking somebody out for good; by address alone it slows down
// who tries many e-mails, by e-mail alone (with a high limit) who uses many
// addresses.
func limits(email, address string) []struct {
	subject [32]byte
	limit   Limit
	forget  bool
} {
	return []struct {
		subject [32]byte
		limit   Limit
		forget  bool
	}{
		{sha256.Sum256([]byte("pair\x00" + email + "\x00" + address)), Limit{5, 15 * time.Minute, 30 * time.Second, 15 * time.Minute}, true},
		{sha256.Sum256([]byte("address\x00" + address)), Limit{30, 15 * time.Minute, time.Minute, 15 * time.Minute}, false},
		{sha256.Sum256([]byte("email\x00" + email)), Limit{60, 15 * time.Minute, time.Minute, 5 * time.Minute}, false},
	}
}

// WithPassword signs a person in. A wrong e-mail and a wrong password are the
// same fault.Unauthenticated and take the same time; after too many attempts
// it is fault.RateLimited.
func (l *Login) WithPassword(ctx context.Context, email, password, address string) (*Session, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	now := l.Clock.Now()
	counters := limits(email, address)
	for _, c := range counters {
		until, err := l.Attempts.Attempt(ctx, c.subject, c.limit, now)
		if err != nil {
			return nil, err
		}
		if until.After(now) {
			return nil, fault.New(fault.RateLimited, "too many attempts to sign in").
				Hint("wait and try again").RetryAfter(int(math.Ceil(until.Sub(now).Seconds())))
		}
	}
	user, err := l.Users.UserByEmail(ctx, email)
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return nil, err
	}
	hash := decoy
	if user != nil && user.PasswordHash != "" {
		hash = user.PasswordHash
	}
	if !PasswordMatches(hash, password) || user == nil || !user.Active {
		return nil, fault.New(fault.Unauthenticated, "the e-mail or the password is wrong").
			Hint("check both; after five attempts you have to wait")
	}
	for _, c := range counters {
		if err := l.Attempts.Succeeded(ctx, c.subject, c.forget, now); err != nil {
			return nil, err
		}
	}
	if err := l.Users.SignedIn(ctx, user.ID, now); err != nil {
		return nil, err
	}
	return l.session(user.identity(now.Unix()))
}

// Refresh gives a person who is signed in a newer token, with what is known of
// them now. Somebody who was deactivated is fault.Unauthenticated; an API key
// is fault.Forbidden: it needs no token.
func (l *Login) Refresh(ctx context.Context, i Identity) (*Session, error) {
	if i.APIKeyID != "" {
		return nil, fault.New(fault.Forbidden, "an API key cannot be exchanged for a token")
	}
	user, err := l.Users.UserByID(ctx, i.UserID)
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return nil, err
	}
	if user == nil || !user.Active {
		return nil, fault.New(fault.Unauthenticated, "this account is not active").Hint("ask an administrator")
	}
	return l.session(user.identity(i.AuthTime))
}

func (l *Login) session(i Identity) (*Session, error) {
	token, expires, err := l.Tokens.Issue(i)
	if err != nil {
		return nil, err
	}
	return &Session{Token: token, ExpiresAt: expires, Identity: i}, nil
}
