// Package idempotencystore keeps the answers of requests with an
// Idempotency-Key in Guarda's Postgres.
package idempotencystore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres"
)

// Store implements httpapi.IdempotencyStore.
type Store struct {
	db    postgres.DB
	clock clock.Clock
}

// New makes a store on a pool.
func New(db postgres.DB, c clock.Clock) *Store { return &Store{db, c} }

// Claim makes the attempt the one that answers, by one insert: of many at
// once exactly one succeeds. A claim whose lease is over is taken over, a
// kept answer whose time is over replaced.
func (s *Store) Claim(ctx context.Context, c httpapi.Claim) (*httpapi.StoredResponse, error) {
	for range 3 {
		answer, err := s.claim(ctx, c)
		if !errors.Is(err, errGone) {
			return answer, err
		}
	}
	return nil, inFlight(1)
}

// errGone: the row that was in the way has been given back meanwhile.
var errGone = errors.New("the claim in the way is gone")

func (s *Store) claim(ctx context.Context, c httpapi.Claim) (*httpapi.StoredResponse, error) {
	now := s.clock.Now()
	tag, err := s.db.Exec(ctx, `
		insert into guarda.idempotency_keys as k (scope, key, request_hash, claimed_by, locked_until, created_at, expires_at)
		values ($1, $2, $3, $4::uuid, $5, $6, $7)
		on conflict (scope, key) do update set
			request_hash = excluded.request_hash, status = null, headers = null, body = null, claimed_by = excluded.claimed_by,
			locked_until = excluded.locked_until, created_at = excluded.created_at, expires_at = excluded.expires_at
		where k.expires_at <= $6 or (k.status is null and k.locked_until <= $6 and k.request_hash = excluded.request_hash)`,
		c.Scope, c.Key, c.Hash[:], c.Attempt, now.Add(c.Lease), now, now.Add(c.Keep))
	if err != nil {
		return nil, postgres.Explain(err, "claim the idempotency key")
	}
	if tag.RowsAffected() == 1 {
		return nil, nil
	}
	var hash, body []byte
	var headers *string
	var status *int
	var locked time.Time
	err = s.db.QueryRow(ctx, `select request_hash, status, headers::text, body, locked_until from guarda.idempotency_keys
		where scope = $1 and key = $2`, c.Scope, c.Key).Scan(&hash, &status, &headers, &body, &locked)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errGone
	}
	if err != nil {
		return nil, postgres.Explain(err, "read the idempotency key")
	}
	if !bytes.Equal(hash, c.Hash[:]) {
		return nil, fault.New(fault.Conflict, "this Idempotency-Key was used for another request").
			Hint("use a new key for each new request")
	}
	if status == nil {
		return nil, inFlight(int(math.Ceil(max(1, locked.Sub(now).Seconds()))))
	}
	answer := &httpapi.StoredResponse{Status: *status, Body: body}
	if err := json.Unmarshal([]byte(*headers), &answer.Headers); err != nil {
		return nil, fmt.Errorf("read the headers of a kept answer: %w", err)
	}
	return answer, nil
}

func inFlight(seconds int) error {
	return fault.New(fault.Conflict, "the first request with this Idempotency-Key is still being answered").
		Hint("wait a moment and send it again").RetryAfter(seconds)
}

// Finish keeps the answer, if the attempt still holds its claim, and clears
// away some answers whose time is over.
func (s *Store) Finish(ctx context.Context, c httpapi.Claim, answer httpapi.StoredResponse) error {
	headers, err := json.Marshal(answer.Headers)
	if err != nil {
		return fmt.Errorf("encode the headers of an answer: %w", err)
	}
	body := answer.Body
	if body == nil {
		body = []byte{}
	}
	tag, err := s.db.Exec(ctx, `update guarda.idempotency_keys set status = $4::int, headers = $5::jsonb, body = $6
		where scope = $1 and key = $2 and claimed_by = $3::uuid and status is null`, c.Scope, c.Key, c.Attempt, answer.Status, string(headers), body)
	if err != nil {
		return postgres.Explain(err, "keep the answer")
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "another attempt took over this Idempotency-Key")
	}
	_, err = s.db.Exec(ctx, `delete from guarda.idempotency_keys where (scope, key) in
		(select scope, key from guarda.idempotency_keys where expires_at < $1 limit 100)`, s.clock.Now())
	return postgres.Explain(err, "clear away old answers")
}

// Abandon gives a claim back.
func (s *Store) Abandon(ctx context.Context, c httpapi.Claim) error {
	_, err := s.db.Exec(ctx, `delete from guarda.idempotency_keys where scope = $1 and key = $2 and claimed_by = $3::uuid and status is null`,
		c.Scope, c.Key, c.Attempt)
	return postgres.Explain(err, "give the idempotency key back")
}
