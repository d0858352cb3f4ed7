package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"guarda/shared/blob"
	"guarda/shared/blob/internal/body"
	"guarda/shared/fault"
)

// Put implements blob.Store. An object of up to 8 MiB is one request; a
// larger one is a multipart upload whose parts are sent one after the other
// from one buffer.
//
// The SDK's feature/s3/transfermanager is not used: for a body of unknown
// length its part size is fixed, so that with 8 MiB an object ends at 80 GB;
// it holds a buffer for each of its goroutines; and it is still at version 0.
func (s *Store) Put(ctx context.Context, key string, src io.Reader, opts blob.PutOptions) (blob.Object, error) {
	if err := s.check(key); err != nil {
		return blob.Object{}, err
	}
	if opts.ContentType == "" {
		opts.ContentType = "application/octet-stream"
	}
	pooled := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(pooled)
	u := &upload{s: s, key: key, opts: opts, in: body.New(ctx, src), buffer: *pooled}
	if err := u.run(ctx); err != nil {
		if u.in.Err() != nil {
			return blob.Object{}, fmt.Errorf("put %s: %w", key, u.in.Err())
		}
		return blob.Object{}, s.putError(ctx, key, opts, err)
	}
	return blob.Object{Key: key, Size: u.in.Size(), Modified: s.o.Clock.Now(), SHA256: u.in.SHA256()}, nil
}

// putError explains a failed put.
func (s *Store) putError(ctx context.Context, key string, opts blob.PutOptions, err error) error {
	if opts.IfAbsent && ctx.Err() == nil {
		switch code := codeOf(err); {
		case code == "PreconditionFailed" || statusOf(err) == 412:
			return blob.ExistsError(s, key)
		case code == "ConditionalRequestConflict" || statusOf(err) == 409:
			// Another request for the key was in progress: who won?
			if _, serr := s.Stat(ctx, key); serr == nil {
				return blob.ExistsError(s, key)
			}
			return fault.New(fault.Unavailable, "another program was writing the object %s at the same time", key).
				Hint("try again").Because(err)
		}
	}
	return s.explain(ctx, key, err)
}

// The sizes of parts. S3 takes 10,000 parts, so the parts of a long stream
// must grow; they grow late, in four steps, since memory is what they cost,
// and since Cloudflare R2 wants all parts of an object to be equal. The
// boundaries add up to 8.4 GB, 75 GB, 478 GB and 5.4 TB; S3 takes 5.5 TB.
const firstPartSize = 8 << 20 // bytes

func partSize(number int32) int {
	switch {
	case number <= 1000:
		return firstPartSize
	case number <= 3000:
		return 32 << 20
	case number <= 6000:
		return 128 << 20
	default:
		return 1250 << 20
	}
}

// upload is one Put.
type upload struct {
	s      *Store
	key    string
	opts   blob.PutOptions
	in     *body.Reader
	buffer []byte // of the part's size and one byte more, which tells the last part
	kept   int    // bytes at the buffer's start that the next part begins with

	id    *string
	parts []types.CompletedPart
	sums  []byte // the parts' SHA-256 one after the other
}

func (u *upload) run(ctx context.Context) error {
	part, last, err := u.next(firstPartSize)
	if err != nil {
		return err
	}
	if last {
		return u.single(ctx, part)
	}
	// Not canceled with ctx: a request that the store carries out while we
	// have stopped waiting would leave an upload that nobody can name.
	if err := u.create(ctx); err != nil {
		return err
	}
	if err := u.multipart(ctx, part); err != nil {
		u.abort(ctx)
		return err
	}
	return nil
}

// next reads the next part of up to size bytes; it is valid until the next
// call. last tells that the body ends with it.
func (u *upload) next(size int) (part []byte, last bool, err error) {
	if len(u.buffer) < size+1 {
		larger := make([]byte, size+1)
		copy(larger, u.buffer[:u.kept])
		u.buffer = larger
	}
	n, err := io.ReadFull(u.in, u.buffer[u.kept:size+1])
	n += u.kept
	u.kept = 0
	if u.in.Err() != nil {
		return nil, false, u.in.Err()
	}
	if err != nil { // the end
		return u.buffer[:n], true, nil
	}
	return u.buffer[:size], false, nil
}

// keep moves the byte after the part to the buffer's start.
func (u *upload) keep(size int) {
	u.buffer[0] = u.buffer[size]
	u.kept = 1
}

func (u *upload) single(ctx context.Context, part []byte) error {
	sum := sha256.Sum256(part)
	encoded := base64.StdEncoding.EncodeToString(sum[:])
	sse, kmsKey := u.s.encryption()
	in := &s3.PutObjectInput{
		Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), Body: bytes.NewReader(part), ContentLength: aws.Int64(int64(len(part))),
		ContentType: &u.opts.ContentType, ServerSideEncryption: sse, SSEKMSKeyId: kmsKey,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &encoded, IfNoneMatch: u.ifNoneMatch(),
	}
	out, err := u.s.client.PutObject(ctx, in)
	if in.IfNoneMatch != nil && hasNoConditions(err) {
		if err := u.lookFirst(ctx); err != nil {
			return err
		}
		in.IfNoneMatch, in.Body = nil, bytes.NewReader(part)
		out, err = u.s.client.PutObject(ctx, in)
	}
	if err != nil {
		return err
	}
	return u.confirm(ctx, out.ChecksumSHA256, encoded)
}

