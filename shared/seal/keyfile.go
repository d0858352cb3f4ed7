package seal

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"guarda/shared/fault"
)

const (
	keyFileProvider = "key-file"
	keyFileMagic    = "GUARDA-KEY-1"
	keyFileMax      = 16 << 10 // bytes; a real one has about 300
	keyCheckSize    = 4        // bytes of checksum after the key
)

// masterKey is a KeyProvider around 32 secret bytes in our hands.
type masterKey struct {
	secret [KeySize]byte
	id     string
	name   string // for people: "key file /path"
}

// KeyFile returns the provider for the key in a file that GenerateKeyFile
// made. The file is read now.
func KeyFile(path string) (KeyProvider, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.NotFound, "the key file %s does not exist", path).
				Hint("make one with \"guarda keygen\", or give the path of the one that the backup was made with").Because(err)
		}
		return nil, fault.New(fault.Forbidden, "the key file %s cannot be opened", path).
			Hint("let the user that runs this read the file").Because(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, keyFileMax+1))
	if err != nil {
		return nil, fault.New(fault.Forbidden, "the key file %s cannot be read", path).
			Hint("let the user that runs this read the file").Because(err)
	}
	secret, err := parseKeyFile(path, text)
	if err != nil {
		return nil, err
	}
	return &masterKey{secret: secret, id: KeyID(secret[:]), name: "key file " + path}, nil
}

// KeyText returns the provider for the text of a key file, for keys that are
// kept where there are no files (an environment variable, a secret).
func KeyText(text []byte) (KeyProvider, error) {
	secret, err := parseKeyFile("the key", text)
	if err != nil {
		return nil, err
	}
	return &masterKey{secret: secret, id: KeyID(secret[:]), name: "key"}, nil
}

// KeyFromBytes returns the provider for a key of 32 bytes that the caller
// holds. An id of "" is replaced by KeyID(secret).
func KeyFromBytes(secret []byte, id string) (KeyProvider, error) {
	if len(secret) != KeySize {
		return nil, fault.New(fault.Invalid, "a master key has %d bytes, not %d", KeySize, len(secret)).
			Hint("make a key with \"guarda keygen\"")
	}
	if strings.ContainsRune(id, 0) {
		return nil, fault.New(fault.Invalid, "the key id %q has a zero byte", id)
	}
	if id == "" {
		id = KeyID(secret)
	}
	return &masterKey{secret: [KeySize]byte(secret), id: id, name: "key"}, nil
}

