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

// Write makes a folder a backup that no other process can be about to finish:
// see Prepare and Publish. It asks nothing special of the store.
func Write(ctx context.Context, store blob.Store, m *Manifest, h *Header, key *seal.DataKey) (int64, error) {
	sealed, err := Prepare(m, h, key)
	if err != nil {
		return 0, err
	}
	return put(ctx, store, m.Folder, h, sealed, blob.PutOptions{})
}

// Prepare returns the bytes of the manifest as they are stored, and fills in
// h.Manifest, which names exactly these, and both formats.
func Prepare(m *Manifest, h *Header, key *seal.DataKey) ([]byte, error) {
	m.Format = m.format()
	h.Format = m.Format
	plain, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	h.Manifest = Object{Key: Key(m.Folder, key != nil), Encoding: string(seal.Zstd)}
	sealed, err := Seal(plain, h.Manifest.Key, key)
	if err != nil {
		return nil, err
	}
	h.Manifest.Bytes, h.Manifest.SHA256 = int64(len(sealed)), hashOf(sealed)
	return sealed, nil
}

// Publish stores the header and then, last of all and atomically, the manifest
// that Prepare gave with it: from then on the folder is a backup. It returns
// the number of bytes that it stored.
//
// Several processes may publish at the same time, or one after the other, what
// one Prepare gave. A manifest that is there already is never replaced: another
// one, or a folder that was given up, is fault.Conflict.
func Publish(ctx context.Context, store blob.Store, folder string, h *Header, sealed []byte) (int64, error) {
	size, err := put(ctx, store, folder, h, sealed, blob.PutOptions{IfAbsent: true})
	if fault.CodeOf(err) != fault.Conflict {
		return size, err
	}
	// Ours, if an answer was lost or another process was quicker.
	there, readErr := readAll(ctx, store, h.Manifest.Key, int64(len(sealed)))
	switch {
	case readErr == nil && hashOf(there) == h.Manifest.SHA256:
		return size, nil
	case readErr != nil && fault.CodeOf(readErr) != fault.Corrupt && fault.CodeOf(readErr) != fault.NotFound:
		return 0, readErr
	}
	return 0, fault.New(fault.Conflict, "the folder %s was given up, or has another manifest, since this run began to finish", folder).
		Hint("nothing was replaced; if no backup came of it, run the backup again").Because(err)
}

// put stores a header and its manifest. It returns their size also when it fails.
func put(ctx context.Context, store blob.Store, folder string, h *Header, sealed []byte, o blob.PutOptions) (int64, error) {
	header, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("encode the header: %w", err)
	}
	header = append(header, '\n')
	if _, err := store.Put(ctx, folder+HeaderName, bytes.NewReader(header), blob.PutOptions{ContentType: "application/json"}); err != nil {
		return 0, err
	}
	size := int64(len(header) + len(sealed))
	stored, err := store.Put(ctx, h.Manifest.Key, bytes.NewReader(sealed), o)
	if err != nil {
		return size, err
	}
	if stored.SHA256 != h.Manifest.SHA256 {
		_ = store.Delete(ctx, h.Manifest.Key)
		return 0, fault.New(fault.Corrupt, "the store %s has other bytes for %s than were sent", store.String(), h.Manifest.Key).
			Hint("run the backup again; if it happens again, check the store and the network")
	}
	return size, nil
}

// GiveUp makes sure that a folder never becomes a backup: an empty object takes
// the place of the manifest, so that a process that is about to publish one, and
// does not know that its run has failed, cannot. It returns false when there is
// a manifest. Where a store has no conditional puts, what is published at the
// same moment wins.
func GiveUp(ctx context.Context, store blob.Store, folder string, encrypted bool) (bool, error) {
	key := Key(folder, encrypted)
	_, err := store.Put(ctx, key, bytes.NewReader(nil), blob.PutOptions{IfAbsent: true})
	if fault.CodeOf(err) != fault.Conflict {
		return err == nil, err
	}
	o, err := store.Stat(ctx, key)
	if fault.CodeOf(err) == fault.NotFound {
		return false, fault.New(fault.Unavailable, "somebody else removes the objects of %s at the same time", folder).Hint("try again").Because(err)
	}
	return err == nil && o.Size == 0, err
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
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
