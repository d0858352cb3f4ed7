package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// status is where some work is.
type status struct {
	phase              string
	bytes, total, rows int64
	rate               float64  // bytes per second; 0: unknown
	left               *float64 // seconds
}

// bar shows a status on the terminal's last line. Without a terminal it shows
// nothing.
type bar struct {
	mu  sync.Mutex
	out io.Writer // nil: no terminal
}

func (a *app) newBar() *bar {
	if a.terminal() && !a.verbose {
		return &bar{out: a.err}
	}
	return &bar{}
}

const barWidth = 24

func (b *bar) show(s status) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	line := s.phase
	if s.total > 0 {
		part := min(1, float64(s.bytes)/float64(s.total))
		full := int(part * barWidth)
		line = fmt.Sprintf("%-9s [%s%s] %3.0f%%  %s of %s", s.phase, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), part*100, size(s.bytes), size(s.total))
	}
	if s.rows > 0 {
		line += "  " + count(s.rows) + " rows"
	}
	if s.rate > 0 {
		line += "  " + size(int64(s.rate)) + "/s"
	}
	if s.left != nil {
		line += "  " + seconds(*s.left) + " left"
	}
	fmt.Fprintf(b.out, "\r%s\x1b[K", line)
}

// clear removes the line.
func (b *bar) clear() {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprint(b.out, "\r\x1b[K")
}

// size writes bytes as people read them, in powers of 1000.
func size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1000, 0
	for v >= 999.95 && i < len(units)-1 {
		v /= 1000
		i++
	}
	return fmt.Sprintf("%.1f %cB", v, units[i])
}

// count writes a number with separators between thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