// KeyID derives the public name of a master key: the first 8 bytes of
// HMAC-SHA256(key, "guarda key id") in hex. It tells keys apart and says
// nothing about them.
func KeyID(secret []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("guarda key id"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (m *masterKey) String() string { return m.name + " (id " + m.id + ")" }

// Wrap implements KeyProvider.
func (m *masterKey) Wrap(_ context.Context, key *DataKey) (WrappedKey, error) {
	return WrappedKey{
		Provider:   keyFileProvider,
		KeyID:      m.id,
		Ciphertext: sealKey(&m.secret, key, keyFileProvider, m.id),
	}, nil
}

// Unwrap implements KeyProvider.
func (m *masterKey) Unwrap(_ context.Context, wrapped WrappedKey) (*DataKey, error) {
	if wrapped.Provider != keyFileProvider {
		return nil, WrongProvider(wrapped, m)
	}
	if wrapped.KeyID != m.id {
		return nil, fault.New(fault.Forbidden, "this was sealed with key %s, and the key given is %s", wrapped.KeyID, m.String()).
			Hint("give the key file whose second line says \"Key id: %s\"", wrapped.KeyID)
	}
	key, err := openKey(&m.secret, wrapped)
	if errors.Is(err, errNotOpened) {
		return nil, fault.New(fault.Corrupt, "the data key wrapped by key %s is damaged", wrapped.KeyID).
			Hint("the backup's header was changed after it was written: restore from another copy of this backup").Because(err)
	}
	return key, err
}

// GenerateKeyFile makes a new random master key and writes it to path, which
// must not exist, readable by its owner only.
func GenerateKeyFile(path string) error {
	var secret [KeySize]byte
	_, _ = rand.Read(secret[:]) // never fails: see crypto/rand.Read
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "the key file %s exists already, and a key is never overwritten", path).
			Hint("choose another name; without the old key the backups made with it cannot be read").Because(err)
	}
	if err != nil {
		return fault.New(fault.Invalid, "the key file %s cannot be made", path).
			Hint("choose a folder that exists and can be written to").Because(err)
	}
	_, err = f.WriteString(formatKeyFile(secret))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // a key that may be cut short is worse than none
		return fault.New(fault.Exhausted, "the key file %s cannot be written", path).
			Hint("see whether the disk is full").Because(err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", path, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}

func formatKeyFile(secret [KeySize]byte) string {
	return "# Guarda master key. Whoever has it can read the backups; without it nobody can.\n" +
		"# Key id: " + KeyID(secret[:]) + "\n" +
		"# Keep a copy away from the machine that makes the backups.\n" +
		keyFileMagic + " " + base64.StdEncoding.EncodeToString(append(secret[:], keyCheck(secret[:])...)) + "\n"
}

// keyCheck tells a mistyped key from another key.
func keyCheck(secret []byte) []byte {
	sum := sha256.Sum256(append([]byte("guarda key check\x00"), secret...))
	return sum[:keyCheckSize]
}

// parseKeyFile reads the text of a key file: empty lines, lines that start
// with '#', and one line "GUARDA-KEY-1 <base64>". Spaces around a line, CRLF
// ends and a leading byte order mark are forgiven. name is for messages, and
// no message quotes what could be a key.
func parseKeyFile(name string, text []byte) (secret [KeySize]byte, err error) {
	if len(text) > keyFileMax {
		return secret, notAKeyFile(fault.New(fault.Invalid, "%s is not a key file: it has more than %d bytes", name, keyFileMax))
	}
	found := 0
	for i, line := range bytes.Split(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if found > 0 {
			return secret, notAKeyFile(fault.New(fault.Invalid, "%s, line %d: a key file holds one key, and line %d has one already", name, i+1, found))
		}
		word, value, _ := bytes.Cut(line, []byte(" "))
		if !bytes.HasPrefix(word, []byte("GUARDA-KEY-")) {
			return secret, notAKeyFile(fault.New(fault.Invalid, "%s, line %d: a key line starts with GUARDA-KEY-1", name, i+1))
		}
		if string(word) != keyFileMagic {
			return secret, fault.New(fault.Invalid, "%s, line %d: the key is of a version that this program does not know", name, i+1).
				Hint("use a newer version of guarda")
		}
		raw, derr := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(value)))
		if derr != nil {
			return secret, notAKeyFile(fault.New(fault.Invalid, "%s, line %d: the key is not valid base64", name, i+1))
		}
		if len(raw) != KeySize+keyCheckSize {
			return secret, notAKeyFile(fault.New(fault.Invalid, "%s, line %d: the key has %d bytes instead of %d", name, i+1, len(raw), KeySize+keyCheckSize))
		}
		if subtle.ConstantTimeCompare(keyCheck(raw[:KeySize]), raw[KeySize:]) != 1 {
			return secret, notAKeyFile(fault.New(fault.Invalid, "%s, line %d: the key's check digits are wrong, so a character of it was changed", name, i+1))
		}
		secret, found = [KeySize]byte(raw), i+1
	}
	if found == 0 {
		return secret, notAKeyFile(fault.New(fault.Invalid, "%s has no key: no line starts with GUARDA-KEY-1", name))
	}
	return secret, nil
}

func notAKeyFile(e *fault.Error) error {
	return e.Hint("give the file that \"guarda keygen\" wrote, unchanged")
}
