package pgserver

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"guarda/shared/fault"
)

// unprivileged returns the user to run the server as: nil (ourselves) unless
// we are root; else "postgres" or, where there is none, "nobody".
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "Postgres does not run as root, and this machine has no user \"postgres\" or \"nobody\"").
		Hint("run as another user, or set GUARDA_DATABASE_URL to a running server")
}

// ReachableDir returns dir when the server's user can get there, else a
// folder under /var/lib/guarda that belongs to dir (its name is made from
// dir's path). Root's home, for one, is closed to other users.
func ReachableDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if os.Geteuid() != 0 || reachable(abs) {
		return abs, nil
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join("/var/lib/guarda", hex.EncodeToString(sum[:6])), nil
}

// reachable reports whether everybody may pass through dir's existing parents.
func reachable(dir string) bool {
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		if st, err := os.Stat(d); err == nil && st.Mode().Perm()&0o001 == 0 {
			return false
		}
		if d == filepath.Dir(d) {
			return true
		}
	}
}