func (u *upload) ifNoneMatch() *string {
	if u.opts.IfAbsent {
		return aws.String("*")
	}
	return nil
}

// hasNoConditions says whether a store refused a request because it knows no
// If-None-Match. AWS and most others do; some look-alikes ignore it, which
// nobody can see, and some answer that they do not implement it.
func hasNoConditions(err error) bool {
	return err != nil && (codeOf(err) == "NotImplemented" || statusOf(err) == http.StatusNotImplemented)
}

// lookFirst is what such a store lets IfAbsent be: a look before the put.
func (u *upload) lookFirst(ctx context.Context) error {
	_, err := u.s.Stat(ctx, u.key)
	switch {
	case err == nil:
		return blob.ExistsError(u.s, u.key)
	case fault.CodeOf(err) == fault.NotFound:
		return nil
	}
	return err
}

func (u *upload) create(ctx context.Context) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	sse, kmsKey := u.s.encryption()
	out, err := u.s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), ContentType: &u.opts.ContentType,
		ServerSideEncryption: sse, SSEKMSKeyId: kmsKey,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return err
	}
	if aws.ToString(out.UploadId) == "" {
		return errNoUpload
	}
	u.id = out.UploadId
	return nil
}

func (u *upload) multipart(ctx context.Context, part []byte) error {
	for number, last := int32(1), false; ; number++ {
		if err := u.send(ctx, number, part); err != nil {
			return err
		}
		if last {
			return u.complete(ctx)
		}
		u.keep(len(part))
		var err error
		if part, last, err = u.next(partSize(number + 1)); err != nil {
			return err
		}
	}
}

func (u *upload) send(ctx context.Context, number int32, part []byte) error {
	sum := sha256.Sum256(part)
	encoded := base64.StdEncoding.EncodeToString(sum[:])
	out, err := u.s.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), UploadId: u.id, PartNumber: &number,
		Body: bytes.NewReader(part), ContentLength: aws.Int64(int64(len(part))),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &encoded,
	})
	if err != nil {
		return err
	}
	if got := aws.ToString(out.ChecksumSHA256); got != "" && got != encoded {
		return u.damaged()
	}
	u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: &number, ChecksumSHA256: out.ChecksumSHA256})
	u.sums = append(u.sums, sum[:]...)
	return nil
}

func (u *upload) complete(ctx context.Context) error {
	// The checksum of a multipart object is that of its parts' checksums, and
	// their number: S3 User Guide, "Checking object integrity".
	sum := sha256.Sum256(u.sums)
	encoded := fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(sum[:]), len(u.parts))
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), UploadId: u.id, IfNoneMatch: u.ifNoneMatch(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	}
	out, err := u.s.client.CompleteMultipartUpload(ctx, in)
	if in.IfNoneMatch != nil && hasNoConditions(err) {
		if err := u.lookFirst(ctx); err != nil {
			return err
		}
		in.IfNoneMatch = nil
		out, err = u.s.client.CompleteMultipartUpload(ctx, in)
	}
	if codeOf(err) == "NoSuchUpload" {
		// An earlier attempt of this request succeeded and its answer was lost,
		// or somebody else aborted the upload: see what is there.
		return u.confirm(ctx, nil, encoded)
	}
	if err != nil {
		return err
	}
	return u.confirm(ctx, out.ChecksumSHA256, encoded)
}

// confirm compares the checksum that the store answered with ours; where it
// answered none, it looks at the stored object.
func (u *upload) confirm(ctx context.Context, answered *string, ours string) error {
	got := aws.ToString(answered)
	if got == "" {
		head, err := u.s.client.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), ChecksumMode: types.ChecksumModeEnabled,
		})
		if err != nil {
			return err
		}
		if aws.ToInt64(head.ContentLength) != u.in.Size() {
			return u.damaged()
		}
		got = aws.ToString(head.ChecksumSHA256)
	}
	if got != "" && got != ours {
		return u.damaged()
	}
	return nil
}

func (u *upload) damaged() error {
	return fault.New(fault.Corrupt, "the store %s holds other bytes for %s than were sent", u.s.String(), u.key).
		Hint("write it again; if it happens twice, look for a proxy that changes uploads, or for bad memory")
}

// abort takes the parts away. It is done also when ctx has ended, and an
// error is not reported: the one that led here is.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	_, _ = u.s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.s.o.Bucket, Key: u.s.full(u.key), UploadId: u.id,
	})
}

// detached returns a context for a request that must be made although ctx may
// end. It ends by itself.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// hexOf returns the hash that a checksum of S3 states in hex, "" where it is
// not that of a whole object.
func hexOf(checksum *string) string {
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(checksum))
	if err != nil || len(raw) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(raw)
}
