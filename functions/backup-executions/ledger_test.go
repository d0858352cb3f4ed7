package main

import (
	"net/http"
	"strings"
	"testing"

	"guarda/functions/internal/backuptest"
	"guarda/shared/ledger"
	"guarda/tests/contract"
)

func TestTheLedgerOfABackupIsShown(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	c.As = contract.Viewer
	whole := decode[ledgerView](t, c.Do(t, http.MethodGet, base+"/"+backup(t, w)+"/ledger", ""))
	if s := whole.Summary; s.Objects < 8 || s.Dumped != s.Objects || len(whole.Items) != 0 || whole.HasMore || s.Preset != "none" {
		t.Errorf("%+v", whole)
	}
	part := backup(t, w, "item")
	v := decode[ledgerView](t, c.Do(t, http.MethodGet, base+"/"+part+"/ledger", ""))
	if len(v.Items) != 1 || v.Items[0].Status != ledger.Excluded || v.Items[0].Name != "public.empty" || v.Items[0].Rule != ledger.ByTables || v.Items[0].Objects != v.Summary.Excluded {
		t.Errorf("%+v", v)
	}
	for language, want := range map[string][2]string{
		"en": {"it is not among the tables that were asked for", "table"}, "pt-BR": {"não está entre as tabelas pedidas", "tabela"},
	} {
		a := c.Do(t, http.MethodGet, base+"/"+part+"/ledger?kind=table", "", "Accept-Language", language)
		got := decode[ledgerView](t, a)
		if it := got.Items[0]; it.Detail != want[0] || it.KindLabel != want[1] || it.Kind != "table" || got.Groups[0].KindLabel != want[1] || strings.Contains(string(a.Body), "detail_text") {
			t.Errorf("%s: %s", language, a.Body)
		}
	}
	detail := decode[struct{ Ledger *ledger.Summary }](t, c.Do(t, http.MethodGet, base+"/"+part, ""))
	if detail.Ledger == nil || detail.Ledger.Counts != v.Summary.Counts {
		t.Errorf("%+v", detail.Ledger)
	}
	for query, want := range map[string][2]int{
		"?status=excluded": {len(v.Groups), 1}, "?status=unreadable&status=unsupported": {len(v.Groups), 0},
		"?kind=table": {1, 1}, "?kind=table+rows": {1, 0}, "?schema=nowhere": {0, 0}, "?schema=public&kind=table&status=excluded": {1, 1}, "?lost=true": {len(v.Groups), 0},
	} {
		got := decode[ledgerView](t, c.Do(t, http.MethodGet, base+"/"+part+"/ledger"+query, ""))
		if len(got.Groups) != want[0] || len(got.Items) != want[1] || got.Summary.Counts != v.Summary.Counts {
			t.Errorf("%s: %d groups, %d items, want %v", query, len(got.Groups), len(got.Items), want)
		}
	}
	if got := c.Do(t, http.MethodGet, base+"/"+part+"/ledger?status=odd", ""); got.Status != 422 {
		t.Errorf("an unknown status: %d", got.Status)
	}
	if got := c.Do(t, http.MethodGet, base+"/"+backup(t, w, "no.such")+"/ledger", ""); got.Status != 409 {
		t.Errorf("a failed run: %d", got.Status)
	}
	if _, err := w.Pool.Exec(t.Context(), "delete from guarda.backup_ledgers"); err != nil {
		t.Fatal(err)
	}
	if got := c.Do(t, http.MethodGet, base+"/"+part+"/ledger", ""); got.Status != 404 {
		t.Errorf("a backup without a ledger: %d", got.Status)
	}
}

func TestTheItemsOfALedgerArePaged(t *testing.T) {
	t.Parallel()
	w := backuptest.New(t)
	c := newClient(w)
	id := backup(t, w)
	document := `{"summary": {"preset": "none", "preset_detected": "none", "managed_data": []}, "groups": [], "items": [
		{"status": "unreadable", "kind": "table rows", "schema": "s", "name": "s.a", "objects": 1, "lost": true, "detail": "from before", "privilege": "SELECT on it"},
		{"status": "excluded", "kind": "table", "schema": "s", "name": "s.b", "objects": 2},
		{"status": "unreadable", "kind": "table rows", "schema": "s", "name": "s.c", "objects": 1},
		{"status": "unreadable", "kind": "table rows", "schema": "s", "name": "s.d", "objects": 1}]}`
	if _, err := w.Pool.Exec(t.Context(), "update guarda.backup_ledgers set document = $1::text::jsonb", document); err != nil {
		t.Fatal(err)
	}
	var names []string
	query := "?status=unreadable&limit=1"
	for page := query; page != ""; {
		v := decode[ledgerView](t, c.Do(t, http.MethodGet, base+"/"+id+"/ledger"+page, ""))
		for _, it := range v.Items {
			names = append(names, it.Name)
		}
		page = ""
		if v.HasMore {
			page = query + "&cursor=" + *v.NextCursor
		}
	}
	if len(names) != 3 || names[0] != "s.a" || names[1] != "s.c" || names[2] != "s.d" {
		t.Errorf("%v", names)
	}
	lost := decode[ledgerView](t, c.Do(t, http.MethodGet, base+"/"+id+"/ledger?lost=true", "", "Accept-Language", "pt-BR"))
	if len(lost.Items) != 1 || lost.Items[0].Name != "s.a" || lost.Items[0].Detail != "from before" || lost.Items[0].Privilege != "SELECT on it" {
		t.Errorf("%+v", lost.Items)
	}
}
