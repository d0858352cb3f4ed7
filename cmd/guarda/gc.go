package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob"
	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/seal"
)

// deleteBatch is how many objects are removed between two looks at whether to
// stop.
const deleteBatch = 500

// collected is what "gc --json" prints.
type collected struct {
	Objects  int    `json:"objects"`
	Bytes    int64  `json:"bytes"`
	Removed  bool   `json:"removed"`
	Folders  []left `json:"folders"`
	Database string `json:"database,omitempty"`
}

// left is what nothing needs in the folder of one run.
type left struct {
	Folder  string `json:"folder"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
}

func (a *app) gcCommand() *cobra.Command {
	var store storeFlag
	var keys keyFlags
	var name string
	var age time.Duration
	var remove bool
	c := &cobra.Command{
		Use:   "gc --store URL",
		Short: "Find, and with --delete remove, what interrupted runs left in a store",
		Long: `Find the objects that no backup needs: what runs left that were killed, and
copies that were never used. Nothing is removed without --delete. It needs the
key of every backup in the store, since only a manifest tells what it needs, and
leaves alone what is younger than a run may take.`,
		Args: cobra.NoArgs,
	}
	store.add(c)
	keys.add(c)
	c.Flags().StringVar(&name, "name", "", "only what is left of this database's runs")
	c.Flags().DurationVar(&age, "older-than", backup.LongestRun, "leave alone what is younger; not less than the default")
	c.Flags().BoolVar(&remove, "delete", false, "remove what was found")
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	c.RunE = a.work(func(ctx context.Context) error {
		if age < backup.LongestRun {
			return usageError{fault.New(fault.Invalid, "--older-than %s is shorter than a run may take", age.String()).
				Hint("give %s or more: what is younger may belong to a run that goes on", backup.LongestRun.String())}
		}
		s, err := store.open(ctx, true)
		if err != nil {
			return err
		}
		provider, err := keys.provider(ctx)
		if err != nil {
			return err
		}
		garbage, err := leftovers(ctx, s, provider, name, age)
		if err != nil {
			return err
		}
		if remove {
			for batch := range slices.Chunk(garbage, deleteBatch) {
				if err := s.Delete(ctx, keysOf(batch)...); err != nil {
					return err
				}
			}
		}
		return a.printCollected(summed(garbage, name, remove))
	})
	return c
}

// leftovers returns what no backup of one database, or of all, needs.
func leftovers(ctx context.Context, store blob.Store, keys seal.KeyProvider, name string, age time.Duration) ([]blob.Object, error) {
	sources := []string{name}
	if name == "" {
		var err error
		if sources, err = sourcesIn(ctx, store); err != nil {
			return nil, err
		}
	}
	var all []blob.Object
	for _, source := range sources {
		found, err := backup.Garbage(ctx, store, keys, source, clock.System{}.Now(), age)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// sourcesIn returns the databases that runs stored something of, sorted.
func sourcesIn(ctx context.Context, store blob.Store) ([]string, error) {
	seen := map[string]bool{}
	for o, err := range store.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if folder, ok := manifest.FolderOf(o.Key); ok {
			if source, _, _, ok := manifest.ParseFolder(folder); ok {
				seen[source] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func keysOf(objects []blob.Object) []string {
	keys := make([]string, len(objects))
	for i, o := range objects {
		keys[i] = o.Key
	}
	return keys
}

func summed(garbage []blob.Object, name string, removed bool) collected {
	r := collected{Objects: len(garbage), Removed: removed, Folders: []left{}, Database: name}
	at := map[string]int{}
	for _, o := range garbage {
		folder, _ := manifest.FolderOf(o.Key) // Garbage lists no others
		i, there := at[folder]
		if !there {
			i = len(r.Folders)
			at[folder] = i
			r.Folders = append(r.Folders, left{Folder: folder})
		}
		r.Folders[i].Objects++
		r.Folders[i].Bytes += o.Size
		r.Bytes += o.Size
	}
	return r
}

func (a *app) printCollected(r collected) error {
	if a.json {
		return a.printJSON(r)
	}
	for _, f := range r.Folders {
		fmt.Fprintf(a.out, "%s: %s objects, %s\n", f.Folder, count(int64(f.Objects)), size(f.Bytes))
	}
	switch {
	case r.Objects == 0:
		fmt.Fprintln(a.out, "nothing is left that no backup needs")
	case r.Removed:
		fmt.Fprintf(a.out, "removed %s objects, %s\n", count(int64(r.Objects)), size(r.Bytes))
	default:
		fmt.Fprintf(a.out, "%s objects, %s, are needed by no backup; --delete removes them\n", count(int64(r.Objects)), size(r.Bytes))
	}
	return nil
}
