// Package dir is a blob.Store in a folder: a local disk, or a mounted share.
//
// An object is a file at <root>/<key>. It is first written to a file in
// <root>/.guarda-tmp, synced, and then renamed (or linked, for IfAbsent) to
// its name, so a reader sees all of it or nothing, also after a crash of the
// machine. Every path is resolved inside the root by the kernel (os.Root), so
// neither ".." nor a symbolic link leads out of it.
//
// Two things differ from an object store. A key cannot be an object and a
// folder at once ("a" and "a/b"): the second one is fault.Conflict. And a
// segment of a key has at most the 255 bytes that file systems take.
package dir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/internal/body"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

const (
	tempFolder = ".guarda-tmp"
	// tempLife is after how long an unfinished file is taken for that of a dead
	// process. A living one writes to its file much more often.
	tempLife = 24 * time.Hour

	folderMode = 0o700
	fileMode   = 0o600
	copyBuffer = 64 << 10 // bytes
)

// Options are the options of Open. The zero value is usable.
type Options struct {
	// MustExist makes Open fail for a folder that does not exist, instead of
	// making it: for callers that only read.
	MustExist bool
	// SigningKey is the secret of signed links, at least 16 bytes; without it
	// SignedURL fails.
	SigningKey []byte
	// BaseURL is where package dirhttp serves the store; signed links start
	// with it.
	BaseURL string
	// Clock dates and checks signed links; nil is the system's.
	Clock clock.Clock
}

// Store is a blob.Store in a folder. It is safe for concurrent use, by
// several processes too.
type Store struct {
	path string
	root *os.Root
	opts Options
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in the folder at the absolute path, and removes
// unfinished files that dead processes left there.
func Open(path string, opts Options) (*Store, error) {
	if !filepath.IsAbs(path) {
		return nil, fault.New(fault.Invalid, "the store's folder %q is not an absolute path", path).
			Hint("write it as file:///folder, with three slashes")
	}
	path = filepath.Clean(path)
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	if len(opts.SigningKey) > 0 && len(opts.SigningKey) < 16 {
		return nil, fault.New(fault.Invalid, "the key for signed links has fewer than 16 bytes").Hint("use 32 random bytes")
	}
	if !opts.MustExist {
		if err := os.MkdirAll(path, folderMode); err != nil {
			return nil, openError(path, err)
		}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, openError(path, err)
	}
	s := &Store{path: path, root: root, opts: opts}
	s.sweep()
	return s, nil
}

func openError(path string, err error) error {
	st, serr := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "the store's folder %s does not exist", path).
			Hint("check the store's URL; the first backup makes the folder").Because(err)
	case errors.Is(err, syscall.ENOTDIR) || serr == nil && !st.IsDir():
		return fault.New(fault.Invalid, "the store's path %s is not a folder", path).
			Hint("check the store's URL").Because(err)
	}
	return explain("file://"+path, err)
}

// Close lets go of the folder. Readers that are open stay usable.
func (s *Store) Close() error { return s.root.Close() }

func (s *Store) String() string { return "file://" + s.path }

// sweep removes unfinished files of dead processes. It is a courtesy: an
// error leaves them for the next time.
func (s *Store) sweep() {
	for _, e := range s.entries(tempFolder) {
		name := path.Join(tempFolder, e.Name())
		if st, err := s.root.Lstat(name); err == nil && st.Mode().IsRegular() && s.opts.Clock.Now().Sub(st.ModTime()) > tempLife {
			_ = s.root.Remove(name)
		}
	}
}

// check reports whether key is valid here.
func (s *Store) check(key string) error {
	if err := blob.ValidKey(key); err != nil {
		return err
	}
	if first, _, _ := strings.Cut(key, "/"); first == tempFolder {
		return fault.New(fault.Invalid, "object key %q is in the folder of unfinished files", key)
	}
	return nil
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, src io.Reader, opts blob.PutOptions) (blob.Object, error) {
	if err := s.check(key); err != nil {
		return blob.Object{}, err
	}
	if opts.IfAbsent { // spare the transfer; the link below decides
		if _, err := s.root.Lstat(key); err == nil {
			return blob.Object{}, blob.ExistsError(s, key)
		}
	}
	temp, f, err := s.temp()
	if err != nil {
		return blob.Object{}, s.explain(err)
	}
	defer func() { _ = s.root.Remove(temp) }() // gone already when all went well
	in := body.New(ctx, src)
	modified, err := fill(f, in)
	switch {
	case in.Err() != nil:
		return blob.Object{}, fmt.Errorf("put %s: %w", key, in.Err())
	case err != nil:
		return blob.Object{}, s.explain(err)
	case ctx.Err() != nil:
		return blob.Object{}, body.Ended(ctx)
	}
	if err := s.place(temp, key, opts.IfAbsent); err != nil {
		if opts.IfAbsent && errors.Is(err, fs.ErrExist) {
			return blob.Object{}, blob.ExistsError(s, key)
		}
		return blob.Object{}, s.explain(err)
	}
	return blob.Object{Key: key, Size: in.Size(), Modified: modified, SHA256: in.SHA256()}, nil
}

// temp makes an empty unfinished file.
func (s *Store) temp() (name string, f *os.File, err error) {
	if err := s.root.Mkdir(tempFolder, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", nil, err
	}
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand.Read
	name = path.Join(tempFolder, hex.EncodeToString(random[:]))
	f, err = s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	return name, f, err
}

