package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"guarda/functions/internal/logtest"
	"guarda/tests/contract"
)

func TestSettingsAreReplacedAsAWholeAndOnlyAsRead(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	c := &contract.Client{Handler: New(w.Log, w.Store), As: contract.Admin}
	first := c.Do(t, http.MethodGet, "/api/settings/logs", "")
	const body = `{"text_search":{"config":"portuguese","fold_accents":true},"entries_per_minute":500,"hot_days":30,
		"retention":[{"days":90},{"level":"debug","days":7},{"source":"audit"}],"masking":{"*":["email","cpf"],"shop":[]}}`
	changed := c.Do(t, http.MethodPut, "/api/settings/logs", body, "If-Match", first.Header.Get("ETag"))
	var got settings
	if err := json.Unmarshal(changed.Body, &got); err != nil || changed.Status != 200 {
		t.Fatalf("%d %s", changed.Status, changed.Body)
	}
	if got.KeyLimit != 500 || got.HotDays == nil || *got.HotDays != 30 || len(got.Retention) != 3 || len(got.Masking["*"]) != 2 || got.TextSearch.FoldAccents || got.BeingPrepared == nil || !got.BeingPrepared.FoldAccents {
		t.Errorf("%s", changed.Body)
	}
	if again := c.Do(t, http.MethodPut, "/api/settings/logs", body, "If-Match", first.Header.Get("ETag")); again.Status != 412 {
		t.Errorf("with an old version: %d", again.Status)
	}
	for _, bad := range []string{
		`{"text_search":{"config":"klingon","fold_accents":true},"entries_per_minute":500,"retention":[],"masking":{}}`,
		`{"text_search":{"config":"simple","fold_accents":true},"entries_per_minute":0,"retention":[],"masking":{}}`,
		`{"text_search":{"config":"simple","fold_accents":true},"entries_per_minute":5,"retention":[{"days":1},{"days":2}],"masking":{}}`,
		`{"text_search":{"config":"simple","fold_accents":true},"entries_per_minute":5,"retention":[{"level":"loud"}],"masking":{"a":["dna"]}}`,
		`{"text_search":{"config":"simple","fold_accents":true},"entries_per_minute":5,"retention":[],"masking":{},"hot_days":0}`,
	} {
		if a := c.Do(t, http.MethodPut, "/api/settings/logs", bad, "If-Match", changed.Header.Get("ETag")); a.Status != 422 {
			t.Errorf("%s: %d %s", bad, a.Status, a.Body)
		}
	}
	c.As = contract.Operator
	if a := c.Do(t, http.MethodPut, "/api/settings/logs", body, "If-Match", changed.Header.Get("ETag")); a.Status != 403 {
		t.Errorf("an operator: %d", a.Status)
	}
	if got := contract.Replay(t, "settings-logs", c.Handler); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}
