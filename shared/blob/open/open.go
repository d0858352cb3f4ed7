// Package open opens a store from its URL. It links every kind of store;
// what needs only one kind opens that one itself.
package open

import (
	"context"
	"net/url"
	"strings"

	"guarda/shared/blob"
	"guarda/shared/blob/dir"
	"guarda/shared/blob/s3"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

// Options are what a URL does not say. The zero value is usable.
type Options struct {
	// MustExist refuses a folder that does not exist instead of making it: for
	// callers that only read.
	MustExist bool
	// SigningKey and BaseURL make a folder's signed links; see dir.Options.
	SigningKey []byte
	BaseURL    string
	// Clock is for signed links; nil is the system's.
	Clock clock.Clock
}

// Store opens the store at a URL: file:///folder or s3://bucket/prefix?….
// Nothing is sent to a bucket yet.
func Store(ctx context.Context, raw string, o Options) (blob.Store, error) {
	scheme, _, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, unknown(fault.New(fault.Invalid, "%q is not the URL of a store", raw))
	}
	switch scheme {
	case "file":
		path, err := filePath(raw)
		if err != nil {
			return nil, err
		}
		// The results are returned one by one: a nil *dir.Store is not a nil
		// blob.Store.
		s, err := dir.Open(path, dir.Options{MustExist: o.MustExist, SigningKey: o.SigningKey, BaseURL: o.BaseURL, Clock: o.Clock})
		if err != nil {
			return nil, err
		}
		return s, nil
	case "s3":
		so, err := s3.ParseURL(raw)
		if err != nil {
			return nil, err
		}
		so.Clock = o.Clock
		s, err := s3.Open(ctx, so)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return nil, unknown(fault.New(fault.Invalid, "stores of the kind %q are not supported", scheme))
}

func unknown(e *fault.Error) error {
	return e.Hint("give file:///folder for a folder, or s3://bucket/prefix for S3 and stores like it")
}

func filePath(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host != "" && u.Host != "localhost" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Path == "" {
		return "", fault.New(fault.Invalid, "the store's URL %q is not that of a folder", raw).
			Hint("write it as file:///folder, with three slashes").Because(err)
	}
	return u.Path, nil
}
