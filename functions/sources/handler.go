package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/auth"
	"guarda/shared/httpapi"
	"guarda/shared/preset"
	"guarda/shared/source"
)

// Deps are what the handler works with.
type Deps struct {
	Log         *slog.Logger
	Sources     source.Store
	Answers     httpapi.IdempotencyStore
	Sealer      *source.Sealer
	Connect     func(ctx context.Context, dsn string) (*pgx.Conn, error)
	SessionMode func(ctx context.Context, conn *pgx.Conn) error
}

// New makes the handler of /api/sources.
func New(d Deps) http.Handler {
	r := httpapi.NewRouter(d.Log)
	r.Handle("GET /api/sources", httpapi.Allow(auth.SourcesRead, d.list))
	r.Handle("POST /api/sources", httpapi.Allow(auth.SourcesWrite, httpapi.Idempotent(d.Answers, d.Log, d.create)))
	r.Handle("GET /api/sources/{id}", httpapi.Allow(auth.SourcesRead, d.get))
	r.Handle("PUT /api/sources/{id}", httpapi.Allow(auth.SourcesWrite, d.update))
	r.Handle("DELETE /api/sources/{id}", httpapi.Allow(auth.SourcesWrite, d.remove))
	r.Handle("POST /api/sources/{id}/test", httpapi.Allow(auth.SourcesTest, d.test))
	r.Handle("GET /api/sources/{id}/tables", httpapi.Allow(auth.SourcesRead, d.tables))
	return r
}

type settings struct {
	Jobs               *int     `json:"jobs"`
	Compression        *string  `json:"compression"`
	Exclude            []string `json:"exclude"`
	LockTimeoutSeconds *int     `json:"lock_timeout_seconds"`
	Strict             *bool    `json:"strict"`
	Preset             *string  `json:"preset"`
	ManagedData        []string `json:"managed_data"`
}

type input struct {
	Name      string    `json:"name"`
	DSN       *string   `json:"dsn"`
	Kind      *string   `json:"kind"`
	IsDefault *bool     `json:"is_default"`
	Settings  *settings `json:"settings"`
}

