package main

import (
	"slices"
	"testing"

	"guarda/functions/internal/logtest"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/tests/contract"
)

// What Guarda's functions log comes in as the specification's examples have
// it; a delivery that comes twice is stored once.
func TestASubscriptionIsTakenInOnce(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	h := newHandler(&logs.Ingester{Store: w.Store, Clock: clock.System{}, Log: w.Log}, w.Log)
	var e event
	contract.Event(t, "cloudwatch-logs", &e)
	for range 2 {
		if got, err := h(t.Context(), e); err != nil || got.(result).Accepted != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	got := w.Texts(`select level || '|' || source || '|' || message || '|' || coalesce(metadata->>'schedule_id', '') || '|' || coalesce(metadata->>'function', '') from guarda.advanced_logs order by created_at`)
	want := []string{"info|backup_system|Backup automático iniciado|uuid|backup-coordinator", "info|guarda-FunctionLogs-1A2B3C|panic: no line of JSON||"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	w.CountsAgree()
	if _, err := h(t.Context(), event{}); fault.CodeOf(err) != fault.BadRequest {
		t.Errorf("another event: %v", err)
	}
}
