package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"guarda/shared/clock"
	"guarda/shared/fault"
)

// logEntry is an entry as the API shows it.
type logEntry struct {
	Level      string    `json:"level"`
	Source     string    `json:"source"`
	Message    string    `json:"message"`
	CreatedAt  time.Time `json:"created_at"`
	Highlights [][2]int  `json:"highlights"` // from, to: characters
}

func (a *app) logsSearchCommand() *cobra.Command {
	var where apiFlags
	var entries entryFlags
	var limit int
	var oldest bool
	c := &cobra.Command{
		Use:   "search [TERM] --api URL --api-key-file F",
		Short: "Search log entries, the newest first",
		Long: `Search log entries through the API, the newest first.

TERM is read as in a web search: words, "quoted phrases", or, -without. With
--mode substring or regex every entry of the range is looked at: a search that
takes long says how far it is, and goes on until it has found enough.
With --json prints an entry a line, as the API shows it.`,
		Args: cobra.MaximumNArgs(1),
	}
	where.add(c)
	entries.add(c, true)
	c.Flags().IntVar(&limit, "limit", 50, "how many entries at most; 0 for all")
	c.Flags().BoolVar(&oldest, "oldest-first", false, "the oldest first")
	c.Flags().BoolVar(&a.json, "json", false, "print each entry as JSON")
	var words string
	c.PreRun = func(_ *cobra.Command, args []string) { words = strings.Join(args, "") }
	c.RunE = a.work(func(ctx context.Context) error {
		client, err := where.open()
		if err != nil {
			return err
		}
		if limit < 0 {
			return usageError{fault.New(fault.Invalid, "--limit is %d, and must not be less than 0", limit)}
		}
		q, err := entries.query(words, clock.System{}.Now())
		if err != nil {
			return err
		}
		if oldest {
			q.Set("order", "asc")
		}
		return a.search(ctx, client, q, limit)
	})
	return c
}

func (a *app) search(ctx context.Context, client *api, q url.Values, limit int) error {
	printed := 0
	for {
		page := 1000
		if limit > 0 {
			page = min(page, limit-printed)
		}
		q.Set("limit", strconv.Itoa(page))
		var got struct {
			Logs       []json.RawMessage `json:"logs"`
			NextCursor *string           `json:"next_cursor"`
			HasMore    bool              `json:"has_more"`
			BackTo     *time.Time        `json:"searched_back_to"`
		}
		if err := client.get(ctx, "/api/logs/search", q, &got); err != nil {
			return err
		}
		for _, raw := range got.Logs {
			if err := a.printEntry(raw); err != nil {
				return err
			}
		}
		printed += len(got.Logs)
		if !got.HasMore || got.NextCursor == nil || limit > 0 && printed >= limit {
			return nil
		}
		if got.BackTo != nil { // it takes its time: say that it goes on
			fmt.Fprintf(a.err, "searched as far as %s, going on\n", got.BackTo.UTC().Format("2006-01-02T15:04:05Z"))
		}
		q.Set("cursor", *got.NextCursor)
	}
}

// printEntry prints an entry in a line, coloured for people who watch.
func (a *app) printEntry(raw json.RawMessage) error {
	if a.json {
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return err
		}
		b.WriteByte('\n')
		_, err := a.out.Write(b.Bytes())
		return err
	}
	var e logEntry
	if err := json.Unmarshal(raw, &e); err != nil {
		return fault.New(fault.Unavailable, "the API's answer cannot be read").Because(err)
	}
	colour := a.coloured()
	message := e.Message
	if colour {
		message = marked(message, e.Highlights)
	}
	_, err := fmt.Fprintf(a.out, "%s %s %s %s\n", e.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), levelText(e.Level, colour), plain(e.Source), plain(message))
	return err
}

