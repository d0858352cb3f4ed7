package manifest

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"guarda/shared/blob"
)

// Found is a backup's folder, of a finished backup or not.
type Found struct {
	Listed
	Finished bool // it has a manifest
}

// Newest yields the folders of a source's backups, the newest first, those
// without a manifest too. It asks the store for no more than what is read of
// it, unlike List.
func Newest(ctx context.Context, store blob.Store, source string) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		var folders []string
		for name, err := range store.Folders(ctx, SourceName(source)+"/") {
			if err != nil {
				yield(Found{}, err)
				return
			}
			folder := SourceName(source) + "/" + name
			if _, _, _, ok := ParseFolder(folder); ok {
				folders = append(folders, folder)
			}
		}
		slices.Reverse(folders) // their names begin with the time
		for len(folders) > 0 {
			// The names know seconds; which is the newest of one second, the headers
			// know. What did not finish has none, and may be newer than what did.
			n := 1
			for n < len(folders) && startOf(folders[n]) == startOf(folders[0]) {
				n++
			}
			var group []Found
			for _, folder := range folders[:n] {
				l, ok, err := look(ctx, store, folder)
				if err != nil {
					yield(Found{}, err)
					return
				}
				group = append(group, Found{l, ok})
			}
			slices.SortStableFunc(group, func(a, b Found) int {
				return cmp.Or(cmp.Compare(rank(a), rank(b)), b.Header.StartedAt.Compare(a.Header.StartedAt))
			})
			for _, f := range group {
				if !yield(f, nil) {
					return
				}
			}
			folders = folders[n:]
		}
	}
}

func rank(f Found) int {
	if f.Finished {
		return 1
	}
	return 0
}

func startOf(folder string) int64 {
	_, started, _, _ := ParseFolder(folder)
	return started.Unix()
}
