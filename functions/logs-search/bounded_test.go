package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guarda/shared/fault"
	"guarda/shared/logs"
	"guarda/shared/postgres/logstore"
)

// hasty is a clock on which an hour passes whenever somebody looks.
type hasty struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(time.Hour)
	return h.now
}

// A search whose time is up says how far it got, and goes on from there: in
// the end everything was found once, in its order.
func TestASearchWhoseTimeIsUpGoesOnFromThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, 1500)
	store := logstore.New(w.Pool, &hasty{now: base})
	low, high := base.Add(34*time.Hour-3*time.Minute), base.Add(34*time.Hour+4*time.Minute)
	for _, oldest := range []bool{false, true} {
		q := &logs.Query{Term: "backup", Mode: logs.Substring, Start: low, End: high, OldestTop: oldest}
		order := "desc"
		if oldest {
			order = "asc"
		}
		want := w.Texts(fmt.Sprintf(`select id::text from guarda.advanced_logs where message like '%%backup%%' and created_at >= $1::timestamptz and created_at < $2::timestamptz order by created_at %s, id %[1]s`, order), low, high)
		var got []string
		unfinished := 0
		for after, more := (*logs.Position)(nil), true; more; {
			found, err := store.Search(t.Context(), q, logstore.SearchOptions{After: after, Limit: 40, Budget: 90 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range found.Hits {
				got = append(got, h.ID.String())
			}
			if !found.BackTo.IsZero() {
				unfinished++
			}
			after, more = found.Next, found.More
		}
		if !slices.Equal(got, want) || unfinished < 5 {
			t.Errorf("%s: %d hits in steps of which %d were unfinished, want %d", order, len(got), unfinished, len(want))
		}
	}
	total, err := store.Count(t.Context(), &logs.Query{Term: "backup", Mode: logs.Substring, Start: low, End: high}, logs.TextSearch{}, 0, 90*time.Minute)
	if err != nil || !total.AtLeast {
		t.Errorf("counting in no time: %+v, %v", total, err)
	}
}

// A regular expression that takes for ever is ended by the time that a search
// has, not by the one that a request may take. Entries before it are looked at
// first; a search that gets no further says so, instead of leading whoever goes
// on from there back to where they are.
func TestAnExpressionThatTakesForEverIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, logs.Entry{Level: logs.Info, Source: "a", Message: strings.Repeat("a", 2001)})
	q := &logs.Query{Term: `^(a+)(a+)(a+)(a+)\4\3\2\1$`, Mode: logs.Regex} // an even number of them, in any of 10^9 ways
	w.write(t, logs.Entry{Level: logs.Info, Source: "a", Message: "aaaaaaaa", CreatedAt: time.Now().Add(3 * time.Hour).UTC()}, logs.Entry{Level: logs.Info, Source: "a", Message: "aaaaaaaa", CreatedAt: time.Now().AddDate(0, 0, -2).UTC()})
	for _, oldest := range []bool{false, true} {
		q.OldestTop = oldest
		var after *logs.Position
		var err error
		hits := 0
		for step := 0; err == nil; step++ {
			var found *logs.Found
			if found, err = w.Store.Search(t.Context(), q, logstore.SearchOptions{After: after, Limit: 10, Budget: 300 * time.Millisecond}); err != nil {
				break
			}
			if found.BackTo.IsZero() || !found.More || step > 20 {
				t.Fatalf("step %d says that it looked at everything, or leads nowhere: %+v", step, found)
			}
			hits, after = hits+len(found.Hits), found.Next
		}
		if hits != 1 {
			t.Errorf("%d hits before it", hits)
		}
		if fault.CodeOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
			t.Errorf("going on: %v", err)
		}
	}
}
