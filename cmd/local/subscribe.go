package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"guarda/cmd/local/internal/runtimeapi"
	"guarda/cmd/local/internal/template"
	"guarda/shared/clock"
)

// subscriber is CloudWatch Logs' subscription filters: it sends what functions
// log to the functions that the template names, as CloudWatch would. Lines that
// come faster than they are sent are dropped, the file has them all.
type subscriber struct {
	template *template.Template
	clock    clock.Clock
	enqueue  func(function string, payload []byte) (string, error)
	failed   func(function, text string)
	lines    chan logLine
	began    time.Time
	count    int
}

type logLine struct {
	runtimeapi.Line
	at time.Time
}

// maxWaiting is how many lines wait, also while the stack starts; maxLines how
// many go into one event.
const (
	maxWaiting = 5000
	maxLines   = 500
)

func newSubscriber(t *template.Template, c clock.Clock) *subscriber {
	return &subscriber{template: t, clock: c, lines: make(chan logLine, maxWaiting), began: c.Now()}
}

// line takes a line; it never waits.
func (s *subscriber) line(x runtimeapi.Line) {
	if x.Platform || len(s.template.LogFilters) == 0 {
		return
	}
	select {
	case s.lines <- logLine{x, s.clock.Now()}:
	default:
	}
}

// run sends lines, once a second, until ctx ends.
func (s *subscriber) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var batch []logLine
	collect:
		for len(batch) < maxLines {
			select {
			case l := <-s.lines:
				batch = append(batch, l)
			default:
				break collect
			}
		}
		if len(batch) > 0 {
			s.send(batch)
		}
	}
}

type logEvent struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Message   string `json:"message"`
}

func (s *subscriber) send(batch []logLine) {
	groups := map[string]string{}
	for _, f := range s.template.Functions {
		groups[f.Name] = f.LogGroup
	}
	for _, f := range s.template.LogFilters {
		var events []logEvent
		for _, l := range batch {
			if groups[l.Function] != f.Group || f.Leveled && !leveled(l.Text) {
				continue
			}
			s.count++
			events = append(events, logEvent{fmt.Sprintf("%d%012d", s.began.UnixNano(), s.count), l.at.UnixMilli(), l.Text})
		}
		if len(events) == 0 {
			continue
		}
		payload, err := s.payload(f.Group, events)
		if err == nil {
			_, err = s.enqueue(f.Function, payload)
		}
		if err != nil {
			s.failed(f.Function, "lines of log group "+f.Group+" could not be sent: "+err.Error())
		}
	}
}

func leveled(line string) bool {
	var entry struct{ Level string }
	return strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil && entry.Level != ""
}

// payload is the event of a subscription: base64 of gzip of JSON.
func (s *subscriber) payload(group string, events []logEvent) ([]byte, error) {
	doc, err := json.Marshal(map[string]any{
		"messageType": "DATA_MESSAGE", "owner": s.template.AccountID, "logGroup": group, "logStream": "local", "subscriptionFilters": []string{"local"}, "logEvents": events,
	})
	if err != nil {
		return nil, err
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(doc); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"awslogs": map[string]any{"data": zipped.Bytes()}})
}
