package backup

import (
	"context"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/fault"
)

// listing knows the objects in some folders, with their sizes. A list of a
// thousand objects costs the store one request, so this is how the existence
// of many is checked.
type listing struct {
	store   blob.Store
	folders map[string]map[string]int64
}

// folder lists the rows in a folder, unless it did before.
func (l *listing) folder(ctx context.Context, folder string) (map[string]int64, error) {
	if known, ok := l.folders[folder]; ok {
		return known, nil
	}
	sizes := map[string]int64{}
	for o, err := range l.store.List(ctx, folder+"data/") {
		if err != nil {
			return nil, err
		}
		sizes[o.Key] = o.Size
	}
	if l.folders == nil {
		l.folders = map[string]map[string]int64{}
	}
	l.folders[folder] = sizes
	return sizes, nil
}

// read lists what has needs.
func (l *listing) read(ctx context.Context, s *stored) error {
	for _, chunks := range s.chunks {
		for _, c := range chunks {
			if folder, ok := manifest.FolderOf(c.ObjectKey); ok {
				if _, err := l.folder(ctx, folder); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readAll lists what a backup needs.
func (l *listing) readAll(ctx context.Context, m *manifest.Manifest) error {
	if _, err := l.folder(ctx, m.Folder); err != nil {
		return err
	}
	for _, r := range m.References() {
		if _, err := l.folder(ctx, r.Folder); err != nil {
			return err
		}
	}
	return nil
}

// has says whether an object of a folder that was read is there.
func (l *listing) has(key string) bool {
	folder, ok := manifest.FolderOf(key)
	if !ok {
		return false
	}
	_, there := l.folders[folder][key]
	return there
}

// checkStored makes sure, right before a manifest is written, that every
// object that it will name is in the store with the size it should have:
// somebody may have removed an earlier backup meanwhile.
func checkStored(ctx context.Context, store blob.Store, tables []manifest.Table, large *manifest.LargeObjects) error {
	l := &listing{store: store}
	for i := range tables {
		for _, c := range tables[i].Stored() {
			if err := l.check(ctx, c); err != nil {
				return err
			}
		}
	}
	if large == nil {
		return nil
	}
	for i := range large.Chunks {
		if err := l.check(ctx, &large.Chunks[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) check(ctx context.Context, c *manifest.Chunk) error {
	folder, ok := manifest.FolderOf(c.Object)
	if !ok {
		return nil // a range without rows
	}
	sizes, err := l.folder(ctx, folder)
	if err != nil {
		return err
	}
	if size, there := sizes[c.Object]; !there || size != c.StoredBytes {
		return fault.New(fault.Conflict, "the object %s was removed or replaced while the backup was made", c.Object).
			Hint("run the backup again; it copies those rows anew. See that nobody else tidies the store meanwhile")
	}
	return nil
}
