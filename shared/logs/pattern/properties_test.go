package pattern_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"guarda/shared/logs/pattern"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 99)) }

func (g generator) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(g.IntN(26))
	}
	return string(b)
}

// mixture is messages of all corpora, in random order.
func mixture(t testing.TB, each int, seed uint64) []string {
	var all []string
	for _, file := range corpora(t) {
		for _, l := range corpus(t, file, each, seed) {
			all = append(all, l.message)
		}
	}
	newRand(seed).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func total(patterns []pattern.Pattern) (n int64) {
	for _, p := range patterns {
		n += p.Count
	}
	return n
}

func TestTheSameMessagesGiveTheSamePatterns(t *testing.T) {
	t.Parallel()
	lines := mixture(t, 300, 1)
	var results []string
	for range 2 {
		m := pattern.New(0)
		for _, l := range lines {
			m.Add([]byte(l))
		}
		results = append(results, fmt.Sprint(m.Patterns()))
	}
	if results[0] != results[1] {
		t.Fatal("two miners disagree about the same messages")
	}
}

// Identifiers are kept in databases: what a template's is may never change.
func TestIdentifiersStayTheSameForever(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"session opened for user root by (uid=0)": "808b0294-2318-85a5-a6cf-61dcc686a8e7",
		"":              "00000000-0000-8000-a523-2284e49cf2cb",
		"out of memory": "c90f13bd-caa7-84c2-9936-d12f968f3ddb",
	} {
		m := pattern.New(0)
		if got := m.Pattern(m.Add([]byte(message))).ID.String(); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
}

func TestTheIdentifierStaysWhenTheTemplateBecomesGeneral(t *testing.T) {
	t.Parallel()
	m := pattern.New(0)
	first := m.Add([]byte("session closed for user root"))
	before := m.Pattern(first)
	for _, user := range strings.Fields(many) {
		m.Add([]byte("session closed for user " + user))
	}
	after := m.Pattern(first)
	if before.Template != "session closed for user root" || after.Template != "session closed for user <*>" {
		t.Errorf("template %q became %q", before.Template, after.Template)
	}
	if before.ID != after.ID {
		t.Errorf("identifier %s became %s", before.ID, after.ID)
	}
	if all := m.Patterns(); len(all) != 1 || all[0].Count != 31 {
		t.Errorf("patterns: %v", all)
	}
}

func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 50, 1} {
		lines := mixture(t, 200, 2)
		m := pattern.New(limit)
		perPattern := map[pattern.ID]int64{}
		handles := make([]pattern.Handle, len(lines))
		for i, l := range lines {
			handles[i] = m.Add([]byte(l))
		}
		for _, h := range handles {
			perPattern[m.ID(h)]++
		}
		all := m.Patterns()
		if total(all) != int64(len(lines)) {
			t.Errorf("limit %d: counts add up to %d of %d", limit, total(all), len(lines))
		}
		for _, p := range all {
			if perPattern[p.ID] != p.Count {
				t.Errorf("limit %d: %s has %d messages and counts %d", limit, p.Template, perPattern[p.ID], p.Count)
			}
		}
		if len(perPattern) != len(all) {
			t.Errorf("limit %d: %d identifiers for %d patterns", limit, len(perPattern), len(all))
		}
	}
}

func TestWhatFindsNoPlaceIsOnePattern(t *testing.T) {
	t.Parallel()
	m := pattern.New(3)
	for _, l := range []string{"one thing here", "another, quite different", "[third]", "a fourth one: too much", "a fifth = too much"} {
		m.Add([]byte(l))
	}
	all := m.Patterns()
	if len(all) != 4 || all[3].Template != "<*>" || all[3].Count != 2 {
		t.Errorf("patterns: %v", all)
	}
}

