package runtimeapi

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	req      Request
	taken    chan struct{} // closed when the program has it
	answered chan struct{} // closed when result is set
	done     chan struct{} // closed when the program asks for more, or has ended

	once   sync.Once
	result *Result
}

func newInvocation(req Request) *invocation {
	if req.RequestID == "" {
		req.RequestID = NewRequestID()
	}
	return &invocation{id: req.RequestID, req: req, taken: make(chan struct{}), answered: make(chan struct{}), done: make(chan struct{})}
}

// NewRequestID makes a random id in the form of a UUID.
func NewRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// answer sets the result; only the first one counts. It reports whether this
// was the first.
func (inv *invocation) answer(res *Result) (first bool) {
	inv.once.Do(func() {
		first = true
		res.RequestID = inv.id
		inv.result = res
		close(inv.answered)
	})
	return first
}

func (inv *invocation) fail(payload []byte) bool {
	return inv.answer(&Result{FunctionError: "Unhandled", Payload: payload})
}

// settle waits until the process can take the next event, so that a caller
// that calls again at once finds it idle; but not for a program that lingers.
func (inv *invocation) settle() {
	t := time.NewTimer(50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-inv.done:
	case <-t.C:
	}
}

// drop throws away the answer that nobody waits for.
func (inv *invocation) drop() {
	<-inv.answered
	if s := inv.result.Stream; s != nil {
		_ = s.Close()
	}
}
