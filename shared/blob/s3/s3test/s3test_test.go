package s3test_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"guarda/shared/blob/s3/s3test"
)

const childVariable = "GUARDA_TEST_S3_CHILD"

// TestChild is the test program that TestTheServerEndsWithAKilledTestProgram
// kills.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	fmt.Println(s3test.Start(t).Endpoint)
	select {}
}

func TestTheServerEndsWithAKilledTestProgram(t *testing.T) {
	t.Parallel()
	s3test.Start(t) // skips where there is no server
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	temp := t.TempDir()
	cmd.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	endpoint := lines.Text()
	if !strings.HasPrefix(endpoint, "http://127.0.0.1:") || !answers(endpoint) {
		t.Errorf("the server at %q does not answer", endpoint)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 200 {
		left, err := os.ReadDir(temp)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 && !answers(endpoint) {
			return
		}
		<-time.After(25 * time.Millisecond)
	}
	t.Errorf("the server at %s or its folder is still there", endpoint)
}

func answers(endpoint string) bool {
	res, err := http.Get(endpoint + "/health")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
