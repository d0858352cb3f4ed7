package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// call finds calls of the program in a document's code: the command's words and
// what follows on its line.
var (
	call = regexp.MustCompile("(?:bin/|^|[ `;(|])guarda ((?:[a-z]+ ?)+)([^\n`]*)")
	flag = regexp.MustCompile(`(?:^|[\s\[|])--([a-z][a-z-]*)`)
)

// TestDocumentsCallCommandsAsTheyAre: every command and flag that a document
// names is there.
func TestDocumentsCallCommandsAsTheyAre(t *testing.T) {
	t.Parallel()
	root := (&app{out: io.Discard, err: io.Discard}).root()
	calls := 0
	for _, file := range documents(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(code(string(raw)), -1) {
			command, rest, err := root.Find(strings.Fields(m[1]))
			if err != nil || command == root {
				continue // a sentence
			}
			calls++
			if command.HasSubCommands() && len(rest) > 0 {
				t.Errorf("%s: guarda %s: %s has no command %s", file, m[1], command.CommandPath(), rest[0])
			}
			for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
				if !has(command, f[1]) {
					t.Errorf("%s: %s has no flag --%s", file, command.CommandPath(), f[1])
				}
			}
		}
	}
	if calls < 10 {
		t.Errorf("only %d calls were found: the test looks in the wrong place", calls)
	}
}

func has(c *cobra.Command, flag string) bool {
	return c.Flags().Lookup(flag) != nil || c.InheritedFlags().Lookup(flag) != nil || flag == "help"
}

// code keeps of a document what is in backquotes or in a block of code, a line
// each, with lines that are continued put together.
func code(document string) string {
	var out strings.Builder
	for i, part := range strings.Split(document, "```") {
		if i%2 == 1 {
			out.WriteString(strings.ReplaceAll(part, "\\\n", " ") + "\n")
			continue
		}
		for j, inline := range strings.Split(part, "`") {
			if j%2 == 1 {
				out.WriteString(strings.ReplaceAll(inline, "\n", " ") + "\n")
			}
		}
	}
	return out.String()
}

func documents(t *testing.T) []string {
	t.Helper()
	found := []string{"../../README.md", "../../web/README.md", "../../shared/backup/restore.md"}
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			found = append(found, path)
		}
		return err
	})
	more, globErr := filepath.Glob("../../changelog/unreleased/*.md")
	if err != nil || globErr != nil {
		t.Fatal(err, globErr)
	}
	return append(found, more...)
}
