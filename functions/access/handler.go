package main

import (
	"crypto/sha256"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres/userstore"
)

type handler struct {
	keys  *userstore.Store
	clock clock.Clock
}

// New makes the handler.
func New(log *slog.Logger, keys *userstore.Store, c clock.Clock) http.Handler {
	h := &handler{keys, c}
	rt := httpapi.NewRouter(log)
	rt.Handle("GET /api/access/api-keys", httpapi.Allow(auth.AccessWrite, h.list))
	rt.Handle("POST /api/access/api-keys", httpapi.Allow(auth.AccessWrite, h.create))
	rt.Handle("DELETE /api/access/api-keys/{id}", httpapi.Allow(auth.AccessWrite, h.revoke))
	return rt
}

type view struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Prefix        string     `json:"prefix"`
	Role          string     `json:"role"`
	MadeBy        string     `json:"made_by"`
	CreatedAt     time.Time  `json:"created_at"`
	ExpiresAt     *time.Time `json:"expires_at"`
	LastUsedAt    *time.Time `json:"last_used_at"`
	RevokedAt     *time.Time `json:"revoked_at"`
	LogsPerMinute *int       `json:"logs_per_minute"`
}

func viewOf(k userstore.Key) view {
	return view{k.ID, k.Name, auth.KeyPrefix(k.PublicID), string(k.Role), k.MadeBy, k.CreatedAt.UTC(), utc(k.ExpiresAt), utc(k.LastUsedAt), utc(k.RevokedAt), k.LogsPerMinute}
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	in := at.UTC()
	return &in
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	const kind = "api-keys"
	q := httpapi.NewQuery(r)
	limit := q.Limit(50)
	var after *userstore.KeyCursor
	if at := (userstore.KeyCursor{}); q.Cursor(kind, &at) {
		after = &at
	}
	if err := q.Err(); err != nil {
		return err
	}
	found, err := h.keys.APIKeys(r.Context(), after, limit+1)
	if err != nil {
		return err
	}
	views := make([]view, 0, len(found))
	for _, k := range found {
		views = append(views, viewOf(k))
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, kind, func(v view) userstore.KeyCursor { return userstore.KeyCursor{At: v.CreatedAt, ID: v.ID} }))
}

type input struct {
	Name          string     `json:"name"`
	Role          string     `json:"role"`
	ExpiresAt     *time.Time `json:"expires_at"`
	LogsPerMinute *int       `json:"logs_per_minute"`
}

// create makes a key and shows it, this one time. The answer is not kept for a
// request that is sent again, as it is elsewhere: the key would be kept with it.
func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	in, err := httpapi.Decode[input](r)
	if err != nil {
		return err
	}
	who, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	var c httpapi.Check
	in.Name = strings.TrimSpace(in.Name)
	c.Text("name", in.Name, 255)
	c.OneOf("role", in.Role, string(auth.Sender), string(auth.Viewer), string(auth.Operator), string(auth.Admin))
	if in.ExpiresAt != nil && !in.ExpiresAt.After(h.clock.Now()) {
		c.Field("expires_at", "past", "lies in the past")
	}
	if in.LogsPerMinute != nil {
		c.Range("logs_per_minute", *in.LogsPerMinute, 1, 1_000_000_000)
	}
	request := c.IdempotencyKey(r)
	if err := c.Err(); err != nil {
		return err
	}
	if role := auth.Role(in.Role); role.Under(who.Role) != role {
		return fault.New(fault.Forbidden, "the role %q may do more than you may", in.Role).Hint("choose a lesser role")
	}
	key, publicID, hash := auth.NewAPIKey()
	n := userstore.NewKey{UserID: who.UserID, Name: in.Name, PublicID: publicID, Hash: hash, Role: auth.Role(in.Role), ExpiresAt: in.ExpiresAt, LogsPerMinute: in.LogsPerMinute}
	if request != "" {
		sum := sha256.Sum256([]byte(who.Subject() + "\n" + request))
		n.RequestKey = &sum
	}
	made, err := h.keys.AddAPIKey(r.Context(), n)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusCreated, struct {
		view
		Key string `json:"key"`
	}{viewOf(*made), key})
}

func (h *handler) revoke(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	if err := h.keys.RevokeAPIKey(r.Context(), id, h.clock.Now()); err != nil {
		return err
	}
	return httpapi.NoContent(w)
}
