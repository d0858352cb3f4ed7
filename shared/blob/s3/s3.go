// Package s3 is a blob.Store in Amazon S3 and in everything that speaks its
// protocol (Supabase Storage, Cloudflare R2, MinIO, versitygw, …).
//
// Every upload carries SHA-256 checksums, which the store checks before it
// says that it has the object. Beyond that the client only uses checksums
// where the protocol requires them, since look-alikes fail on newer ones.
//
// An upload that is killed half-way leaves nothing that List shows, but S3
// keeps (and bills) its parts: give the bucket a lifecycle rule with
// AbortIncompleteMultipartUpload. An upload that fails or is canceled takes
// its parts away itself.
package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

// Options are what a store's URL says, and what only programs say.
type Options struct {
	Bucket string
	// Prefix comes before every key: "" or segments without a '/' at either end.
	Prefix string
	// Endpoint is the address of a store other than Amazon's:
	// "https://host:port".
	Endpoint string
	// Region; "" takes the one of the environment or the AWS profile, and
	// us-east-1 where there is an Endpoint.
	Region string
	// PathStyle puts the bucket into the path instead of the host name.
	PathStyle bool
	// Encryption asks the store to encrypt at rest: "", "AES256" or "aws:kms".
	Encryption string
	// KMSKey is the key for "aws:kms"; "" is the bucket's default.
	KMSKey string

	// Credentials replace those of the usual chain (environment, shared
	// files, container, instance). Not part of the URL.
	Credentials aws.CredentialsProvider
	// Attempts is how often a request is tried; 0 is 5.
	Attempts int
	// Clock dates signed links; nil is the system's.
	Clock clock.Clock
}

// ParseURL reads s3://bucket/prefix?endpoint=…&region=…&path_style=true&sse=…&kms_key=….
// With an endpoint, path_style is true unless the URL says otherwise.
func ParseURL(raw string) (Options, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" {
		return Options{}, badURL(fault.New(fault.Invalid, "the store's URL %q is not a valid s3 URL", raw).Because(err))
	}
	if u.User != nil {
		return Options{}, fault.New(fault.Invalid, "the store's URL for bucket %q has credentials in it", u.Host).
			Hint("leave them out of the URL and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use an AWS profile or role")
	}
	o := Options{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if o.Bucket == "" {
		return Options{}, badURL(fault.New(fault.Invalid, "the store's URL %q names no bucket", raw))
	}
	if o.Prefix != "" {
		if err := blob.ValidKey(o.Prefix); err != nil {
			return Options{}, badURL(fault.New(fault.Invalid, "the prefix in the store's URL %q is not valid", raw).Because(err))
		}
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Options{}, badURL(fault.New(fault.Invalid, "the store's URL %q is not a valid s3 URL", raw).Because(err))
	}
	for name, values := range q {
		value := values[len(values)-1]
		switch name {
		case "endpoint":
			e, err := url.Parse(value)
			if err != nil || e.Scheme != "http" && e.Scheme != "https" || e.Host == "" || e.User != nil {
				return Options{}, badURL(fault.New(fault.Invalid, "the endpoint %q is not the address of a store", value).Because(err))
			}
			o.Endpoint = value
			o.PathStyle = o.PathStyle || !q.Has("path_style")
		case "region":
			o.Region = value
		case "path_style":
			if o.PathStyle, err = strconv.ParseBool(value); err != nil {
				return Options{}, badURL(fault.New(fault.Invalid, "path_style is %q, which is neither true nor false", value))
			}
		case "sse":
			if value != "AES256" && value != "aws:kms" {
				return Options{}, badURL(fault.New(fault.Invalid, "sse is %q, which is neither AES256 nor aws:kms", value))
			}
			o.Encryption = value
		case "kms_key":
			o.KMSKey = value
		default:
			return Options{}, badURL(fault.New(fault.Invalid, "the store's URL has an unknown parameter %q", name))
		}
	}
	return o, nil
}

func badURL(e *fault.Error) error {
	return e.Hint("write it as s3://bucket/prefix?region=us-east-1, for other stores with &endpoint=https://host; parameters are endpoint, region, path_style, sse and kms_key")
}

