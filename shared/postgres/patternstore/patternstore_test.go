package patternstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres"
	"guarda/shared/postgres/logstore"
	"guarda/shared/postgres/patternstore"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/postgres/pgtest/guardadb"
)

type world struct {
	t    *testing.T
	url  string
	pool *pgxpool.Pool
	now  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, url: guardadb.New(t), now: clock.System{}.Now().Truncate(time.Minute)}
	pgtest.Exec(t, w.url, `delete from guarda.advanced_logs; delete from guarda.log_counts; delete from guarda.log_feed`)
	pool, err := postgres.Open(context.Background(), pgtest.PgBouncer(t, w.url, "transaction"), postgres.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w.pool = pool
	return w
}

// function is one of several that mine at once: it shares nothing but the
// database.
func (w *world) function() (*logstore.Store, *patternstore.Store) {
	return w.functionAt(clock.System{})
}

func (w *world) functionAt(c clock.Clock) (*logstore.Store, *patternstore.Store) {
	p := patternstore.New(w.pool, c)
	s := logstore.New(w.pool, c)
	s.Patterns = p
	return s, p
}

func entry(message string, at time.Time) logs.Entry {
	return logs.Entry{ID: uuid.New(), CreatedAt: at.UTC().Truncate(time.Microsecond), Level: logs.Info, Source: "test", Message: message, Metadata: []byte("{}")}
}

