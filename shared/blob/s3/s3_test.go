package s3_test

import (
	"context"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"guarda/shared/blob"
	"guarda/shared/blob/blobtest"
	"guarda/shared/blob/s3"
	"guarda/shared/blob/s3/s3test"
	"guarda/shared/clock"
)

// open returns a store in a new bucket of the test server.
func open(t *testing.T, prefix string, change func(*s3.Options)) *s3.Store {
	t.Helper()
	server := s3test.Start(t)
	o := s3.Options{
		Bucket: server.Bucket(t), Prefix: prefix, Endpoint: server.Endpoint, PathStyle: true,
		Credentials: server.Credentials(), Attempts: 1,
	}
	if change != nil {
		change(&o)
	}
	s, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "team/backups"} {
		t.Run("prefix="+prefix, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, prefix, nil) }, blobtest.Options{
				Expired: func(t *testing.T, s blob.Store, key string) string {
					then := clock.At(clock.System{}.Now().Add(-time.Hour))
					link, err := s.(*s3.Store).At(then).SignedURL(t.Context(), key, blob.SignOptions{TTL: 59 * time.Minute})
					if err != nil {
						t.Fatal(err)
					}
					return link
				},
				Unfinished: func(t *testing.T, s blob.Store) []string { return unfinished(t, s.(*s3.Store)) },
			})
		})
	}
}

// unfinished lists the multipart uploads of the store's bucket.
func unfinished(t *testing.T, s *s3.Store) []string {
	t.Helper()
	bucket := s.Bucket()
	out, err := s3test.Start(t).Client().ListMultipartUploads(context.Background(), &awss3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, u := range out.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}
