package fault_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// formatArgument says which argument of a call is a message.
var formatArgument = map[string]int{"New": 1, "Hint": 0, "Field": 2, "Say": 0, "Warn": 2}

// ofPackage are those that are functions of this package; the others are methods.
var ofPackage = []string{"New", "Say", "Warn"}

// terms is the part of the catalogue whose words no call writes out: see Term.
// The packages that say them test it.
const terms = "pt-BR.d/terms.json"

var verb = regexp.MustCompile(`%[-+# 0-9.\[\]]*[a-zA-Z%]`)

// TestEveryMessageHasItsPortuguese reads all of the project's Go files for
// calls of fault.New, Hint, Field, Say and Warn. Their formats must be constants, and
// each must be in the catalogue with the same verbs.
func TestEveryMessageHasItsPortuguese(t *testing.T) {
	t.Parallel()
	catalogue, words := map[string]string{}, map[string]bool{}
	files, err := filepath.Glob("pt-BR.d/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogue: %v", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		part := map[string]string{}
		if err := json.Unmarshal(raw, &part); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for en, pt := range part {
			if other, twice := catalogue[en]; twice && other != pt {
				t.Errorf("%s translates %q in another way than another file", f, en)
			}
			catalogue[en] = pt
			words[en] = f == terms
			if a, b := verb.FindAllString(en, -1), verb.FindAllString(pt, -1); !slices.Equal(a, b) {
				t.Errorf("%s: the verbs of %q are %v, those of its translation %v", f, en, a, b)
			}
		}
	}
	used := map[string]bool{}
	for _, m := range messages(t, "../..") {
		used[m.text] = true
		if _, ok := catalogue[m.text]; !ok {
			t.Errorf("%s: no Portuguese for %q", m.at, m.text)
		}
	}
	for en := range catalogue {
		if !used[en] && !words[en] {
			t.Errorf("nothing says %q any more: remove its translation", en)
		}
	}
}

type message struct{ text, at string }

func messages(t *testing.T, root string) []message {
	t.Helper()
	var found []message
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "testdata" || name == "web" || name == "build" || strings.HasPrefix(name, ".") && len(name) > 2 {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		usesFault := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
			return i.Path.Value == `"guarda/shared/fault"` || i.Path.Value == `"guarda/shared/httpapi"`
		})
		if !usesFault {
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			arg, ok := formatArgument[sel.Sel.Name]
			if !ok || len(call.Args) <= arg {
				return true
			}
			own := slices.Contains(ofPackage, sel.Sel.Name)
			if own {
				if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "fault" {
					return true
				}
			}
			at := fset.Position(call.Pos()).String()
			if text, ok := constant(call.Args[arg]); ok {
				found = append(found, message{text, at})
			} else if own || chainOfNew(sel.X) {
				t.Errorf("%s: the message is not a constant, so it cannot be translated", at)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("found no message at all: the test looks in the wrong place")
	}
	return found
}

func chainOfNew(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "fault" {
		return true
	}
	return chainOfNew(sel.X)
}

func constant(x ast.Expr) (string, bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(x.Value)
		return s, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		a, ok1 := constant(x.X)
		b, ok2 := constant(x.Y)
		return a + b, ok1 && ok2 && x.Op == token.ADD
	default:
		return "", false
	}
}
