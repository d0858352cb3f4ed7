package s3

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
)

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := blob.ValidRange(offset); err != nil {
		return nil, err
	}
	if err := s.check(key); err != nil {
		return nil, err
	}
	if length == 0 { // there is no way to ask for no bytes
		if _, err := s.Stat(ctx, key); err != nil {
			return nil, err
		}
		return http.NoBody, nil
	}
	in := &s3.GetObjectInput{Bucket: &s.o.Bucket, Key: s.full(key)}
	switch {
	case length > 0 && offset <= math.MaxInt64-length:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	out, err := s.client.GetObject(ctx, in)
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable { // the object ends before
		return http.NoBody, nil
	}
	if err != nil {
		return nil, s.explain(ctx, key, err)
	}
	return &reader{ctx: ctx, s: s, key: key, body: out.Body}, nil
}

type reader struct {
	ctx  context.Context
	s    *Store
	key  string
	body io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && err != io.EOF {
		err = r.s.explain(r.ctx, r.key, err)
	}
	return n, err
}

func (r *reader) Close() error { return r.body.Close() }

// Stat implements blob.Store. The hash is known for objects of one part.
func (s *Store) Stat(ctx context.Context, key string) (blob.Object, error) {
	if err := s.check(key); err != nil {
		return blob.Object{}, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.o.Bucket, Key: s.full(key), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return blob.Object{}, s.explainHead(ctx, key, err)
	}
	return blob.Object{
		Key:      key,
		Size:     aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified).UTC(),
		SHA256:   hexOf(out.ChecksumSHA256),
	}, nil
}

// explainHead is explain for a HEAD request, whose answer has no body and so
// no reason: where a reason is wanted, a request that lists nothing gets it.
func (s *Store) explainHead(ctx context.Context, key string, err error) error {
	if status := statusOf(err); ctx.Err() == nil && status >= 300 && status < 500 {
		_, why := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
			Bucket: &s.o.Bucket, Prefix: s.full(key), MaxKeys: aws.Int32(1),
		})
		// Leave to list may be missing where leave to read is not.
		if why != nil && codeOf(why) != "AccessDenied" {
			return s.explain(ctx, "", why)
		}
	}
	return s.explain(ctx, key, err)
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		if err := blob.ValidPrefix(prefix); err != nil {
			yield(blob.Object{}, err)
			return
		}
		for page, err := range s.pages(ctx, prefix, nil) {
			if err != nil {
				yield(blob.Object{}, err)
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), *s.full(""))
				if blob.ValidKey(key) != nil {
					continue // not ours: a folder's marker, for example
				}
				if !yield(blob.Object{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified).UTC()}, nil) {
					return
				}
			}
		}
	}
}

// Folders implements blob.Store.
func (s *Store) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := blob.ValidFolder(prefix); err != nil {
			yield("", err)
			return
		}
		for page, err := range s.pages(ctx, prefix, aws.String("/")) {
			if err != nil {
				yield("", err)
				return
			}
			for _, p := range page.CommonPrefixes {
				folder := strings.TrimPrefix(aws.ToString(p.Prefix), *s.full(prefix))
				if blob.ValidFolder(folder) == nil && !yield(folder, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) pages(ctx context.Context, prefix string, delimiter *string) iter.Seq2[*s3.ListObjectsV2Output, error] {
	return func(yield func(*s3.ListObjectsV2Output, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
			Bucket: &s.o.Bucket, Prefix: s.full(prefix), Delimiter: delimiter,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, s.explain(ctx, "", err))
				return
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

const deleteBatch = 1000 // the most that one request may name

// Delete implements blob.Store. When some objects cannot be deleted, the
// others are, and the error names them.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := s.check(key); err != nil {
			return err
		}
	}
	var failed []types.Error
	for batch := range slices.Chunk(keys, deleteBatch) {
		ids := make([]types.ObjectIdentifier, len(batch))
		for i, key := range batch {
			ids[i].Key = s.full(key)
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &s.o.Bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return s.explain(ctx, "", err)
		}
		for _, e := range out.Errors {
			if code := aws.ToString(e.Code); code != "NoSuchKey" && code != "NotFound" {
				failed = append(failed, e)
			}
		}
	}
	if len(failed) == 0 {
		return nil
	}
	var names []string
	for _, e := range failed[:min(3, len(failed))] {
		names = append(names, strings.TrimPrefix(aws.ToString(e.Key), *s.full("")))
	}
	first := &apiError{code: aws.ToString(failed[0].Code), message: aws.ToString(failed[0].Message)}
	code := fault.CodeOf(s.explain(ctx, "", first))
	return fault.New(code, "%d of %d objects in %s could not be deleted, %s among them", len(failed), len(keys), s.String(), strings.Join(names, ", ")).
		Hint("see the store's reason; objects under Object Lock can be deleted when their time is over").Because(first)
}

// SignedURL implements blob.Store. A link that was signed with temporary
// credentials (a role's) ends with them, even before its time.
func (s *Store) SignedURL(ctx context.Context, key string, opts blob.SignOptions) (string, error) {
	if err := s.check(key); err != nil {
		return "", err
	}
	if err := blob.ValidTTL(opts.TTL); err != nil {
		return "", err
	}
	in := &s3.GetObjectInput{Bucket: &s.o.Bucket, Key: s.full(key)}
	if opts.FileName != "" {
		in.ResponseContentDisposition = aws.String(mime.FormatMediaType("attachment", map[string]string{"filename": opts.FileName}))
	}
	req, err := s.presign.PresignGetObject(ctx, in, s3.WithPresignExpires(opts.TTL), func(po *s3.PresignOptions) {
		po.Presigner = datedSigner{v4.NewSigner(func(so *v4.SignerOptions) { so.DisableURIPathEscaping = true }), s.o.Clock}
	})
	if err != nil {
		return "", s.explain(ctx, key, err)
	}
	return req.URL, nil
}

// datedSigner signs with the time of our clock.
type datedSigner struct {
	*v4.Signer
	clock clock.Clock
}

// PresignHTTP implements s3.HTTPPresignerV4.
func (d datedSigner) PresignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, optFns ...func(*v4.SignerOptions)) (string, http.Header, error) {
	return d.Signer.PresignHTTP(ctx, c, r, payloadHash, service, region, d.clock.Now(), optFns...)
}
