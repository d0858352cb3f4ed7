package manifest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// Write stores the header and then, last of all and atomically, the manifest:
// from then on the folder is a backup. It fills in h.Manifest and both formats, and returns the
// number of bytes that it stored.
func Write(ctx context.Context, store blob.Store, m *Manifest, h *Header, key *seal.DataKey) (int64, error) {
	m.Format = m.format()
	h.Format = m.Format
	plain, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("encode the manifest: %w", err)
	}
	h.Manifest = Object{Key: Key(m.Folder, key != nil), Encoding: string(seal.Zstd)}
	sealed, err := Seal(plain, h.Manifest.Key, key)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(sealed)
	h.Manifest.Bytes, h.Manifest.SHA256 = int64(len(sealed)), hex.EncodeToString(sum[:])
	header, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("encode the header: %w", err)
	}
	header = append(header, '\n')
	if _, err := store.Put(ctx, m.Folder+HeaderName, bytes.NewReader(header), blob.PutOptions{ContentType: "application/json"}); err != nil {
		return 0, err
	}
	stored, err := store.Put(ctx, h.Manifest.Key, bytes.NewReader(sealed), blob.PutOptions{})
	if err != nil {
		return 0, err
	}
	if stored.SHA256 != h.Manifest.SHA256 {
		_ = store.Delete(ctx, h.Manifest.Key)
		return 0, fault.New(fault.Corrupt, "the store %s has other bytes for %s than were sent", store.String(), h.Manifest.Key).
			Hint("run the backup again; if it happens again, check the store and the network")
	}
	return int64(len(header)) + stored.Size, nil
}

// Seal returns plain compressed with zstd and, with a key, encrypted for the
// object key.
func Seal(plain []byte, objectKey string, key *seal.DataKey) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := seal.NewWriter(&sealed, seal.Options{Compression: seal.Zstd, Key: key, AssociatedData: []byte(objectKey)})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Put seals plain and stores it under folder+name with the suffixes that say
// so.
func Put(ctx context.Context, store blob.Store, folder, name string, plain []byte, key *seal.DataKey) (Object, error) {
	o := Object{Key: folder + name + Suffix("zstd", key != nil), Encoding: string(seal.Zstd)}
	sealed, err := Seal(plain, o.Key, key)
	if err != nil {
		return o, err
	}
	stored, err := store.Put(ctx, o.Key, bytes.NewReader(sealed), blob.PutOptions{})
	o.Bytes, o.SHA256 = stored.Size, stored.SHA256
	return o, err
}
