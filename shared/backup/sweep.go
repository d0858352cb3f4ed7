package backup

import (
	"context"
	"errors"
	"fmt"

	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/fault"
)

// Discard removes what a run stored that did not become a backup. What it
// cannot remove has no manifest, so it is not a backup, and garbage collection
// finds it. A folder with a manifest stays: the run may have failed after that,
// and later backups may refer to this one.
//
// Of a run that had come as far as its manifest, an empty object stays, until
// garbage collection: a process that was frozen while it finished the run would
// otherwise write a manifest of objects that are gone.
func Discard(ctx context.Context, store blob.Store, b Baton) error {
	for _, encrypted := range []bool{true, false} {
		o, err := store.Stat(ctx, manifest.Key(b.Folder, encrypted))
		if err == nil && o.Size > 0 || err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	if !b.Copied {
		return removeAll(ctx, store, b.Folder, "")
	}
	if ours, err := manifest.GiveUp(ctx, store, b.Folder, b.Key != nil); err != nil || !ours {
		return err
	}
	return removeAll(ctx, store, b.Folder, manifest.Key(b.Folder, b.Key != nil))
}

// removeAll removes a folder's objects but for one.
func removeAll(ctx context.Context, store blob.Store, folder, but string) error {
	var keys []string
	var failed error
	for o, err := range store.List(ctx, folder) {
		if err != nil {
			failed = err
			break
		}
		if o.Key != but {
			keys = append(keys, o.Key)
		}
	}
	return errors.Join(failed, store.Delete(ctx, keys...))
}

// Tidy removes what only the processes of a run needed, once its backup is
// recorded.
func Tidy(ctx context.Context, store blob.Store, b Baton) error {
	var keys []string
	for o, err := range store.List(ctx, b.Folder+manifest.PlanName) {
		if err != nil {
			return fmt.Errorf("look for what the run's processes shared: %w", err)
		}
		keys = append(keys, o.Key)
	}
	return store.Delete(ctx, keys...)
}

// sweep removes what the run's processes stored and the manifest does not
// name: objects of workers that were killed, and of pictures that were lost.
// What it cannot remove, garbage collection finds.
func (x *execution) sweep(ctx context.Context, m *manifest.Manifest) {
	if x.Relay == nil {
		return
	}
	keys, err := x.strays(ctx, m)
	if err == nil {
		err = x.Store.Delete(ctx, keys...)
	}
	if err != nil {
		x.Log.WarnContext(ctx, "objects that nothing refers to are left", "folder", x.folder, "error", err.Error())
	}
}

func (x *execution) strays(ctx context.Context, m *manifest.Manifest) ([]string, error) {
	named := map[string]bool{}
	for _, key := range m.Objects() {
		named[key] = true
	}
	var keys []string
	for _, below := range []string{"data/", schemaFolder} {
		for o, err := range x.Store.List(ctx, x.folder+below) {
			if err != nil {
				return nil, err
			}
			if !named[o.Key] {
				keys = append(keys, o.Key)
			}
		}
	}
	return keys, nil
}
