package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"

	"guarda/shared/fault"
)

// maxLine is how much of a line is kept, in bytes.
const maxLine = 64 << 10

// logInput is a log that is read, decompressed if it has to be.
type logInput struct {
	io.Reader
	name   string
	format string // of the compression
	close  []func() error
}

// openLog opens a log; "-" is in.
func openLog(path string, in io.Reader) (*logInput, error) {
	l := &logInput{name: path}
	if path == "-" {
		l.name = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, l.opening(err)
		}
		if st, err := f.Stat(); err == nil && st.IsDir() {
			f.Close()
			return nil, fault.New(fault.Invalid, "%s is a folder, not a log", path).Hint("name a file, or - for standard input")
		}
		l.close = append(l.close, f.Close)
		in = f
	}
	buffered := bufio.NewReaderSize(in, 1<<16)
	l.Reader = buffered
	magic, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		_ = l.Close()
		return nil, l.explain(err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			_ = l.Close()
			return nil, fault.New(fault.Corrupt, "read %s: it is not valid %s", l.name, "gzip")
		}
		l.Reader, l.format = z, "gzip"
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			_ = l.Close()
			return nil, fault.New(fault.Corrupt, "read %s: it is not valid %s", l.name, "zstd")
		}
		l.Reader, l.format = z, "zstd"
		l.close = append(l.close, func() error { z.Close(); return nil })
	}
	return l, nil
}

func (l *logInput) opening(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "there is no file %s", l.name).Hint("name a file, or - for standard input")
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Forbidden, "%s may not be read", l.name)
	}
	return l.explain(err)
}

// explain says what failed when the log was read.
func (l *logInput) explain(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case l.format != "":
		return fault.New(fault.Corrupt, "read %s: it is not valid %s", l.name, l.format).Because(err)
	}
	return fault.New(fault.Unavailable, "read %s", l.name).Because(err)
}

// Close closes what was opened.
func (l *logInput) Close() error {
	var errs []error
	for i := len(l.close) - 1; i >= 0; i-- {
		errs = append(errs, l.close[i]())
	}
	return errors.Join(errs...)
}

// lineReader reads lines of any length, of which it keeps the first maxLine
// bytes.
type lineReader struct{ in *bufio.Reader }

// next returns the next line without its end; it is valid until the next call.
// A last line needs no end. After the last comes io.EOF.
func (l lineReader) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	switch {
	case err == nil:
		return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
	case err == io.EOF && len(line) > 0:
		return bytes.TrimSuffix(line, []byte{'\r'}), nil
	case err != bufio.ErrBufferFull:
		return nil, err
	}
	line = bytes.Clone(line)
	for err == bufio.ErrBufferFull {
		_, err = l.in.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return line, nil
}
