package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestForgetAsksOnceAndTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	var keys []string
	var asked map[string]string
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/api/logs/erasures" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(keys) == 1 {
			problem(w, 503, "unavailable", "not now")
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.WriteHeader(202)
		fmt.Fprint(w, `{"id":"e1","state":"completed","stage":"done","deleted":{"total":7,"hot":4,"cold":2,"spooled":1},"segments":{"total":1,"done":1,"rewritten":1}}`)
	}
	code, out, errOut := onAPI(t, h, "forget", "--user-id", "u1", "--reason", "pedido 17", "--wait")
	if code != 0 || out != "erasure e1 is completed: 7 entries erased (4 in Postgres, 2 archived, 1 put aside)\n" {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] || fmt.Sprint(asked) != "map[reason:pedido 17 user_id:u1]" {
		t.Errorf("keys %v, %v", keys, asked)
	}
	if code, _, errOut := onAPI(t, h, "forget"); code == 0 || !strings.Contains(errOut, "--user-id") {
		t.Errorf("nobody named: %d %q", code, errOut)
	}
}
