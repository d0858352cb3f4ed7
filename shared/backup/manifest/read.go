package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"guarda/shared/backup/contenthash"
	"guarda/shared/blob"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// Limits of what is read into memory from a store that may hold anything.
const (
	maxHeader   = 1 << 20 // bytes
	maxManifest = 1 << 30 // bytes, decompressed
)

// Listed is a backup found in a store.
type Listed struct {
	Folder string
	Header Header
	// Problem is why the header cannot be used; the other fields of Header but
	// BackupID, Source and StartedAt are empty then.
	Problem error
}

// List returns the backups of a source, or of all for "", the oldest first.
// A folder without a manifest is not a backup and is left out.
func List(ctx context.Context, store blob.Store, source string) ([]Listed, error) {
	sources := []string{SourceName(source) + "/"}
	if source == "" {
		sources = sources[:0]
		for name, err := range store.Folders(ctx, "") {
			if err != nil {
				return nil, err
			}
			sources = append(sources, name)
		}
	}
	var found []Listed
	for _, s := range sources {
		for name, err := range store.Folders(ctx, s) {
			if err != nil {
				return nil, err
			}
			folder := s + name
			if _, _, _, ok := ParseFolder(folder); !ok {
				continue
			}
			l, ok, err := look(ctx, store, folder)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, l)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Listed) int { return a.Header.StartedAt.Compare(b.Header.StartedAt) })
	return found, nil
}

// look reads the header in a folder; ok is false when there is no manifest.
func look(ctx context.Context, store blob.Store, folder string) (Listed, bool, error) {
	source, started, id, _ := ParseFolder(folder)
	l := Listed{Folder: folder, Header: Header{BackupID: id, Source: source, StartedAt: started}}
	there, err := hasManifest(ctx, store, folder)
	if err != nil || !there {
		return l, false, err
	}
	raw, err := readAll(ctx, store, folder+HeaderName, maxHeader)
	if err != nil && fault.CodeOf(err) != fault.NotFound && fault.CodeOf(err) != fault.Corrupt {
		return l, false, err
	}
	if err != nil {
		l.Problem = err
		return l, true, nil
	}
	h, err := ParseHeader(raw)
	if err == nil && (h.BackupID != id || h.Source != source) {
		err = fault.New(fault.Corrupt, "the header in %s is that of another backup", folder).
			Hint("restore from another copy of this backup")
	}
	if err != nil {
		l.Problem = err
		return l, true, nil
	}
	l.Header = *h
	return l, true, nil
}

func hasManifest(ctx context.Context, store blob.Store, folder string) (bool, error) {
	for o, err := range store.List(ctx, folder+manifestName) {
		if err != nil {
			return false, err
		}
		if o.Size > 0 && (o.Key == Key(folder, true) || o.Key == Key(folder, false)) { // else see GiveUp
			return true, nil
		}
	}
	return false, nil
}

// Find returns the backup that ref names: its id, the beginning of it (at
// least 4 characters) that no other has, or "latest". source "" looks in all.
func Find(ctx context.Context, store blob.Store, source, ref string) (Listed, error) {
	all, err := List(ctx, store, source)
	if err != nil {
		return Listed{}, err
	}
	if len(all) == 0 {
		return Listed{}, fault.New(fault.NotFound, "there is no backup in %s", store.String()).
			Hint("check the store's URL; \"guarda backup\" makes the first one")
	}
	if ref == "latest" {
		newest := all[len(all)-1]
		for _, l := range all {
			if l.Header.Source != newest.Header.Source {
				return Listed{}, fault.New(fault.Invalid, "the store has backups of several databases (%s, %s, …), so \"latest\" is not clear", l.Header.Source, newest.Header.Source).
					Hint("name the database with --name, or give the backup's id; \"guarda list\" shows them")
			}
		}
		return newest, nil
	}
	var match []Listed
	for _, l := range all {
		if l.Header.BackupID == ref {
			return l, nil
		}
		if len(ref) >= 4 && strings.HasPrefix(l.Header.BackupID, ref) {
			match = append(match, l)
		}
	}
	switch len(match) {
	case 1:
		return match[0], nil
	case 0:
		return Listed{}, fault.New(fault.NotFound, "there is no backup %q in %s", ref, store.String()).
			Hint("\"guarda list\" shows the backups that are there")
	}
	return Listed{}, fault.New(fault.Invalid, "%q is the beginning of %d backups' ids", ref, len(match)).
		Hint("write more of it; \"guarda list\" shows the backups that are there")
}

