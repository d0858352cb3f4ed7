package main

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"guarda/shared/auth"
	"guarda/shared/httpapi"
)

// Deps are what the handler works with.
type Deps struct {
	Log   *slog.Logger
	Login *auth.Login
}

// New makes the handler of /api/auth.
func New(d Deps) http.Handler {
	r := httpapi.NewRouter(d.Log)
	r.Handle("POST /api/auth/login", d.login)
	r.Handle("POST /api/auth/refresh", d.refresh)
	r.Handle("GET /api/auth/me", me)
	return r
}

type loginRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type userView struct {
	ID          string            `json:"id"`
	Email       string            `json:"email"`
	Name        string            `json:"name"`
	Role        auth.Role         `json:"role"`
	Permissions []auth.Permission `json:"permissions"`
}

type sessionView struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	User      userView  `json:"user"`
}

func viewOf(i auth.Identity) userView {
	return userView{ID: i.UserID, Email: i.Email, Name: i.Name, Role: i.Role, Permissions: i.Role.Permissions()}
}

func (d Deps) login(w http.ResponseWriter, r *http.Request) error {
	in, err := httpapi.Decode[loginRequest](r)
	if err != nil {
		return err
	}
	var c httpapi.Check
	c.Text("email", in.Email, 320)
	if in.Password == "" {
		c.Field("password", "required", "is required")
	} else if len(in.Password) > 1024 {
		c.Field("password", "too_long", "has more than %d characters", 1024)
	}
	if err := c.Err(); err != nil {
		return err
	}
	s, err := d.Login.WithPassword(r.Context(), in.Email, in.Password, address(r))
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, sessionView{s.Token, s.ExpiresAt, viewOf(s.Identity)})
}

// address is the caller's, as API Gateway saw it.
func address(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

func (d Deps) refresh(w http.ResponseWriter, r *http.Request) error {
	i, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	s, err := d.Login.Refresh(r.Context(), i)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, sessionView{s.Token, s.ExpiresAt, viewOf(s.Identity)})
}

func me(w http.ResponseWriter, r *http.Request) error {
	i, err := auth.FromContext(r.Context())
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, viewOf(i))
}
