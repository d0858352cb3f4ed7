package pgserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports from firstPort on, below those that kernels give to whoever takes any
// (Linux from 32768, macOS and Windows from 49152).
const firstPort, ports = 20000, 12768

// asked counts FreePort's calls from a random number on, so that no two calls
// of a process get one port.
var asked = func() *atomic.Uint32 {
	var n atomic.Uint32
	n.Store(rand.Uint32N(ports)) //nolint:gosec // no secret
	return &n
}()

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on. It stays
// free until a program listens there, and while that program is away for a
// moment, unless somebody wants just this one: no connection, and nobody who
// takes any port, gets it from the kernel.
func FreePort() (int, error) {
	for range 100 {
		port := firstPort + int(asked.Add(1)%ports)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
