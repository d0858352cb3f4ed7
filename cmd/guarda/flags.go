package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"guarda/shared/backup/manifest"
	"guarda/shared/backup/pgsession"
	"guarda/shared/blob"
	"guarda/shared/blob/open"
	"guarda/shared/fault"
	"guarda/shared/seal"
	"guarda/shared/seal/kmskey"
)

// keyFlags say which key a backup is sealed with.
type keyFlags struct{ file, passphrase, kms string }

func (k *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&k.file, "key-file", "", "file with the key (see guarda keygen)")
	c.Flags().StringVar(&k.passphrase, "passphrase-file", "", "file with a passphrase, instead of a key")
	c.Flags().StringVar(&k.kms, "kms", "", "ARN of a key in AWS KMS, instead of a key file")
	c.MarkFlagsMutuallyExclusive("key-file", "passphrase-file", "kms")
}

// provider returns nil when no key is given.
func (k *keyFlags) provider(ctx context.Context) (seal.KeyProvider, error) {
	switch {
	case k.file != "":
		return seal.KeyFile(k.file)
	case k.passphrase != "":
		text, err := os.ReadFile(k.passphrase)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.NotFound, "the passphrase file %s does not exist", k.passphrase).Hint("check the path").Because(err)
		}
		if err != nil {
			return nil, fault.New(fault.Forbidden, "the passphrase file %s cannot be read", k.passphrase).
				Hint("let the user that runs this read the file").Because(err)
		}
		return seal.Passphrase(bytes.TrimRight(text, "\r\n"))
	case k.kms != "":
		o := kmskey.Options{KeyID: k.kms}
		if arn := strings.Split(k.kms, ":"); len(arn) == 6 { // arn:aws:kms:region:account:key/id
			o.Region = arn[3]
		}
		return kmskey.New(ctx, o)
	}
	return nil, nil
}

// storeFlag is the store's URL.
type storeFlag struct{ url string }

func (s *storeFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&s.url, "store", "", "URL of the store: file:///folder or s3://bucket/prefix (required)")
	_ = c.MarkFlagRequired("store")
}

func (s *storeFlag) open(ctx context.Context, mustExist bool) (blob.Store, error) {
	return open.Store(ctx, s.url, open.Options{MustExist: mustExist})
}

// backupFlags choose a backup in a store.
type backupFlags struct {
	storeFlag
	id, name string
}

func (b *backupFlags) add(c *cobra.Command) {
	b.storeFlag.add(c)
	c.Flags().StringVar(&b.id, "backup", "latest", "id of the backup, the beginning of one, or latest")
	c.Flags().StringVar(&b.name, "name", "", "database whose backups are meant, where the store has several")
}

func (b *backupFlags) find(ctx context.Context) (blob.Store, manifest.Listed, error) {
	store, err := b.open(ctx, true)
	if err != nil {
		return nil, manifest.Listed{}, err
	}
	found, err := manifest.Find(ctx, store, b.name, b.id)
	return store, found, err
}

// connector reads a connection string; its errors show no password.
func connector(dsn string) (*pgx.ConnConfig, func(context.Context) (*pgx.Conn, error), error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, nil, usageError{pgsession.ConnectError(err)}
	}
	pgsession.Defaults(config)
	return config, func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, config.Copy()) }, nil
}
