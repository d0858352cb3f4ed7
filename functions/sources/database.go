package main

import (
	"context"
	"net/http"
	"time"

	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres"
	"guarda/shared/preset"
	"guarda/shared/source"
)

// patience is how long a source may take: less than API Gateway's 29 s.
const patience = 22 * time.Second

type checkView struct {
	Name    string        `json:"name"`
	Status  source.Status `json:"status"`
	Message string        `json:"message"`
	Hint    string        `json:"hint,omitempty"`
}

type presetView struct {
	Name           string   `json:"name"`     // what a run will use
	Detected       string   `json:"detected"` // what the database looks like
	Reason         string   `json:"reason,omitempty"`
	ManagedSchemas []string `json:"managed_schemas"`
	DataSchemas    []string `json:"data_schemas"`
}

type testView struct {
	OK            bool        `json:"ok"`
	ServerVersion *string     `json:"server_version"`
	SizeBytes     *int64      `json:"size_bytes"`
	Preset        *presetView `json:"preset"`
	Checks        []checkView `json:"checks"`
}

// dsn opens the connection string of the source in the path.
func (d Deps) dsn(r *http.Request) (string, error) {
	id, err := httpapi.PathUUID(r, "id")
	if err != nil {
		return "", err
	}
	sealed, err := d.Sources.SealedDSN(r.Context(), id)
	if err != nil {
		return "", err
	}
	return d.Sealer.Open(id, sealed)
}

func (d Deps) test(w http.ResponseWriter, r *http.Request) error {
	dsn, err := d.dsn(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	s, err := d.Sources.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	report := source.Tester{Connect: d.Connect, SessionMode: d.SessionMode, Preset: s.Settings.Preset, Strict: s.Settings.Strict}.Test(ctx, dsn)
	lang := httpapi.Language(r)
	v := testView{OK: report.OK, SizeBytes: report.SizeBytes, Checks: []checkView{}}
	if report.ServerVersion != "" {
		v.ServerVersion = &report.ServerVersion
	}
	if report.Platform != nil {
		v.Preset = presetOf(s.Settings.Preset, *report.Platform, lang)
	}
	for _, c := range report.Checks {
		v.Checks = append(v.Checks, checkView{c.Name, c.Status, c.Message.In(lang), c.Hint.In(lang)})
	}
	return httpapi.JSON(w, http.StatusOK, v)
}

func presetOf(setting string, d preset.Detected, l fault.Language) *presetView {
	used := preset.Choose(setting, d)
	v := &presetView{used.Name(), d.Name, d.Reason().In(l), used.Among(d.Schemas), used.DataSchemas()}
	if v.DataSchemas == nil {
		v.DataSchemas = []string{}
	}
	return v
}

func (d Deps) tables(w http.ResponseWriter, r *http.Request) error {
	const kind = "tables"
	q := httpapi.NewQuery(r)
	limit, search := q.Limit(50), q.Text("search", 200)
	var position source.TablePosition
	var after *source.TablePosition
	if q.Cursor(kind, &position) {
		after = &position
	}
	if err := q.Err(); err != nil {
		return err
	}
	dsn, err := d.dsn(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	conn, err := d.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := source.Tables(ctx, conn, search, after, limit+1)
	if err != nil {
		return postgres.Explain(err, "list the source's tables")
	}
	return httpapi.JSON(w, http.StatusOK, httpapi.NewPage(found, limit, kind, func(t source.Table) source.TablePosition {
		return source.TablePosition{SizeBytes: t.SizeBytes, Schema: t.Schema, Name: t.Name}
	}))
}
