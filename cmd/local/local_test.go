package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

func TestTheStateSurvivesAndIsClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !s.fresh {
		t.Error("the first start finds secrets")
	}
	if _, err := openState(dir); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a second stack on the same folder: %v", err)
	}
	pw, err := s.password("")
	if err != nil || len(pw) < 12 {
		t.Errorf("password %q, %v", pw, err)
	}
	key, err := os.ReadFile(s.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	s.unlock()
	again, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.unlock()
	if again.fresh || again.secrets != s.secrets {
		t.Error("the second start has other secrets")
	}
	if got, _ := again.password(""); got != pw {
		t.Errorf("the second start has the password %q, not %q", got, pw)
	}
	if got, _ := again.password("given"); got != "given" || again.read("admin-password") != "given" {
		t.Errorf("a given password becomes %q", got)
	}
	if now, _ := os.ReadFile(again.keyFile()); !bytes.Equal(now, key) {
		t.Error("the key file was replaced")
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if path != dir && info.Mode().Perm()&0o077 != 0 || info.Mode().Perm()&0o066 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestForgetRemovesOnlyWhatIsAStacks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := forgetState(dir); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a folder of somebody else: %v", err)
	}
	mine := filepath.Join(dir, "state")
	s, err := openState(mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := forgetState(mine); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the folder of a running stack: %v", err)
	}
	s.unlock()
	if err := forgetState(mine); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mine); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := forgetState(mine); err != nil {
		t.Errorf("forgetting twice: %v", err)
	}
}

func TestFunctionsGetLocalValuesForCloudOnes(t *testing.T) {
	t.Parallel()
	o := overlay{databaseURL: "postgres://local", storeURL: "file:///store", keyFile: "/key", secrets: secrets{JWT: "j", SecretsKey: "s", LinkKey: "l"}, filesURL: "http://files", controlURL: "http://control", adminPassword: "pw"}
	fn := &template.Function{ID: "F", EnvLines: map[string]int{"OTHER": 9}, Environment: map[string]string{
		"GUARDA_SECRET_ARN": "arn:x", "GUARDA_KMS_KEY_ARN": "arn:y", "GUARDA_STORE_URL": "s3://bucket", "GUARDA_WORKER_FUNCTION": "guarda-worker",
		"GUARDA_ADMIN_PASSWORD": "{{resolve:secretsmanager:x}}",
	}}
	env, err := o.environment("template.yaml", fn)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{
		"GUARDA_SECRET_ARN": "", "GUARDA_KMS_KEY_ARN": "", "GUARDA_STORE_URL": "file:///store", "GUARDA_DATABASE_URL": "postgres://local", "GUARDA_KEY_FILE": "/key",
		"GUARDA_WORKER_FUNCTION": "guarda-worker", "GUARDA_ADMIN_PASSWORD": "pw", "AWS_ENDPOINT_URL_LAMBDA": "http://control", "AWS_ENDPOINT_URL_SNS": "http://control/sns", "GUARDA_LOCAL": "1",
		"GUARDA_DIR_SIGNING_KEY": "l", "GUARDA_DIR_BASE_URL": "http://files", "GUARDA_JWT_SECRET": "j", "GUARDA_SECRETS_KEY": "s",
	} {
		if env[k] != want {
			t.Errorf("%s is %q, want %q", k, env[k], want)
		}
	}
	fn.Environment["OTHER"] = "{{resolve:ssm:x}}"
	if _, err := o.environment("template.yaml", fn); err == nil || !strings.Contains(err.Error(), "template.yaml:9: the variable OTHER") {
		t.Errorf("a secret that has no local value: %v", err)
	}
}

func TestABusyPortIsToldAtOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &stack{settings: settings{port: l.Addr().(*net.TCPAddr).Port}, clock: clock.System{}, say: func(string, ...any) {}}
	if err := s.serve(); fault.CodeOf(err) != fault.Conflict || !strings.Contains(fault.HintOf(err), "make run PORT=") {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
}

func TestMissingProgramsAreNamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "build/a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "build/a/bootstrap"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &stack{settings: settings{root: root}, template: &template.Template{Functions: []*template.Function{{CodeURI: "build/a"}, {CodeURI: "build/b"}}}}
	err := s.checkBuild()
	if err == nil || !strings.Contains(err.Error(), "build/b/bootstrap") || strings.Contains(err.Error(), "build/a/") || fault.HintOf(err) != "run make build" {
		t.Errorf("got %v", err)
	}
}

func TestTheTerminalShowsWhatMatters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"level":"INFO","msg":"x"}`: false, `{"level":"WARN","msg":"x"}`: true, `{"level":"ERROR"}`: true, `{"level":"error"}`: true, "panic: x": true, "": false,
		`2026/11/24 01:45:36 {"errorMessage":"Unauthorized","errorType":"errorString"}`: false, "{broken": true,
	} {
		if got := notable(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestParametersNeedAName(t *testing.T) {
	t.Parallel()
	var p parameters
	if p.Set("A=b=c") != nil || p["A"] != "b=c" || p.Set("=x") == nil || p.Set("x") == nil {
		t.Errorf("parameters %v", p)
	}
	if got := fmt.Sprint(size(1234), " ", size(12_345_678)); got != "1 kB 12.3 MB" {
		t.Errorf("sizes: %s", got)
	}
}
