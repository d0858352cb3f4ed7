package dir

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"guarda/shared/blob"
	"guarda/shared/blob/internal/body"
)

// List implements blob.Store. Objects that come or go meanwhile may or may
// not be seen. Memory is that of the names in one folder per level.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		if err := blob.ValidPrefix(prefix); err != nil {
			yield(blob.Object{}, err)
			return
		}
		folder := ""
		if cut := strings.LastIndexByte(prefix, '/'); cut >= 0 {
			folder = prefix[:cut+1]
		}
		s.walk(ctx, folder, prefix, yield)
	}
}

// walk yields the objects below folder ("" or ending in '/') that start with
// prefix, in byte order. It returns false when the caller wants no more.
func (s *Store) walk(ctx context.Context, folder, prefix string, yield func(blob.Object, error) bool) bool {
	names, err := s.read(folder)
	if err != nil {
		yield(blob.Object{}, s.explain(err))
		return false
	}
	for _, name := range names {
		if ctx.Err() != nil {
			yield(blob.Object{}, body.Ended(ctx))
			return false
		}
		key := folder + name
		if below, isFolder := strings.CutSuffix(key, "/"); isFolder {
			if (strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key)) && below != tempFolder && !s.walk(ctx, key, prefix, yield) {
				return false
			}
			continue
		}
		if !strings.HasPrefix(key, prefix) || blob.ValidKey(key) != nil {
			continue
		}
		st, err := s.root.Lstat(key)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !st.Mode().IsRegular() {
			continue // deleted, or replaced by something else, since we looked
		}
		if err != nil {
			yield(blob.Object{}, s.explain(err))
			return false
		}
		if !yield(describe(key, st), nil) {
			return false
		}
	}
	return true
}

// read returns the names in a folder ("" or ending in '/'), those of folders
// with a '/' at the end, so that sorting them sorts the keys below. A folder
// that does not exist is empty.
func (s *Store) read(folder string) ([]string, error) {
	f, err := s.root.Open(path.Clean(folder + "."))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil // deleted since we opened it, or an object after all
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		switch {
		case e.IsDir():
			names = append(names, e.Name()+"/")
		case e.Type().IsRegular():
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// entries is read for a folder of which errors do not matter.
func (s *Store) entries(folder string) []fs.DirEntry {
	f, err := s.root.Open(folder)
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, _ := f.ReadDir(-1)
	return entries
}

// Folders implements blob.Store.
func (s *Store) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := blob.ValidFolder(prefix); err != nil {
			yield("", err)
			return
		}
		names, err := s.read(prefix)
		if err != nil {
			yield("", s.explain(err))
			return
		}
		for _, name := range names {
			if ctx.Err() != nil {
				yield("", body.Ended(ctx))
				return
			}
			if !strings.HasSuffix(name, "/") || prefix+name == tempFolder+"/" {
				continue
			}
			switch full, err := s.holdsObject(ctx, prefix+name); {
			case err != nil:
				yield("", err)
				return
			case full && !yield(name, nil):
				return
			}
		}
	}
}

// holdsObject reports whether there is an object below folder: an empty
// folder, which a killed Put can leave, is not a folder of the store.
func (s *Store) holdsObject(ctx context.Context, folder string) (found bool, err error) {
	s.walk(ctx, folder, folder, func(_ blob.Object, e error) bool {
		found, err = e == nil, e
		return false
	})
	return found, err
}

// Delete implements blob.Store. Folders that become empty go too. The
// deletions are durable when it returns.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := s.check(key); err != nil {
			return err
		}
	}
	touched := map[string]bool{}
	for _, key := range keys {
		if ctx.Err() != nil {
			return body.Ended(ctx)
		}
		folder := path.Dir(key)
		switch err := s.unlink(folder, path.Base(key), 0); {
		case err == nil:
			touched[s.prune(folder)] = true
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.EISDIR) && !isFolder(s.root, key):
			return s.explain(err)
		}
	}
	for folder := range touched {
		if err := s.sync(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.explain(err)
		}
	}
	return nil
}

func isFolder(root *os.Root, name string) bool {
	st, err := root.Lstat(name)
	return err == nil && st.IsDir()
}

// prune removes folder and those above it as long as they are empty, and
// returns the lowest that stays.
func (s *Store) prune(folder string) string {
	for folder != "." && s.unlink(path.Dir(folder), path.Base(folder), unix.AT_REMOVEDIR) == nil {
		folder = path.Dir(folder)
	}
	return folder
}

// unlink removes a file, or with AT_REMOVEDIR an empty folder; never the one
// for the other, which os.Root.Remove would do.
func (s *Store) unlink(folder, name string, flags int) error {
	f, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Unlinkat(int(f.Fd()), name, flags); err != nil {
		return &fs.PathError{Op: "unlink", Path: path.Join(folder, name), Err: err}
	}
	return nil
}
