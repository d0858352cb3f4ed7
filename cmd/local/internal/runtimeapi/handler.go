package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler serves the Runtime API. It expects paths without the path of
// Config.Base: /<process>/2018-06-01/runtime/….
func (r *Runtime) Handler() http.Handler {
	mux := http.NewServeMux()
	const base = "/{process}/2018-06-01/runtime"
	mux.HandleFunc("GET "+base+"/invocation/next", r.of(r.next))
	mux.HandleFunc("POST "+base+"/invocation/{id}/response", r.of(r.response))
	mux.HandleFunc("POST "+base+"/invocation/{id}/error", r.of(r.invocationError))
	mux.HandleFunc("POST "+base+"/init/error", r.of(r.initError))
	// The part of the Extensions API that aws-lambda-go uses to be told of the
	// end by SIGTERM.
	mux.HandleFunc("POST /{process}/2020-01-01/extension/register", r.of(func(p *process, w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		p.wantsTerm = true
		p.mu.Unlock()
		w.Header().Set("Lambda-Extension-Identifier", p.secret)
		fmt.Fprintf(w, `{"functionName":%q,"functionVersion":"$LATEST","handler":"bootstrap"}`, p.pool.Name)
	}))
	mux.HandleFunc("GET /{process}/2020-01-01/extension/event/next", r.of(func(p *process, _ http.ResponseWriter, req *http.Request) {
		select {
		case <-p.exited:
		case <-req.Context().Done():
		}
	}))
	return mux
}

func (r *Runtime) of(h func(*process, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		p := r.processes[req.PathValue("process")]
		r.mu.Unlock()
		if p == nil {
			refuse(w, http.StatusForbidden, "Forbidden", "there is no such process")
			return
		}
		h(p, w, req)
	}
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(failure(kind, "%s", message))
}

// next gives a program its next event. That it asks says that it is done with
// the one before.
func (r *Runtime) next(p *process, w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	inv := p.current
	r.mu.Unlock()
	if inv != nil {
		select {
		case <-inv.taken: // the one before
			if inv.fail(failure("Runtime.NoResponse", "RequestId: %s Error: the program asked for the next event without an answer", inv.id)) {
				p.say("request %s: the program asked for the next event without an answer", inv.id)
			}
			r.finish(p, true)
		default: // its first one waits in p.give
		}
	}
	select {
	case inv = <-p.give:
	case <-req.Context().Done():
		return
	case <-p.exited:
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(r.cfg.Clock.Now().Add(p.pool.Timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", p.pool.ARN)
	h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", r.cfg.Clock.Now().Unix(), hexOf(inv.id)[:24], hexOf(inv.id)[16:]))
	if inv.req.ClientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", inv.req.ClientContext)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.req.Payload)))
	close(inv.taken)
	_, _ = w.Write(inv.req.Payload)
}

// hexOf gives 32 hexadecimal digits for an id.
func hexOf(id string) string {
	return fmt.Sprintf("%-32.32s", strings.ReplaceAll(id, "-", ""))
}

// underway returns the invocation that the request answers, or refuses it.
func (r *Runtime) underway(p *process, w http.ResponseWriter, req *http.Request) *invocation {
	r.mu.Lock()
	inv := p.current
	r.mu.Unlock()
	if inv == nil || inv.id != req.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	select {
	case <-inv.answered:
		refuse(w, http.StatusBadRequest, "InvalidStateTransition", "the invocation has its answer already")
		return nil
	default:
		return inv
	}
}

func (r *Runtime) response(p *process, w http.ResponseWriter, req *http.Request) {
	inv := r.underway(p, w, req)
	if inv == nil {
		return
	}
	contentType := req.Header.Get("Content-Type")
	if strings.EqualFold(req.Header.Get("Lambda-Runtime-Function-Response-Mode"), "streaming") || contentType == StreamingType {
		r.stream(p, inv, contentType, w, req)
		return
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxSync+1))
	switch failed := trailerError(req); {
	case err != nil:
		return // the process has ended; that is the answer
	case failed != nil:
		inv.fail(failure(failed.Type, "%s", failed.Message))
	case len(body) > MaxSync:
		p.say("request %s: the response is larger than %d bytes", inv.id, MaxSync)
		inv.fail(tooLarge())
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
		return
	default:
		inv.answer(&Result{Payload: body, ContentType: contentType})
	}
	accept(w)
}

// stream passes a response on while it is produced.
func (r *Runtime) stream(p *process, inv *invocation, contentType string, w http.ResponseWriter, req *http.Request) {
	pr, pw := io.Pipe()
	if !inv.answer(&Result{Stream: pr, ContentType: contentType}) {
		return
	}
	_, err := io.Copy(pw, req.Body)
	failed := trailerError(req)
	switch {
	case errors.Is(err, io.ErrClosedPipe):
		// The reader has gone. The program is told by the end of its
		// connection, else it would go on for nobody until its timeout.
		panic(http.ErrAbortHandler)
	case err != nil:
		go func() {
			t := time.NewTimer(2 * time.Second)
			defer t.Stop()
			select { // the verdict on a process that ended is better than a broken pipe
			case <-p.exited:
			case <-t.C:
			}
			p.mu.Lock()
			verdict := p.verdict
			p.mu.Unlock()
			broken := &FunctionFailure{Type: "Runtime.TruncatedResponse", Message: err.Error()}
			_ = json.Unmarshal(verdict, broken)
			_ = pw.CloseWithError(broken)
		}()
		return
	}
	go func() {
		inv.settle()
		if failed != nil {
			_ = pw.CloseWithError(failed)
			return
		}
		_ = pw.Close()
	}()
	accept(w)
}

func (r *Runtime) invocationError(p *process, w http.ResponseWriter, req *http.Request) {
	inv := r.underway(p, w, req)
	if inv == nil {
		return
	}
	inv.fail(readFailure(req))
	accept(w)
}

func (r *Runtime) initError(p *process, w http.ResponseWriter, req *http.Request) {
	body := readFailure(req)
	p.say("the program could not start: %s", body)
	p.sentence(body)
	accept(w)
}

// readFailure reads an error object as the program gives it.
func readFailure(req *http.Request) []byte {
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxSync))
	if err != nil || !json.Valid(body) {
		kind := req.Header.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return failure(kind, "%s", body)
	}
	return body
}

// trailerError reads the error that a program reports after a body that it
// had begun to send.
func trailerError(req *http.Request) *FunctionFailure {
	kind := req.Trailer.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		return nil
	}
	out := &FunctionFailure{Type: kind}
	if raw, err := base64.StdEncoding.DecodeString(req.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err == nil {
		_ = json.Unmarshal(raw, out) // the type alone will do
	}
	return out
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}