// Open reads the manifest of a listed backup and checks that it is whole and
// makes sense. keys may be nil for one that is not encrypted. The returned key
// reads the backup's objects; it is nil for one that is not encrypted.
func Open(ctx context.Context, store blob.Store, l Listed, keys seal.KeyProvider) (*Manifest, *seal.DataKey, error) {
	if l.Problem != nil {
		return nil, nil, l.Problem
	}
	h := l.Header
	key, err := UnwrapKey(ctx, h, keys)
	if err != nil {
		return nil, nil, err
	}
	plain, err := ReadFile(ctx, store, h.Manifest, key, maxManifest)
	if err != nil {
		return nil, nil, err
	}
	m, err := Parse(plain)
	if err != nil {
		return nil, nil, err
	}
	if m.BackupID != h.BackupID || m.Encrypted != h.Encrypted || m.Folder != l.Folder {
		return nil, nil, fault.New(fault.Corrupt, "the manifest %s and its header speak of different backups", h.Manifest.Key).
			Hint("restore from another copy of this backup")
	}
	return m, key, nil
}

// UnwrapKey returns the data key of a backup, nil for one that has none.
func UnwrapKey(ctx context.Context, h Header, keys seal.KeyProvider) (*seal.DataKey, error) {
	if !h.Encrypted {
		return nil, nil
	}
	if h.Key == nil {
		return nil, fault.New(fault.Corrupt, "the header of backup %s has no key though the backup is encrypted", h.BackupID).
			Hint("restore from another copy of this backup")
	}
	if keys == nil {
		return nil, fault.New(fault.Invalid, "backup %s is encrypted, and no key was given", h.BackupID).
			Hint("give the key it was made with: --key-file, --passphrase-file or --kms (it says: %s %s)", h.Key.Provider, h.Key.KeyID)
	}
	return keys.Unwrap(ctx, *h.Key)
}

// ReadFile reads a whole object, of at most limit plain bytes, and checks that
// it is what was written.
func ReadFile(ctx context.Context, store blob.Store, o Object, key *seal.DataKey, limit int64) ([]byte, error) {
	raw, err := readAll(ctx, store, o.Key, limit)
	if err != nil {
		return nil, err
	}
	if hashOf(raw) != o.SHA256 {
		return nil, fault.New(fault.Corrupt, "the object %s is not what was written: its SHA-256 differs", o.Key).
			Hint("restore from another copy of this backup")
	}
	plain, err := ReadSealed(bytes.NewReader(raw), o, key, limit)
	if err != nil {
		return nil, fmt.Errorf("read the object %s: %w", o.Key, err)
	}
	return plain, nil
}

// ReadSealed reads a whole sealed object of at most limit plain bytes.
func ReadSealed(src io.Reader, o Object, key *seal.DataKey, limit int64) ([]byte, error) {
	r, err := seal.NewReader(src, seal.Options{Compression: seal.Compression(o.Encoding), Key: key, AssociatedData: []byte(o.Key)})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	plain, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(plain)) > limit {
		err = fault.New(fault.TooLarge, "the object %s has more than %d bytes", o.Key, limit)
	}
	return plain, err
}

func readAll(ctx context.Context, store blob.Store, key string, limit int64) ([]byte, error) {
	r, err := store.Get(ctx, key, 0, limit+1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err == nil && int64(len(raw)) > limit {
		err = fault.New(fault.Corrupt, "the object %s has more than %d bytes, more than it can have", key, limit)
	}
	return raw, err
}

// ParseHeader reads a header and checks that it makes sense.
func ParseHeader(raw []byte) (*Header, error) {
	if err := checkFormat(raw); err != nil {
		return nil, err
	}
	var h Header
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, damaged(err)
	}
	switch {
	case h.BackupID == "" || h.Source == "":
		return nil, damaged(fmt.Errorf("no backup id or source"))
	case blob.ValidKey(h.Manifest.Key) != nil:
		return nil, damaged(fmt.Errorf("manifest key %q", h.Manifest.Key))
	}
	return &h, nil
}

