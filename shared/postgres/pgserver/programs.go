package pgserver

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	embedded "github.com/fergusstrange/embedded-postgres"

	"guarda/shared/fault"
)

// Find returns the folder of a PostgreSQL server's programs: the newest one
// installed on this machine, else one that is fetched once and kept in the
// user's cache.
func Find(ctx context.Context) (string, error) {
	if dirs := Installed(); len(dirs) > 0 {
		return dirs[0], nil
	}
	return fetch(ctx, embedded.V17)
}

// Fetch returns the folder of a major version's server programs (13 to 18),
// fetched once and kept in the user's cache. It has no client programs.
func Fetch(ctx context.Context, major int) (string, error) {
	// The library's own 13 was never published for Linux.
	for _, v := range []embedded.PostgresVersion{"13.22.0", embedded.V14, embedded.V15, embedded.V16, embedded.V17, embedded.V18} {
		if strings.HasPrefix(string(v), strconv.Itoa(major)+".") {
			return fetch(ctx, v)
		}
	}
	return "", fault.New(fault.Invalid, "no programs of PostgreSQL %d can be fetched", major).Hint("choose 13 to 18")
}

// Installed lists the folders of PostgreSQL servers on this machine, newest
// major version first: those of the usual packages, then PATH's.
func Installed() []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin"} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	slices.SortFunc(dirs, func(a, b string) int { return majorIn(b) - majorIn(a) })
	if p, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	return slices.DeleteFunc(dirs, func(d string) bool { return !executable(d, "postgres") || !executable(d, "initdb") })
}

func majorIn(dir string) int {
	for part := range strings.SplitSeq(dir, "/") {
		digits := strings.TrimLeft(part, "pgsqlotre-@")
		if n, err := strconv.Atoi(digits); err == nil {
			return n
		}
	}
	return 0
}

func executable(dir, name string) bool {
	st, err := os.Stat(filepath.Join(dir, name))
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// fetch brings the server's programs with the embedded-postgres library. The
// library downloads, checks and unpacks only as the first steps of starting a
// server, so a start on a throw-away cluster is made; as root that start
// fails after the unpacking, which is all we need.
func fetch(ctx context.Context, version embedded.PostgresVersion) (string, error) {
	base, err := cacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(base, "postgres-"+string(version))
	bin := filepath.Join(home, "bin")
	if executable(bin, "postgres") && executable(bin, "initdb") {
		return bin, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("make cache for the Postgres server: %w", err)
	}
	unlock, err := lockFile(filepath.Join(base, ".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if executable(bin, "postgres") && executable(bin, "initdb") {
		return bin, nil
	}
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(base, "unpack-")
	if err != nil {
		return "", fmt.Errorf("make folder to unpack the Postgres server: %w", err)
	}
	defer os.RemoveAll(tmp)
	unpacked := filepath.Join(tmp, "programs")
	db := embedded.NewDatabase(embedded.DefaultConfig().
		Version(version).Port(uint32(port)).Logger(io.Discard).
		CachePath(filepath.Join(tmp, "download")).BinariesPath(unpacked).
		RuntimePath(filepath.Join(tmp, "run")).DataPath(filepath.Join(tmp, "data")))
	startErr := db.Start()
	if startErr == nil {
		_ = db.Stop()
	}
	if !executable(filepath.Join(unpacked, "bin"), "postgres") {
		return "", fault.New(fault.Unavailable, "no PostgreSQL server was found on this machine, and none could be fetched").
			Hint("install PostgreSQL 14 or newer (Debian: apt-get install postgresql), or set GUARDA_DATABASE_URL").Because(startErr)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(unpacked, home); err != nil {
		return "", fmt.Errorf("move the fetched Postgres server into place: %w", err)
	}
	return bin, nil
}

// cacheDir is where fetched programs are kept. Root's own cache is closed to
// the user that the server runs as, so root uses a folder all may enter.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/guarda", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fault.New(fault.Unavailable, "no cache folder for the Postgres server").Because(err)
	}
	return filepath.Join(dir, "guarda"), nil
}

func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
