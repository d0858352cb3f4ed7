package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"guarda/shared/auth"
)

// Claim is a request with an Idempotency-Key that asks to be the one that is
// carried out.
type Claim struct {
	Scope   string   // identity, method and path
	Key     string   // the header
	Hash    [32]byte // of the request
	Attempt string   // a UUID of this attempt
	// Lease is for how long the attempt counts as alive; after that another
	// one may take over.
	Lease time.Duration
	// Keep is for how long the answer is kept.
	Keep time.Duration
}

// StoredResponse is an answer that is given again.
type StoredResponse struct {
	Status  int
	Headers map[string][]string
	Body    []byte
}

// IdempotencyStore keeps answers by key.
type IdempotencyStore interface {
	// Claim returns nil and no error when the attempt may go on; the stored
	// answer when there is one; fault.Conflict when the key was used for
	// another request, or another attempt is going on (with a retry time).
	Claim(ctx context.Context, c Claim) (*StoredResponse, error)
	// Finish stores the answer of an attempt that still holds its claim.
	Finish(ctx context.Context, c Claim, answer StoredResponse) error
	// Abandon gives the claim back: the attempt changed nothing.
	Abandon(ctx context.Context, c Claim) error
}

const (
	maxIdempotencyKey = 200
	// lease is longer than a function behind API Gateway lives (29 s).
	lease    = 40 * time.Second
	keepFor  = 24 * time.Hour
	replayed = "Idempotent-Replayed"
)

// Idempotent makes h answer a repeated request (same caller, method, path,
// Idempotency-Key and body) with the first one's answer. Requests without the
// header pass. Only success is kept: after an error nothing was made, and the
// same key may be tried again. When a process dies between the work and the
// storing of its answer, h is called again; handlers for which that matters
// find the work that was done by its RequestKey.
func Idempotent(store IdempotencyStore, log *slog.Logger, h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var c Check
		key := c.IdempotencyKey(r)
		if err := c.Err(); err != nil {
			return err
		}
		if key == "" {
			return h(w, r)
		}
		who, err := auth.FromContext(r.Context())
		if err != nil {
			return err
		}
		body, err := ReadBody(r)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		claim := Claim{
			Scope: who.Subject() + " " + r.Method + " " + r.URL.Path, Key: key,
			Hash: sha256.Sum256(append([]byte(r.URL.RawQuery+"\n"), body...)), Attempt: randomUUID(), Lease: lease, Keep: keepFor,
		}
		stored, err := store.Claim(r.Context(), claim)
		if err != nil {
			return err
		}
		if stored != nil {
			maps.Copy(w.Header(), stored.Headers)
			w.Header().Set(replayed, "true")
			w.WriteHeader(stored.Status)
			_, _ = w.Write(stored.Body)
			return nil
		}
		return carryOut(store, log, claim, h, w, r.WithContext(context.WithValue(r.Context(), requestKey{}, claim.digest())))
	}
}

type requestKey struct{}

// RequestKey tells requests with an Idempotency-Key apart: it is the same for
// all attempts of one. "" is a request without the header.
func RequestKey(ctx context.Context) string {
	key, _ := ctx.Value(requestKey{}).(string)
	return key
}

func (c Claim) digest() string {
	sum := sha256.Sum256([]byte(c.Scope + "\n" + c.Key + "\n" + string(c.Hash[:])))
	return hex.EncodeToString(sum[:])
}

func carryOut(store IdempotencyStore, log *slog.Logger, claim Claim, h Handler, w http.ResponseWriter, r *http.Request) error {
	ctx := context.WithoutCancel(r.Context())
	finished := false
	defer func() {
		if !finished { // an error or a panic
			if err := store.Abandon(ctx, claim); err != nil {
				log.WarnContext(ctx, "idempotency key stays claimed until its lease ends", "request_id", RequestID(ctx), "error", err.Error())
			}
		}
	}()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	if err := h(rec, r); err != nil {
		return err
	}
	if rec.status < 400 {
		answer := StoredResponse{Status: rec.status, Headers: rec.header, Body: rec.body.Bytes()}
		if err := store.Finish(ctx, claim, answer); err != nil {
			// The work is done, so the caller gets the answer.
			log.ErrorContext(ctx, "the answer of an idempotent request was not stored", "request_id", RequestID(ctx), "error", err.Error())
		}
		finished = true
	}
	maps.Copy(w.Header(), rec.header)
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes())
	return nil
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.wrote = true
	return r.body.Write(p)
}

// randomUUID makes a version 4 UUID (RFC 9562 §5.4).
func randomUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
