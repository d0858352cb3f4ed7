package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"guarda/shared/logs/pattern"
)

func (a *app) logsMineCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "mine FILE|-",
		Short: "Find the templates of log messages, one message a line",
		Long: `Find the templates of log messages, one message a line.

Prints each template with how many lines have it, the most frequent first.
With --json prints one object for each line of the input instead, in its order:
its number (from 1), the pattern's id and its template. An empty line is a
message too: its template is empty.

The input may be compressed with gzip or zstd. Lines end with LF or CRLF.
What is beyond the first 64 KiB of a line is not looked at.`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().BoolVar(&a.json, "json", false, "print an object for each input line")
	var path string
	c.PreRun = func(_ *cobra.Command, args []string) { path = args[0] }
	c.RunE = a.work(func(ctx context.Context) error {
		in, err := openLog(path, c.InOrStdin())
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		m := pattern.New(0)
		lines, err := mineLines(ctx, m, in, a.json)
		if err != nil {
			return in.explain(err)
		}
		m.Reconcile()
		if a.json {
			return a.printLines(m, lines)
		}
		return a.printPatterns(m.Patterns())
	})
	return c
}

// mineLines adds all lines; it returns their handles if they are kept.
func mineLines(ctx context.Context, m *pattern.Miner, in io.Reader, keep bool) ([]int32, error) {
	var handles []int32
	lines := lineReader{in: bufio.NewReaderSize(in, maxLine)}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		line, err := lines.next()
		if err == io.EOF {
			return handles, nil
		}
		if err != nil {
			return nil, err
		}
		h := m.Add(line)
		if keep {
			handles = append(handles, int32(h)) // a Miner holds far fewer templates
		}
	}
}

// minedLine is a line as --json shows it.
type minedLine struct {
	Line      int    `json:"line"`
	PatternID string `json:"pattern_id"`
	Template  string `json:"template"`
}

func (a *app) printLines(m *pattern.Miner, handles []int32) error {
	out := bufio.NewWriterSize(a.out, 1<<16)
	known := map[pattern.ID][]byte{} // the objects' ends, after the number
	for i, h := range handles {
		id := m.ID(pattern.Handle(h))
		end, ok := known[id]
		if !ok {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(minedLine{0, id.String(), m.Pattern(pattern.Handle(h)).Template}); err != nil {
				return err
			}
			end = b.Bytes()[len(`{"line":0`):]
			known[id] = end
		}
		if _, err := fmt.Fprintf(out, `{"line":%d`, i+1); err != nil {
			return err
		}
		if _, err := out.Write(end); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (a *app) printPatterns(all []pattern.Pattern) error {
	slices.SortStableFunc(all, func(x, y pattern.Pattern) int { return cmp.Compare(y.Count, x.Count) })
	var total int64
	for _, p := range all {
		total += p.Count
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LINES\tSHARE\tPATTERN\tTEMPLATE")
	for _, p := range all {
		fmt.Fprintf(w, "%d\t%.2f%%\t%s\t%s\n", p.Count, 100*float64(p.Count)/float64(total), p.ID, p.Template)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "%d lines, %d patterns\n", total, len(all))
	return err
}
