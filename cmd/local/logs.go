package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/shared/clock"
)

// functionLog keeps what functions write in a file, and shows on the terminal
// what a person should see: warnings, errors, and what the stack has to say.
type functionLog struct {
	mu    sync.Mutex
	file  *os.File
	clock clock.Clock
	show  func(format string, args ...any)
}

func openLog(path string, c clock.Clock, show func(string, ...any)) (*functionLog, error) {
	if err := capLog(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &functionLog{file: f, clock: c, show: show}, nil
}

func (l *functionLog) line(x runtimeapi.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The log is a help, not a duty: a full disk must not stop functions.
	_, _ = fmt.Fprintf(l.file, "%s %s[%d] %s\n", l.clock.Now().Format(time.RFC3339Nano), x.Function, x.Process, x.Text)
	if x.Platform || notable(x.Text) {
		l.show("  %s: %s", x.Function, x.Text)
	}
}

// message is for what the stack's other parts have to say about a function.
func (l *functionLog) message(function, text string) {
	if function == "" {
		function = "local"
	}
	l.line(runtimeapi.Line{Function: function, Text: text, Platform: true})
}

// notable tells lines of level WARN and above, and lines that are no log
// entries at all: a panic, a message of the runtime. An authorizer says no by
// failing with "Unauthorized", which its runtime logs; that is every visit of
// somebody who is not signed in.
func notable(text string) bool {
	if strings.Contains(text, `"errorMessage":"Unauthorized"`) {
		return false
	}
	if !strings.HasPrefix(text, "{") {
		return strings.TrimSpace(text) != ""
	}
	var entry struct{ Level string }
	if json.Unmarshal([]byte(text), &entry) != nil {
		return true
	}
	level := strings.ToUpper(entry.Level)
	return strings.HasPrefix(level, "WARN") || strings.HasPrefix(level, "ERROR") || strings.HasPrefix(level, "FATAL")
}

func (l *functionLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.file.Close()
}