// Parse reads a manifest and checks that it makes sense: keys are valid and
// the chunks of a table add up to the table.
func Parse(raw []byte) (*Manifest, error) {
	if err := checkFormat(raw); err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, damaged(err)
	}
	if m.BackupID == "" || m.Source == "" || m.Folder == "" {
		return nil, damaged(fmt.Errorf("no backup id, source or folder"))
	}
	ids := make(map[int]bool, len(m.Entries))
	for _, e := range m.Entries {
		for _, d := range e.DependsOn {
			if !ids[d] {
				return nil, damaged(fmt.Errorf("entry %d (%s %s) needs entry %d, which does not stand before it", e.ID, e.Kind, e.Name, d))
			}
		}
		if e.ID <= 0 || ids[e.ID] {
			return nil, damaged(fmt.Errorf("entry id %d is not unique", e.ID))
		}
		ids[e.ID] = true
	}
	for i := range m.Tables {
		if err := m.Tables[i].check(); err != nil {
			return nil, damaged(fmt.Errorf("table %s: %w", m.Tables[i].FullName(), err))
		}
	}
	if m.LargeObjects != nil {
		if err := m.LargeObjects.check(); err != nil {
			return nil, damaged(fmt.Errorf("large objects: %w", err))
		}
	}
	for _, f := range m.Files {
		if blob.ValidKey(f.Key) != nil {
			return nil, damaged(fmt.Errorf("file key %q", f.Key))
		}
	}
	return &m, nil
}

func (t *Table) check() error {
	var total contenthash.Sum
	next := int64(0) // the block that the next chunk must begin with
	for i := range t.Chunks {
		c := &t.Chunks[i]
		if c.FromBlock != next || next < 0 || c.ToBlock >= 0 && c.ToBlock <= c.FromBlock {
			return fmt.Errorf("the chunk of blocks %d to %d does not follow block %d", c.FromBlock, c.ToBlock, next)
		}
		next = c.ToBlock
		if c.Object != "" && blob.ValidKey(c.Object) != nil {
			return fmt.Errorf("object key %q", c.Object)
		}
		if (c.Object == "") != (c.Rows == 0) {
			return fmt.Errorf("a chunk of %d rows with the object %q", c.Rows, c.Object)
		}
		sum, err := c.Sum()
		if err != nil {
			return err
		}
		total.Add(sum)
	}
	for i := range t.Layers {
		l := &t.Layers[i]
		if l.Chunk.Object != "" && blob.ValidKey(l.Chunk.Object) != nil || (l.Chunk.Object == "") != (l.Chunk.Rows == 0) || len(l.Key) == 0 || l.Column == "" {
			return fmt.Errorf("layer %d of %d rows with the object %q and the key %q", i+1, l.Chunk.Rows, l.Chunk.Object, l.Key)
		}
		if _, err := l.Chunk.Sum(); err != nil {
			return err
		}
	}
	want, err := t.Sum()
	if err != nil {
		return err
	}
	if next >= 0 {
		return fmt.Errorf("no chunk covers the blocks from %d", next)
	}
	if total != want {
		return fmt.Errorf("its chunks have %d rows and hash %s, itself %d and %s", total.Rows, total, want.Rows, want)
	}
	return nil
}

func checkFormat(raw []byte) error {
	var v struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return damaged(err)
	}
	if v.Format > Format {
		return fault.New(fault.Invalid, "the backup has store format %d, and this program knows up to %d", v.Format, Format).
			Hint("use a newer version of guarda")
	}
	if v.Format < 1 {
		return damaged(fmt.Errorf("no format version"))
	}
	return nil
}

func damaged(cause error) error {
	return fault.New(fault.Corrupt, "the backup's manifest or header is damaged").
		Hint("restore from another copy of this backup").Because(cause)
}
