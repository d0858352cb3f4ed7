package source

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/fault"
)

// Address is what of a connection string may be shown.
type Address struct {
	Host     string
	Port     int
	Database string
	Username string
}

// Options of connection strings that read files of the machine they are used
// on. A function has none of its caller's files, and must not be made to read
// its own.
func localFileOptions() []string {
	return []string{"passfile", "service", "servicefile", "sslkey", "sslcert", "sslpassword", "sslrootcert", "krbspn", "krbsrvname"}
}

// ParseDSN checks a connection string, URL or key=value. It must name host,
// database and user itself: nothing is taken from the environment or from
// files. Errors are fault.Invalid and never hold the string, which has a
// password in it.
func ParseDSN(dsn string) (Address, error) {
	names, ok := optionNames(dsn)
	if !ok {
		return Address{}, unreadable()
	}
	for _, name := range localFileOptions() {
		if slices.Contains(names, name) {
			return Address{}, fault.New(fault.Invalid, "the option %q of the connection string is not possible here", name).
				Hint("leave it out; to require encryption write sslmode=require")
		}
	}
	// sslrootcert=… is refused above, so that verify-full uses the system's
	// certificates.
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return Address{}, unreadable()
	}
	switch {
	case !hasHost(dsn, names) || cfg.Host == "" || strings.HasPrefix(cfg.Host, "/") || strings.HasPrefix(cfg.Host, "@"):
		return Address{}, fault.New(fault.Invalid, "the connection string names no host").
			Hint("write postgres://user:password@host:port/database, with special characters of the password percent-encoded")
	case len(cfg.Fallbacks) > 0 && severalHosts(cfg):
		return Address{}, fault.New(fault.Invalid, "the connection string names several hosts").
			Hint("name the one server that is to be backed up")
	case !hasDatabase(dsn, names) || cfg.Database == "":
		return Address{}, fault.New(fault.Invalid, "the connection string names no database").
			Hint("write postgres://user:password@host:port/database, with special characters of the password percent-encoded")
	case !hasUser(dsn, names) || cfg.User == "":
		return Address{}, fault.New(fault.Invalid, "the connection string names no user").
			Hint("write postgres://user:password@host:port/database, with special characters of the password percent-encoded")
	}
	for _, part := range []string{cfg.Host, cfg.Database, cfg.User} {
		if len(part) > 255 || strings.ContainsRune(part, 0) {
			return Address{}, unreadable()
		}
	}
	return Address{Host: cfg.Host, Port: int(cfg.Port), Database: cfg.Database, Username: cfg.User}, nil
}

func unreadable() error {
	return fault.New(fault.Invalid, "the connection string cannot be read").
		Hint("write postgres://user:password@host:port/database, with special characters of the password percent-encoded")
}

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// optionNames returns the names of the options given: a URL's parameters, or
// the words before equal signs outside of quotes.
func optionNames(dsn string) ([]string, bool) {
	var names []string
	if isURL(dsn) {
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, false
		}
		for name := range u.Query() {
			names = append(names, name)
		}
		return names, true
	}
	rest := strings.TrimSpace(dsn)
	for rest != "" {
		name, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, false
		}
		names = append(names, strings.TrimSpace(name))
		if rest, ok = afterValue(strings.TrimLeft(value, " \t\n\r")); !ok {
			return nil, false
		}
	}
	return names, len(names) > 0
}

// afterValue skips one value of a key=value string: quoted, or up to a space.
func afterValue(s string) (string, bool) {
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case quoted && s[i] == '\'':
			return strings.TrimLeft(s[i+1:], " \t\n\r"), true
		case !quoted && strings.IndexByte(" \t\n\r", s[i]) >= 0:
			return strings.TrimLeft(s[i:], " \t\n\r"), true
		}
	}
	return "", !quoted
}

func hasHost(dsn string, names []string) bool {
	if slices.Contains(names, "host") {
		return true
	}
	u, err := url.Parse(dsn)
	return isURL(dsn) && err == nil && u.Hostname() != ""
}

func hasDatabase(dsn string, names []string) bool {
	if slices.Contains(names, "dbname") || slices.Contains(names, "database") {
		return true
	}
	u, err := url.Parse(dsn)
	return isURL(dsn) && err == nil && strings.Trim(u.Path, "/") != ""
}

func hasUser(dsn string, names []string) bool {
	if slices.Contains(names, "user") {
		return true
	}
	u, err := url.Parse(dsn)
	return isURL(dsn) && err == nil && u.User.Username() != ""
}

// severalHosts tells other hosts from the fallback that sslmode=prefer makes.
func severalHosts(cfg *pgconn.Config) bool {
	for _, f := range cfg.Fallbacks {
		if f.Host != cfg.Host || f.Port != cfg.Port {
			return true
		}
	}
	return false
}

// Sealer encrypts connection strings for keeping: AES-256-GCM with a random
// nonce, and the source's id as associated data, so that a sealed string moved
// to another row does not open. The form is one byte of version (1), 12 of
// nonce, ciphertext with tag.
type Sealer struct{ aead cipher.AEAD }

const sealVersion = 1

// NewSealer makes a Sealer with a key of 32 bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != 32 {
		return nil, fault.New(fault.Invalid, "the key that seals connection strings must have 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal connection strings: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal connection strings: %w", err)
	}
	return &Sealer{aead}, nil
}

// Seal encrypts the connection string of a source.
func (s *Sealer) Seal(sourceID, dsn string) []byte {
	out := make([]byte, 1+s.aead.NonceSize(), 1+s.aead.NonceSize()+len(dsn)+s.aead.Overhead())
	out[0] = sealVersion
	_, _ = rand.Read(out[1:]) // never fails: crypto/rand ends the program instead
	return s.aead.Seal(out, out[1:], []byte(dsn), []byte(strings.ToLower(sourceID)))
}

// Open decrypts it. Another key, another source or changed bytes are
// fault.Corrupt.
func (s *Sealer) Open(sourceID string, sealed []byte) (string, error) {
	n := 1 + s.aead.NonceSize()
	if len(sealed) < n || sealed[0] != sealVersion {
		return "", fault.New(fault.Corrupt, "the stored connection string is damaged").Hint("enter the connection string again")
	}
	dsn, err := s.aead.Open(nil, sealed[1:n], sealed[n:], []byte(strings.ToLower(sourceID)))
	if err != nil {
		return "", fault.New(fault.Corrupt, "the stored connection string cannot be opened with this key").
			Hint("GUARDA_SECRETS_KEY is not the one that it was sealed with: restore that key, or enter the connection string again")
	}
	return string(dsn), nil
}
