package open_test

import (
	"os"
	"strings"
	"testing"

	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/blob/s3/s3test"
	"guarda/shared/fault"
)

func TestStoresOpenFromTheirURL(t *testing.T) {
	// Not parallel: the credentials come from the environment.
	server := s3test.Start(t)
	for _, v := range server.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	folder := t.TempDir() + "/a folder/new"
	for raw, name := range map[string]string{
		"file://" + strings.ReplaceAll(folder, " ", "%20"): "file://" + folder,
		server.URL(t, "some/prefix"):                       "s3://",
	} {
		s, err := open.Store(t.Context(), raw, open.Options{})
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if !strings.HasPrefix(s.String(), name) {
			t.Errorf("%s names itself %s", raw, s)
		}
		if _, err := s.Put(t.Context(), "a/b", strings.NewReader("x"), blob.PutOptions{}); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if _, err := s.Stat(t.Context(), "a/b"); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if b, err := os.ReadFile(folder + "/a/b"); err != nil || string(b) != "x" {
		t.Errorf("the folder's file: %q, %v", b, err)
	}
}

func TestWrongURLsSayWhatIsSupported(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                         "s3://",
		"/var/backups":             "file:///",
		"gs://bucket":              "file:///",
		"file://var/backups":       "three slashes",
		"file:///a?x=y":            "three slashes",
		"s3://":                    "s3://bucket",
		"s3://b?endpoint=x":        "endpoint",
		"s3://b?regin=x":           "region",
		"s3://b/../x":              "s3://bucket",
		"s3://b?path_style=maybe":  "path_style",
		"s3://b?sse=rot13":         "sse",
		"s3://key:secret@b/prefix": "AWS_ACCESS_KEY_ID",
	} {
		_, err := open.Store(t.Context(), raw, open.Options{})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), want) {
			t.Errorf("%q: %v, hint %q", raw, err, fault.HintOf(err))
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the secret: %v", raw, err)
		}
	}
}

func TestAReaderDoesNotMakeTheFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir() + "/typo"
	_, err := open.Store(t.Context(), "file://"+folder, open.Options{MustExist: true})
	if fault.CodeOf(err) != fault.NotFound || fault.HintOf(err) == "" {
		t.Errorf("opening a folder that is not there: %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
}