type view struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Host      string    `json:"host"`
	Port      int       `json:"port"`
	Database  string    `json:"database"`
	Username  string    `json:"username"`
	IsDefault bool      `json:"is_default"`
	Settings  settings  `json:"settings"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// The API's defaults of settings.
const (
	defaultJobs        = 2
	defaultCompression = "auto"
	defaultLockTimeout = 30
)

func viewOf(s source.Source) view {
	jobs, compression, lock := s.Settings.Jobs, s.Settings.Compression, s.Settings.LockTimeoutSeconds
	if jobs == 0 {
		jobs = defaultJobs
	}
	if compression == "" {
		compression = defaultCompression
	}
	if lock == 0 {
		lock = defaultLockTimeout
	}
	exclude, data, strict, platform := s.Settings.Exclude, s.Settings.ManagedData, s.Settings.Strict, s.Settings.Preset
	if exclude == nil {
		exclude = []string{}
	}
	if data == nil {
		data = []string{}
	}
	if platform == "" {
		platform = preset.Auto
	}
	return view{
		ID: s.ID, Name: s.Name, Kind: s.Kind, Host: s.Host, Port: s.Port, Database: s.Database, Username: s.Username, IsDefault: s.IsDefault,
		Settings: settings{&jobs, &compression, exclude, &lock, &strict, &platform, data}, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
}

// checked is an input whose every field was looked at.
type checked struct {
	in       input
	address  *source.Address
	settings *source.Settings
}

func check(in input, dsnRequired bool) (*checked, error) {
	var c httpapi.Check
	out := &checked{in: in}
	if in.Name == "" {
		c.Field("name", "required", "is required")
	} else if err := c.Add("name", source.CheckName(in.Name)); err != nil {
		return nil, err
	}
	if in.Kind != nil {
		c.OneOf("kind", *in.Kind, "postgres", "rds", "aurora", "supabase")
	}
	switch {
	case in.DSN == nil && dsnRequired:
		c.Field("dsn", "required", "is required")
	case in.DSN == nil:
	case len(*in.DSN) > 2000:
		c.Field("dsn", "too_long", "has more than %d characters", 2000)
	default:
		address, err := source.ParseDSN(*in.DSN)
		if err = c.Add("dsn", err); err != nil {
			return nil, err
		}
		out.address = &address
	}
	if in.Settings != nil {
		out.settings = checkSettings(&c, *in.Settings)
	}
	return out, c.Err()
}

func checkSettings(c *httpapi.Check, s settings) *source.Settings {
	out := &source.Settings{Exclude: s.Exclude}
	if s.Jobs != nil {
		out.Jobs = *s.Jobs
		c.Range("settings.jobs", out.Jobs, 1, 32)
	}
	if s.Compression != nil {
		out.Compression = *s.Compression
		c.OneOf("settings.compression", out.Compression, "auto", "zstd", "gzip", "brotli", "none")
	}
	if s.LockTimeoutSeconds != nil {
		out.LockTimeoutSeconds = *s.LockTimeoutSeconds
		c.Range("settings.lock_timeout_seconds", out.LockTimeoutSeconds, 1, 3600)
	}
	c.Texts("settings.exclude", s.Exclude, 1000, 200)
	if s.Strict != nil {
		out.Strict = *s.Strict
	}
	if s.Preset != nil {
		out.Preset = *s.Preset
		c.OneOf("settings.preset", out.Preset, preset.Auto, preset.None, preset.Supabase, preset.RDS)
	}
	out.ManagedData = s.ManagedData
	c.Texts("settings.managed_data", s.ManagedData, 20, 63)
	if s.Preset != nil && *s.Preset != preset.Auto && *s.Preset != preset.None {
		_ = c.Add("settings.managed_data", preset.Named(out.Preset).CheckData(s.ManagedData))
	}
	return out
}

func (d Deps) list(w http.ResponseWriter, r *http.Request) error {
	const kind = "sources"
	q := httpapi.NewQuery(r)
	limit, after := q.Limit(50), ""
	q.Cursor(kind, &after)
	if err := q.Err(); err != nil {
		return err
	}
	found, err := d.Sources.List(r.Context(), after, limit+1)
	if err != nil {
		return err
	}
	views := make([]view, 0, len(found))
	for _, s := range found {
		views = append(views, viewOf(s))
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(views, limit, kind, func(v view) string { return v.Name }))
}

func (d Deps) create(w http.ResponseWriter, r *http.Request) error {
	in, err := httpapi.Decode[input](r)
	if err != nil {
		return err
	}
	c, err := check(in, true)
	if err != nil {
		return err
	}
	s := source.Source{
		ID: uuid.NewString(), Name: in.Name, Kind: "postgres", Host: c.address.Host, Port: c.address.Port, Database: c.address.Database,
		Username: c.address.Username, IsDefault: in.IsDefault != nil && *in.IsDefault,
	}
	if in.Kind != nil {
		s.Kind = *in.Kind
	}
	if c.settings != nil {
		s.Settings = *c.settings
	}
	made, err := d.Sources.Create(r.Context(), s, d.Sealer.Seal(s.ID, *in.DSN))
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/sources/"+made.ID)
	httpapi.SetETag(w, made.Version)
	return httpapi.JSON(w, http.StatusCreated, viewOf(*made))
}

func (d Deps) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	s, err := d.Sources.Get(r.Context(), id)
	if err != nil {
		return err
	}
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, http.StatusOK, viewOf(*s))
}

func (d Deps) update(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	version, err := httpapi.IfMatch(r)
	if err != nil {
		return err
	}
	in, err := httpapi.Decode[input](r)
	if err != nil {
		return err
	}
	c, err := check(in, false)
	if err != nil {
		return err
	}
	change := source.Change{Name: in.Name, Address: c.address, IsDefault: in.IsDefault, Settings: c.settings}
	if in.Kind != nil {
		change.Kind = *in.Kind
	}
	if in.DSN != nil {
		change.SealedDSN = d.Sealer.Seal(id, *in.DSN)
	}
	s, err := d.Sources.Update(r.Context(), id, version, change)
	if err != nil {
		return err
	}
	httpapi.SetETag(w, s.Version)
	return httpapi.JSON(w, http.StatusOK, viewOf(*s))
}

func (d Deps) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return err
	}
	if err := d.Sources.Delete(r.Context(), id); err != nil {
		return err
	}
	return httpapi.NoContent(w)
}
