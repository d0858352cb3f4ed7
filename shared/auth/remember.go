package auth

import (
	"context"
	"sync"
	"time"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// rememberFor is how long a key that was found works while the store of keys
// is away.
const rememberFor = time.Hour

// maxRemembered bounds what a process remembers.
const maxRemembered = 1000

// RememberKeys makes keys that this process has seen work while their store is
// away: log shippers go on sending, and what they send is put aside. While the
// store answers, its answer counts: a key that is revoked stops at once.
func RememberKeys(keys APIKeys, c clock.Clock) APIKeys {
	return &rememberedKeys{keys: keys, clock: c, seen: map[string]seenKey{}}
}

type rememberedKeys struct {
	keys  APIKeys
	clock clock.Clock
	mu    sync.Mutex
	seen  map[string]seenKey
}

type seenKey struct {
	key APIKey
	at  time.Time
}

// APIKey returns a key by its public id.
func (r *rememberedKeys) APIKey(ctx context.Context, publicID string) (*APIKey, error) {
	key, err := r.keys.APIKey(ctx, publicID)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	switch fault.CodeOf(err) {
	case "":
		if len(r.seen) >= maxRemembered {
			clear(r.seen)
		}
		r.seen[publicID] = seenKey{*key, now}
	case fault.Unavailable:
		if s, ok := r.seen[publicID]; ok && now.Sub(s.at) < rememberFor {
			return &s.key, nil
		}
	default:
		delete(r.seen, publicID)
	}
	return key, err
}

// KeyUsed notes that a key was used; while the store is away nobody does.
func (r *rememberedKeys) KeyUsed(ctx context.Context, id string, at time.Time) error {
	if err := r.keys.KeyUsed(ctx, id, at); fault.CodeOf(err) != fault.Unavailable {
		return err
	}
	return nil
}
