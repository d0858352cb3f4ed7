package dir_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"guarda/shared/blob"
	"guarda/shared/blob/dir"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

func open(t *testing.T, path string, o dir.Options) *dir.Store {
	t.Helper()
	s, err := dir.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(s blob.Store, key, content string) error {
	_, err := s.Put(context.Background(), key, strings.NewReader(content), blob.PutOptions{})
	return err
}

// files lists the files below path, unfinished ones too.
func files(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			p, err = filepath.Rel(path, p)
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSymbolicLinksDoNotLeadOut(t *testing.T) {
	t.Parallel()
	outside, root := t.TempDir(), t.TempDir()
	if err := os.WriteFile(outside+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, root+"/folder"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside+"/secret", root+"/file"); err != nil {
		t.Fatal(err)
	}
	s := open(t, root, dir.Options{})
	for _, key := range []string{"folder/secret", "file"} {
		if r, err := s.Get(t.Context(), key, 0, -1); err == nil {
			r.Close()
			t.Errorf("get %s leads out of the store", key)
		}
		if _, err := s.Stat(t.Context(), key); err == nil {
			t.Errorf("stat %s leads out of the store", key)
		}
	}
	if err := put(s, "folder/new", "x"); err == nil {
		t.Error("put leads out of the store")
	}
	_ = s.Delete(t.Context(), "folder/secret", "folder/none")
	if got := files(t, outside); !slices.Equal(got, []string{"secret"}) {
		t.Errorf("outside of the store there is now %q", got)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("listed %+v, %v", o, err)
	}
}

func TestOtherThingsInTheFolderAreNotObjects(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := open(t, root, dir.Options{})
	if err := put(s, "a/b", "x"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(root+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root+"/empty", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/not a key", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "pipe", 0, -1); fault.CodeOf(err) != fault.NotFound { // and does not hang
		t.Errorf("get of a pipe: %v", err)
	}
	var got []string
	for o, err := range s.List(t.Context(), "") {
		got = append(got, o.Key)
		if err != nil {
			t.Error(err)
		}
	}
	for f := range s.Folders(t.Context(), "") {
		got = append(got, f)
	}
	if !slices.Equal(got, []string{"a/b", "a/"}) {
		t.Errorf("listed %q", got)
	}
	if err := put(s, ".guarda-tmp/x", "x"); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("put into the folder of unfinished files: %v", err)
	}
}

func TestAKeyIsNotAnObjectAndAFolder(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), dir.Options{})
	if err := put(s, "a/b", "x"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c"} {
		if err := put(s, key, "y"); fault.CodeOf(err) != fault.Conflict || fault.HintOf(err) == "" {
			t.Errorf("put %s beside a/b: %v", key, err)
		}
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Errorf("delete of a folder's name: %v", err)
	}
	if _, err := s.Stat(t.Context(), "a/b"); err != nil {
		t.Errorf("the object is gone: %v", err)
	}
	if got := files(t, strings.TrimPrefix(s.String(), "file://")); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("left behind: %q", got)
	}
}

func TestAFullDiskIsExhaustedAndLeavesNothing(t *testing.T) {
	// A small file system of its own; only root may make one.
	root := t.TempDir()
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(root, 0) })
	s := open(t, root, dir.Options{})
	t.Cleanup(func() { _ = s.Close() })
	if err := put(s, "a/old", "old"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/new", "a/old"} {
		err := put(s, key, strings.Repeat("x", 2<<20))
		if fault.CodeOf(err) != fault.Exhausted || !strings.Contains(fault.HintOf(err), "free space") {
			t.Errorf("put on a full disk: %v, hint %q", err, fault.HintOf(err))
		}
	}
	if got := files(t, root); !slices.Equal(got, []string{"a/old"}) {
		t.Errorf("left behind: %q", got)
	}
	if err := put(s, "a/small", "fits"); err != nil {
		t.Errorf("afterwards a small object does not fit: %v", err)
	}
}

func TestReasonsAreNamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(root+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := dir.Open("relative", dir.Options{})
	checkFault(t, err, fault.Invalid, "file:///")
	_, err = dir.Open(root+"/none", dir.Options{MustExist: true})
	checkFault(t, err, fault.NotFound, "check")
	_, err = dir.Open(root+"/file", dir.Options{MustExist: true})
	checkFault(t, err, fault.Invalid, "check")
	_, err = dir.Open(root+"/file/below", dir.Options{})
	checkFault(t, err, fault.Invalid, "check")
	_, err = dir.Open(root, dir.Options{SigningKey: []byte("short")})
	checkFault(t, err, fault.Invalid, "32")
	s := open(t, root, dir.Options{})
	checkFault(t, put(s, strings.Repeat("a", 300), "x"), fault.Invalid, "shorter")
	_, err = s.SignedURL(t.Context(), "file", blob.SignOptions{TTL: time.Minute})
	checkFault(t, err, fault.Unavailable, "local stack")
	if _, err := s.CheckLink("file", nil); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("a link for a store without a signing key: %v", err)
	}
}

func checkFault(t *testing.T, err error, code fault.Code, hint string) {
	t.Helper()
	if fault.CodeOf(err) != code || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("got %v (code %s, hint %q), want the code %s and a hint with %q", err, fault.CodeOf(err), fault.HintOf(err), code, hint)
	}
}

func TestOldUnfinishedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.Mkdir(root+"/.guarda-tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	written := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{"old": 0, "young": 2 * time.Hour} {
		path := root + "/.guarda-tmp/" + name
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written.Add(age), written.Add(age)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, root, dir.Options{Clock: clock.At(written.Add(25 * time.Hour))})
	if got := files(t, root); !slices.Equal(got, []string{".guarda-tmp/young"}) {
		t.Errorf("left are %q", got)
	}
}

// killVariable makes this test program a writer that is to be killed.
const killVariable = "GUARDA_TEST_DIR_WRITER"

func TestMain(m *testing.M) {
	if root := os.Getenv(killVariable); root != "" {
		writeUntilKilled(root)
	}
	os.Exit(m.Run())
}

const hotSize = 3 << 20 // bytes

// writeUntilKilled replaces the object "a/hot" again and again; each version
// is one byte repeated.
func writeUntilKilled(root string) {
	s, err := dir.Open(root, dir.Options{})
	for i := 0; err == nil; i++ {
		content := bytes.Repeat([]byte{byte('a' + i%26)}, hotSize)
		_, err = s.Put(context.Background(), "a/hot", bytes.NewReader(content), blob.PutOptions{})
		fmt.Println(i)
	}
	fmt.Println(err)
	os.Exit(1)
}

func TestAKilledPutLeavesAWholeObject(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killVariable+"="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && lines.Text() != "1" { // let it replace at least once
		}
		<-time.After(time.Duration(round) * 700 * time.Microsecond) // somewhere else in the put each time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		s := open(t, root, dir.Options{})
		r, err := s.Get(t.Context(), "a/hot", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil || len(b) != hotSize || bytes.Count(b, b[:1]) != hotSize {
			t.Fatalf("after the kill the object has %d bytes of several writes, error %v", len(b), err)
		}
		var listed []string
		for o := range s.List(t.Context(), "") {
			listed = append(listed, o.Key)
		}
		if !slices.Equal(listed, []string{"a/hot"}) {
			t.Errorf("listed %q", listed)
		}
	}
}