func (w *world) write(s *logstore.Store, entries ...logs.Entry) {
	w.t.Helper()
	if _, err := s.Write(w.t.Context(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) texts(sql string, args ...any) []string {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), sql, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// patterns returns "count template" of each pattern, from the counts.
func (w *world) patterns() []string {
	w.t.Helper()
	return w.texts(`
		select format('%s %s', sum(c.n), coalesce(r.template, p.template)) from guarda.log_counts c
			join guarda.log_patterns p on p.id = c.pattern_id left join guarda.log_patterns r on r.id = p.merged_into
		where c.span = 60 group by coalesce(r.id, p.id), coalesce(r.template, p.template) having sum(c.n) > 0 order by sum(c.n) desc, 1`)
}

// agree fails the test unless counts, rows and patterns agree exactly.
func (w *world) agree(rows int) {
	w.t.Helper()
	for _, span := range []int{60, 3600, 86400} {
		for _, d := range w.texts(`
			with r as (select coalesce(p.merged_into, p.id) as id, count(*) as n from guarda.advanced_logs l left join guarda.log_patterns p on p.id = l.pattern_id group by 1),
			c as (select coalesce(p.merged_into, p.id) as id, sum(c.n) as n from guarda.log_counts c left join guarda.log_patterns p on p.id = c.pattern_id where span = $1::int group by 1 having sum(c.n) <> 0)
			select format('%s: %s rows, counted %s', coalesce(r.id, c.id), r.n, c.n) from r full join c on c.id = r.id where r.n is distinct from c.n or r.id is null`, span) {
			w.t.Errorf("span %d: %s", span, d)
		}
	}
	got := w.texts(`select count(*)::text from guarda.advanced_logs l join guarda.log_patterns p on p.id = l.pattern_id`)[0]
	if got != fmt.Sprint(rows) {
		w.t.Errorf("%s of %d entries have a known pattern", got, rows)
	}
}

// Events of our own, half of them with a word that changes.
var events = []string{"user %s logged in from 10.0.0.%d", "user %s logged out after %d s", "job %s finished in %d ms", "job %s failed after %d tries", "disk %d is full",
	"connection to node-%d lost", "cache flushed", "table %s has %d rows", "backup of table %s done: %d bytes"}

func message(g *rand.Rand, event string) string {
	var args []any
	for i := range event {
		switch {
		case strings.HasPrefix(event[i:], "%s"):
			args = append(args, "w"+strings.Repeat(string(rune('a'+g.IntN(26))), 1+g.IntN(2)))
		case strings.HasPrefix(event[i:], "%d"):
			args = append(args, g.IntN(250))
		}
	}
	return fmt.Sprintf(event, args...)
}

func TestSeveralFunctionsMineAtOnceAndCountsAreExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const functions, batches, size = 4, 12, 60
	var wg sync.WaitGroup
	for f := range functions {
		wg.Go(func() {
			s, p := w.function()
			g := rand.New(rand.NewPCG(uint64(f), 1))
			for b := range batches {
				var entries []logs.Entry
				for range size {
					entries = append(entries, entry(message(g, events[g.IntN(len(events))]), w.now.Add(-time.Duration(g.IntN(3600))*time.Second)))
				}
				if _, err := s.Write(context.Background(), &logs.Batch{ID: uuid.New(), Entries: entries}); err != nil {
					t.Error(err)
				}
				// Rows that came by another way have no pattern yet.
				if _, err := w.pool.Exec(context.Background(), `insert into guarda.advanced_logs (level, source, message, created_at)
					select 'warn', 'sql', 'job w' || chr(97 + n % 26) || ' finished in ' || n || ' ms', $1::timestamptz + n * interval '1 s' from generate_series(1, 20) n`, w.now.Add(-time.Hour)); err != nil {
					t.Error(err)
				}
				if b%3 == 0 {
					if _, err := p.AssignMissing(context.Background(), w.now.Add(-24*time.Hour), w.now.Add(time.Hour)); err != nil {
						t.Error(err)
					}
					if _, err := p.Unite(context.Background()); err != nil {
						t.Error(err)
					}
					if _, err := p.Judge(context.Background(), w.now); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	_, p := w.function()
	if _, err := p.AssignMissing(t.Context(), w.now.Add(-24*time.Hour), w.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := p.Unite(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.agree(functions * batches * (size + 20))
	if got := w.patterns(); len(got) != len(events) {
		t.Errorf("%d patterns of %d events:\n%s", len(got), len(events), strings.Join(got, "\n"))
	}
}

func TestATransactionThatFailsLosesNoPattern(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, p := w.function()
	failed := errors.New("failed")
	first := []logs.Entry{entry("the moon is made of cheese", w.now)}
	err := postgres.Tx(t.Context(), w.pool, postgres.TxOptions{}, func(tx pgx.Tx) error {
		return errors.Join(p.Assign(t.Context(), tx, first), failed)
	})
	if !errors.Is(err, failed) || first[0].PatternID == uuid.Nil {
		t.Fatalf("%v %v", err, first[0].PatternID)
	}
	w.write(s, entry("the moon is made of cheese", w.now))
	w.agree(1)
	if got := w.texts(`select pattern_id::text from guarda.advanced_logs`); got[0] != first[0].PatternID.String() {
		t.Errorf("pattern %s, and %s in the transaction that failed", got[0], first[0].PatternID)
	}
}

func TestTheOldestPatternKeepsItsIDAndShowsTheMostGeneralTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Each function knows one word only: none of them can tell, until ten seconds
	// have passed.
	now := clock.At(w.now)
	var first string
	users := []string{"ana", "bruno", "carla", "davi", "elena", "fabio"}
	var functions []*logstore.Store
	for range users {
		s, p := w.functionAt(now)
		if err := postgres.Tx(t.Context(), w.pool, postgres.TxOptions{}, func(tx pgx.Tx) error { return p.Assign(t.Context(), tx, nil) }); err != nil {
			t.Fatal(err)
		}
		functions = append(functions, s)
	}
	for i, user := range users {
		s := functions[i]
		w.write(s, entry("password of "+user+" was changed from node-7", w.now.Add(time.Duration(i)*time.Second)))
		if i == 0 {
			first = w.texts(`select id::text from guarda.log_patterns`)[0]
		}
	}
	if got := w.patterns(); len(got) != 6 {
		t.Fatalf("before: %q", got)
	}
	_, p := w.function()
	merged, err := p.Unite(t.Context())
	if err != nil || merged != 5 {
		t.Errorf("merged %d, %v", merged, err)
	}
	if got := w.patterns(); !slices.Equal(got, []string{"6 password of <*> was changed from node-7"}) {
		t.Errorf("after: %q", got)
	}
	got, ids, err := p.Get(t.Context(), w.texts(`select id::text from guarda.log_patterns where merged_into is not null order by seq desc limit 1`)[0])
	if err != nil || got.ID.String() != first || len(ids) != 7 {
		t.Errorf("pattern %+v with %d ids, %v; want %s", got, len(ids), err, first)
	}
	// A function that starts now knows it, and what changes in its text.
	s, p := w.function()
	w.write(s, entry("password of zeca was changed from node-9", w.now))
	w.write(s, entry("password of zeca was changed from node-9", w.now))
	if _, err := p.Unite(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.patterns(); !slices.Equal(got, []string{"8 password of <*> was changed from <*>"}) {
		t.Errorf("at last: %q", got)
	}
	w.agree(8)
}

func TestSurgesAreJudgedAgainstTheSameHourOfEarlierDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, p := w.function()
	w.write(s, entry("disk 1 is slow", w.now.Add(-20*24*time.Hour)), entry("all is well", w.now.Add(-20*24*time.Hour)))
	for day := range 10 {
		at := w.now.Add(-time.Duration(day)*24*time.Hour - 30*time.Minute)
		n := 5 + day%3
		if day == 0 {
			n = 100
		}
		for i := range n {
			w.write(s, entry(fmt.Sprintf("disk %d is slow", i), at))
		}
		w.write(s, entry("all is well", at))
	}
	j, err := p.Judge(t.Context(), w.now)
	if err != nil || j.Surging != 1 {
		t.Fatalf("%+v, %v", j, err)
	}
	surging, err := p.List(t.Context(), map[uuid.UUID]int64{uuid.MustParse(w.texts(`select id::text from guarda.log_patterns where template like 'disk%'`)[0]): 7}, patternstore.Filter{Surging: true}, patternstore.ByCount, nil, 10)
	if err != nil || len(surging) != 1 || surging[0].Recent != 100 || surging[0].Usual == nil || *surging[0].Usual < 4 || surging[0].SurgingSince == nil || surging[0].Count != 7 {
		t.Errorf("%+v, %v", surging, err)
	}
	if j, err := p.Judge(t.Context(), w.now.Add(2*time.Hour)); err != nil || j.Surging != 0 {
		t.Errorf("two hours later: %+v, %v", j, err)
	}
	if got := w.texts(`select format('%s %s %s', match_count, recent_count, surging_since is null) from guarda.log_patterns where merged_into is null order by 1`); !slices.Equal(got, []string{"11 0 t", fmt.Sprintf("%d 0 t", w.sum("disk%"))}) {
		t.Errorf("two hours later: %q", got)
	}
}

func (w *world) sum(template string) (n int) {
	_, err := fmt.Sscan(w.texts(`select count(*)::text from guarda.advanced_logs l join guarda.log_patterns p on p.id = l.pattern_id where p.template like $1`, template)[0], &n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestPatternsWithoutEntriesAreForgottenUnlessTheyComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, p := w.function()
	old := w.now.Add(-40 * 24 * time.Hour)
	w.write(s, entry("came back", old), entry("gone for good", old), entry("still there", old))
	pgtest.Exec(t, w.url, `delete from guarda.advanced_logs where message <> 'still there'`)
	for range 2 {
		if j, err := p.Judge(t.Context(), w.now); err != nil || j.Forgotten != 0 {
			t.Fatalf("%+v, %v", j, err)
		}
	}
	late := logstore.New(w.pool, clock.System{})
	late.Patterns = patternstore.New(w.pool, clock.System{})
	w.write(late, entry("came back", w.now))
	if j, err := p.Judge(t.Context(), w.now.Add(25*time.Hour)); err != nil || j.Forgotten != 1 {
		t.Errorf("a day later: %+v, %v", j, err)
	}
	w.agree(2)
	if got := w.texts(`select template from guarda.log_patterns order by 1`); !slices.Equal(got, []string{"came back", "still there"}) {
		t.Errorf("left: %q", got)
	}
}

func TestPatternsAreListedInPagesAndMuted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, p := w.function()
	words := []string{"alpha", "beta", "gamma", "delta", "epsilon"}
	for i, word := range words {
		for range i + 1 {
			w.write(s, entry(word, w.now))
		}
	}
	counted := map[uuid.UUID]int64{}
	for i, word := range words {
		counted[uuid.MustParse(w.texts(`select id::text from guarda.log_patterns where template = $1`, word)[0])] = int64(i + 1)
	}
	var seen []string
	var after *patternstore.Position
	for {
		page, err := p.List(t.Context(), counted, patternstore.Filter{}, patternstore.ByCount, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, one := range page {
			seen = append(seen, fmt.Sprint(one.Template, " ", one.Count))
		}
		last := page[len(page)-1]
		after = &patternstore.Position{Key: last.Key, ID: last.ID}
	}
	if !slices.Equal(seen, []string{"epsilon 5", "delta 4", "gamma 3", "beta 2", "alpha 1"}) {
		t.Errorf("pages: %q", seen)
	}
	id := w.texts(`select id::text from guarda.log_patterns where template = 'gamma'`)[0]
	if err := p.Mute(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	yes := true
	muted, err := p.List(t.Context(), counted, patternstore.Filter{Muted: &yes, Contains: "AMM"}, patternstore.ByLastSeen, nil, 10)
	if err != nil || len(muted) != 1 || muted[0].Template != "gamma" || !muted[0].Muted {
		t.Errorf("muted: %+v, %v", muted, err)
	}
	if err := p.Mute(t.Context(), uuid.NewString(), true); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("mute what is not there: %v", err)
	}
	if _, _, err := p.Get(t.Context(), uuid.NewString()); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("get what is not there: %v", err)
	}
}
