package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"guarda/shared/blob"
	"guarda/shared/blob/s3"
	"guarda/shared/blob/s3/s3test"
	"guarda/shared/fault"
)

// every calls each operation of the store once.
func every(t *testing.T, s blob.Store) map[string]error {
	t.Helper()
	ctx := t.Context()
	errs := map[string]error{}
	_, errs["put"] = s.Put(ctx, "a/b", strings.NewReader("x"), blob.PutOptions{})
	_, errs["large put"] = s.Put(ctx, "a/c", io.LimitReader(zeros{}, 9<<20), blob.PutOptions{})
	_, errs["get"] = s.Get(ctx, "a/b", 0, -1)
	_, errs["stat"] = s.Stat(ctx, "a/b")
	errs["delete"] = s.Delete(ctx, "a/b")
	for _, err := range s.List(ctx, "") {
		errs["list"] = err
	}
	for _, err := range s.Folders(ctx, "") {
		errs["folders"] = err
	}
	return errs
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReasonsAreNamed(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	closed.Close()
	for name, c := range map[string]struct {
		change func(*s3.Options)
		code   fault.Code
		text   string // in the error or its hint
	}{
		"unreachable":    {func(o *s3.Options) { o.Endpoint = nobody }, fault.Unavailable, "whether the store is running"},
		"no such host":   {func(o *s3.Options) { o.Endpoint = "http://store.invalid" }, fault.Unavailable, "check the endpoint"},
		"no bucket":      {func(o *s3.Options) { o.Bucket = "not-there" }, fault.NotFound, "bucket"},
		"unknown key":    {func(o *s3.Options) { o.Credentials = static("nobody", "x") }, fault.Forbidden, "AWS_ACCESS_KEY_ID"},
		"wrong secret":   {func(o *s3.Options) { o.Credentials = static(server.AccessKey, "x") }, fault.Forbidden, "AWS_SECRET_ACCESS_KEY"},
		"no credentials": {func(o *s3.Options) { o.Credentials = none{} }, fault.Forbidden, "AWS_PROFILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for call, err := range every(t, open(t, "", c.change)) {
				text := fmt.Sprint(err) + fault.HintOf(err)
				if fault.CodeOf(err) != c.code || fault.HintOf(err) == "" || !strings.Contains(text, c.text) {
					t.Errorf("%s: %v\ncode %s, hint %q", call, err, fault.CodeOf(err), fault.HintOf(err))
				}
			}
		})
	}
}

func static(id, secret string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, secret, "")
}

type none struct{}

func (none) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("nothing in the chain")
}

// answering returns a store of which every request is answered by h.
func answering(t *testing.T, attempts int, h http.HandlerFunc) *s3.Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s, err := s3.Open(t.Context(), s3.Options{Bucket: "b", Endpoint: server.URL, PathStyle: true, Credentials: static("a", "b"), Attempts: attempts})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refusal(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if code != "" {
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>said so</Message></Error>", code)
	}
}

func TestAnswersOfTheStoreAreExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   fault.Code
		hint   string
	}{
		{503, "SlowDown", fault.Unavailable, "fewer jobs"},
		{429, "TooManyRequests", fault.Unavailable, "fewer jobs"},
		{429, "", fault.Unavailable, "fewer jobs"},
		{500, "InternalError", fault.Unavailable, "try again later"},
		{502, "", fault.Unavailable, "try again later"},
		{403, "RequestTimeTooSkewed", fault.Forbidden, "set the clock"},
		{400, "ExpiredToken", fault.Forbidden, "sign in again"},
		{403, "AccessDenied", fault.Forbidden, "s3:PutObject"},
		{403, "", fault.Forbidden, "s3:PutObject"},
		{401, "", fault.Forbidden, "s3:PutObject"},
		{301, "PermanentRedirect", fault.Invalid, "region="},
		{400, "AuthorizationHeaderMalformed", fault.Invalid, "region="},
		{400, "BadDigest", fault.Corrupt, "memory"},
		{507, "", fault.Exhausted, "free space"},
		{507, "XMinioStorageFull", fault.Exhausted, "free space"},
		{400, "EntityTooLarge", fault.Exhausted, "smaller chunks"},
		{501, "NotImplemented", fault.Invalid, "endpoint"},
		{404, "NoSuchBucket", fault.NotFound, "create the bucket"},
		{418, "", fault.Invalid, "endpoint"},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			t.Parallel()
			s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				refusal(w, c.status, c.code)
			})
			_, err := s.Put(t.Context(), "a/b", strings.NewReader("x"), blob.PutOptions{})
			if fault.CodeOf(err) != c.want || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("%v\ncode %s, hint %q", err, fault.CodeOf(err), fault.HintOf(err))
			}
		})
	}
}

