package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// mining states the grouping accuracy on the Loghub samples, where there are
// any, and how many lines a core mines in a second.
func (b *bench) mining() error {
	out, err := exec.CommandContext(b.ctx, "go", "test", "-count=1", "-v", "-run", "TestPatternsOf", "-bench", ".", "./shared/logs/pattern").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "Benchmark") {
			fmt.Fprint(os.Stdout, strings.TrimLeft(line, " "))
		}
	}
	if err != nil {
		return fmt.Errorf("the miner: %w", err)
	}
	return nil
}