// coloured reports whether a person watches standard output.
func (a *app) coloured() bool {
	f, ok := a.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Escape sequences of terminals.
const (
	escReset = "\x1b[0m"
	escMark  = "\x1b[1;33m"
)

func levelText(level string, colour bool) string {
	text := fmt.Sprintf("%-8s", strings.ToUpper(level))
	if !colour {
		return text
	}
	code := map[string]string{"debug": "\x1b[2m", "info": "\x1b[36m", "warn": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;37;41m"}[level]
	return code + text + escReset
}

// marked puts what was found between escape sequences.
func marked(message string, ranges [][2]int) string {
	runes := []rune(strings.ReplaceAll(message, "\x1b", "\uFFFD"))
	var b strings.Builder
	at := 0
	for _, r := range ranges {
		if r[0] < at || r[1] > len(runes) || r[0] > r[1] {
			continue
		}
		b.WriteString(string(runes[at:r[0]]) + escMark + string(runes[r[0]:r[1]]) + escReset)
		at = r[1]
	}
	return b.String() + string(runes[at:])
}

// plain keeps an entry in one line, and what it holds from steering a terminal;
// the sequences of marked pass.
func plain(text string) string {
	text = strings.NewReplacer(escMark, "\uE000", escReset, "\uE001").Replace(text)
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return '\uFFFD'
		}
		return r
	}, text)
	return strings.NewReplacer("\uE000", escMark, "\uE001", escReset).Replace(text)
}

func (a *app) logsTailCommand() *cobra.Command {
	var where apiFlags
	var entries entryFlags
	c := &cobra.Command{
		Use:   "tail [TERM] --api URL --api-key-file F",
		Short: "Follow log entries as they come in",
		Long: `Follow log entries as they come in, until Ctrl-C. When the connection breaks
it goes on where it stopped: no entry is lost or printed twice.`,
		Args: cobra.MaximumNArgs(1),
	}
	where.add(c)
	entries.add(c, false)
	c.Flags().BoolVar(&a.json, "json", false, "print each entry as JSON")
	var words string
	c.PreRun = func(_ *cobra.Command, args []string) { words = strings.Join(args, "") }
	c.RunE = a.work(func(ctx context.Context) error {
		client, err := where.open()
		if err != nil {
			return err
		}
		q, err := entries.query(words, clock.System{}.Now())
		if err != nil {
			return err
		}
		return a.tail(ctx, client, q)
	})
	return c
}

// tail follows from connection to connection.
func (a *app) tail(ctx context.Context, client *api, q url.Values) error {
	last := ""
	for {
		header := http.Header{"Accept": {"text/event-stream"}}
		if last != "" {
			header.Set("Last-Event-ID", last)
		}
		got, err := client.send(ctx, http.MethodGet, "/api/logs/tail", q, nil, header)
		if err != nil {
			return err
		}
		err = a.events(got.Body, &last)
		got.Body.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// events prints the events of a stream (the format of server-sent events in
// the HTML standard) until it ends; last is the id of the last one.
func (a *app) events(in io.Reader, last *string) error {
	lines := bufio.NewReader(in)
	var event, id string
	var data []string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil // a cut event comes again
		}
		line = strings.TrimRight(line, "\r\n")
		name, v, _ := strings.Cut(line, ":")
		v = strings.TrimPrefix(v, " ")
		switch {
		case line == "":
			if err := a.event(event, strings.Join(data, "\n")); err != nil {
				return err
			}
			if id != "" {
				*last = id
			}
			event, id, data = "", "", nil
		case name == "event":
			event = v
		case name == "id":
			id = v
		case name == "data":
			data = append(data, v)
		}
	}
}

func (a *app) event(name, data string) error {
	switch name {
	case "log":
		return a.printEntry(json.RawMessage(data))
	case "sampled":
		var s struct {
			Dropped int  `json:"dropped"`
			Expired bool `json:"expired"`
		}
		if err := json.Unmarshal([]byte(data), &s); err == nil {
			if s.Expired {
				fmt.Fprintln(a.err, "some entries came in too long ago to be shown here: use guarda logs search")
			} else {
				fmt.Fprintf(a.err, "%d entries are not shown: there are too many\n", s.Dropped)
			}
		}
	}
	return nil
}
