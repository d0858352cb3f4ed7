// Command guarda backs up PostgreSQL databases to a store, verifies backups and
// restores them. A store and a key are all it needs.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Most of what a copy holds is short-lived; a garbage collection at half the
// usual growth keeps the peak low for a percent of CPU. The limit is soft: it
// makes the collector work harder before a large value makes us large.
const (
	gcPercent   = 50
	memoryLimit = 192 << 20 // bytes
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
