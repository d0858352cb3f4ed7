package seal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
)

// KeySize is the length of every symmetric key here, in bytes.
const KeySize = 32

// DataKey is the secret that the streams of one backup are encrypted with. It
// does not show itself when printed, logged or turned into JSON.
type DataKey struct {
	secret [KeySize]byte
}

// NewDataKey returns a new random key.
func NewDataKey() *DataKey {
	k := &DataKey{}
	_, _ = rand.Read(k.secret[:]) // never fails: see crypto/rand.Read
	return k
}

// DataKeyFromBytes returns the key with the given 32 secret bytes. It is for
// implementations of KeyProvider.
func DataKeyFromBytes(secret []byte) (*DataKey, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("a data key has %d bytes, not %d", KeySize, len(secret))
	}
	return &DataKey{secret: [KeySize]byte(secret)}, nil
}

// Bytes returns a copy of the secret. It is for implementations of
// KeyProvider.
func (k *DataKey) Bytes() []byte {
	b := k.secret
	return b[:]
}

const redacted = "(data key)"

// Format hides the secret from every verb.
func (k DataKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue hides the secret from log/slog.
func (k DataKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON fails: a data key is only ever stored wrapped.
func (k DataKey) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a data key is never stored as it is: wrap it")
}
