package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"guarda/cmd/local/internal/lambdaapi"
	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/schedule"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres/pgserver"
)

// drainTime is how long Ctrl-C waits for requests and functions under way.
const drainTime = 8 * time.Second

// stack is everything that runs.
type stack struct {
	settings
	clock clock.Clock
	say   func(format string, args ...any)

	template *template.Template
	state    *state
	log      *functionLog
	sent     *subscriber
	postgres *pgserver.Server // nil when GUARDA_DATABASE_URL replaces it
	runtime  *runtimeapi.Runtime
	control  *lambdaapi.API
	entries  []schedule.Entry
	inner    string // base URL of the stand-ins for Lambda and SNS
	handler  atomic.Pointer[http.Handler]
	sample   chan struct{} // closed when the sample database is loaded
	closers  []func()      // in the order of starting
}

// run starts everything in order, waits until ctx ends, and stops everything
// in the opposite order.
func (s *stack) run(ctx context.Context) error {
	began := s.clock.Now()
	var err error
	if s.template, err = template.Load(filepath.Join(s.root, "template.yaml"), template.Options{Parameters: s.parameters, Region: s.region}); err != nil {
		return err
	}
	if err := s.checkBuild(); err != nil {
		return err
	}
	defer s.stop()
	if err := s.serve(); err != nil {
		return err
	}
	if s.state, err = openState(s.data); err != nil {
		return err
	}
	s.closers = append(s.closers, s.state.unlock)
	if s.log, err = openLog(s.state.path("logs/functions.log"), s.clock, s.say); err != nil {
		return err
	}
	s.closers = append(s.closers, s.log.close)
	o, err := s.startDatabases(ctx)
	if err != nil {
		return err
	}
	if o.adminPassword, err = s.state.password(s.adminPassword); err != nil {
		return err
	}
	if err := s.startFunctions(ctx, o); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	h, err := s.routes(o)
	if err != nil {
		return err
	}
	s.handler.Store(&h)
	background, cancel := context.WithCancel(ctx)
	schedules := make(chan struct{})
	go func() {
		defer close(schedules)
		r := schedule.Runner{Clock: s.clock, Enqueue: s.control.Enqueue, Log: s.log.message, Region: s.template.Region, AccountID: s.template.AccountID}
		r.Run(background, s.entries)
	}()
	subscriptions := make(chan struct{})
	go func() {
		defer close(subscriptions)
		s.sent.enqueue, s.sent.failed = s.control.Enqueue, s.log.message
		s.sent.run(background)
	}()
	s.closers = append(s.closers, func() { cancel(); <-schedules; <-subscriptions })
	return s.live(background, o, began)
}

// live provisions and then waits for the end.
func (s *stack) live(ctx context.Context, o overlay, began time.Time) error {
	client := &apiClient{base: s.url(), email: s.adminEmail(), password: o.adminPassword}
	var gone <-chan struct{}
	if s.postgres != nil {
		gone = s.postgres.Done()
	}
	err := client.signIn(ctx)
	if err != nil {
		s.say("The administrator cannot sign in: %v", err)
		if hint := fault.HintOf(err); hint != "" {
			s.say("  %s", hint)
		}
	} else if s.postgres != nil {
		if err = s.registerSample(ctx, client); err != nil {
			s.say("The sample database could not be registered: %v", err)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.say("\n  Guarda is running on %s  (started in %.1f s)\n", s.url(), s.clock.Now().Sub(began).Seconds())
	s.say("  sign in as   %s\n  password     %s   (also in %s)", s.adminEmail(), o.adminPassword, s.state.path("admin-password"))
	s.say("  API          %s/api/docs\n  logs         %s\n\n  Ctrl-C stops everything; make clean-data forgets it.\n", s.url(), s.state.path("logs"))
	if err == nil && s.postgres != nil {
		go s.firstBackup(ctx, client)
	}
	select {
	case <-ctx.Done():
		s.say("\nStopping…")
		return nil
	case <-gone:
		return fault.New(fault.Unavailable, "the Postgres server ended").Hint("see its log below %s, then start again", s.data)
	}
}

// serve takes the port at once, so that a busy one is told before anything
// else happens; until all is up it answers 503.
func (s *stack) serve() error {
	address := "127.0.0.1:" + strconv.Itoa(s.port)
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.New(fault.Conflict, "another program uses port %d", s.port).Hint("stop it, or choose another port: make run PORT=%d", s.port+1)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "cannot listen on %s", address).Because(err)
	}
	starting := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Guarda is starting", http.StatusServiceUnavailable)
	}))
	s.handler.Store(&starting)
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.handler.Load()).ServeHTTP(w, r)
	})}
	go func() { _ = srv.Serve(l) }()
	s.closers = append(s.closers, func() { shutdown(srv, drainTime) })
	return nil
}

func shutdown(srv *http.Server, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close()
	}
}