// Miners that share the messages between them know together what one that had
// all of them knows, and their counts are exact.
func TestMinersUnite(t *testing.T) {
	t.Parallel()
	var lines []labelled
	for _, file := range corpora(t) {
		lines = append(lines, corpus(t, file, 600, 4)...)
	}
	miners := []*pattern.Miner{pattern.New(0), pattern.New(0), pattern.New(0)}
	g := newRand(4)
	for _, l := range lines {
		miners[g.IntN(len(miners))].Add([]byte(l.message))
	}
	united := pattern.New(0)
	for _, m := range miners {
		if err := united.Import(m.Export()); err != nil {
			t.Fatal(err)
		}
	}
	united.Reconcile()
	if total(united.Patterns()) != int64(len(lines)) {
		t.Errorf("counts add up to %d of %d", total(united.Patterns()), len(lines))
	}
	var events, groups []string
	for _, l := range lines {
		events = append(events, l.event)
		groups = append(groups, idText(united.ID(united.Add([]byte(l.message)))))
	}
	alone, _ := mined(lines)
	if got := grouping(events, groups); got < alone-0.02 {
		t.Errorf("grouping accuracy %.4f, alone %.4f", got, alone)
	} else {
		t.Logf("grouping accuracy %.4f, alone %.4f", got, alone)
	}
}

func TestAStateIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	lines := mixture(t, 300, 5)
	m := pattern.New(0)
	for _, l := range lines {
		m.Add([]byte(l))
	}
	m.Add([]byte("not \xff utf-8 \xc3 user=\xf0"))
	restored := pattern.New(0)
	if err := restored.Import(m.Export()); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(restored.Patterns()), fmt.Sprint(m.Patterns()); got != want {
		t.Errorf("restored\n%s\nwant\n%s", got, want)
	}
	before := len(restored.Export())
	for _, l := range mixture(t, 300, 5) {
		restored.Add([]byte(l))
	}
	if after := len(restored.Export()); after != before {
		t.Errorf("%d templates became %d on the same messages", before, after)
	}
}

func TestChangesTellOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	m, copied := pattern.New(0), pattern.New(0)
	lines := mixture(t, 200, 6)
	for i, l := range lines {
		m.Add([]byte(l))
		if i%500 == 499 || i == len(lines)-1 {
			changes := m.Changes()
			for j := range changes {
				changes[j].Count = 0
			}
			if err := copied.Import(changes); err != nil {
				t.Fatal(err)
			}
		}
	}
	if again := m.Changes(); len(again) != 0 {
		t.Errorf("%d changes without a message", len(again))
	}
	if got, want := len(copied.Patterns()), len(m.Patterns()); got != want {
		t.Errorf("a copy kept by changes has %d patterns, want %d", got, want)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "w", "w0", "q00word", "w80word", "w0zword", "xzzzzzzzzzzzzzzzzw00word"} {
		if err := pattern.New(0).Import([]pattern.Template{{Tokens: []string{token}}}); err == nil {
			t.Errorf("%q was taken for a token", token)
		}
	}
}

func FuzzAdd(f *testing.F) {
	for _, l := range mixture(f, 2, 8) {
		f.Add(l)
	}
	for _, l := range []string{"", " ", "\x00", "\xff\xfe", "\x1b[31mred\x1b[0m alert", "\x1b", "\x1b[", "''", "a=", "=a", "(", "()", "[]]", "<1", "<1>", "http://", "://", "/", "a:b:c::", "..", "1..2", "it's", "Jan 1", "İx", strings.Repeat("a ", 5000), strings.Repeat("(", 5000), strings.Repeat("9", 9000)} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m := pattern.New(0)
		h := m.Add([]byte(line))
		p := m.Pattern(h)
		if again := m.Add([]byte(line)); m.Pattern(again) != p {
			t.Errorf("%q is %v and then %v", line, p, m.Pattern(again))
		}
		if !utf8.ValidString(p.Template) || strings.ContainsAny(p.Template, "\x00\r\n") {
			t.Errorf("template %q", p.Template)
		}
		restored := pattern.New(0)
		if err := restored.Import(m.Export()); err != nil {
			t.Fatal(err)
		}
		if got := restored.Patterns(); len(got) != 1 || got[0].ID != p.ID || got[0].Count != 2 {
			t.Errorf("restored %v, want %v", got, p)
		}
		if got := restored.Pattern(restored.Add([]byte(line))); got.ID != p.ID {
			t.Errorf("after the state was read: %v, want %v", got, p)
		}
	})
}
