package main

import (
	"net/http"
	"testing"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/postgres/pgtest/guardadb"
	"guarda/shared/postgres/userstore"
)

func TestAuthorizerReadsEitherHeaderAndTellsAbsenceFromTrouble(t *testing.T) {
	t.Parallel()
	dsn := guardadb.New(t)
	const user = "6f1c2a9e-9d1b-4a53-8f57-0a4d7e0f2b11"
	authorizer := func(dsn string) (func(context http.Header) (auth.Identity, error), *userstore.Store, *auth.Tokens) {
		pool, err := postgres.Open(t.Context(), dsn, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		now := clock.At(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
		store, tokens := userstore.New(pool), auth.NewTokens("0123456789abcdef0123456789abcdef", now)
		authorize := New(&auth.Authenticator{Tokens: tokens, Keys: store, Clock: now})
		return func(h http.Header) (auth.Identity, error) { return authorize(t.Context(), h) }, store, tokens
	}
	authorize, store, tokens := authorizer(dsn)
	if err := store.Add(t.Context(), auth.User{ID: user, Email: "a@b", Name: "A", Role: auth.Admin, Active: true}); err != nil {
		t.Fatal(err)
	}
	key, id, hash := auth.NewAPIKey()
	if _, err := store.AddAPIKey(t.Context(), userstore.NewKey{UserID: user, Name: "ci", PublicID: id, Hash: hash, Role: auth.Viewer}); err != nil {
		t.Fatal(err)
	}
	token, _, err := tokens.Issue(auth.Identity{UserID: user, Role: auth.Admin, AuthTime: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	if i, err := authorize(http.Header{"Authorization": {"Bearer " + token}}); err != nil || i.Role != auth.Admin {
		t.Errorf("token: %+v, %v", i, err)
	}
	if i, err := authorize(http.Header{"X-Api-Key": {key}}); err != nil || i.Role != auth.Viewer {
		t.Errorf("key: %+v, %v", i, err)
	}
	if _, err := authorize(http.Header{}); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("nothing: %v", err)
	}
	away, _, _ := authorizer("postgres://u:p@127.0.0.1:1/d")
	if _, err := away(http.Header{"X-Api-Key": {key}}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("with Postgres away a good key must not count as a bad one: %v", err)
	}
	if _, err := away(http.Header{"Authorization": {"Bearer " + token}}); err != nil {
		t.Errorf("a token needs no Postgres: %v", err)
	}
}
