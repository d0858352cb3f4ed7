package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"guarda/functions/internal/backuptest"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/blob/memory"
	"guarda/shared/blob/open"
	"guarda/shared/clock"
	"guarda/shared/execution"
	"guarda/shared/fault"
	"guarda/shared/httpapi"
	"guarda/shared/seal"
	"guarda/shared/verify"
	"guarda/tests/contract"
)

const base = "/api/backup/executions"

func newClient(w *backuptest.World) *contract.Client {
	rt := httpapi.NewRouter(w.Log)
	(&handler{store: w.Store, clock: clock.System{}, log: w.Log, blobs: func(ctx context.Context) (blob.Store, error) {
		return open.Store(ctx, w.Config.StoreURL, open.Options{SigningKey: []byte(w.Config.DirSigningKey.Reveal()), BaseURL: w.Config.DirBaseURL})
	}}).routes(rt)
	return &contract.Client{Handler: rt, As: contract.Admin}
}

func decode[T any](t *testing.T, a contract.Answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return v
}

func backup(t *testing.T, w *backuptest.World, tables ...string) string {
	t.Helper()
	return backupAs(t, w, "full", tables...)
}

func backupAs(t *testing.T, w *backuptest.World, kind string, tables ...string) string {
	t.Helper()
	s := w.Starter()
	id, err := s.Start(t.Context(), execution.Request{Type: kind, Tables: tables, Encryption: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Wait()
	return id
}

func TestARunIsShownWithEverything(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	id := backup(t, w)
	d := decode[struct {
		execution.View
		Phases       []struct{ Name string }
		TableDetails []struct {
			Name        string
			Rows        int64
			ContentHash string `json:"content_hash"`
		} `json:"table_details"`
		ServerVersion *string    `json:"server_version"`
		SnapshotAt    *time.Time `json:"snapshot_at"`
	}](t, c.Do(t, http.MethodGet, base+"/"+id, ""))
	if d.Status != "completed" || len(d.Phases) < 4 || len(d.TableDetails) != 2 || d.TableDetails[0].Rows != 2000 || len(d.TableDetails[0].ContentHash) != 32 || d.ServerVersion == nil || d.SnapshotAt == nil || d.StorePath == nil {
		t.Errorf("%+v", d)
	}
	failed := backup(t, w, "no.such")
	f := decode[execution.View](t, c.Do(t, http.MethodGet, base+"/"+failed, "", "Accept-Language", "pt-BR"))
	if f.Status != "failed" || f.Error == nil || f.Error.Hint == "" || strings.Contains(f.Error.Message, "table") {
		t.Errorf("%+v", f.Error)
	}
	if got := c.Do(t, http.MethodGet, base+"/5c0b0a52-5f0a-4e39-9d0f-000000000000", ""); got.Status != 404 {
		t.Errorf("unknown: %d", got.Status)
	}
}

// TestWarningsAreInTheLanguageOfWhoReadsThem: a run's warnings are put into
// words when they are read; a run from before that has its sentences.
func TestWarningsAreInTheLanguageOfWhoReadsThem(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	id := backupAs(t, w, "incremental") // there is no backup to compare with
	read := func(language string) []fault.Warning {
		t.Helper()
		one := decode[execution.DetailView](t, c.Do(t, http.MethodGet, base+"/"+id, "", "Accept-Language", language))
		list := decode[httpapi.Page[execution.View]](t, c.Do(t, http.MethodGet, base, "", "Accept-Language", language))
		if len(one.Warnings) != 1 || len(list.Items) != 1 || !slices.EqualFunc(one.Warnings, list.Items[0].Warnings, sameWarning) {
			t.Fatalf("%s: %+v and in the list %+v", language, one.Warnings, list.Items)
		}
		return one.Warnings
	}
	for language, want := range map[string]string{
		"en":    "the backup was asked for as incremental and copies everything: there is no backup yet",
		"pt-BR": "o backup foi pedido como incremental e copia tudo: ainda não há backup",
	} {
		if got := read(language)[0]; got.Code != "full_instead" || got.Message != want {
			t.Errorf("%s: %+v", language, got)
		}
	}
	const before = `update guarda.backup_executions set metadata = jsonb_set(metadata, '{warnings}', '[{"code": "standby", "message": "a sentence from before"}]')`
	if _, err := w.Pool.Exec(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if got := read("pt-BR")[0]; got.Message != "a sentence from before" || got.Code != "standby" {
		t.Errorf("%+v", got)
	}
}

func sameWarning(a, b fault.Warning) bool {
	return a.Code == b.Code && a.Message == b.Message && a.Object == b.Object && a.Text.IsZero() && b.Text.IsZero()
}

func TestRunsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	first, bad, last := backup(t, w), backup(t, w, "no.such"), backup(t, w)
	page := decode[httpapi.Page[execution.View]](t, c.Do(t, http.MethodGet, base+"?limit=2", ""))
	if len(page.Items) != 2 || page.Items[0].ID != last || page.Items[1].ID != bad || !page.HasMore {
		t.Fatalf("%+v", page)
	}
	rest := decode[httpapi.Page[execution.View]](t, c.Do(t, http.MethodGet, base+"?limit=2&cursor="+*page.NextCursor, ""))
	if len(rest.Items) != 1 || rest.Items[0].ID != first || rest.HasMore || rest.NextCursor != nil {
		t.Errorf("%+v", rest)
	}
	failed := decode[httpapi.Page[execution.View]](t, c.Do(t, http.MethodGet, base+"?status=failed&status=pending&type=full&source_id="+w.SourceID, ""))
	if len(failed.Items) != 1 || failed.Items[0].ID != bad {
		t.Errorf("%+v", failed)
	}
	for _, query := range []string{"?status=odd", "?limit=1001", "?started_after=yesterday", "?cursor=" + httpapi.EncodeCursor(listKind, execution.Position{ID: "x"}), "?x=1"} {
		if got := c.Do(t, http.MethodGet, base+query, ""); got.Status != 422 {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
}

func TestABackupIsDownloadedBySignedLinks(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	id := backup(t, w)
	var paths []string
	query := "?limit=2"
	for query != "" {
		page := decode[download](t, c.Do(t, http.MethodGet, base+"/"+id+"/download"+query, ""))
		for _, f := range page.Items {
			paths = append(paths, f.Path)
			if !strings.HasPrefix(f.URL, "http://127.0.0.1:3000/files") || f.SizeBytes == 0 {
				t.Errorf("%+v", f)
			}
		}
		query = ""
		if page.HasMore {
			query = "?limit=2&cursor=" + *page.NextCursor
		}
	}
	if all := strings.Join(paths, " "); !strings.Contains(all, "RESTORE.md") || !strings.Contains(all, "manifest") || !strings.Contains(all, "/data/") {
		t.Errorf("%v", paths)
	}
	failed := backup(t, w, "no.such")
	if got := c.Do(t, http.MethodGet, base+"/"+failed+"/download", ""); got.Status != 409 {
		t.Errorf("a failed run: %d", got.Status)
	}
	c.As = contract.Operator
	if got := c.Do(t, http.MethodGet, base+"/"+id+"/download", ""); got.Status != 403 || !strings.Contains(string(got.Body), "backup.download") {
		t.Errorf("an operator: %d", got.Status)
	}
}

// TestADownloadOfAnIncrementalBackupIsWhole: what it refers to is in it, and
// what was downloaded of it alone verifies.
func TestADownloadOfAnIncrementalBackupIsWhole(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	full := backup(t, w)
	e, err := w.Store.Get(t.Context(), backupAs(t, w, "incremental"))
	if err != nil || e.Type != "incremental" || *e.Metadata.ChunksReused == 0 {
		t.Fatalf("%+v, %v", e, err)
	}
	for id, of := range map[string]*string{full: nil, e.ID: &full} {
		got := decode[execution.View](t, c.Do(t, http.MethodGet, base+"/"+id, "")).BaseID
		if (got == nil) != (of == nil) || got != nil && *got != *of {
			t.Errorf("%s is based on %v, want %v", id, got, of)
		}
	}
	from, err := open.Store(t.Context(), w.Config.StoreURL, open.Options{})
	if err != nil {
		t.Fatal(err)
	}
	to := memory.New()
	for _, f := range decode[download](t, c.Do(t, http.MethodGet, base+"/"+e.ID+"/download", "")).Items {
		r, err := from.Get(t.Context(), f.Path, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		o, err := to.Put(t.Context(), f.Path, r, blob.PutOptions{})
		if err != nil || o.Size != f.SizeBytes || f.Checksum != nil && *f.Checksum != o.SHA256 {
			t.Errorf("%+v, stored %+v, %v", f, o, err)
		}
		_ = r.Close()
	}
	keys, err := seal.KeyFile(w.Config.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	l, err := manifest.Find(t.Context(), to, "", e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verify.Stored(t.Context(), verify.Deps{Store: to, Keys: keys}, l); err != nil || v.Status != verify.OK || v.Rows != 2000 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestARunIsCanceledOnce(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	w.Hold = true
	c := newClient(w)
	c.As = contract.Operator
	id := backup(t, w)
	if v := decode[execution.View](t, c.Do(t, http.MethodPost, base+"/"+id+"/cancel", "")); v.Status != "failed" || !v.Canceled {
		t.Errorf("%+v", v)
	}
	if got := c.Do(t, http.MethodPost, base+"/"+id+"/cancel", ""); got.Status != 409 {
		t.Errorf("twice: %d", got.Status)
	}
	c.As = contract.Viewer
	if got := c.Do(t, http.MethodPost, base+"/"+id+"/cancel", ""); got.Status != 403 {
		t.Errorf("a viewer: %d", got.Status)
	}
}

func TestTheSummarySaysHowWellEachSourceIsProtected(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	empty := decode[summary](t, c.Do(t, http.MethodGet, "/api/backup/summary", ""))
	if empty.LastSuccess != nil || len(empty.Sources) != 1 || empty.Backups != 0 {
		t.Errorf("%+v", empty)
	}
	good := backup(t, w)
	backup(t, w, "no.such")
	w.Hold = true
	waiting := backup(t, w)
	s := decode[summary](t, c.Do(t, http.MethodGet, "/api/backup/summary", ""))
	one := s.Sources[0]
	if s.LastSuccess == nil || s.Backups != 1 || s.StorageBytes == 0 || one.StorageBytes != s.StorageBytes || one.LastSuccess.ID != good || one.Running.ID != waiting || len(one.Recent) != 3 || one.Recent[2].ID != waiting || one.Recent[0].ID != good {
		t.Errorf("%+v", s)
	}
	w.AddSource("second", "postgres://u@127.0.0.1/x")
	if s := decode[summary](t, c.Do(t, http.MethodGet, "/api/backup/summary", "")); s.LastSuccess != nil {
		t.Error("with a source that has no copy nothing can be said of all")
	}
}

func TestTheSampleEventIsAnswered(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	if got := contract.Replay(t, "backup-executions", newClient(w).Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
