package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"guarda/shared/fault"
)

// apiFlags say where the API is and who is calling.
type apiFlags struct{ base, keyFile string }

func (f *apiFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.base, "api", "", "URL of the API, for instance http://127.0.0.1:3000 (required)")
	c.Flags().StringVar(&f.keyFile, "api-key-file", "", "file with an API key (required)")
	_ = c.MarkFlagRequired("api")
	_ = c.MarkFlagRequired("api-key-file")
}

// api is a connection to the API.
type api struct {
	base string
	key  string
	http *http.Client
}

func (f *apiFlags) open() (*api, error) {
	u, err := url.Parse(f.base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, usageError{fault.New(fault.Invalid, "%q is not the URL of an API", f.base).Hint("write http://host:port or https://host")}
	}
	raw, err := os.ReadFile(f.keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "the API key file %s does not exist", f.keyFile).Hint("write an API key into a file that only you can read")
	}
	if err != nil {
		return nil, fault.New(fault.Forbidden, "the API key file %s cannot be read", f.keyFile).Because(err)
	}
	key := strings.TrimSpace(string(raw))
	if key == "" || strings.ContainsAny(key, " \t\r\n") {
		return nil, fault.New(fault.Invalid, "the API key file %s holds no API key", f.keyFile)
	}
	return &api{strings.TrimRight(f.base, "/"), key, &http.Client{}}, nil
}

// maxTries is how often a request is sent that the API could not answer.
const maxTries = 6

// send makes a request and returns the answer, whose status is below 300. What
// the API could not answer for the moment (429, 503, no connection) is tried
// again when it says so. body may be nil.
func (c *api) send(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header) (*http.Response, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	for try := 1; ; try++ {
		r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		for name, values := range header {
			r.Header[name] = values
		}
		r.Header.Set("X-API-Key", c.key)
		wait := time.Duration(try*try) * 200 * time.Millisecond
		got, err := c.http.Do(r)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			err = fault.New(fault.Unavailable, "the API at %s cannot be reached", c.base).Hint("check --api, and that the API is running").Because(err)
		case got.StatusCode < 300:
			return got, nil
		default:
			if s, parseErr := strconv.Atoi(got.Header.Get("Retry-After")); parseErr == nil {
				wait = time.Duration(min(s, 60)) * time.Second
			}
			again := got.StatusCode == http.StatusTooManyRequests || got.StatusCode == http.StatusServiceUnavailable
			err = refusal(got)
			if !again {
				return nil, err
			}
		}
		if try == maxTries {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// refusal is the error of an answer with a problem document.
func refusal(got *http.Response) error {
	defer got.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	var p struct {
		Code, Detail, Hint string
		RequestID          string `json:"request_id"`
		Errors             []struct{ Field, Message string }
	}
	if json.Unmarshal(raw, &p) != nil || p.Detail == "" {
		return fault.New(fault.Unavailable, "the API answered with the status %d", got.StatusCode)
	}
	for _, e := range p.Errors {
		p.Detail += "; " + e.Field + ": " + e.Message
	}
	if p.RequestID != "" {
		p.Detail += " (request " + p.RequestID + ")"
	}
	return fault.New(fault.Code(p.Code), "the API refused: %s", p.Detail).Hint("%s", p.Hint)
}

// get reads an answer in JSON.
func (c *api) get(ctx context.Context, path string, query url.Values, into any) error {
	got, err := c.send(ctx, http.MethodGet, path, query, nil, nil)
	if err != nil {
		return err
	}
	return decodeAnswer(got, into)
}

func decodeAnswer(got *http.Response, into any) error {
	defer got.Body.Close()
	if err := json.NewDecoder(io.LimitReader(got.Body, 64<<20)).Decode(into); err != nil {
		return fault.New(fault.Unavailable, "the API's answer cannot be read").Because(err)
	}
	return nil
}

// entryFlags choose log entries.
type entryFlags struct {
	levels, sources, metadata    []string
	since, until                 string
	mode, user, session, pattern string
}

func (f *entryFlags) add(c *cobra.Command, ranged bool) {
	c.Flags().StringSliceVar(&f.levels, "level", nil, "only these levels: debug, info, warn, error, critical")
	c.Flags().StringSliceVar(&f.sources, "source", nil, "only these sources")
	c.Flags().StringArrayVar(&f.metadata, "metadata", nil, "only entries whose metadata has path=value; may be repeated")
	c.Flags().StringVar(&f.mode, "mode", "", "how the term is looked for: words, substring or regex")
	c.Flags().StringVar(&f.user, "user-id", "", "only entries of this user")
	c.Flags().StringVar(&f.session, "session-id", "", "only entries of this session")
	c.Flags().StringVar(&f.pattern, "pattern-id", "", "only entries of this pattern")
	if ranged {
		c.Flags().StringVar(&f.since, "since", "", "from this time on: 2026-11-24, 2026-11-24T12:00:00Z, or how long ago: 90m, 24h, 7d")
		c.Flags().StringVar(&f.until, "until", "", "before this time, in the same forms")
	}
}

// query returns the parameters of the search.
func (f *entryFlags) query(term string, now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, v := range map[string]string{"search_term": term, "mode": f.mode, "user_id": f.user, "session_id": f.session, "pattern_id": f.pattern} {
		if v != "" {
			q.Set(name, v)
		}
	}
	q["level"], q["source"] = f.levels, f.sources
	for name, v := range map[string]string{"start_date": f.since, "end_date": f.until} {
		if v != "" {
			q.Set(name, momentOf(v, now))
		}
	}
	for _, m := range f.metadata {
		path, v, ok := strings.Cut(m, "=")
		if !ok || path == "" {
			return nil, usageError{fault.New(fault.Invalid, "--metadata is %q, and must be path=value", m)}
		}
		q.Add("metadata."+path, v)
	}
	return q, nil
}

// momentOf turns how long ago into a time; the API reads everything else.
func momentOf(v string, now time.Time) string {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil {
			return now.AddDate(0, 0, -n).UTC().Format(time.RFC3339Nano)
		}
	}
	if d, err := time.ParseDuration(v); err == nil {
		return now.Add(-d).UTC().Format(time.RFC3339Nano)
	}
	return v
}
