package logs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/postgres/pgserver"
)

// form is how large a run is.
type form struct {
	senders int
	pause   time.Duration // between a sender's requests, at most
	calm    time.Duration // before, between and after the outages
	away    time.Duration // how long each of two outages lasts
	kills   time.Duration // from one kill to the next, at most
}

// testOutage: under load Postgres is stopped in order, then killed; processes
// that take in, follow and replay are killed all the time. Every entry that was
// answered with 200 or 202 is found afterwards, once, and in the order in which
// its sender sent it; and whoever followed was told of each once.
func (w *world) testOutage(t *testing.T) {
	f := form{senders: 3, pause: 120 * time.Millisecond, calm: 1500 * time.Millisecond, away: 3 * time.Second, kills: 700 * time.Millisecond}
	if long() {
		f = form{senders: 4, pause: 60 * time.Millisecond, calm: 20 * time.Second, away: time.Minute, kills: 2 * time.Second}
	}
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("GUARDA_CHAOS_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("GUARDA_CHAOS_SEED=%d", seed)
	run := strconv.FormatUint(seed, 36)

	follow := w.follow(t, run)
	loading, stopLoad := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	sent := make([]sender, f.senders)
	for i := range sent {
		sent[i].name, sent[i].random, sent[i].statuses = fmt.Sprintf("%s-%d", run, i), rand.New(rand.NewPCG(seed, uint64(i))), map[int]int{}
		senders.Go(func() { sent[i].send(loading, t, w, f.pause) })
	}
	// told waits until some sender is answered so again.
	told := func(status int) {
		t.Helper()
		was := answered(sent, status)
		until(t, 2*time.Minute, fmt.Sprintf("a request is answered with %d", status), func() bool { return answered(sent, status) > was })
	}
	killing, stopKilling := context.WithCancel(t.Context())
	killed := w.kill(killing, rand.New(rand.NewPCG(seed, 99)), f.kills)

	told(200)
	time.Sleep(f.calm)
	for _, stop := range []func(*testing.T){w.stop, w.crash} {
		stop(t)
		told(202)
		time.Sleep(f.away)
		w.start(t)
		told(200)
		time.Sleep(f.calm)
	}
	stopLoad()
	senders.Wait()
	time.Sleep(f.calm / 2) // what replays is killed too
	stopKilling()
	t.Logf("killed %v", killed())
	until(t, 5*time.Minute, "what was put aside is stored", func() bool {
		answer, err := w.stack.Invoke(t.Context(), "logs-keeper", "authorizer", []byte(`{}`))
		if err != nil {
			t.Log(err)
		}
		left, _ := filepath.Glob(filepath.Join(w.stack.StoreDir(), "_logs", "spool*", "*"))
		return err == nil && len(left) == 0 && strings.Contains(string(answer), `"broken":0`)
	})
	total := w.prove(t, sent)
	follow(total)
}

// sender sends entries, each request until it is answered with 200 or 202.
type sender struct {
	name     string
	random   *rand.Rand
	accepted []string // messages

	mu       sync.Mutex
	statuses map[int]int
}

// answered counts the answers of a status that senders had.
func answered(sent []sender, status int) (n int) {
	for i := range sent {
		sent[i].mu.Lock()
		n += sent[i].statuses[status]
		sent[i].mu.Unlock()
	}
	return n
}

func (s *sender) send(ctx context.Context, t *testing.T, w *world, pause time.Duration) {
	for n := 0; ctx.Err() == nil; n++ {
		var entries []map[string]any
		var messages []string
		for i := range 1 + s.random.IntN(20) {
			messages = append(messages, fmt.Sprintf("%s %06d %02d", s.name, n, i))
			entries = append(entries, map[string]any{"id": uuid.NewString(), "level": "info", "source": s.name, "message": messages[i]})
		}
		for status, tries := 0, 0; status != 200 && status != 202; tries++ {
			var got struct{ Accepted, Duplicates int }
			status = w.stack.Call("POST", "/api/logs", entries, &got)
			s.mu.Lock()
			s.statuses[status]++
			s.mu.Unlock()
			if status >= 200 && status < 300 && got.Accepted+got.Duplicates != len(entries) {
				t.Errorf("%d of %d entries were accepted with %d", got.Accepted+got.Duplicates, len(entries), status)
			}
			if tries > 1000 || status >= 400 && status < 500 && status != 429 {
				t.Errorf("sender %s gave up: %d", s.name, status)
				return
			}
			if status >= 500 || status == 0 || status == 429 {
				time.Sleep(50 * time.Millisecond)
			}
		}
		s.accepted = append(s.accepted, messages...)
		time.Sleep(time.Duration(s.random.Int64N(int64(pause))))
	}
}

// kill is kill -9 of processes at random moments, until ctx ends; the function
// that it returns says of which and how many.
func (w *world) kill(ctx context.Context, random *rand.Rand, most time.Duration) func() map[string]int {
	victims := []string{"logs-ingest", "logs-ingest", "logs-ingest", "logs-keeper", "logs-tail", "authorizer"}
	count := map[string]int{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(random.Int64N(int64(most)))):
			}
			function := victims[random.IntN(len(victims))]
			if pids := w.stack.Processes(function); len(pids) > 0 && w.stack.Kill(pids[random.IntN(len(pids))]) == nil {
				count[function]++
			}
		}
	}()
	return func() map[string]int {
		<-ended
		return count
	}
}

