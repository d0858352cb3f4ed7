package pattern_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// labelled is a message and the event it belongs to.
type labelled struct{ message, event string }

// corpus draws n messages from a file of testdata/corpora.
func corpus(t testing.TB, file string, n int, seed uint64) []labelled {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := generator{rand.New(rand.NewPCG(seed, uint64(len(raw))))}
	var events []string
	var upTo []int
	total := 0
	for line := range strings.Lines(string(raw)) {
		weight, event, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		w, err := strconv.Atoi(weight)
		if !ok || err != nil {
			t.Fatalf("%s: no weight: %q", file, line)
		}
		total += w
		events, upTo = append(events, event), append(upTo, total)
	}
	lines := make([]labelled, n)
	for i := range lines {
		at := g.IntN(total)
		e := 0
		for upTo[e] <= at {
			e++
		}
		lines[i] = labelled{g.fill(events[e]), events[e]}
	}
	return lines
}

func corpora(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/corpora/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpora: %v", err)
	}
	return files
}

type generator struct{ *rand.Rand }

// fill replaces the placeholders of an event.
func (g generator) fill(event string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(event, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if v, known := g.value(name); closed && known {
			b.WriteString(v)
			event = after
			continue
		}
		b.WriteByte('{')
		event = rest
	}
}

const (
	few   = "root news backup operator"
	many  = "alice bruno carla diego elena fabio gisele heitor ines joao karina lucas marta nuno olga paulo quiteria rafael sofia tiago ursula vitor wanda xavier yara zeca amanda breno cecilia davi"
	words = "orders customers invoices payments shipments products carts sessions audit events journal ledger stock prices coupons refunds reviews wallets accounts tickets emails contacts regions taxes quotes drafts assets labels offers claims"
)

func (g generator) of(list string) string {
	f := strings.Fields(list)
	return f[g.IntN(len(f))]
}

func (g generator) value(name string) (string, bool) {
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdef"[g.IntN(16)]
		}
		return string(b)
	}
	ip := func() string {
		return fmt.Sprintf("%d.%d.%d.%d", 10+g.IntN(200), g.IntN(256), g.IntN(256), 1+g.IntN(254))
	}
	if strings.Contains(name, "|") {
		list := strings.Split(name, "|")
		return list[g.IntN(len(list))], true
	}
	switch name {
	case "int":
		return strconv.Itoa(g.IntN([]int{3, 10, 500, 70000}[g.IntN(4)])), true
	case "big":
		return strconv.FormatInt(1_500_000_000_000+g.Int64N(1e10), 10), true
	case "float":
		return strconv.FormatFloat(g.Float64()*300, 'f', 1+g.IntN(5), 64), true
	case "pct":
		return strconv.Itoa(g.IntN(100)) + "%", true
	case "hex":
		return "0" + hex(10), true
	case "addr":
		return "0x" + hex([]int{4, 8, 12}[g.IntN(3)]), true
	case "uuid":
		return hex(8) + "-" + hex(4) + "-4" + hex(3) + "-a" + hex(3) + "-" + hex(12), true
	case "ip":
		return ip(), true
	case "ipport":
		return ip() + ":" + strconv.Itoa(1024+g.IntN(60000)), true
	case "port":
		return strconv.Itoa(1024 + g.IntN(60000)), true
	case "mac":
		return hex(2) + ":" + hex(2) + ":0" + hex(1) + ":" + hex(2) + ":" + hex(2) + ":1" + hex(1), true
	case "path":
		return []string{"/var/lib/" + g.of(words), "/usr/bin/" + g.of(words), "/home/" + g.of(many) + "/" + g.of(words) + ".log", "/api/v1/" + g.of(words) + "/" + strconv.Itoa(g.IntN(999)), "/etc/cron.hourly"}[g.IntN(5)], true
	case "url":
		return []string{"https://", "http://"}[g.IntN(2)] + g.of(words) + ".example.com:" + strconv.Itoa(80+g.IntN(9000)) + "/" + g.of(words) + "?q=" + g.of(words), true
	case "host":
		return []string{g.of(words) + ".example.com", "node-" + strconv.Itoa(g.IntN(200)), "ip-10-0-0-" + strconv.Itoa(g.IntN(250)), g.of(words) + "-" + hex(5) + "7", "www." + g.of(words) + ".example.org"}[g.IntN(5)], true
	case "user":
		if g.IntN(2) == 0 {
			return "root", true
		}
		return g.of(few), true
	case "person":
		return g.of(many), true
	case "word":
		return g.of(words), true
	case "class":
		return "org.example." + g.of(words) + "." + strings.ToUpper(g.of(many)), true
	case "date":
		return fmt.Sprintf("2026-%02d-%02dT%02d:%02d:%02dZ", 1+g.IntN(12), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60)), true
	case "time":
		return fmt.Sprintf("%02d:%02d:%02d", g.IntN(24), g.IntN(60), g.IntN(60)), true
	case "dur":
		return []string{strconv.Itoa(g.IntN(999)) + "ms", strconv.Itoa(g.IntN(60)) + "s", strconv.FormatFloat(g.Float64()*9, 'f', 2, 64) + " seconds", strconv.Itoa(g.IntN(99)) + " ms"}[g.IntN(4)], true
	case "size":
		return strconv.FormatFloat(g.Float64()*900, 'f', 1, 64) + " " + []string{"B", "KB", "MB", "GB"}[g.IntN(4)], true
	case "id":
		return []string{"attempt_", "task_", "node-", "job_"}[g.IntN(4)] + strconv.Itoa(g.IntN(90000)) + "_" + strconv.Itoa(g.IntN(99)), true
	case "bool":
		return []string{"true", "false"}[g.IntN(2)], true
	}
	return "", false
}
