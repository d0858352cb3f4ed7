// Package s3test gives tests a real S3 server on this machine, versitygw: one
// server per test program, a bucket per test.
package s3test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sys/unix"

	"guarda/shared/blob/s3"
)

// StrictVariable names the environment variable that makes a missing server
// fail tests instead of skipping them.
const StrictVariable = "GUARDA_TEST_STRICT"

// Server is a running S3 server. Its credentials are those of an
// administrator.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	AccessKey string
	SecretKey string

	lifeline io.Closer // our end of the watcher's standard input
	done     chan struct{}
	log      string
}

var shared = sync.OnceValues(func() (*Server, error) {
	program, err := Program()
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ { // another program may take the port before the server does
		s, err := launch(program)
		if err == nil || attempt == 2 {
			return s, err
		}
	}
})

// Start returns the test program's server, which it starts at the first call.
// The server ends with the test program, also when that is killed. Without a
// server the test is skipped, or fails where GUARDA_TEST_STRICT is set.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	switch {
	case err == nil:
		return s
	case os.Getenv(StrictVariable) != "":
		t.Fatalf("no S3 server for the tests: %v", err)
	default:
		t.Skipf("no S3 server for the tests: %v", err)
	}
	return nil
}

// Credentials are the server's, for s3.Options.
func (s *Server) Credentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")
}

// Env are the variables that give a child process the server's credentials,
// and keep it from looking for others.
func (s *Server) Env() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Client returns the SDK's client, to look behind the store's back.
func (s *Server) Client() *awss3.Client {
	return awss3.New(awss3.Options{
		BaseEndpoint: &s.Endpoint, UsePathStyle: true, Region: "us-east-1", Credentials: s.Credentials(),
	})
}

// Bucket makes an empty bucket and returns its name. It is not removed: the
// server's folder is, when it ends.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "guarda-" + randomHex(8)
	if _, err := s.Client().CreateBucket(context.Background(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	return name
}

// URL returns the store URL of a new bucket, with prefix in it.
func (s *Server) URL(t testing.TB, prefix string) string {
	t.Helper()
	return "s3://" + s.Bucket(t) + "/" + prefix + "?" + url.Values{"endpoint": {s.Endpoint}, "region": {"us-east-1"}}.Encode()
}

// Store opens a store in a new bucket of the test program's server.
func Store(t testing.TB, prefix string) *s3.Store {
	t.Helper()
	s := Start(t)
	o, err := s3.ParseURL(s.URL(t, prefix))
	if err != nil {
		t.Fatal(err)
	}
	o.Credentials = s.Credentials()
	store, err := s3.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// watcherScript starts the server as its child and waits until its own
// standard input ends (the test program has ended) or the server does; then
// it ends the server and removes the server's folder.
const watcherScript = `
dir=$1; shift
exec 3<&0
"$@" </dev/null >"$dir/log" 2>&1 3<&- &
pid=$!
exec >/dev/null 2>&1
cat <&3 &
cat=$!
( exec 3<&-; while kill -0 $pid && kill -0 $cat; do sleep 0.1; done; kill $cat ) &
wait $cat
kill -KILL $pid
wait $pid
rm -rf "$dir"
`

func launch(program string) (*Server, error) {
	dir, err := os.MkdirTemp("", "guarda-s3test-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Endpoint:  "http://" + port,
		AccessKey: "guarda" + randomHex(5),
		SecretKey: randomHex(20),
		done:      make(chan struct{}),
		log:       filepath.Join(dir, "log"),
	}
	for _, sub := range []string{"data", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	args := []string{"-c", watcherScript, "guarda-s3test", dir, program,
		"--port", port, "--region", "us-east-1", "--health", "/health", "--quiet", "--keep-alive", "posix"}
	if !hasAttributes(dir) {
		args = append(args, "--sidecar", filepath.Join(dir, "meta"))
	}
	cmd := exec.Command("/bin/sh", append(args, filepath.Join(dir, "data"))...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + dir, "TMPDIR=" + dir, "ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.lifeline, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(s.done)
	}()
	if err := s.await(); err != nil {
		_ = s.lifeline.Close()
		return nil, err
	}
	return s, nil
}

// await waits until the server answers.
func (s *Server) await() error {
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := http.Get(s.Endpoint + "/health")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(res.Status)
		}
		select {
		case <-tick.C:
		case <-s.done:
			return errors.New("versitygw ended while starting")
		case <-deadline:
			text, _ := os.ReadFile(s.log)
			return fmt.Errorf("versitygw did not answer: %w: %s", err, bytes.TrimSpace(text))
		}
	}
}

// hasAttributes reports whether files in dir can have the extended attributes
// in which versitygw keeps what it knows of an object.
func hasAttributes(dir string) bool {
	probe := filepath.Join(dir, "probe")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return false
	}
	defer os.Remove(probe)
	return unix.Setxattr(probe, "user.guarda", []byte("1"), 0) == nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return strings.ToLower(hex.EncodeToString(b))
}
