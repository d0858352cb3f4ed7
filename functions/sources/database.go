package main

import (
	"context"
	"net/http"
	"time"

	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/postgres"
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

type testView struct {
	OK            bool        `json:"ok"`
	ServerVersion *string     `json:"server_version"`
	SizeBytes     *int64      `json:"size_bytes"`
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
	report := source.Tester{Connect: d.Connect, SessionMode: d.SessionMode}.Test(ctx, dsn)
	lang := fault.LanguageOf(r.Header.Get("Accept-Language"))
	v := testView{OK: report.OK, SizeBytes: report.SizeBytes, Checks: []checkView{}}
	if report.ServerVersion != "" {
		v.ServerVersion = &report.ServerVersion
	}
	for _, c := range report.Checks {
		v.Checks = append(v.Checks, checkView{c.Name, c.Status, c.Message.In(lang), c.Hint.In(lang)})
	}
	return httpapi.JSON(w, http.StatusOK, v)
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
