package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"guarda/functions/internal/logquery"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/httpapi"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

const (
	// poll is how often the feed is looked at although nobody told of anything:
	// notices do not pass a transaction pooler.
	poll = time.Second
	// heartbeat keeps proxies, which end idle connections, finds out whether
	// anybody still reads, and tells the place where nothing that passes came in.
	heartbeat = 15 * time.Second
	// longest is how long a tail lasts; a function has 15 minutes.
	longest = 14 * time.Minute
	// rate is how many entries are sent in a second, and burst at once; what is
	// more is counted.
	rate  = 200
	burst = 500
	// page is how many entries are read at once: each may have half a megabyte.
	page = 50
)

// Deps are what the handler works with.
type Deps struct {
	Log    *slog.Logger
	Store  *logstore.Store
	Clock  clock.Clock
	Listen func(ctx context.Context) (wait func(context.Context) error, stop func(), err error)
}

// New makes the handler.
func New(d Deps) http.Handler {
	rt := httpapi.NewRouter(d.Log)
	rt.Handle("GET /api/logs/tail", httpapi.Allow(auth.LogsRead, d.tail))
	return rt
}

func (d Deps) tail(w http.ResponseWriter, r *http.Request) error {
	q := httpapi.NewQuery(r)
	query := logquery.Read(q, false)
	from := q.Text("last_event_id", logs.MaxFeedCursor)
	if h := r.Header.Get("Last-Event-ID"); h != "" {
		from = h
	}
	t := &tail{Deps: d, w: w, query: query, tokens: burst}
	if from != "" {
		var err error
		if t.cursor, err = logs.ParseFeedCursor(from, d.Clock.Now()); err != nil {
			_ = q.Add("last_event_id", err)
		}
	}
	if err := q.Err(); err != nil {
		return err
	}
	ctx := r.Context()
	settings, err := d.Store.LogSettings(ctx)
	if err != nil {
		return err
	}
	t.words = settings.Words()
	// Listening comes before looking where the feed ends, so that nothing can
	// happen in between.
	wait, stop, err := d.Listen(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if from == "" {
		if t.cursor, err = d.Store.FeedEnd(ctx); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := t.follow(ctx, wait); err != nil && ctx.Err() == nil && !t.gone {
		d.Log.WarnContext(ctx, "a tail ended early", "error", err.Error())
		_ = t.event("end", `{"reason":"error"}`, false)
	}
	return nil // what was sent cannot be taken back
}

// tail is one caller's stream.
type tail struct {
	Deps
	w      http.ResponseWriter
	query  *logs.Query
	words  logs.TextSearch
	cursor logs.FeedCursor
	gone   bool // nobody reads any more

	tokens float64 // entries that may be sent now
	filled time.Time
}

func (t *tail) follow(ctx context.Context, wait func(context.Context) error) error {
	begin := t.Clock.Now()
	last := begin
	t.filled = begin
	if err := t.write(": following\nretry: 1000\n\n"); err != nil {
		return err
	}
	for {
		sent, more, err := t.next(ctx)
		if err != nil {
			return err
		}
		now := t.Clock.Now()
		if deadline, ok := ctx.Deadline(); now.Sub(begin) > longest || ok && deadline.Sub(now) < 5*time.Second {
			return t.event("end", `{"reason":"time"}`, true)
		}
		if sent {
			last = now
		} else if now.Sub(last) >= heartbeat {
			if err := t.write(": still here\nid: " + t.cursor.Text() + "\n\n"); err != nil {
				return err
			}
			last = now
		}
		if more {
			continue
		}
		waiting, cancel := context.WithTimeout(ctx, poll)
		err = wait(waiting)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && waiting.Err() == nil {
			return err
		}
	}
}

// next sends what came in; more says that there may be more right now. Once
// entries are left out the caller is told so before another entry is sent, so
// that an event's id never covers something that the caller does not know of.
func (t *tail) next(ctx context.Context) (sent, more bool, err error) {
	most := min(t.may(), page)
	list, forgotten, err := t.Store.Feed(ctx, &t.cursor, t.query, t.words, most)
	if err != nil {
		return false, false, err
	}
	if t.cursor.Forget(forgotten) {
		return true, true, t.event("sampled", `{"dropped":0,"expired":true}`, true)
	}
	dropped := 0
	for _, b := range list {
		for i := range b.Hits {
			raw, err := json.Marshal(logquery.ViewOf(&b.Hits[i]))
			if err != nil {
				return sent, false, err
			}
			if t.cursor.Part, t.cursor.Offset = b.Seq, b.Places[i]; i == len(b.Hits)-1 && !b.Cut && b.Untold == 0 {
				t.past(b.Seq)
			}
			if err := t.event("log", string(raw), true); err != nil {
				return sent, false, err
			}
			t.tokens--
			sent = true
		}
		if b.Cut {
			return sent, true, nil
		}
		t.past(b.Seq)
		if dropped += b.Untold; dropped > 0 && most > 0 {
			break
		}
	}
	if dropped > 0 {
		return true, true, t.event("sampled", fmt.Sprintf(`{"dropped":%d}`, dropped), true)
	}
	return sent, len(list) > 0, nil
}

// past notes that a batch was told as a whole.
func (t *tail) past(seq int64) {
	t.cursor.Part, t.cursor.Offset = 0, 0
	t.cursor.See([]int64{seq}, t.Clock.Now())
}

// may returns how many entries may be sent now.
func (t *tail) may() int {
	now := t.Clock.Now()
	t.tokens = min(burst, t.tokens+now.Sub(t.filled).Seconds()*rate)
	t.filled = now
	return int(t.tokens)
}

func (t *tail) event(name, data string, withID bool) error {
	id := ""
	if withID {
		id = "id: " + t.cursor.Text() + "\n"
	}
	return t.write("event: " + name + "\n" + id + "data: " + data + "\n\n")
}

func (t *tail) write(s string) error {
	_, err := t.w.Write([]byte(s))
	if err != nil {
		t.gone = true
		return err
	}
	_ = http.NewResponseController(t.w).Flush() // a writer that cannot sends it anyway
	return nil
}
