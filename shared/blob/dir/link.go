package dir

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

// The parameters of a signed link, after <BaseURL>/<key>.
const (
	paramExpires   = "expires"   // seconds since 1970
	paramFileName  = "name"      // left out when empty
	paramSignature = "signature" // base64url of HMAC-SHA256
)

// SignedURL implements blob.Store. The link is served by package dirhttp. It
// is made without looking whether the object exists.
func (s *Store) SignedURL(_ context.Context, key string, opts blob.SignOptions) (string, error) {
	if err := s.check(key); err != nil {
		return "", err
	}
	if err := blob.ValidTTL(opts.TTL); err != nil {
		return "", err
	}
	if len(s.opts.SigningKey) == 0 || s.opts.BaseURL == "" {
		return "", fault.New(fault.Unavailable, "the store %s cannot make links: nothing serves it", s.String()).
			Hint("read the object with the guarda command line, or use the store of the local stack, which serves links")
	}
	expires := strconv.FormatInt(s.opts.Clock.Now().Add(opts.TTL).Unix(), 10)
	q := url.Values{paramExpires: {expires}, paramSignature: {s.signature(key, expires, opts.FileName)}}
	if opts.FileName != "" {
		q.Set(paramFileName, opts.FileName)
	}
	return strings.TrimSuffix(s.opts.BaseURL, "/") + (&url.URL{Path: "/" + key, RawQuery: q.Encode()}).String(), nil
}

// CheckLink reports whether the parameters of a link to key are as SignedURL
// made them and have not expired; if so it returns the file name to offer,
// "" for none. Otherwise the error is fault.Forbidden.
func (s *Store) CheckLink(key string, params url.Values) (fileName string, err error) {
	fileName = params.Get(paramFileName)
	expires := params.Get(paramExpires)
	if len(s.opts.SigningKey) == 0 || !hmac.Equal([]byte(params.Get(paramSignature)), []byte(s.signature(key, expires, fileName))) {
		return "", fault.New(fault.Forbidden, "the link is not one that this server made").Hint("ask for a new link")
	}
	at, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !s.opts.Clock.Now().Before(time.Unix(at, 0)) {
		return "", fault.New(fault.Forbidden, "the link has expired").Hint("ask for a new link")
	}
	return fileName, nil
}

// signature covers everything in the link. The key and the time have no
// newline, so no two links have the same text.
func (s *Store) signature(key, expires, fileName string) string {
	h := hmac.New(sha256.New, s.opts.SigningKey)
	h.Write([]byte("guarda-link-1\n" + key + "\n" + expires + "\n" + fileName))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// At returns the same store with another clock.
func (s *Store) At(c clock.Clock) *Store {
	other := *s
	other.opts.Clock = c
	return &other
}
