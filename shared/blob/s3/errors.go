package s3

import (
	"context"
	"errors"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"guarda/shared/blob"
	"guarda/shared/blob/internal/body"
	"guarda/shared/fault"
)

// apiError is an error that the store reported inside an answer.
type apiError struct{ code, message string }

func (e *apiError) Error() string                 { return e.code + ": " + e.message }
func (e *apiError) ErrorCode() string             { return e.code }
func (e *apiError) ErrorMessage() string          { return e.message }
func (e *apiError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// codeOf returns S3's name for the error, "" where it is not one of S3's.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// statusOf returns the HTTP status of the answer, 0 where there was none.
func statusOf(err error) int {
	var res *awshttp.ResponseError
	if errors.As(err, &res) {
		return res.HTTPStatusCode()
	}
	return 0
}

// explain turns an error of the SDK into one for people. The codes are those
// of the S3 API Reference, "Error responses", and what look-alikes add. key
// is "" where no single object is meant.
func (s *Store) explain(ctx context.Context, key string, err error) error {
	if ctx.Err() != nil {
		return body.Ended(ctx)
	}
	if e := fault.As(err); e != nil { // credentials, or ours
		return e
	}
	status := statusOf(err)
	switch codeOf(err) {
	case "NoSuchBucket":
		return fault.New(fault.NotFound, "the bucket %s does not exist", s.o.Bucket).
			Hint("check the bucket and the endpoint in the store's URL %s, or create the bucket", s.String()).Because(err)
	case "NoSuchKey":
		return blob.NotFoundError(s, key).Because(err)
	case "NoSuchUpload":
		return fault.New(fault.Conflict, "the upload of %s was aborted by something else", key).
			Hint("try again; if it happens again, see whether a lifecycle rule of the bucket aborts uploads too early").Because(err)
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the second is versitygw's
		return fault.New(fault.Forbidden, "the store %s does not know the access key", s.String()).
			Hint("check AWS_ACCESS_KEY_ID or the AWS profile, and whether the key belongs to this store").Because(err)
	case "SignatureDoesNotMatch":
		return fault.New(fault.Forbidden, "the store %s refuses the signature: the secret key is wrong", s.String()).
			Hint("check AWS_SECRET_ACCESS_KEY or the AWS profile").Because(err)
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired":
		return fault.New(fault.Forbidden, "the AWS session token for %s has expired or is not valid", s.String()).
			Hint("sign in again (aws sso login), or unset AWS_SESSION_TOKEN if the key needs none").Because(err)
	case "RequestTimeTooSkewed", "RequestExpired":
		return fault.New(fault.Forbidden, "the store %s refuses the request: this machine's clock is wrong", s.String()).
			Hint("set the clock (a time service such as chrony keeps it right)").Because(err)
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "TemporaryRedirect", "IllegalLocationConstraintException":
		return fault.New(fault.Invalid, "the bucket %s is in another region", s.o.Bucket).
			Hint("put its region into the store's URL: ?region=…").Because(err)
	case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
		return fault.New(fault.Corrupt, "the bytes that reached the store %s are not the ones that were sent", s.String()).
			Hint("try again; if it happens twice, look for a proxy that changes uploads, or for bad memory").Because(err)
	case "InvalidObjectState":
		return fault.New(fault.Conflict, "the object %s is archived and cannot be read at once", key).
			Hint("restore it from the archive storage class first (aws s3api restore-object)").Because(err)
	case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "NoSpaceLeftOnDevice", "ServiceQuotaExceededException":
		return fault.New(fault.Exhausted, "the store %s is full", s.String()).
			Hint("free space there, or raise its quota").Because(err)
	case "EntityTooLarge":
		return fault.New(fault.Exhausted, "the store %s does not take an object this large", s.String()).
			Hint("raise the store's limit on object size, or use smaller chunks").Because(err)
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "UnauthorizedAccess", "InvalidPayer":
		return s.forbidden(err)
	case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "RequestThrottled":
		return fault.New(fault.Unavailable, "the store %s asks to be called less often", s.String()).
			Hint("use fewer jobs, or try again later").RetryAfter(10).Because(err)
	case "NotImplemented", "MethodNotAllowed":
		return fault.New(fault.Invalid, "the store %s does not support what was asked of it", s.String()).
			Hint("see the cause; the endpoint may not be that of an S3 store").Because(err)
	}
	switch {
	case status == http.StatusNotFound && key != "" && (codeOf(err) == "" || codeOf(err) == "NotFound"):
		return blob.NotFoundError(s, key).Because(err)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return s.forbidden(err)
	case status == http.StatusMovedPermanently:
		return fault.New(fault.Invalid, "the bucket %s is in another region", s.o.Bucket).
			Hint("put its region into the store's URL: ?region=…").Because(err)
	case status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "the store %s asks to be called less often", s.String()).
			Hint("use fewer jobs, or try again later").RetryAfter(10).Because(err)
	case status == http.StatusInsufficientStorage:
		return fault.New(fault.Exhausted, "the store %s is full", s.String()).
			Hint("free space there, or raise its quota").Because(err)
	case status >= 500:
		return fault.New(fault.Unavailable, "the store %s has a problem of its own (status %d)", s.String(), status).
			Hint("try again later; see whether the store's operator reports a disturbance").RetryAfter(10).Because(err)
	case status >= 400:
		return fault.New(fault.Invalid, "the store %s refuses the request (status %d)", s.String(), status).
			Hint("see the cause; the endpoint or the bucket in the store's URL may be wrong").Because(err)
	}
	return fault.New(fault.Unavailable, "the store %s cannot be reached", s.String()).
		Hint("check the endpoint in the store's URL, the network, and whether the store is running").RetryAfter(10).Because(err)
}

func (s *Store) forbidden(err error) error {
	return fault.New(fault.Forbidden, "the store %s does not permit this", s.String()).
		Hint("the credentials need s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the bucket").Because(err)
}
