package lambdafn

import (
	"context"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"guarda/shared/config"
)

// StartStream runs a handler whose answers are sent while they are made, on a
// route with ResponseTransferMode RESPONSE_STREAM. It does not return.
func StartStream(name string, build Build[http.Handler]) {
	log := NewLogger(os.Stderr, name)
	h := must(build, log)
	lambda.Start(StreamHandler(CORS(config.AllowedOrigin(), h)))
}

// StreamHandler is what StartStream hands to Lambda, for tests. It returns when
// the handler has written its status or ended; the body follows while the
// handler writes. When nobody reads any more the handler's context ends and its
// writes fail.
func StreamHandler(h http.Handler) func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	var accessor core.RequestAccessor
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		ctx, cancel := context.WithCancel(identified(ctx, &event))
		r, err := accessor.EventToRequestWithContext(ctx, event)
		if err != nil {
			cancel()
			return nil, err
		}
		reader, writer := io.Pipe()
		w := &streamWriter{header: http.Header{}, body: writer, started: make(chan struct{})}
		go func() {
			defer cancel()
			defer func() { _ = writer.Close() }()
			defer w.WriteHeader(http.StatusOK)
			h.ServeHTTP(w, r)
		}()
		<-w.started
		return &events.APIGatewayProxyStreamingResponse{StatusCode: w.status, MultiValueHeaders: w.sent, Body: streamBody{reader, cancel}}, nil
	}
}

type streamBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close tells the handler that nobody reads any more.
func (b streamBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// streamWriter is a http.ResponseWriter whose body is a pipe.
type streamWriter struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
	status  int
	sent    http.Header
}

// Header returns the headers; they count until WriteHeader.
func (w *streamWriter) Header() http.Header { return w.header }

// WriteHeader sends status and headers, the first time.
func (w *streamWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.started)
	})
}

// Write sends a part of the body.
func (w *streamWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush has nothing to do: a write returns when it was read.
func (w *streamWriter) Flush() { w.WriteHeader(http.StatusOK) }
