package export

import (
	"io"
	"os"
	"path/filepath"

	"guarda/shared/fault"
)

// ToFile lets write fill a file that comes into being whole or not at all: it is
// written under another name beside it, forced to the disk and then renamed. A
// file of that name is replaced.
func ToFile(path string, write func(io.Writer) error) (err error) {
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	f, err := os.CreateTemp(folder, "."+name+".*.part")
	if err != nil {
		return unwritable(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return unwritable(path, err)
	}
	if err := f.Close(); err != nil {
		return unwritable(path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return unwritable(path, err)
	}
	dir, err := os.Open(folder)
	if err != nil {
		return unwritable(path, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return unwritable(path, err)
	}
	return nil
}

func unwritable(path string, err error) error {
	return fault.New(fault.Unavailable, "the file %s cannot be written", path).
		Hint("see whether its folder is there, may be written to and has room").Because(err)
}