// fill copies src to f and makes it durable. f is closed in every case.
func fill(f *os.File, src io.Reader) (modified time.Time, err error) {
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, src, make([]byte, copyBuffer))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		var st fs.FileInfo
		if st, err = f.Stat(); err == nil {
			modified = st.ModTime().UTC()
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return modified, err
}

// place gives the finished file its name and makes the name durable.
func (s *Store) place(temp, key string, ifAbsent bool) error {
	folder := path.Dir(key)
	for attempt := 0; ; attempt++ {
		err := s.root.MkdirAll(folder, folderMode)
		if err == nil && ifAbsent {
			err = s.link(temp, key)
		} else if err == nil {
			err = s.root.Rename(temp, key)
		}
		// Delete may take away the folder while it is empty: make it again.
		if errors.Is(err, fs.ErrNotExist) && attempt < 20 {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	// The folders above may be new, if not by this call then by one that has
	// not synced them yet.
	for ; ; folder = path.Dir(folder) {
		if err := s.sync(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if folder == "." {
			return nil
		}
	}
}

// link gives the file a name that nobody has. On a file system without links
// (exFAT, some shares) it looks whether somebody has it, and renames.
func (s *Store) link(temp, key string) error {
	err := s.root.Link(temp, key)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if _, err := s.root.Lstat(key); err == nil {
		return fs.ErrExist
	}
	return s.root.Rename(temp, key)
}

func (s *Store) sync(folder string) error {
	f, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some shares cannot sync folders
		return err
	}
	return nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := blob.ValidRange(offset); err != nil {
		return nil, err
	}
	f, _, err := s.OpenFile(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, s.explain(err)
	}
	var r io.Reader = f
	if length >= 0 {
		r = io.LimitReader(f, length)
	}
	return &reader{ctx: ctx, r: r, file: f, store: s}, nil
}

type reader struct {
	ctx   context.Context
	r     io.Reader
	file  *os.File
	store *Store
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, body.Ended(r.ctx)
	}
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = r.store.explain(err)
	}
	return n, err
}

func (r *reader) Close() error { return r.file.Close() }

// OpenFile opens the object's file for reading. The caller closes it.
func (s *Store) OpenFile(ctx context.Context, key string) (*os.File, blob.Object, error) {
	if err := s.check(key); err != nil {
		return nil, blob.Object{}, err
	}
	if ctx.Err() != nil {
		return nil, blob.Object{}, body.Ended(ctx)
	}
	// Without O_NONBLOCK the opening of a named pipe would wait for a writer.
	f, err := s.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, blob.Object{}, s.absent(key, err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, blob.Object{}, s.absent(key, err)
	}
	return f, describe(key, st), nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Object, error) {
	if err := s.check(key); err != nil {
		return blob.Object{}, err
	}
	if ctx.Err() != nil {
		return blob.Object{}, body.Ended(ctx)
	}
	st, err := s.root.Stat(key)
	if err == nil && !st.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return blob.Object{}, s.absent(key, err)
	}
	return describe(key, st), nil
}

func describe(key string, st fs.FileInfo) blob.Object {
	return blob.Object{Key: key, Size: st.Size(), Modified: st.ModTime().UTC()}
}

// absent explains an error of opening key.
func (s *Store) absent(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return blob.NotFoundError(s, key)
	}
	return s.explain(err)
}

func (s *Store) explain(err error) error { return explain(s.String(), err) }

// explain turns an error of the file system into one for people.
func explain(store string, err error) error {
	is := func(causes ...syscall.Errno) bool {
		for _, c := range causes {
			if errors.Is(err, c) {
				return true
			}
		}
		return false
	}
	switch {
	case is(syscall.ENOSPC):
		return fault.New(fault.Exhausted, "the disk of the store %s is full", store).
			Hint("free space there, or move the store to a larger disk; nothing unfinished was left behind").Because(err)
	case is(syscall.EDQUOT):
		return fault.New(fault.Exhausted, "the disk quota of the store %s is used up", store).
			Hint("free space there, or ask for a larger quota; nothing unfinished was left behind").Because(err)
	case is(syscall.EFBIG):
		return fault.New(fault.Exhausted, "the file system of the store %s does not take a file this large", store).
			Hint("use a file system or a file size limit (ulimit -f) that does").Because(err)
	case is(syscall.EMFILE, syscall.ENFILE):
		return fault.New(fault.Exhausted, "too many files are open to use the store %s", store).
			Hint("raise the limit of open files (ulimit -n)").Because(err)
	case is(syscall.EACCES, syscall.EPERM):
		return fault.New(fault.Forbidden, "the store %s does not permit this", store).
			Hint("let the user that runs this read and write the folder").Because(err)
	case is(syscall.EROFS):
		return fault.New(fault.Forbidden, "the store %s is on a disk that is mounted read-only", store).
			Hint("mount it for writing, or use another store").Because(err)
	case is(syscall.ENAMETOOLONG):
		return fault.New(fault.Invalid, "a name is longer than the file system of the store %s takes", store).
			Hint("use a shorter prefix or source name").Because(err)
	case is(syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENOTEMPTY):
		return fault.New(fault.Conflict, "in the store %s a file stands where a folder is needed, or the reverse", store).
			Hint("look at the path named in the cause and move what does not belong there").Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "the folder of the store %s has disappeared", store).
			Hint("see whether its disk is still mounted").Because(err)
	}
	return fault.New(fault.Unavailable, "the store %s cannot be used", store).
		Hint("see the cause; if the folder is on a share, see whether it is connected").Because(err)
}
