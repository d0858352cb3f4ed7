package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"strings"

	"guarda/shared/fault"
)

// WrappedKey is a data key that was encrypted by a KeyProvider. It is not
// secret: it is stored in the plain header of the manifest.
type WrappedKey struct {
	// Provider is the kind of provider: "key-file", "passphrase", "aws-kms".
	Provider string `json:"provider"`
	// KeyID tells which of the provider's keys wrapped it: for a key file what
	// KeyID returns, for KMS the key's ARN, "" for a passphrase.
	KeyID string `json:"key_id,omitempty"`
	// Ciphertext is the encrypted data key, in the provider's own format.
	Ciphertext []byte `json:"ciphertext"`
	// Params are what else the provider needs to unwrap.
	Params map[string]string `json:"params,omitempty"`
}

// KeyProvider wraps data keys with a key that outlives backups. It is safe
// for concurrent use.
type KeyProvider interface {
	// Wrap encrypts a data key.
	Wrap(ctx context.Context, key *DataKey) (WrappedKey, error)
	// Unwrap is the reverse of Wrap. The wrong key is fault.Forbidden and
	// damaged bytes are fault.Corrupt, where the two can be told apart.
	Unwrap(ctx context.Context, wrapped WrappedKey) (*DataKey, error)
	// String names the provider and its key for people, without secrets.
	String() string
}

// Overhead of sealKey: a nonce of 12 bytes before and a tag of 16 after.
const (
	nonceSize      = 12
	wrappedKeySize = nonceSize + KeySize + 16
)

// sealKey encrypts a data key with AES-256-GCM under master. The nonce is
// random, which is safe for 2^32 wraps by one master key.
func sealKey(master *[KeySize]byte, key *DataKey, provider, keyID string) []byte {
	out := make([]byte, nonceSize, wrappedKeySize)
	_, _ = rand.Read(out) // never fails: see crypto/rand.Read
	return gcm(master).Seal(out, out[:nonceSize], key.secret[:], wrapContext(provider, keyID))
}

var errNotOpened = errors.New("the wrapped key does not authenticate")

// openKey is the reverse of sealKey. It returns errNotOpened when master is
// not the key, or the bytes or names are not what was sealed.
func openKey(master *[KeySize]byte, wrapped WrappedKey) (*DataKey, error) {
	if len(wrapped.Ciphertext) != wrappedKeySize {
		return nil, fault.New(fault.Corrupt, "the wrapped data key has %d bytes instead of %d", len(wrapped.Ciphertext), wrappedKeySize).
			Hint("the backup's header is damaged: restore from another copy of this backup")
	}
	nonce, sealed := wrapped.Ciphertext[:nonceSize], wrapped.Ciphertext[nonceSize:]
	secret, err := gcm(master).Open(nil, nonce, sealed, wrapContext(wrapped.Provider, wrapped.KeyID))
	if err != nil {
		return nil, errNotOpened
	}
	return DataKeyFromBytes(secret)
}

// wrapContext is the associated data of a wrapped key. No part contains a
// zero byte, so two contexts are equal only when their parts are.
func wrapContext(provider, keyID string) []byte {
	return []byte(strings.Join([]string{"guarda-data-key-1", provider, keyID}, "\x00"))
}

func gcm(key *[KeySize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("seal: " + err.Error()) // only for a key of the wrong size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: " + err.Error()) // only for a block size other than 16
	}
	return aead
}

// WrongProvider is the error of Unwrap for a key that another kind of provider
// wrapped. It is for implementations of KeyProvider.
func WrongProvider(wrapped WrappedKey, given KeyProvider) error {
	return fault.New(fault.Forbidden, "this was sealed with a key of kind %q (%s), and the key given is %s", wrapped.Provider, orUnnamed(wrapped.KeyID), given.String()).
		Hint("give the kind of key that the backup was made with")
}

func orUnnamed(id string) string {
	if id == "" {
		return "unnamed"
	}
	return id
}
