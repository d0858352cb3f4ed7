package main

import (
	"context"
	"encoding/json"
	"testing"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
	"guarda/shared/logs"
)

func TestFunctionsLinesReachTheFunctionThatSubscribes(t *testing.T) {
	t.Parallel()
	s := newSubscriber(&template.Template{AccountID: "000000000000",
		Functions:  []*template.Function{{Name: "worker", LogGroup: "all"}, {Name: "taker", LogGroup: "own"}},
		LogFilters: []template.LogFilter{{Group: "all", Function: "taker", Leveled: true}}}, clock.System{})
	sent := make(chan []byte, 10)
	s.enqueue = func(function string, payload []byte) (string, error) {
		if function != "taker" {
			t.Errorf("sent to %s", function)
		}
		sent <- payload
		return "", nil
	}
	s.failed = func(_, text string) { t.Error(text) }
	for _, l := range []runtimeapi.Line{
		{Function: "worker", Text: `{"time":"2026-11-24T12:00:00Z","level":"ERROR","msg":"Falha na compressão do backup","function":"worker"}`},
		{Function: "worker", Text: "a line without a level"},
		{Function: "taker", Text: `{"level":"INFO","msg":"its own lines would come back for ever"}`},
		{Function: "worker", Text: `{"level":"INFO","msg":"the runtime's"}`, Platform: true},
	} {
		s.line(l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.run(ctx)
	var event struct {
		AWSLogs struct{ Data []byte } `json:"awslogs"`
	}
	if err := json.Unmarshal(<-sent, &event); err != nil {
		t.Fatal(err)
	}
	b, err := logs.CloudWatch(event.AWSLogs.Data, "backup_system")
	if err != nil || len(b.Entries) != 1 || b.Entries[0].Source != "backup_system" || b.Entries[0].Level != logs.Error || b.Entries[0].Message != "Falha na compressão do backup" {
		t.Errorf("%+v, %v", b, err)
	}
}