func (s *stack) url() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// startDatabases starts Postgres, or takes the one that a person named.
func (s *stack) startDatabases(ctx context.Context) (overlay, error) {
	o := overlay{databaseURL: s.databaseURL, storeURL: s.storeURL, keyFile: s.state.keyFile(), secrets: s.state.secrets, filesURL: s.url() + "/files/"}
	if o.storeURL == "" {
		o.storeURL = "file://" + filepath.ToSlash(s.state.path("store"))
	}
	if o.databaseURL != "" {
		return o, nil
	}
	var err error
	if s.postgres, err = startPostgres(ctx, s.state); err != nil {
		return o, err
	}
	s.closers = append(s.closers, func() {
		if err := s.postgres.Stop(); err != nil {
			s.say("local: %v", err)
		}
	})
	o.databaseURL = s.postgres.URL(metadataDatabase)
	if err := s.state.write("sample-dsn", s.postgres.URL(sampleDatabase)+"\n"); err != nil {
		return o, err
	}
	s.startSample(ctx)
	return o, nil
}

// startSample fills the sample database, if it is empty, while the rest
// starts. s.sample is closed when it is there.
func (s *stack) startSample(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	s.sample = make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		begin := s.clock.Now()
		loaded, err := loadSample(ctx, s.postgres.URL(sampleDatabase))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.say("  The sample database could not be loaded: %v", err)
			return
		case loaded:
			s.say("  The sample shop database is loaded (%.1f s)", s.clock.Now().Sub(begin).Seconds())
		}
		close(s.sample)
	}()
	s.closers = append(s.closers, func() { cancel(); <-ended })
}

// startFunctions makes functions ready to be invoked and starts what answers
// them. No function's program is started before it is needed.
func (s *stack) startFunctions(ctx context.Context, o overlay) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for functions: %w", err)
	}
	// The path is a secret: whoever knows it may invoke any function.
	secret := "/" + rand.Text()
	s.sent = newSubscriber(s.template, s.clock)
	s.inner = "http://" + l.Addr().String() + secret
	o.controlURL = s.inner + "/control"
	cfg := runtimeapi.Config{Base: l.Addr().String() + secret + "/runtime", Region: s.template.Region, AccountID: s.template.AccountID, Clock: s.clock,
		Log: func(x runtimeapi.Line) { s.log.line(x); s.sent.line(x) }}
	api := lambdaapi.Config{Clock: s.clock, Topics: s.template.Topics, Log: s.log.message}
	for _, f := range s.template.Functions {
		env, err := o.environment("template.yaml", f)
		if err != nil {
			_ = l.Close()
			return err
		}
		cfg.Functions = append(cfg.Functions, runtimeapi.Function{
			Name: f.Name, ARN: f.ARN, Dir: filepath.Join(s.root, f.CodeURI), Timeout: f.Timeout, MemoryMB: f.MemoryMB, Reserved: f.Reserved, Environment: env,
		})
		api.Functions = append(api.Functions, lambdaapi.Function{Name: f.Name, ARN: f.ARN, Retries: f.Async.Retries, MaxAge: f.Async.MaxAge, OnFailure: f.Async.OnFailure})
		if err := s.addSchedules(f); err != nil {
			_ = l.Close()
			return err
		}
	}
	for _, sub := range s.template.Subscriptions {
		api.Subscriptions = append(api.Subscriptions, lambdaapi.Subscription(sub))
	}
	if s.runtime, err = runtimeapi.New(cfg); err != nil {
		_ = l.Close()
		return err
	}
	api.Invoke = s.runtime.Invoke
	s.control = lambdaapi.New(api)
	mux := http.NewServeMux()
	mux.Handle(secret+"/runtime/", http.StripPrefix(secret+"/runtime", s.runtime.Handler()))
	mux.Handle(secret+"/control/", http.StripPrefix(secret+"/control", s.control.Handler()))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	s.closers = append(s.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		s.runtime.Close(ctx)
		if n := s.control.Close(ctx); n > 0 {
			s.say("%d asynchronous events were not finished; the next start picks up the work behind them", n)
		}
		_ = srv.Close()
	})
	return nil
}

func (s *stack) addSchedules(f *template.Function) error {
	for _, e := range f.Schedules {
		if !e.Enabled {
			continue
		}
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			return fmt.Errorf("template.yaml:%d: %w", e.Line, err)
		}
		expr, err := schedule.Parse(e.Expression, zone)
		if err != nil {
			return fmt.Errorf("template.yaml:%d: %w", e.Line, err)
		}
		s.entries = append(s.entries, schedule.Entry{
			ID: e.ID, Function: f.Name, Expression: expr, Input: e.Input, Scheduler: e.Scheduler, Start: e.Start, End: e.End,
			ARN: "arn:aws:scheduler:" + s.template.Region + ":" + s.template.AccountID + ":schedule/default/" + e.ID,
		})
	}
	return nil
}

// stop ends everything, the last started first.
func (s *stack) stop() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}
