package seal

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"

	"golang.org/x/crypto/argon2"

	"guarda/shared/fault"
)

const passphraseProvider = "passphrase"

// The cost of Argon2id for new keys: the second recommended option of RFC
// 9106 §4, 64 MiB and 3 passes, about 0.1 s.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
	argonSalt    = 16 // bytes
)

// The costs we accept when reading, so that a hostile header cannot use up
// memory or hours.
const (
	argonMaxTime    = 16
	argonMaxMemory  = 256 << 10 // KiB
	argonMaxThreads = 16
)

type passphrase struct{ secret []byte }

// Passphrase returns the provider that derives its key from a passphrase with
// Argon2id. It keeps a copy of secret, which must not be empty.
func Passphrase(secret []byte) (KeyProvider, error) {
	if len(secret) == 0 {
		return nil, fault.New(fault.Invalid, "the passphrase is empty").Hint("give a passphrase of several words")
	}
	return &passphrase{secret: append([]byte(nil), secret...)}, nil
}

func (p *passphrase) String() string { return "a passphrase" }

// Wrap implements KeyProvider. Each call has a salt of its own and takes the
// time and memory of one Argon2id run.
func (p *passphrase) Wrap(_ context.Context, key *DataKey) (WrappedKey, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails: see crypto/rand.Read
	master := [KeySize]byte(argon2.IDKey(p.secret, salt, argonTime, argonMemory, argonThreads, KeySize))
	return WrappedKey{
		Provider:   passphraseProvider,
		Ciphertext: sealKey(&master, key, passphraseProvider, ""),
		Params: map[string]string{
			"kdf":     "argon2id",
			"salt":    base64.StdEncoding.EncodeToString(salt),
			"time":    strconv.Itoa(argonTime),
			"memory":  strconv.Itoa(argonMemory),
			"threads": strconv.Itoa(argonThreads),
		},
	}, nil
}

// Unwrap implements KeyProvider.
func (p *passphrase) Unwrap(_ context.Context, wrapped WrappedKey) (*DataKey, error) {
	if wrapped.Provider != passphraseProvider {
		return nil, WrongProvider(wrapped, p)
	}
	if kdf := wrapped.Params["kdf"]; kdf != "argon2id" {
		return nil, badParam("kdf", kdf)
	}
	salt, err := base64.StdEncoding.DecodeString(wrapped.Params["salt"])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return nil, badParam("salt", wrapped.Params["salt"])
	}
	cost := map[string]uint32{"time": argonMaxTime, "memory": argonMaxMemory, "threads": argonMaxThreads}
	for name, most := range cost {
		n, err := strconv.ParseUint(wrapped.Params[name], 10, 32)
		if err != nil || n < 1 || n > uint64(most) {
			return nil, badParam(name, wrapped.Params[name])
		}
		cost[name] = uint32(n)
	}
	master := [KeySize]byte(argon2.IDKey(p.secret, salt, cost["time"], cost["memory"], uint8(cost["threads"]), KeySize))
	key, err := openKey(&master, wrapped)
	if errors.Is(err, errNotOpened) {
		return nil, fault.New(fault.Forbidden, "the passphrase given is not the one that this was sealed with").
			Hint("type the passphrase that the backup was made with").Because(err)
	}
	return key, err
}

func badParam(name, value string) error {
	return fault.New(fault.Corrupt, "the wrapped key's parameter %q has the value %q, which cannot be right", name, value).
		Hint("the backup's header is damaged: restore from another copy of this backup")
}
