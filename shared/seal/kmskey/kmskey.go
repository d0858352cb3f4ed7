// Package kmskey wraps data keys with a key in AWS KMS. It is a package of its
// own so that only what uses KMS links its client.
package kmskey

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"guarda/shared/fault"
	"guarda/shared/seal"
)

const provider = "aws-kms"

// Options say which key to use.
type Options struct {
	// KeyID is the key's id, ARN or alias ("alias/guarda"). It is needed to
	// wrap; a wrapped key names its own.
	KeyID string
	// Region; "" takes the one of the environment or the AWS profile.
	Region string
	// Endpoint replaces Amazon's address, for tests.
	Endpoint string
	// Credentials replace those of the usual chain.
	Credentials aws.CredentialsProvider
}

type provide struct {
	client *kms.Client
	keyID  string
}

// New returns the provider. It reads the AWS configuration and sends nothing.
func New(ctx context.Context, o Options) (seal.KeyProvider, error) {
	var load []func(*config.LoadOptions) error
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
	if cfg.Region == "" {
		return nil, fault.New(fault.Invalid, "no AWS region is set for the KMS key %q", o.KeyID).Hint("set AWS_REGION")
	}
	client := kms.NewFromConfig(cfg, func(ko *kms.Options) {
		if o.Endpoint != "" {
			ko.BaseEndpoint = &o.Endpoint
		}
	})
	return &provide{client: client, keyID: o.KeyID}, nil
}

func (p *provide) String() string { return "the AWS KMS key " + p.keyID }

// encryptionContext is authenticated with the ciphertext and shows in
// CloudTrail; a key policy can ask for it (kms:EncryptionContext:guarda).
func encryptionContext() map[string]string { return map[string]string{"guarda": "data-key"} }

// Wrap implements seal.KeyProvider. It needs kms:Encrypt.
func (p *provide) Wrap(ctx context.Context, key *seal.DataKey) (seal.WrappedKey, error) {
	if p.keyID == "" {
		return seal.WrappedKey{}, fault.New(fault.Invalid, "no KMS key is named to wrap the data key with").
			Hint("give the key's ARN or alias")
	}
	out, err := p.client.Encrypt(ctx, &kms.EncryptInput{KeyId: &p.keyID, Plaintext: key.Bytes(), EncryptionContext: encryptionContext()})
	if err != nil {
		return seal.WrappedKey{}, explain(ctx, p.keyID, err)
	}
	return seal.WrappedKey{Provider: provider, KeyID: aws.ToString(out.KeyId), Ciphertext: out.CiphertextBlob}, nil
}

// Unwrap implements seal.KeyProvider. It needs kms:Decrypt on the key that
// wrapped, which may be another one than this provider wraps with: so a key
// can be replaced while old backups stay readable.
func (p *provide) Unwrap(ctx context.Context, wrapped seal.WrappedKey) (*seal.DataKey, error) {
	if wrapped.Provider != provider {
		return nil, seal.WrongProvider(wrapped, p)
	}
	out, err := p.client.Decrypt(ctx, &kms.DecryptInput{KeyId: &wrapped.KeyID, CiphertextBlob: wrapped.Ciphertext, EncryptionContext: encryptionContext()})
	if err != nil {
		return nil, explain(ctx, wrapped.KeyID, err)
	}
	key, err := seal.DataKeyFromBytes(out.Plaintext)
	if err != nil {
		return nil, damaged(wrapped.KeyID, err)
	}
	return key, nil
}

// explain turns an error of the SDK into one for people. The codes are those
// of the KMS API Reference, "Encrypt" and "Decrypt".
func explain(ctx context.Context, keyID string, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Canceled, "the call to AWS KMS was stopped").Because(context.Cause(ctx))
	}
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch code {
	case "InvalidCiphertextException":
		return damaged(keyID, err)
	case "NotFoundException":
		return fault.New(fault.NotFound, "the KMS key %s does not exist", keyID).
			Hint("check the key, the region and the account; a deleted KMS key cannot be brought back").Because(err)
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignature", "ExpiredTokenException", "InvalidSignatureException":
		return fault.New(fault.Forbidden, "the KMS key %s may not be used", keyID).
			Hint("the credentials need kms:Encrypt and kms:Decrypt on the key").Because(err)
	case "IncorrectKeyException":
		return fault.New(fault.Forbidden, "the data key was wrapped by another KMS key than %s", keyID).
			Hint("the backup's header was changed after it was written: restore from another copy of this backup").Because(err)
	case "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException":
		return fault.New(fault.Conflict, "the KMS key %s is disabled, waiting for deletion or of the wrong kind", keyID).
			Hint("enable the key, or cancel its deletion, in the KMS console; it must be a symmetric key for encryption").Because(err)
	}
	return fault.New(fault.Unavailable, "AWS KMS cannot be used for the key %s", keyID).
		Hint("see the cause; try again later").RetryAfter(10).Because(err)
}

func damaged(keyID string, err error) error {
	return fault.New(fault.Corrupt, "the data key wrapped by the KMS key %s is damaged", keyID).
		Hint("the backup's header was changed after it was written: restore from another copy of this backup").Because(err)
}