func TestRefusalsAreTriedAgainWhenTheyMayPass(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := answering(t, 3, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1) < 3 {
			refusal(w, 503, "SlowDown")
			return
		}
		w.Header().Set("X-Amz-Checksum-Sha256", "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=")
	})
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); err != nil || calls.Load() != 3 {
		t.Errorf("%v after %d requests", err, calls.Load())
	}
	calls.Store(0)
	denied := answering(t, 3, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		refusal(w, 403, "AccessDenied")
	})
	if _, err := denied.Get(t.Context(), "a", 0, -1); err == nil || calls.Load() != 1 {
		t.Errorf("%v after %d requests", err, calls.Load())
	}
}

func TestAStoreThatHoldsOtherBytesIsCorrupt(t *testing.T) {
	t.Parallel()
	s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Checksum-Sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	})
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("put: %v", err)
	}
	// A store that answers no checksum is asked for the size.
	short := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "0")
		}
	})
	if _, err := short.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); fault.CodeOf(err) != fault.Corrupt {
		t.Errorf("put into a store that keeps nothing: %v", err)
	}
}

func TestObjectsThatCannotBeDeletedAreNamed(t *testing.T) {
	t.Parallel()
	s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<DeleteResult><Error><Key>p/locked</Key><Code>AccessDenied</Code><Message>object is locked</Message></Error>`+
			`<Error><Key>p/gone</Key><Code>NoSuchKey</Code></Error></DeleteResult>`)
	})
	err := s.Delete(t.Context(), "p/fine", "p/locked", "p/gone")
	if fault.CodeOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "1 of 3") || !strings.Contains(err.Error(), "p/locked") || !strings.Contains(err.Error(), "object is locked") {
		t.Errorf("delete: %v", err)
	}
}

func TestAConnectionThatBreaksWhileReadingIsUnavailable(t *testing.T) {
	t.Parallel()
	s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 100)) // and no more: the server cuts the connection
	})
	r, err := s.Get(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("read %d bytes, then %v", n, err)
	}
}

func TestAFailedPartAbortsTheUpload(t *testing.T) {
	t.Parallel()
	var aborted atomic.Bool
	s := answering(t, 1, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.Method == http.MethodPost && r.URL.Query().Has("uploads"):
			fmt.Fprint(w, `<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPut:
			refusal(w, 500, "InternalError")
		case r.Method == http.MethodDelete && r.URL.Query().Get("uploadId") == "u1":
			aborted.Store(true)
			w.WriteHeader(204)
		}
	})
	if _, err := s.Put(t.Context(), "a", io.LimitReader(zeros{}, 9<<20), blob.PutOptions{}); fault.CodeOf(err) != fault.Unavailable || !aborted.Load() {
		t.Errorf("put: %v, aborted=%t", err, aborted.Load())
	}
}

func TestALostAnswerToTheLastRequestIsNotAFailure(t *testing.T) {
	t.Parallel()
	// The store completes the upload, the answer is lost, and the repeated
	// request finds no upload any more.
	var completed atomic.Int32
	server := s3test.Start(t)
	bucket := server.Bucket(t)
	target := server.Endpoint
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), r.Body)
		if err != nil {
			panic(err)
		}
		req.Header, req.ContentLength, req.Host = r.Header, r.ContentLength, r.Host
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && completed.Add(1) == 1 {
			_, _ = io.Copy(io.Discard, res.Body)
			panic(http.ErrAbortHandler)
		}
		for k, v := range res.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(proxy.Close)
	s, err := s3.Open(t.Context(), s3.Options{Bucket: bucket, Endpoint: proxy.URL, PathStyle: true, Credentials: server.Credentials(), Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Put(t.Context(), "a", io.LimitReader(zeros{}, 9<<20), blob.PutOptions{})
	if err != nil || o.Size != 9<<20 || completed.Load() != 2 {
		t.Errorf("put: %+v, %v after %d requests to complete", o, err, completed.Load())
	}
}
