package runtimeapi

import (
	"context"
	"sync"
	"time"
)

// Runtime runs functions. It is safe for concurrent use.
type Runtime struct {
	cfg       Config
	functions map[string]*pool
	guard     *guard
	stop      chan struct{}

	mu        sync.Mutex
	closed    bool
	processes map[string]*process // by the secret in their path
	serial    int
	busy      sync.WaitGroup // invocations under way
	alive     sync.WaitGroup // processes
}

// pool holds the processes of one function. Runtime.mu guards it.
type pool struct {
	Function
	limit int
	count int        // processes that are alive and not doomed
	idle  []*process // the one that was used last comes last
}

// New makes a runtime. Close ends it and every process it started; when our
// own process ends without a Close, however that happens, a watcher ends them.
func New(cfg Config) (*Runtime, error) {
	if cfg.InitTimeout == 0 {
		cfg.InitTimeout = 10 * time.Second
	}
	if cfg.IdleAfter == 0 {
		cfg.IdleAfter = 5 * time.Minute
	}
	if cfg.MaxProcesses == 0 {
		cfg.MaxProcesses = 32
	}
	if cfg.Log == nil {
		cfg.Log = func(Line) {}
	}
	g, err := newGuard()
	if err != nil {
		return nil, err
	}
	r := &Runtime{cfg: cfg, functions: map[string]*pool{}, guard: g, processes: map[string]*process{}, stop: make(chan struct{})}
	for _, f := range cfg.Functions {
		p := &pool{Function: f, limit: cfg.MaxProcesses}
		if f.Reserved != nil {
			p.limit = min(p.limit, *f.Reserved)
		}
		r.functions[f.Name] = p
	}
	go r.reap()
	return r, nil
}

// acquire finds an idle process for inv or starts one.
func (r *Runtime) acquire(f *pool, inv *invocation) (*process, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		r.busy.Add(1)
		p.current = inv
		r.mu.Unlock()
		p.give <- inv
		return p, nil
	}
	if f.count >= f.limit {
		r.mu.Unlock()
		return nil, ErrThrottled
	}
	f.count++
	r.serial++
	p := newProcess(r, f, r.serial)
	r.processes[p.secret] = p
	r.busy.Add(1)
	r.alive.Add(1)
	p.current = inv
	r.mu.Unlock()
	p.give <- inv
	p.start()
	return p, nil
}

// finish notes that p is done with its invocation, if it has one. idle says
// that it can take another.
func (r *Runtime) finish(p *process, idle bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if inv := p.current; inv != nil {
		p.current = nil
		close(inv.done)
		r.busy.Done()
	} else if idle {
		return // it asks again without having had an event: it is idle already
	}
	if idle && !p.doomed {
		p.idleSince = r.cfg.Clock.Now()
		p.pool.idle = append(p.pool.idle, p)
	}
}

// retire takes p out of its pool; no event goes to it any more.
func (r *Runtime) retire(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.doomed {
		return
	}
	p.doomed = true
	p.pool.count--
	for i, other := range p.pool.idle {
		if other == p {
			p.pool.idle = append(p.pool.idle[:i], p.pool.idle[i+1:]...)
			break
		}
	}
}

func (r *Runtime) forget(p *process) {
	r.retire(p)
	r.finish(p, false)
	r.mu.Lock()
	delete(r.processes, p.secret)
	r.mu.Unlock()
	r.alive.Done()
}

func (r *Runtime) reap() {
	tick := time.NewTicker(min(r.cfg.IdleAfter, 15*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		r.mu.Lock()
		var old []*process
		for _, p := range r.processes {
			if p.current == nil && !p.doomed && !p.idleSince.IsZero() && r.cfg.Clock.Now().Sub(p.idleSince) >= r.cfg.IdleAfter {
				old = append(old, p)
			}
		}
		r.mu.Unlock()
		for _, p := range old {
			r.retire(p)
			p.end()
		}
	}
}

// Processes counts the processes of a function that are alive.
func (r *Runtime) Processes(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.functions[name]; f != nil {
		return f.count
	}
	return 0
}

// Close takes no more invocations, waits for those under way until ctx ends,
// and ends all processes.
func (r *Runtime) Close(ctx context.Context) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	r.mu.Unlock()
	close(r.stop)
	finished := make(chan struct{})
	go func() {
		r.busy.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	r.mu.Lock()
	var all []*process
	for _, p := range r.processes {
		all = append(all, p)
	}
	r.mu.Unlock()
	var ending sync.WaitGroup
	for _, p := range all {
		r.retire(p)
		ending.Go(p.end)
	}
	ending.Wait()
	r.alive.Wait()
	r.guard.close()
}
