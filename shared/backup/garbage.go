package backup

import (
	"context"
	"fmt"
	"time"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/seal"
)

// LongestRun is how long a run may take. What is younger may belong to one
// that goes on.
const LongestRun = 7 * 24 * time.Hour

// Garbage returns the objects of a source that nothing needs: no manifest
// names them, no run that may still go on made them or may refer to them, and
// they are older than age (LongestRun, where in doubt). now is the moment by
// the store's clock.
//
// It needs the keys of all backups of the source: one manifest that cannot be
// read makes it impossible to know, which is an error. What is listed may be
// deleted in any order. A run that starts later never refers to it, because it
// belongs to no backup and to no unfinished run that is young enough to be
// taken up.
func Garbage(ctx context.Context, store blob.Store, keys seal.KeyProvider, source string, now time.Time, age time.Duration) ([]blob.Object, error) {
	prefix := manifest.SourceName(source) + "/"
	old := now.Add(-age)
	// What is there first, what is needed second: an object that a backup
	// begins to need in between is younger, or named by a mark.
	var candidates []blob.Object
	for o, err := range store.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if o.Modified.Before(old) {
			candidates = append(candidates, o)
		}
	}
	if len(candidates) == 0 {
		return nil, nil
	}
	needed, alive := map[string]bool{}, map[string]bool{} // objects, folders
	for f, err := range manifest.Newest(ctx, store, source) {
		if err != nil {
			return nil, err
		}
		if f.Finished {
			if err := need(ctx, store, keys, f.Listed, needed); err != nil {
				return nil, err
			}
			continue
		}
		if err := spare(ctx, store, f.Folder, old, alive); err != nil {
			return nil, err
		}
	}
	garbage := candidates[:0]
	for _, o := range candidates {
		folder, ok := manifest.FolderOf(o.Key)
		if ok && !needed[o.Key] && !alive[folder] {
			garbage = append(garbage, o)
		}
	}
	return garbage, nil
}

func need(ctx context.Context, store blob.Store, keys seal.KeyProvider, l manifest.Listed, needed map[string]bool) error {
	m, _, err := manifest.Open(ctx, store, l, keys)
	if err != nil {
		return fmt.Errorf("see what backup %s needs: %w", l.Header.BackupID, err)
	}
	for _, key := range append(m.Objects(), l.Folder+manifest.HeaderName, l.Header.Manifest.Key) {
		needed[key] = true
	}
	return nil
}

// spare notes what an unfinished run that may still go on has and refers to.
func spare(ctx context.Context, store blob.Store, folder string, old time.Time, alive map[string]bool) error {
	m, err := readMark(ctx, store, folder)
	if m == nil || err != nil {
		return err
	}
	o, err := store.Stat(ctx, folder+markName)
	if err != nil || o.Modified.Before(old) {
		return err
	}
	alive[folder] = true
	for _, f := range m.Refers {
		alive[f] = true
	}
	return nil
}
