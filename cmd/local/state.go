package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"guarda/shared/fault"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/seal"
)

// state is the folder that a second start finds again.
type state struct {
	dir     string
	fresh   bool // this start made the secrets
	secrets secrets
	unlock  func()
}

// secrets are made at the first start.
type secrets struct {
	JWT              string `json:"jwt_secret"`
	SecretsKey       string `json:"secrets_key"` // 32 bytes in base64: seals what sources' connection strings hold
	LinkKey          string `json:"link_key"`    // signs links to objects of the store
	PostgresPassword string `json:"postgres_password"`
}

func (s *state) path(name string) string { return filepath.Join(s.dir, name) }
func (s *state) keyFile() string         { return s.path("guarda.key") }

// openState makes the folder if needed and takes its lock: two stacks on one
// folder would end each other's Postgres.
func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Unavailable, "the folder %s cannot be made", dir).Because(err)
	}
	// When we are root the server of Postgres runs as another user, who must
	// get through (not read) this folder. What is in it is closed by itself.
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.Chmod(dir, mode); err != nil {
		return nil, fmt.Errorf("close the folder to others: %w", err)
	}
	s := &state{dir: dir}
	if err := s.lock(); err != nil {
		return nil, err
	}
	for _, sub := range []string{"logs", "store"} {
		if err := os.MkdirAll(s.path(sub), 0o700); err != nil {
			s.unlock()
			return nil, err
		}
	}
	if err := s.readSecrets(); err != nil {
		s.unlock()
		return nil, err
	}
	if _, err := os.Stat(s.keyFile()); errors.Is(err, fs.ErrNotExist) {
		if err := seal.GenerateKeyFile(s.keyFile()); err != nil {
			s.unlock()
			return nil, err
		}
	}
	return s, nil
}

func (s *state) lock() error {
	f, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fault.New(fault.Conflict, "another local stack is running on %s", s.dir).Hint("stop it, or choose another folder with -data")
	}
	s.unlock = func() { f.Close() }
	return nil
}

func (s *state) readSecrets() error {
	path := s.path("secrets.json")
	b, err := os.ReadFile(path)
	if err == nil {
		if err = json.Unmarshal(b, &s.secrets); err != nil {
			return fault.New(fault.Corrupt, "the file %s cannot be read", path).Hint("make clean-data forgets everything and starts anew").Because(err)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.fresh = true
	s.secrets = secrets{JWT: rand.Text() + rand.Text(), SecretsKey: base64.StdEncoding.EncodeToString(random(32)), LinkKey: rand.Text() + rand.Text(), PostgresPassword: rand.Text()}
	if b, err = json.MarshalIndent(s.secrets, "", "  "); err != nil {
		return err
	}
	return s.write("secrets.json", string(b)+"\n")
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// write replaces a small file of ours, whole or not at all, closed to others.
func (s *state) write(name, text string) error {
	tmp := s.path(name + ".new")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(tmp, s.path(name))
}

// read returns a small file of ours without its line end; "" if there is none.
func (s *state) read(name string) string {
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// password is the administrator's: the given one, else that of before, else a
// new one.
func (s *state) password(given string) (string, error) {
	pw := given
	if pw == "" {
		pw = s.read("admin-password")
	}
	if pw == "" {
		pw = rand.Text()[:16]
	}
	return pw, s.write("admin-password", pw+"\n")
}

// postgresDir is where the cluster lives. A cluster that is there although the
// secrets are new belongs to a state that was removed by hand; nobody knows
// its password any more, so it is put aside.
func (s *state) postgresDir() (string, error) {
	dir, err := pgserver.ReachableDir(s.path("postgres"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil && s.fresh {
		if err := os.Rename(dir, dir+".left-"+strings.ToLower(rand.Text()[:6])); err != nil {
			return "", fmt.Errorf("put an old database cluster aside: %w", err)
		}
	}
	return dir, os.MkdirAll(filepath.Dir(dir), 0o755)
}

// forgetState removes everything that a stack left.
func forgetState(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := &state{dir: dir}
	if _, err := os.Stat(s.path("secrets.json")); err != nil {
		return fault.New(fault.Invalid, "the folder %s is not a local stack's, so it is not removed", dir)
	}
	if err := s.lock(); err != nil {
		return err
	}
	defer s.unlock()
	postgres, err := pgserver.ReachableDir(s.path("postgres"))
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(postgres), os.RemoveAll(dir))
}
