package logs_test

import (
	"bufio"
	"context"
	"iter"
	"net/http"
	"strings"
)

type event struct{ name, id, data string }

// events reads a stream of server-sent events until it ends. The first event
// is ours: the stream is open.
func (w *world) events(ctx context.Context, path, last string) iter.Seq[event] {
	return func(yield func(event) bool) {
		header := http.Header{}
		if last != "" {
			header.Set("Last-Event-ID", last)
		}
		resp, err := w.stack.Open(ctx, path, header)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !yield(event{name: "open"}) {
			return
		}
		var e event
		for in := bufio.NewReader(resp.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return // what is cut off comes again
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
				if e != (event{}) && !yield(e) {
					return
				}
				e = event{}
			}
		}
	}
}