func (w *world) stop(t *testing.T) {
	if err := w.server.Stop(); err != nil {
		t.Error(err)
	}
}

// crash is kill -9 of the server.
func (w *world) crash(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(w.config.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-w.server.Done()
}

func (w *world) start(t *testing.T) {
	server, err := pgserver.Start(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
}

// prove compares what is stored with what was accepted, and counts with rows.
func (w *world) prove(t *testing.T, sent []sender) (total int) {
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	statuses := map[int]int{}
	for i := range sent {
		s := &sent[i]
		rows, err := conn.Query(t.Context(), `select message from guarda.advanced_logs where source = $1 order by created_at, id`, s.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, s.accepted) {
			at := 0
			for at < min(len(got), len(s.accepted)) && got[at] == s.accepted[at] {
				at++
			}
			t.Errorf("sender %s: %d entries were accepted, %d are found; the first difference is at %d: %q, %q", s.name, len(s.accepted), len(got), at, s.accepted[at:min(at+3, len(s.accepted))], got[at:min(at+3, len(got))])
		}
		total += len(s.accepted)
		for status, n := range s.statuses {
			statuses[status] += n
		}
	}
	t.Logf("%d entries in requests answered with %v (0: no answer)", total, statuses)
	var wrong int
	if err := conn.QueryRow(t.Context(), `select abs((select count(*) from guarda.advanced_logs) - (select sum(n) from guarda.log_counts where span = 60))::int`).Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("counts and rows differ by %d, %v", wrong, err)
	}
	return total
}

// follow follows a run's senders. The function that it returns waits until all
// entries came, or were said to be left out, each once.
func (w *world) follow(t *testing.T, run string) func(total int) {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	shown := map[string]int{}
	dropped, connections := 0, 0
	ended := make(chan struct{})
	open := make(chan struct{})
	go func() {
		defer close(ended)
		last := ""
		for ctx.Err() == nil {
			for e := range w.events(ctx, "/api/logs/tail?mode=substring&search_term="+run+"-", last) {
				mu.Lock()
				var data struct {
					Message string
					Dropped int
					Expired bool
				}
				if e.data != "" && json.Unmarshal([]byte(e.data), &data) != nil || data.Expired {
					t.Errorf("event %+v", e)
				}
				switch e.name {
				case "open":
					if connections++; connections == 1 {
						close(open)
					}
				case "log":
					shown[data.Message]++
				case "sampled":
					dropped += data.Dropped
				}
				if e.id != "" {
					last = e.id
				}
				mu.Unlock()
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	<-open
	return func(total int) {
		defer func() { cancel(); <-ended }()
		until(t, 5*time.Minute, "whoever follows was told of everything", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(shown)+dropped >= total
		})
		mu.Lock()
		defer mu.Unlock()
		t.Logf("followed over %d connections: %d shown, %d said to be left out", connections, len(shown), dropped)
		for m, n := range shown {
			if n > 1 {
				t.Errorf("%q was shown %d times", m, n)
			}
		}
		if len(shown)+dropped != total {
			t.Errorf("%d shown and %d left out, of %d", len(shown), dropped, total)
		}
	}
}
