package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"guarda/cmd/local/internal/runtimeapi"
)

// answer passes a buffered answer on.
func (g *Gateway) answer(c *call, payload []byte) {
	r, err := readReply(payload, false)
	if err != nil {
		g.respond(c, badAnswer, "malformed answer of "+c.route.Function+": "+err.Error())
		return
	}
	body := []byte(r.body)
	// Base64 is undone only where the API says that such content is binary; a
	// browser's first Accept is text/html, which is why "*/*" is usual.
	accept, _, _ := strings.Cut(c.r.Header.Get("Accept"), ",")
	if r.encoded && g.binary(accept) {
		if body, err = base64.StdEncoding.DecodeString(r.body); err != nil {
			g.respond(c, badAnswer, "malformed answer of "+c.route.Function+": the body is no base64")
			return
		}
	}
	r.writeHeader(c.w)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body)
	}
}

var errNoPrelude = errors.New("no eight NUL bytes after the first 16 KiB")

// maxPrelude is the most bytes of the JSON before a streamed body.
const maxPrelude = 16 << 10

// stream passes a streamed answer on while it is made: JSON, eight NUL bytes,
// body.
func (g *Gateway) stream(ctx context.Context, c *call, res *runtimeapi.Result) {
	if res.Stream == nil {
		why := c.route.Function + ": the route streams, and the function's answer is not streamed: %s"
		if res.FunctionError != "" {
			why = c.route.Function + " failed: %s"
		}
		g.respond(c, badAnswer, strings.Replace(why, "%s", string(res.Payload[:min(len(res.Payload), 500)]), 1))
		return
	}
	defer res.Stream.Close()
	// Without a reader the function's write fails, and it ends.
	stop := context.AfterFunc(ctx, func() { _ = res.Stream.Close() })
	defer stop()
	prelude, rest, err := cutPrelude(res.Stream)
	if err != nil {
		g.respond(c, badAnswer, "malformed stream of "+c.route.Function+": "+err.Error())
		return
	}
	r, err := readReply(prelude, true)
	if err != nil {
		g.respond(c, badAnswer, "malformed stream of "+c.route.Function+": "+err.Error())
		return
	}
	r.writeHeader(c.w)
	out := http.NewResponseController(c.w)
	buf := make([]byte, 32<<10)
	for n := copy(buf, rest); ; {
		if n > 0 {
			if _, err := c.w.Write(buf[:n]); err != nil {
				return
			}
		}
		_ = out.Flush() // a writer that cannot is a test's
		var err error
		if n, err = res.Stream.Read(buf); err == io.EOF {
			return
		} else if err != nil {
			if ctx.Err() == nil {
				g.cfg.Log(c.id, c.r.Method+" "+c.path+": "+c.route.Function+": the stream broke: "+err.Error())
			}
			panic(http.ErrAbortHandler) // the client must not take it for whole
		}
	}
}

// cutPrelude reads up to the eight NUL bytes. What it read beyond is rest.
func cutPrelude(r io.Reader) (prelude, rest []byte, err error) {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if i := bytes.Index(got, make([]byte, 8)); i >= 0 {
			return got[:i], got[i+8:], nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, nil, err
		}
		if len(got) > maxPrelude {
			return nil, nil, errNoPrelude
		}
	}
}
