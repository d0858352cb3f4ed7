package pattern_test

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guarda/shared/logs/pattern"
)

// grouping is the accuracy as the logparser benchmark computes it: the share
// of messages whose group holds exactly the messages of their event.
func grouping(events, groups []string) float64 {
	type pair struct{ event, group string }
	inEvent, inGroup, inBoth := map[string]int{}, map[string]int{}, map[pair]int{}
	for i := range events {
		inEvent[events[i]]++
		inGroup[groups[i]]++
		inBoth[pair{events[i], groups[i]}]++
	}
	right := 0
	for p, n := range inBoth {
		if n == inEvent[p.event] && n == inGroup[p.group] {
			right += n
		}
	}
	return float64(right) / float64(len(events))
}

// mined returns the accuracy of the patterns that messages belong to in the
// end, and of those that they were given while they came in.
func mined(lines []labelled) (final, online float64) {
	m := pattern.New(0)
	events, first, last := make([]string, len(lines)), make([]string, len(lines)), make([]string, len(lines))
	handles := make([]pattern.Handle, len(lines))
	for i, l := range lines {
		events[i] = l.event
		handles[i] = m.Add([]byte(l.message))
		first[i] = idText(m.ID(handles[i]))
	}
	for i, h := range handles {
		last[i] = idText(m.ID(h))
	}
	return grouping(events, last), grouping(events, first)
}

func idText(id pattern.ID) string { return string(id[:]) }

func TestGroupingIsCountedByWholeGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		events, groups string
		want           float64
	}{
		{"a a b b", "1 1 2 2", 1},
		{"a a b b", "1 1 1 1", 0},
		{"a a b b", "1 3 2 2", 0.5},
		{"a a b c", "1 1 2 2", 0.5},
	} {
		if got := grouping(strings.Fields(c.events), strings.Fields(c.groups)); got != c.want {
			t.Errorf("%s as %s: %v, want %v", c.events, c.groups, got, c.want)
		}
	}
}

// Logs of many kinds of systems, drawn at random: nothing in the miner was
// made for any of them.
func TestPatternsOfManySystemsAreFound(t *testing.T) {
	t.Parallel()
	for _, size := range []int{300, 2000} {
		sum := 0.0
		for _, file := range corpora(t) {
			final, online := mined(corpus(t, file, size, 7))
			t.Logf("%6d messages of %-32s %.4f (as they came: %.4f)", size, filepath.Base(file), final, online)
			sum += final
			if size == 2000 && final < 0.80 {
				t.Errorf("%s: grouping accuracy %.4f", file, final)
			}
		}
		if mean := sum / float64(len(corpora(t))); mean < 0.93 {
			t.Errorf("mean grouping accuracy over %d messages each: %.4f", size, mean)
		} else {
			t.Logf("mean over %d messages each: %.4f", size, mean)
		}
	}
}

// The public Loghub samples (He et al., "Loghub: A Large Collection of System
// Log Datasets for AI-driven Log Analytics") are read from where they lie.
func TestPatternsOfLoghubAreFound(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("GUARDA_LOGHUB")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared", "data", "loghub")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_2k.log_structured.csv"))
	if err != nil || len(files) == 0 {
		t.Skip("no Loghub samples: GUARDA_LOGHUB names their folder")
	}
	var sum, shuffled float64
	for _, file := range files {
		lines := structured(t, file)
		final, online := mined(lines)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		other, _ := mined(lines)
		t.Logf("%-40s %.4f (as they came: %.4f; in another order: %.4f)", filepath.Base(file), final, online, other)
		sum += final
		shuffled += other
	}
	n := float64(len(files))
	t.Logf("mean of %d files: %.4f (in another order: %.4f)", len(files), sum/n, shuffled/n)
	if sum/n < 0.90 || shuffled/n < 0.90 {
		t.Errorf("mean grouping accuracy %.4f, in another order %.4f, want at least 0.90", sum/n, shuffled/n)
	}
}

func structured(t *testing.T, file string) []labelled {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	lines := make([]labelled, len(rows)-1)
	for i, r := range rows[1:] {
		lines[i] = labelled{r[column["Content"]], r[column["EventId"]]}
	}
	return lines
}
