package contract

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var (
	handled = regexp.MustCompile(`Handle\("([A-Z]+ /[^"]+)"`)
	routed  = regexp.MustCompile(`Method: (\w+)\n\s+Path: (\S+)`)
)

// TestContractHandlersAndTemplateHaveTheSameRoutes: what openapi.yaml promises is
// what a function handles and what template.yaml leads to it, no more and no
// less.
func TestContractHandlersAndTemplateHaveTheSameRoutes(t *testing.T) {
	t.Parallel()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, "infra", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var promised, handles, leads []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			promised = append(promised, method+" "+path)
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "functions", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			for _, m := range handled.FindAllStringSubmatch(text(t, f), -1) {
				handles = append(handles, m[1])
			}
		}
	}
	for _, m := range routed.FindAllStringSubmatch(text(t, filepath.Join(root, "template.yaml")), -1) {
		leads = append(leads, strings.ToUpper(m[1])+" "+m[2])
	}
	for _, list := range [][]string{promised, handles, leads} {
		slices.Sort(list)
	}
	if len(promised) < 50 || !slices.Equal(promised, handles) {
		t.Errorf("openapi.yaml promises\n%s\nfunctions handle\n%s", strings.Join(promised, "\n"), strings.Join(handles, "\n"))
	}
	if !slices.Equal(promised, leads) {
		t.Errorf("openapi.yaml promises\n%s\ntemplate.yaml leads to\n%s", strings.Join(promised, "\n"), strings.Join(leads, "\n"))
	}
}

// TestEveryFunctionHasASampleEvent, and no event is of a function that is not.
func TestEveryFunctionHasASampleEvent(t *testing.T) {
	t.Parallel()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	names := func(pattern, end string) (list []string) {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			list = append(list, strings.TrimSuffix(filepath.Base(strings.TrimSuffix(f, "/main.go")), end))
		}
		slices.Sort(list)
		return list
	}
	functions, events := names("functions/*/main.go", ""), names("events/*.json", ".json")
	if len(functions) < 20 || !slices.Equal(functions, events) {
		t.Errorf("functions %v\nevents %v", functions, events)
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
