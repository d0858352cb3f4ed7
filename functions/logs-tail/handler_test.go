package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"guarda/functions/internal/logquery"
	"guarda/functions/internal/logtest"
	"guarda/shared/auth"
	"guarda/shared/clock"
	"guarda/shared/lambdafn"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
	"guarda/tests/contract"

	"github.com/aws/aws-lambda-go/events"
)

type world struct {
	*logtest.World
	server *httptest.Server
	seq    logs.Sequence
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldAt(t, clock.System{})
}

func newWorldAt(t *testing.T, c clock.Clock) *world {
	t.Helper()
	w := &world{World: logtest.New(t)}
	h := New(Deps{Log: w.Log, Store: w.Store, Clock: c,
		Listen: func(ctx context.Context) (func(context.Context) error, func(), error) {
			return logstore.Listen(ctx, w.Pool)
		}})
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(rw, r.WithContext(auth.WithIdentity(r.Context(), contract.Viewer)))
	}))
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) write(t *testing.T, messages ...string) {
	t.Helper()
	var entries []logs.Entry
	for _, m := range messages {
		level := logs.Info
		if strings.HasPrefix(m, "bad") {
			level = logs.Error
		}
		entries = append(entries, logs.Entry{Level: level, Source: "a", Message: m})
	}
	w.seq.Identify(entries, time.Now())
	if _, err := w.Store.Write(context.Background(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
		t.Error(err)
	}
}

type event struct{ name, id, data string }

// message is what a log event shows.
func (e event) message() string {
	var v logquery.View
	_ = json.Unmarshal([]byte(e.data), &v)
	return v.Message
}

// stream reads events until stop says so.
type stream struct {
	body io.ReadCloser
	read *bufio.Reader
}

func (w *world) open(t *testing.T, query, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/api/logs/tail?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return &stream{resp.Body, bufio.NewReader(resp.Body)}
}

func (s *stream) next(t *testing.T) (e event) {
	t.Helper()
	for {
		line, err := s.read.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
}

func TestATailShowsWhatComesInAndFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "before")
	s := w.open(t, "level=error&search_term=disco", "")
	w.write(t, "good disco", "bad disco 1", "bad rede")
	w.write(t, "bad disco 2")
	for _, want := range []string{"bad disco 1", "bad disco 2"} {
		if e := s.next(t); e.name != "log" || e.id == "" || e.message() != want {
			t.Errorf("%+v, want %s", e, want)
		}
	}
	if _, err := w.Pool.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message) values ('error', 'hand', 'bad disco by hand')`); err != nil {
		t.Fatal(err)
	}
	if e := s.next(t); e.message() != "bad disco by hand" {
		t.Errorf("%+v", e)
	}
}

// Writers commit in another order than they began, the reader loses its
// connection again and again; every entry comes once.
func TestAReconnectNeitherLosesNorRepeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.open(t, "", "")
	var writers sync.WaitGroup
	const batches, size = 25, 7
	for n := range 2 {
		writers.Go(func() {
			for b := range batches {
				var messages []string
				for i := range size {
					messages = append(messages, fmt.Sprintf("%d-%d-%d", n, b, i))
				}
				w.write(t, messages...)
			}
		})
	}
	// A batch whose number is early and whose commit is late.
	writers.Go(func() {
		tx, err := w.Pool.Begin(t.Context())
		if err == nil {
			_, err = tx.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message) values ('info', 'late', 'late')`)
		}
		if err == nil {
			_, err = tx.Exec(t.Context(), `select pg_sleep(1.5)`)
		}
		if err == nil {
			err = tx.Commit(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
	})
	var got []string
	for n := 0; len(got) < 2*batches*size+1; n++ {
		e := s.next(t)
		if e.name != "log" {
			t.Fatalf("%+v", e)
		}
		got = append(got, e.message())
		if n%11 == 10 { // in the middle of a batch, mostly
			s.body.Close()
			s = w.open(t, "", e.id)
		}
	}
	writers.Wait()
	slices.Sort(got)
	if uniq := slices.Compact(slices.Clone(got)); len(uniq) != 2*batches*size+1 {
		t.Errorf("%d entries, %d of them different", len(got), len(uniq))
	}
}

func TestWhatIsTooMuchIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, clock.At(time.Now())) // in a moment nothing more may be sent
	s := w.open(t, "", "")
	const many = burst + 2*page + 33
	w.write(t, slices.Repeat([]string{"many"}, many)...)
	shown, dropped := 0, 0
	for shown+dropped < many {
		e := s.next(t)
		if e.name == "log" {
			shown++
			continue
		}
		var n struct{ Dropped int }
		if err := json.Unmarshal([]byte(e.data), &n); err != nil || e.name != "sampled" {
			t.Fatalf("%d shown, then %+v", shown, e)
		}
		dropped += n.Dropped
		s.body.Close() // a notice counts once, also over a reconnect
		s = w.open(t, "", e.id)
	}
	if shown < burst || dropped == 0 || shown+dropped != many {
		t.Errorf("%d shown, %d said to be left out, of %d", shown, dropped, many)
	}
}

// A batch that is larger than what is read at once goes on where it was cut,
// also when one whose number is lower comes in meanwhile.
func TestALargeBatchIsToldInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.open(t, "", "")
	late, err := w.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(t.Context(), `insert into guarda.advanced_logs (level, source, message) values ('info', 'late', 'late')`); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 3*page + 7 {
		want = append(want, fmt.Sprint("m", i))
	}
	w.write(t, want...)
	var got []string
	last := ""
	for len(got) < page+5 {
		e := s.next(t)
		got, last = append(got, e.message()), e.id
	}
	s.body.Close()
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = w.open(t, "", last)
	for len(got) < len(want)+1 {
		got = append(got, s.next(t).message())
	}
	if !slices.Equal(got, append(want, "late")) {
		t.Errorf("%q", got)
	}
}

// However few entries were forgotten meanwhile, the caller is told.
func TestAPlaceThatTheFeedNoLongerHasIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.open(t, "", "")
	w.write(t, "one")
	first := s.next(t)
	w.write(t, "two")
	second := s.next(t)
	s.body.Close()
	if _, err := w.Pool.Exec(t.Context(), `update guarda.log_feed set received_at = received_at - interval '2 hours'`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := w.open(t, "", first.id)
	if e := lost.next(t); e.name != "sampled" || e.data != `{"dropped":0,"expired":true}` || e.id == "" {
		t.Errorf("after what is gone: %+v", e)
	}
	w.write(t, "three")
	for _, s := range []*stream{lost, w.open(t, "", second.id)} {
		if e := s.next(t); e.name != "log" || e.message() != "three" {
			t.Errorf("then: %+v", e)
		}
	}
}

func TestWrongPlacesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, query := range []string{"last_event_id=x", "last_event_id=1!", "last_event_id=5@", "level=loud", "start_date=2026-11-24", "last_event_id=-4"} {
		resp, err := http.Get(w.server.URL + "/api/logs/tail?" + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 422 {
			t.Errorf("%s: %d", query, resp.StatusCode)
		}
	}
}

func TestTheSampleEventIsStreamed(t *testing.T) {
	t.Parallel()
	w := logtest.New(t)
	var e events.APIGatewayProxyRequest
	contract.Event(t, "logs-tail", &e)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second) // a tail ends five seconds before its function
	defer cancel()
	resp, err := lambdafn.StreamHandler(New(Deps{Log: w.Log, Store: w.Store, Clock: clock.System{},
		Listen: func(ctx context.Context) (func(context.Context) error, func(), error) {
			return logstore.Listen(ctx, w.Pool)
		}}))(ctx, e)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%+v, %v", resp, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "event: end\nid: ") {
		t.Errorf("%q, %v", body, err)
	}
}