// Store is a blob.Store in a bucket. It is safe for concurrent use.
type Store struct {
	o       Options
	client  *s3.Client
	presign *s3.PresignClient
	buffers sync.Pool // *[]byte of firstPartSize+1
}

var _ blob.Store = (*Store)(nil)

// Open returns the store. It reads the AWS configuration and sends nothing:
// a bucket that is missing or closed shows at the first use.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(so *retry.StandardOptions) { so.MaxAttempts = o.Attempts })
		}),
		config.WithHTTPClient(awshttp.NewBuildableClient().
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = 10 * time.Second }).
			WithTransportOptions(func(t *http.Transport) {
				t.ResponseHeaderTimeout = 2 * time.Minute // completing a large upload takes long
				t.MaxIdleConnsPerHost = 16
			})),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the AWS configuration cannot be read").
			Hint("see AWS_PROFILE and the files ~/.aws/config and ~/.aws/credentials").Because(err)
	}
	switch {
	case cfg.Region != "":
	case o.Endpoint != "":
		cfg.Region = "us-east-1"
	default:
		return nil, fault.New(fault.Invalid, "no AWS region is set for bucket %s", o.Bucket).
			Hint("add ?region=… to the store's URL, or set AWS_REGION")
	}
	cfg.Credentials = aws.NewCredentialsCache(explained{cfg.Credentials})
	client := s3.NewFromConfig(cfg, func(so *s3.Options) {
		so.UsePathStyle = o.PathStyle
		if o.Endpoint != "" {
			so.BaseEndpoint = aws.String(o.Endpoint)
		}
		so.DisableLogOutputChecksumValidationSkipped = true
	})
	return &Store{
		o:       o,
		client:  client,
		presign: s3.NewPresignClient(client),
		buffers: sync.Pool{New: func() any { b := make([]byte, firstPartSize+1); return &b }},
	}, nil
}

// explained turns a failure to find credentials into an error for people.
type explained struct{ inner aws.CredentialsProvider }

func (e explained) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := e.inner.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = fault.New(fault.Forbidden, "no AWS credentials were found").
			Hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is given").Because(err)
	}
	return c, err
}

// String returns the store's URL.
func (s *Store) String() string {
	u := url.URL{Scheme: "s3", Host: s.o.Bucket}
	if s.o.Prefix != "" {
		u.Path = "/" + s.o.Prefix
	}
	if s.o.Endpoint != "" {
		// ':' and '/' need no escape in a query, and read better without.
		u.RawQuery = "endpoint=" + strings.NewReplacer("%3A", ":", "%2F", "/").Replace(url.QueryEscape(s.o.Endpoint))
	}
	return u.String()
}

// full returns the name of key (or of a prefix of keys) in the bucket.
func (s *Store) full(key string) *string {
	if s.o.Prefix != "" {
		key = s.o.Prefix + "/" + key
	}
	return &key
}

// check reports whether key is valid here.
func (s *Store) check(key string) error {
	if err := blob.ValidKey(key); err != nil {
		return err
	}
	if n := len(*s.full(key)); n > 1024 { // S3 User Guide, "Naming Amazon S3 objects"
		return fault.New(fault.Invalid, "the object's name has %d bytes with the store's prefix, and S3 takes 1024", n).
			Hint("use a shorter prefix")
	}
	return nil
}

func (s *Store) encryption() (types.ServerSideEncryption, *string) {
	if s.o.KMSKey == "" {
		return types.ServerSideEncryption(s.o.Encryption), nil
	}
	return types.ServerSideEncryption(s.o.Encryption), &s.o.KMSKey
}

var errNoUpload = errors.New("the store gave no upload id")

// Bucket returns the bucket's name.
func (s *Store) Bucket() string { return s.o.Bucket }

// At returns a store for the same objects with another clock.
func (s *Store) At(c clock.Clock) *Store {
	other := &Store{o: s.o, client: s.client, presign: s.presign}
	other.o.Clock = c
	other.buffers.New = s.buffers.New
	return other
}
