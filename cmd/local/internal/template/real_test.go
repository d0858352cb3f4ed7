package template_test

import (
	"testing"

	"guarda/cmd/local/internal/template"
)

func TestTheProjectsOwnTemplateIsUnderstood(t *testing.T) {
	t.Parallel()
	got, err := template.Load("../../../../template.yaml", template.Options{})
	if err != nil {
		t.Fatalf("\n%v", err)
	}
	for _, f := range got.Functions {
		t.Logf("%s %s %s %d", f.Name, f.CodeURI, f.Timeout, len(f.Schedules))
	}
}
